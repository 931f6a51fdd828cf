"""Cookies: hidden from scripts and other sites, held to this host behind TLS."""

import tornado.httpclient
import tornado.testing
import tornado.web

from tests.capstone.chat_case import ChatCase, Person
from tests.capstone.forms import set_cookies


class PlainCookieTest(ChatCase):
    @tornado.testing.gen_test
    async def test_on_plain_localhost_cookies_are_hidden_from_scripts_and_other_sites(self) -> None:
        anna = Person(self, "anna")
        page = set_cookies(await anna.fetch("/register"))
        login = set_cookies(await anna.register())
        self.assertEqual((set(page), set(login)), ({"browser", "xsrf"}, {"session", "known"}))
        for name, morsel in (page | login).items():
            with self.subTest(cookie=name):
                self.assertTrue(morsel["httponly"])
                self.assertEqual((morsel["samesite"], morsel["path"]), ("Lax", "/"))
                self.assertEqual((morsel["secure"], morsel["domain"]), ("", ""))
        response = await anna.submit("/logout", {"_xsrf": await anna.token()})
        self.assertEqual(set_cookies(response)["session"].value, "")


class SecureCookieTest(ChatCase):
    options = {"secure": True}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_behind_tls_cookies_are_held_to_this_host(self) -> None:
        anna = Person(self, "anna")
        page = set_cookies(await anna.fetch("/register"))
        login = set_cookies(await anna.register())
        self.assertEqual(
            (set(page), set(login)),
            ({"__Host-browser", "__Host-xsrf"}, {"__Host-session", "__Host-known"}),
        )
        for name, morsel in (page | login).items():
            with self.subTest(cookie=name):
                self.assertTrue(morsel["httponly"] and morsel["secure"])
                self.assertEqual((morsel["samesite"], morsel["path"]), ("Lax", "/"))
                self.assertEqual(morsel["domain"], "")
        response = await anna.submit("/logout", {"_xsrf": await anna.token()})
        gone = set_cookies(response)["__Host-session"]
        # A browser takes a __Host- cookie, also its deletion, only with Secure and Path=/.
        self.assertEqual((gone.value, gone["secure"], gone["path"]), ("", True, "/"))
        self.assertEqual((await anna.fetch("/api/state")).code, 401)

    @tornado.testing.gen_test
    async def test_a_cookie_without_the_prefix_is_not_taken(self) -> None:
        anna = await self.person("anna")
        anna.cookies["session"] = anna.cookies.pop("__Host-session")
        self.assertEqual((await anna.fetch("/api/state")).code, 401)
