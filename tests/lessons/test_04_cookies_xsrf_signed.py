"""Lesson 04: signed cookies (C146-C156)."""

import base64
import hashlib
import hmac
import secrets
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import tornado.web
from tornado.testing import ExpectLog
from tornado.web import create_signed_value, decode_signed_value

from course.pages import blocks
from tests.lessons.cookie_case import CookieClientCase, cookies_set_by
from tests.support.lesson_case import import_script, json_of
from tests.support.lesson_pages import LESSONS_FOLDER

signed_cookies = import_script("04_cookies_xsrf", "signed_cookies")
key_rotation = import_script("04_cookies_xsrf", "key_rotation")

SECRET = "a secret"
DAY = 86400
FURTHER: Path = LESSONS_FOLDER / "04_cookies_xsrf" / "FURTHER.md"


def signed(name: str, value: str, age: float = 0, **options: Any) -> str:
    """A value signed `age` days ago."""
    options |= {"clock": lambda: time.time() - age * DAY}
    return create_signed_value(SECRET, name, value, **options).decode()


class InvitationTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return signed_cookies.make_app(SECRET)

    def welcome(self, invitation: str) -> int:
        return self.get(f"/welcome?invitation={quote(invitation)}").code

    def test_an_invitation_becomes_a_cookie(self) -> None:
        """C149, C150: reading gives bytes."""
        invitation = self.post("/invite", "guest=Zoë").body.decode().strip()
        self.assertEqual(self.get(f"/welcome?invitation={invitation}").code, 302)
        self.assertEqual(json_of(self.get()), {"guest": "Zoë"})

    def test_without_expires_days_it_lasts_until_the_browser_is_closed(self) -> None:
        """C152"""
        response = self.get(f"/welcome?invitation={quote(signed('invitation', 'Ada'))}")
        self.assertEqual(cookies_set_by(response)["guest"]["expires"], "")

    def test_whatever_does_not_hold_is_refused(self) -> None:
        """C150: forged, too old, of another cookie, of another secret, of an older format."""
        good = signed("invitation", "Ada")
        bad = {
            "empty": "",
            "typed": "Ada",
            "one character": good[:-1] + ("0" if good[-1] != "0" else "1"),
            "another value": good.replace("4:QWRh", "4:RXZl"),
            "older than a day": signed("invitation", "Ada", age=1.01),
            "another name": signed("guest", "Ada"),
            "another secret": create_signed_value("guessed", "invitation", "Ada").decode(),
            "version 1": signed("invitation", "Ada", version=1),
        }
        for what, invitation in bad.items():
            with self.subTest(what):
                self.assertEqual(self.welcome(invitation), 403)
        self.assertEqual(self.welcome(good), 302)
        self.assertEqual(self.welcome(signed("invitation", "Ada", age=0.99)), 302)

    def test_the_server_believes_a_cookie_as_long_as_it_says_itself(self) -> None:
        """C152: the door asks for seven days, whatever the browser was told."""
        for age, guest in ((6.9, "Ada"), (7.1, None)):
            self.jar = {"guest": signed("guest", "Ada", age=age)}
            self.assertEqual(json_of(self.get()), {"guest": guest})


class RotationTest(CookieClientCase):
    keys = {1: "old", 2: "new"}  # noqa: RUF012, only read

    def get_app(self) -> tornado.web.Application:
        return key_rotation.make_app(self.keys, 2)

    def test_a_cookie_of_the_old_key_is_signed_anew(self) -> None:
        """C146"""
        self.get("/yesterday")
        yesterday = self.jar["member"]
        self.assertEqual(json_of(self.get()), {"member": "ada", "signed with key": 1})
        self.assertEqual(json_of(self.get()), {"member": "ada", "signed with key": 2})
        self.assertNotEqual(self.jar["member"], yesterday)
        self.assertNotIn("Set-Cookie", self.get().headers)

    def test_a_key_that_was_taken_away_signs_nobody_in(self) -> None:
        """C146"""
        self.get("/yesterday")
        del self._app.settings["cookie_secret"][1]
        self.addCleanup(self.keys.setdefault, 1, "old")
        self.assertEqual(json_of(self.get()), {"member": None, "signed with key": None})

    def test_a_value_in_the_old_format_is_nobody(self) -> None:
        """C146, C150: it names no key, so Tornado finds none to check it with."""
        for value in ("1000", "MTAwMA==|1700000000|abc"):
            with self.subTest(value):
                self.jar = {"member": value}
                self.assertEqual(json_of(self.get()), {"member": None, "signed with key": None})
                with self.assertRaises(AssertionError):
                    tornado.web.decode_signed_value(self.keys, "member", value)


class SignHandler(tornado.web.RequestHandler):
    values = {"text": "Zoë", "bytes": b"\xff\x00", "number": 7}  # noqa: RUF012, only read

    def get(self, kind: str) -> None:
        self.set_signed_cookie("visits", self.values[kind])  # type: ignore[arg-type]  # a number


class ReadHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        days = float(self.get_query_argument("days", "31"))
        value = self.get_signed_cookie("visits", max_age_days=days)
        self.write({"type": type(value).__name__, "value": repr(value)})


class AliasHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        handler = tornado.web.RequestHandler
        same = handler.set_secure_cookie is handler.set_signed_cookie
        self.write({"same": same and handler.get_secure_cookie is handler.get_signed_cookie})


class SignedDetailsTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        routes = [(r"/sign/(\w+)", SignHandler), ("/read", ReadHandler), ("/alias", AliasHandler)]
        return tornado.web.Application(routes, cookie_secret=SECRET)

    def read(self, days: float = 31) -> str:
        return str(json_of(self.get(f"/read?days={days}"))["value"])

    def test_text_and_bytes_can_be_signed_a_number_not(self) -> None:
        """C149"""
        for kind, value in (("text", "Zoë".encode()), ("bytes", b"\xff\x00")):
            self.get(f"/sign/{kind}")
            self.assertEqual(self.read(), repr(value))
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.get("/sign/number").code, 500)

    def test_a_cookie_that_is_missing_is_none(self) -> None:
        """C150"""
        self.assertEqual(self.read(), "None")

    def test_the_old_names_are_aliases(self) -> None:
        """C149"""
        self.assertEqual(json_of(self.get("/alias")), {"same": True})

    def test_browser_and_server_count_for_themselves(self) -> None:
        """C152: 30 days for the browser, 31 for the server, more if asked."""
        expires = cookies_set_by(self.get("/sign/text"))["visits"]["expires"]
        self.assertTrue(expires)
        self.jar = {"visits": signed("visits", "7", age=32)}
        self.assertEqual(self.read(), "None")
        self.assertEqual(self.read(60), "b'7'")

    def test_a_copied_cookie_works(self) -> None:
        """C154: from wherever it is sent."""
        self.get("/sign/text")
        stolen = dict(self.jar)
        self.jar.clear()
        self.assertEqual(self.read(), "None")
        self.jar = stolen
        self.assertEqual(self.read(), repr("Zoë".encode()))


class NoSecretTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([(r"/sign/(\w+)", SignHandler), ("/read", ReadHandler)])

    def test_without_a_secret_neither_writing_nor_reading_works(self) -> None:
        """C146"""
        for path in ("/sign/text", "/read"):
            with ExpectLog("tornado.application", "Uncaught exception"):
                self.assertEqual(self.get(path).code, 500)


class KeysWithoutVersionTest(CookieClientCase):
    def get_app(self) -> tornado.web.Application:
        routes = [(r"/sign/(\w+)", SignHandler), ("/read", ReadHandler)]
        return tornado.web.Application(routes, cookie_secret={1: SECRET})

    def test_keys_need_to_be_told_which_one_signs(self) -> None:
        """C146"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.get("/sign/text").code, 500)
        self.assertEqual(self.get("/read").code, 200)


def test_the_signed_value_on_the_page_is_real() -> None:
    """C151, C153: and it is taken apart, and signed, without Tornado."""
    [anatomy] = [block for block in blocks(FURTHER) if block.text.startswith("2|1:0|")]
    shown = anatomy.text.splitlines()[0].removesuffix("...")
    real = create_signed_value(SECRET, "count", "5", clock=lambda: 1800000000).decode()
    assert real.startswith(shown)

    before, _, signature = real.rpartition("|")
    assert before.split("|") == ["2", "1:0", "10:1800000000", "5:count", "4:NQ=="]
    assert base64.b64decode("NQ==") == b"5"
    digest = hmac.new(SECRET.encode(), f"{before}|".encode(), hashlib.sha256).hexdigest()
    assert signature == digest


def test_the_name_is_part_of_what_is_signed() -> None:
    """C150, C151"""
    value = create_signed_value(SECRET, "count", "5")
    assert decode_signed_value(SECRET, "count", value) == b"5"
    assert decode_signed_value(SECRET, "role", value) is None


def test_base64_is_an_encoding_and_a_uuid_is_mostly_random() -> None:
    """C147, C148: what older tutorials make their secret of, and what to write today."""
    old = base64.b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes)
    assert isinstance(old, bytes)
    assert len(old) == 44
    numbers = [uuid.uuid4().int for _ in range(2000)]
    always = ~0
    for number in numbers:
        always &= ~(number ^ numbers[0])
    fixed = (always & (2**128 - 1)).bit_count()
    assert fixed == 128 - 122
    assert len(bytes.fromhex(secrets.token_hex(32))) == 32


def test_int_takes_the_bytes_of_a_counter() -> None:
    """C156: the counter itself is an exercise."""
    value = decode_signed_value(SECRET, "visits", create_signed_value(SECRET, "visits", "41"))
    assert value == b"41"
    assert int(value) + 1 == 42
