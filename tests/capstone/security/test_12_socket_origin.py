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
        for name in self.cookie_name("session"), "session":
            for forged in "x", "", f'"2|1:0|10:0|{len(name)}:{name}|0:|0"':
                self.assertEqual(await self.refused(self.anna, Cookie=f"{name}={forged}"), 401)

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
            own.replace("http:", "https:"),
            own + "/",
            own.replace("http:", ""),
            "http://[",
            "file://",
        ):
            with self.subTest(origin=origin):
                self.assertEqual(await self.refused(self.anna, Origin=origin), 403)
        for site in "cross-site", "same-site":
            self.assertEqual(await self.refused(self.anna, **{"Sec-Fetch-Site": site}), 403)
        same = {"Sec-Fetch-Site": "same-origin"}
        self.assertEqual(await self.refused(self.anna, Origin="https://evil.example", **same), 403)
        await self.anna.connect(Origin=own)
        await self.anna.connect(Origin=own.upper())

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


class OriginCase(SocketCase):
    async def statuses(self, **headers: str) -> tuple[int, int]:
        """Return the status of a handshake and of a call with these headers."""
        try:
            await self.anna.connect(**headers)
            handshake = 101
        except tornado.httpclient.HTTPClientError as refused:
            handshake = refused.code
        response = await self.anna.send_json(
            "POST", "/api/groups", '{"title": "Garden"}', **headers
        )
        return handshake, response.code


class SchemeCase(OriginCase):
    """The scheme is a part of the origin (RFC 6454, 4)."""

    async def from_scheme(self, scheme: str, **headers: str) -> tuple[int, int]:
        """Return the statuses for a page with a scheme."""
        return await self.statuses(Origin=self.get_url("").replace("http", scheme, 1), **headers)


class PlainTest(SchemeCase):
    @tornado.testing.gen_test
    async def test_a_page_by_https_is_another_origin(self) -> None:
        self.assertEqual(await self.from_scheme("http"), (101, 201))
        self.assertEqual(await self.from_scheme("https"), (403, 403))
        claims = {"X-Scheme": "https", "X-Forwarded-Proto": "https"}  # nobody asked a proxy
        self.assertEqual(await self.from_scheme("https", **claims), (403, 403))


class ProxyTest(SchemeCase):
    options = {"xheaders": True}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_with_xheaders_the_proxy_says_the_scheme(self) -> None:
        for header in "X-Scheme", "X-Forwarded-Proto":
            for scheme, other in ("https", "http"), ("http", "https"):
                said = {header: scheme}
                self.assertEqual(await self.from_scheme(scheme, **said), (101, 201))
                self.assertEqual(await self.from_scheme(other, **said), (403, 403))
        self.assertEqual(await self.from_scheme("http"), (101, 201))


class SecureTest(SchemeCase):
    options = {"secure": True, "xheaders": True}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_with_secure_the_scheme_is_https_whatever_the_proxy_says(self) -> None:
        for said in {}, {"X-Scheme": "https"}, {"X-Scheme": "http"}:
            self.assertEqual(await self.from_scheme("https", **said), (101, 201))
            self.assertEqual(await self.from_scheme("http", **said), (403, 403))
