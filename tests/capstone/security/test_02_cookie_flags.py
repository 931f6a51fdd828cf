"""Cookies: hidden from scripts and other sites, held to this host, named by the secret."""

import json
import re
import tempfile
from http.cookies import Morsel
from pathlib import Path

import tornado.httpclient
import tornado.httpserver
import tornado.testing
import tornado.web

from capstone_chat import urls
from capstone_chat.app import make_app
from capstone_chat.handlers.cookies import cookie_name, old_cookie_name
from capstone_chat.options import Options
from tests.capstone.chat_case import PASSWORD, ChatCase, Person
from tests.capstone.form_pages import set_cookies

NAMES = ("session", "known", "browser", "xsrf")


class CookieCase(ChatCase):
    def named(self, *names: str) -> set[str]:
        return {self.cookie_name(name) for name in names}

    async def set_at_registration(self, person: Person) -> dict[str, Morsel[str]]:
        """Register, and return all cookies that the page and the answer to its form have set."""
        page = set_cookies(await person.fetch("/register"))
        login = set_cookies(await person.register())
        self.assertEqual(set(page), self.named("browser", "xsrf"))
        self.assertEqual(set(login), self.named("session", "known"))
        return page | login


class PlainCookieTest(CookieCase):
    @tornado.testing.gen_test
    async def test_on_plain_localhost_cookies_are_hidden_from_scripts_and_other_sites(self) -> None:
        anna = Person(self, "anna")
        for name, morsel in (await self.set_at_registration(anna)).items():
            with self.subTest(cookie=name):
                self.assertTrue(morsel["httponly"])
                self.assertEqual((morsel["samesite"], morsel["path"]), ("Lax", "/"))
                self.assertEqual((morsel["secure"], morsel["domain"]), ("", ""))
        response = await anna.log_out()
        gone = set_cookies(response)
        self.assertEqual({name: morsel.value for name, morsel in gone.items()}, {self.session: ""})

    @property
    def session(self) -> str:
        return self.cookie_name("session")


class SecureCookieTest(CookieCase):
    options = {"secure": True}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_behind_tls_cookies_are_held_to_this_host(self) -> None:
        anna = Person(self, "anna")
        for name, morsel in (await self.set_at_registration(anna)).items():
            with self.subTest(cookie=name):
                self.assertTrue(name.startswith("__Host-"))
                self.assertTrue(morsel["httponly"] and morsel["secure"])
                self.assertEqual((morsel["samesite"], morsel["path"]), ("Lax", "/"))
                self.assertEqual(morsel["domain"], "")
        response = await anna.log_out()
        gone = set_cookies(response)[self.cookie_name("session")]
        # A browser takes a __Host- cookie, also its deletion, only with Secure and Path=/.
        self.assertEqual((gone.value, gone["secure"], gone["path"]), ("", True, "/"))
        self.assertEqual((await anna.fetch("/api/state")).code, 401)

    @tornado.testing.gen_test
    async def test_a_cookie_without_the_prefix_is_not_taken(self) -> None:
        anna = await self.person("anna")
        whole = anna.cookies.pop(self.cookie_name("session"))
        for name in self.cookie_name("session").removeprefix("__Host-"), "session":
            anna.cookies = {name: whole}
            self.assertEqual((await anna.fetch("/api/state")).code, 401)


class NamesTest(CookieCase):
    def test_a_name_comes_from_the_secret_and_does_not_show_it(self) -> None:
        for name in NAMES:
            for secure in False, True:
                with self.subTest(name=name, secure=secure):
                    one, two = (cookie_name(name, secret, secure=secure) for secret in "xy")
                    prefix = "__Host-" if secure else ""
                    self.assertRegex(one, rf"^{prefix}{name}-[0-9a-f]{{8}}$")
                    self.assertNotEqual(one, two)
                    self.assertEqual(one, cookie_name(name, "x", secure=secure))

    @tornado.testing.gen_test
    async def test_two_chats_on_one_host_leave_each_others_cookies_alone(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        database = str(urls.sqlite_url(Path(folder) / "chat.db"))
        app = make_app(Options(data=folder, database=database))
        listening, port = tornado.testing.bind_unused_port()
        server = tornado.httpserver.HTTPServer(app)
        server.add_socket(listening)
        anna = Person(self, "anna")
        await anna.register()
        here = dict(anna.cookies)
        for path in "/", "/login", "/register", "/api/state":
            response = await self.http_client.fetch(
                f"http://127.0.0.1:{port}{path}",
                headers={"Cookie": anna.cookie},
                follow_redirects=False,
                raise_error=False,
            )
            for name, morsel in set_cookies(response).items():
                anna.cookies[name] = morsel.value
        self.assertEqual(anna.cookies, anna.cookies | here)
        self.assertGreater(len(anna.cookies), len(here))
        self.assertEqual((await anna.call("GET", "/api/state"))[0], 200)
        server.stop()
        await app.settings["chat"].close()
        await server.close_all_connections()

    @tornado.testing.gen_test
    async def test_a_process_with_the_same_secret_takes_the_same_cookies(self) -> None:
        anna = await self.person("anna")
        secret = (self.data / "secret").read_text().strip()
        self.assertIn(cookie_name("session", secret, secure=False), anna.cookies)


class UpgradeTest(CookieCase):
    """A browser that has the cookies of an earlier version."""

    def old_name(self, name: str) -> str:
        return old_cookie_name(name, secure=self.chat.options.secure)

    async def upgraded(self) -> Person:
        """Return somebody who has logged in, with the names of earlier versions in the browser."""
        anna = Person(self, "anna")
        await anna.register()
        await anna.token()
        secret = self._app.settings["cookie_secret"]
        old = {self.old_name("xsrf"): anna.cookies[self.cookie_name("xsrf")]}
        for name in "session", "known", "browser":
            new = self.cookie_name(name)
            value = tornado.web.decode_signed_value(secret, new, anna.cookies[new])
            assert value is not None
            old[self.old_name(name)] = self.sign(self.old_name(name), value.decode())
        anna.cookies = old
        return anna

    @tornado.testing.gen_test
    async def test_a_session_stays_open_and_gets_the_new_name(self) -> None:
        anna = await self.upgraded()
        response = await anna.fetch("/")
        self.assertEqual(response.code, 200)
        came = set_cookies(response)
        self.assertEqual(came[self.old_name("session")].value, "")
        self.assertTrue(came[self.cookie_name("session")]["httponly"])
        self.assertNotEqual(came[self.cookie_name("session")]["expires"], "")
        self.assertEqual((await anna.call("GET", "/api/state"))[0], 200)
        self.assertNotIn(self.old_name("session"), anna.cookies)

    @property
    def origin(self) -> str:
        """The origin of the chat's own page."""
        scheme = "https" if self.chat.options.secure else "http"
        return self.get_url("").replace("http", scheme, 1)

    @tornado.testing.gen_test
    async def test_an_open_page_can_go_on(self) -> None:
        anna = await self.upgraded()
        token = anna._token
        headers = {"X-XSRFToken": token, "Content-Type": "application/json"}
        body = json.dumps({"title": "Garden"})
        response = await anna.fetch("/api/groups", method="POST", headers=headers, body=body)
        self.assertEqual(response.code, 201)
        await anna.connect(Origin=self.origin)
        anna = await self.person("bob")
        anna.cookies[self.old_name("xsrf")] = "planted"
        response = await anna.fetch("/api/groups", method="POST", headers=headers, body=body)
        self.assertEqual(response.code, 403)

    @tornado.testing.gen_test
    async def test_a_socket_of_an_old_page_opens(self) -> None:
        line = await (await self.upgraded()).connect(Origin=self.origin)
        await line.heard()

    @tornado.testing.gen_test
    async def test_to_log_out_clears_both_names(self) -> None:
        anna = await self.upgraded()
        await anna.fetch("/api/state")
        anna.cookies[self.old_name("session")] = self.sign(self.old_name("session"), "x")
        gone = set_cookies(await anna.log_out())
        for name in self.cookie_name("session"), self.old_name("session"):
            self.assertEqual(gone[name].value, "")

    @tornado.testing.gen_test
    async def test_a_copy_of_the_old_cookie_is_dead_after_logout(self) -> None:
        anna = await self.upgraded()
        thief = Person(self, "thief")
        thief.cookies = dict(anna.cookies)
        await anna.log_out()
        self.assertEqual((await thief.fetch("/api/state")).code, 401)

    @tornado.testing.gen_test
    async def test_a_browser_is_still_known(self) -> None:
        anna = await self.upgraded()
        await anna.log_out()
        for number in range(6):
            await Person(self, "anna").login(password=f"a guess {number}")
        self.assertEqual((await anna.login()).code, 303)

    @tornado.testing.gen_test
    async def test_an_open_form_can_still_be_sent(self) -> None:
        await self.person("anna")
        anna = Person(self, "anna")
        page = (await anna.fetch("/login")).body.decode()
        browser, xsrf = (anna.cookies[self.cookie_name(name)] for name in ("browser", "xsrf"))
        secret = self._app.settings["cookie_secret"]
        value = tornado.web.decode_signed_value(secret, self.cookie_name("browser"), browser)
        assert value is not None
        anna.cookies = {
            self.old_name("browser"): self.sign(self.old_name("browser"), value.decode()),
            self.old_name("xsrf"): xsrf,
        }
        hidden = dict(re.findall(r'name="(_xsrf|captcha_id)" value="([^"]+)"', page))
        own = {"name": "anna", "password": PASSWORD, "captcha": self.answer(hidden["captcha_id"])}
        self.assertEqual((await anna.submit("/login", hidden | own)).code, 303)

    @tornado.testing.gen_test
    async def test_the_old_cookies_of_another_chat_are_ignored_and_left_there(self) -> None:
        anna, mallory = await self.person("anna"), Person(self, "mallory")
        for name in "session", "known", "browser":
            old = self.old_name(name)
            foreign = tornado.web.create_signed_value("another secret", old, "theirs").decode()
            mallory.cookies[old] = anna.cookies[old] = foreign
        self.assertEqual((await mallory.fetch("/api/state")).code, 401)
        self.assertEqual((await anna.fetch("/api/state")).code, 200)
        for response in (
            await mallory.fetch("/login"),
            await mallory.login(name="anna"),
            await mallory.log_out(),
            await anna.log_out(),
        ):
            touched = {self.old_name(name) for name in NAMES} & set_cookies(response).keys()
            self.assertEqual(touched, set())

    @tornado.testing.gen_test
    async def test_the_new_name_wins_over_an_old_one(self) -> None:
        anna, bob = await self.person("anna"), await self.upgraded_as("bob")
        anna.cookies |= bob.cookies
        self.assertEqual((await anna.call("GET", "/api/state"))[1]["user"]["name"], "anna")

    async def upgraded_as(self, name: str) -> Person:
        bob = await self.person(name)
        secret, new = self._app.settings["cookie_secret"], self.cookie_name("session")
        token = tornado.web.decode_signed_value(secret, new, bob.cookies.pop(new))
        assert token is not None
        bob.cookies[self.old_name("session")] = self.sign(self.old_name("session"), token.decode())
        return bob


class SecureUpgradeTest(UpgradeTest):
    options = {"secure": True}  # noqa: RUF012


class OnePlaceTest(CookieCase):
    def test_no_other_file_of_the_chat_knows_a_name(self) -> None:
        house = Path(make_app.__code__.co_filename).parent
        for file in house.rglob("*.py"):
            if file.name != "cookies.py":
                with self.subTest(file=file.name):
                    self.assertNotIn("__Host-", file.read_text(encoding="utf-8"))
