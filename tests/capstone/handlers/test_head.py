"""HEAD is answered as GET is, without a body (RFC 9110, section 9.3.2)."""

import tornado.testing

from tests.capstone.chat_case import ChatCase, Person
from tests.capstone.security.test_30_large_reads import PAGES


class HeadTest(ChatCase):
    @tornado.testing.gen_test
    async def test_head_has_the_status_and_headers_of_get_and_no_body(self) -> None:
        stranger, anna = Person(self, "stranger"), await self.person("anna")
        cases = [
            (stranger, "/login", 200),
            (stranger, "/register", 200),
            (stranger, "/", 302),
            (anna, "/", 200),
            (anna, "/api/state", 200),
            (anna, "/api/conversations/99", 404),
            (stranger, "/healthz", 200),
            (stranger, "/readyz", 200),
            (stranger, "/metrics", 200),
        ]
        for someone, path, status in cases:
            with self.subTest(path=path):
                got = await someone.fetch(path)
                response = await someone.fetch(path, method="HEAD")
                self.assertEqual((got.code, response.code), (status, status))
                self.assertEqual(response.body, b"")
                for name in "Content-Type", "Cache-Control", "Location":
                    self.assertEqual(response.headers.get(name), got.headers.get(name))

    @tornado.testing.gen_test
    async def test_head_is_answered_wherever_get_is(self) -> None:
        anna = await self.person("anna")
        for path in PAGES.keys() - {"/ws"}:
            path = path.format(hex="0" * 32)
            with self.subTest(path=path):
                got = await anna.fetch(path)
                response = await anna.fetch(path, method="HEAD")
                self.assertEqual((response.code, response.body), (got.code, b""))

    @tornado.testing.gen_test
    async def test_what_has_no_get_has_no_head(self) -> None:
        anna = await self.person("anna")
        for path in "/logout", "/api/groups/1/join", "/ws":
            response = await anna.fetch(path, method="HEAD")
            self.assertEqual(response.code, 405)
