"""Only the page of a logged-in user opens a socket."""

import tornado.httpclient
import tornado.iostream
import tornado.testing

from tests.capstone.chat_case import Person
from tests.capstone.socket_case import SocketCase


class DoorTest(SocketCase):
    async def refused(self, person: Person, **headers: str) -> int:
        with self.assertRaises(tornado.httpclient.HTTPClientError) as caught:
            await person.open_socket(**headers)
        return caught.exception.code

    @tornado.testing.gen_test
    async def test_without_a_session_there_is_no_socket(self) -> None:
        self.assertEqual(await self.refused(Person(self, "x")), 401)
        for forged in "session=x", "session=", 'session="2|1:0|10:0|7:session|0:|0"':
            self.assertEqual(await self.refused(self.anna, Cookie=forged), 401)

    @tornado.testing.gen_test
    async def test_only_the_chats_own_page_opens_a_socket(self) -> None:
        """C280"""
        own = self.get_url("")
        port = self.get_http_port()
        for origin in (
            "",  # no Origin: not a browser on the page
            "https://evil.example",
            "null",
            own + ".evil.example",
            own.replace("127.0.0.1", "127.0.0.1.evil.example"),
            f"http://evil.example:{port}",
            f"http://evil.example/{own}",
            f"http://{own.removeprefix('http://')}@evil.example",
            f"http://127.0.0.1:{port + 1}",
            f"http://localhost:{port}",
            "file://",
        ):
            with self.subTest(origin=origin):
                self.assertEqual(await self.refused(self.anna, Origin=origin), 403)
        for site in "cross-site", "same-site":
            self.assertEqual(await self.refused(self.anna, **{"Sec-Fetch-Site": site}), 403)
        await self.anna.connect(Origin=own)

    @tornado.testing.gen_test
    async def test_the_address_of_the_socket_takes_no_forms(self) -> None:
        headers = {"X-XSRFToken": await self.anna.token(), "Origin": self.get_url("")}
        for method in "POST", "PUT", "DELETE":
            response = await self.anna.fetch(
                "/ws", method=method, headers=headers, allow_nonstandard_methods=True
            )
            self.assertEqual(response.code, 405)

    @tornado.testing.gen_test
    async def test_a_refused_handshake_leaves_nothing_behind(self) -> None:
        await self.refused(self.anna, Origin="null")
        await self.refused(Person(self, "x"))
        self.assertEqual(len(self.chat.hub), 0)
