"""Origins that the operator names may open sockets and call, and no others."""

import unittest

import tornado.testing

from capstone_chat import urls
from capstone_chat.options import OptionError, parse
from tests.capstone.security.test_12_socket_origin import OriginCase

FORWARDED = "https://name-8888.app.example"


class AllowedOriginsTest(OriginCase):
    """The address in the browser is that of a proxy, which sends another Host and plain HTTP."""

    options = {"allowed_origins": f"{FORWARDED}, http://second.example:8080/"}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_the_origins_that_are_named_are_allowed(self) -> None:
        for origin in FORWARDED, "http://second.example:8080", self.get_url(""):
            for site in {}, {"Sec-Fetch-Site": "same-origin"}:
                with self.subTest(origin=origin, **site):
                    found = await self.statuses(Origin=origin, **site)
                    self.assertEqual(found, (101, 201))

    @tornado.testing.gen_test
    async def test_no_other_origin_is_allowed(self) -> None:
        for origin in (
            "https://evil.example",
            "null",
            FORWARDED.replace("https", "http"),
            f"{FORWARDED}:8443",
            f"{FORWARDED}.evil.example",
            f"{FORWARDED}/",
            "https://other.name-8888.app.example",
            "http://second.example",
            "https://second.example:8080",
            f"{FORWARDED}, http://second.example:8080/",
            f"https://evil.example@{FORWARDED.partition('//')[2]}",
        ):
            for site in {}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}:
                with self.subTest(origin=origin, **site):
                    found = await self.statuses(Origin=origin, **site)
                    self.assertEqual(found, (403, 403))

    @tornado.testing.gen_test
    async def test_a_call_still_needs_the_token_of_the_page(self) -> None:
        headers = {"Origin": FORWARDED, "Content-Type": "application/json"}
        response = await self.anna.fetch(
            "/api/groups", method="POST", body='{"title": "Garden"}', headers=headers
        )
        self.assertEqual(response.code, 403)


class NobodyTest(AllowedOriginsTest):
    """Without the option, only the chat's own origin is allowed."""

    options = {}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_the_origins_that_are_named_are_allowed(self) -> None:
        self.assertEqual(await self.statuses(Origin=FORWARDED), (403, 403))
        self.assertEqual(await self.statuses(Origin=self.get_url("")), (101, 201))


class OptionTest(unittest.TestCase):
    def test_an_address_becomes_the_origin_that_browsers_send(self) -> None:
        for text, expected in (
            ("https://chat.example.org", "https://chat.example.org"),
            (" https://Chat.Example.org/ ", "https://chat.example.org"),
            ("https://chat.example.org:443", "https://chat.example.org"),
            ("http://chat.example.org:80/", "http://chat.example.org"),
            ("http://chat.example.org:443", "http://chat.example.org:443"),
            ("http://[::1]:9000", "http://[::1]:9000"),
            ("http://127.0.0.1", "http://127.0.0.1"),
        ):
            with self.subTest(text=text):
                self.assertEqual(urls.parse_origin(text), expected)

    def test_what_is_no_origin_is_refused_in_one_line(self) -> None:
        for text in (
            "chat.example.org",
            "*",
            "https://*",
            "https://*.example.org",
            "null",
            "file:///etc",
            "ws://chat.example.org",
            "https://",
            "https://chat.example.org/chat",
            "https://chat.example.org?x",
            "https://chat.example.org#x",
            "https://me:hunter2@chat.example.org",
            "https://chat.example.org:x",
            "https://chat.example.org:99999",
            "https://чат.example",
            "https://a.example https://b.example",
        ):
            with self.subTest(text=text):
                with self.assertRaises(OptionError) as caught:
                    parse([f"--allowed-origins=https://first.example,{text}"])
                self.assertTrue(str(caught.exception).startswith("--allowed-origins: "))
                self.assertNotIn("\n", str(caught.exception))
                self.assertNotIn("hunter2", str(caught.exception))

    def test_several_are_separated_by_commas(self) -> None:
        options = parse(["--allowed-origins=https://a.example, https://b.example,"])
        self.assertEqual(options.origins, {"https://a.example", "https://b.example"})
        self.assertEqual(parse([]).origins, set())
