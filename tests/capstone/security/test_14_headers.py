"""What browsers are told with each answer."""

import base64
import hashlib
import json
import re

import tornado.tcpclient
import tornado.testing

from tests.capstone.chat_case import ChatCase, Person


class HeaderTest(ChatCase):
    STRICT = (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    )

    @tornado.testing.gen_test
    async def test_every_page_call_and_error_is_strict(self) -> None:
        anna, stranger = await self.person("anna"), Person(self, "x")
        answers = {
            "the chat": await anna.fetch("/"),
            "login": await stranger.fetch("/login"),
            "register": await stranger.fetch("/register"),
            "a wrong form": await stranger.fill("login", captcha="?"),
            "a redirect": await stranger.fetch("/"),
            "JSON": await anna.fetch("/api/state"),
            "a JSON error": await stranger.fetch("/api/state"),
            "no page": await anna.fetch("/nowhere"),
            "a refused form": await anna.submit("/logout", {}),
            "a wrong method": await anna.fetch("/logout"),
            "names": await anna.fetch("/api/names?name=x"),
            "a socket without one": await anna.fetch("/ws"),
        }
        for what, response in answers.items():
            with self.subTest(what):
                for name, value in self.STRICT:
                    self.assertEqual(response.headers.get(name), value, name)
                self.assertNotIn("Server", response.headers)
                self.assertNotIn("Strict-Transport-Security", response.headers)
                policy = response.headers["Content-Security-Policy"]
                self.assertNotIn("unsafe", policy)
                rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
                self.assertEqual(rules["default-src"], "'self'")
                self.assertEqual(rules["object-src"], "'none'")
                self.assertEqual(rules["base-uri"], "'none'")
                self.assertEqual(rules["form-action"], "'self'")
                self.assertEqual(rules["frame-ancestors"], "'none'")

    @tornado.testing.gen_test
    async def test_static_files_are_not_sniffed_and_say_no_version_also_when_missing(self) -> None:
        for path, code in ("/static/css/base.css", 200), ("/static/nothing.css", 404):
            response = await Person(self, "x").fetch(path)
            self.assertEqual(response.code, code)
            self.assertEqual(response.headers.get("X-Content-Type-Options"), "nosniff")
            self.assertNotIn("Server", response.headers)

    @tornado.testing.gen_test
    async def test_what_has_a_version_may_be_kept_for_ever_and_every_module_has_one(self) -> None:
        html = (await Person(self, "x").fetch("/login")).body.decode()
        found = re.search(r'<script type="importmap">(.*?)</script>', html)
        assert found is not None
        modules = json.loads(found[1])["imports"]
        self.assertIn("/static/js/views/composer.js", modules)
        for plain, address in modules.items():
            self.assertRegex(address, rf"^{re.escape(plain)}\?v=[0-9a-f]{{32,}}$")
        for address, kept in (
            (modules["/static/js/conversations/store.js"], "max-age=315360000, immutable"),
            ("/static/js/conversations/store.js", "no-cache"),
        ):
            response = await Person(self, "x").fetch(address)
            self.assertEqual(response.headers["Cache-Control"], kept)

    @tornado.testing.gen_test
    async def test_no_page_holds_what_the_policy_forbids(self) -> None:
        anna = await self.person("anna")
        pages = [
            await anna.fetch("/"),
            await Person(self, "x").fetch("/login"),
            await Person(self, "x").fetch("/register"),
            await anna.fetch("/nowhere"),
        ]
        for page in pages:
            html = page.body.decode()
            # The one script in a page is the import map, by the hash that the policy names.
            inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script", html, re.DOTALL)
            self.assertEqual([kind for kind, _ in inline], [' type="importmap"'])
            digest = base64.b64encode(hashlib.sha256(inline[0][1].encode()).digest()).decode()
            policy = page.headers["Content-Security-Policy"]
            self.assertIn(f"script-src 'self' 'sha256-{digest}';", policy)
            self.assertNotRegex(html, r"<style|\sstyle=|\son\w+=|javascript:")
            self.assertNotRegex(html, r'(src|href)="(https?:)?//', "something from another site")


class SecureHeaderTest(ChatCase):
    options = {"secure": True}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_behind_tls_browsers_are_told_to_stay_there(self) -> None:
        response = await Person(self, "x").fetch("/login")
        self.assertEqual(response.headers["Strict-Transport-Security"], "max-age=31536000")
