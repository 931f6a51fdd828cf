"""The count goes on only with the cookie as it was signed; any other cookie counts from 1."""

import time
from http.cookies import SimpleCookie
from unittest import mock

import tornado.web

from course.testing.http import ExerciseCase, Mismatch, Response

COUNT = (
    "get(): 1 for a visitor without a cookie, then one more for each visit.\n"
    "get_signed_cookie() returns bytes, or None. set_signed_cookie() takes text: str(visits).\n"
    "Both need a secret: cookie_secret= in make_app()"
)
FORGED = (
    "A visitor can type any plain cookie. Use self.set_signed_cookie and self.get_signed_cookie,\n"
    "and cookie_secret= in make_app(). With a dict of secrets, pass min_version=2 when you read"
)
CHANGED = (
    "A changed cookie counts from 1. Use set_signed_cookie and get_signed_cookie:\n"
    "they notice each changed character, and only your secret can make a signature that fits"
)
OTHER = 'get_signed_cookie() needs the name of your own cookie: "other" belongs to another one'
AGE = "Leave max_age_days at its default, 31. expires_days limits only the browser"
YOUNG = "A signature is valid for 31 days: leave max_age_days at its default"
SCRIPTS = "set_signed_cookie takes every argument of set_cookie: httponly=True"
DAY = 24 * 60 * 60  # seconds


class VisitCounter(ExerciseCase):
    def cookies(self, answer: Response) -> SimpleCookie:
        """Return the cookies that this answer sets."""
        cookies = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
        if not cookies:
            raise Mismatch(
                sent=answer.sent,
                received="an answer that sets no cookie",
                expected="Set-Cookie: visits=...",
                advice=COUNT,
            )
        return cookies

    def visit(self, cookies: dict[str, str] | None = None) -> Response:
        pairs = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
        return self.send("GET", "/", headers={"Cookie": pairs} if pairs else {})

    def first_visit(self) -> dict[str, str]:
        """Return the cookies of somebody who has been here once."""
        answer = self.visit().expect(status=200, json={"visits": 1}, advice=COUNT)
        return {name: cookie.value for name, cookie in self.cookies(answer).items()}

    def test_the_count_goes_up(self) -> None:
        jar = self.first_visit()
        for visits in (2, 3):
            answer = self.visit(jar).expect(status=200, json={"visits": visits}, advice=COUNT)
            jar |= {name: cookie.value for name, cookie in self.cookies(answer).items()}

    def test_a_count_typed_by_hand_is_not_believed(self) -> None:
        for name in {"visits", *self.first_visit()}:
            for typed in ("1000", "many"):
                self.visit({name: typed}).expect(status=200, json={"visits": 1}, advice=FORGED)

    def test_one_changed_character_is_enough(self) -> None:
        for name, value in self.first_visit().items():
            for place, character in enumerate(value):
                if place and character.isalnum():  # the first one is the version of the format
                    other = "7" if character != "7" else "3"
                    changed = value[:place] + other + value[place + 1 :]
                    self.visit({name: changed}).expect(
                        status=200, json={"visits": 1}, advice=CHANGED
                    )

    def test_a_signature_is_valid_for_one_cookie_only(self) -> None:
        settings = self._app.settings
        if "cookie_secret" not in settings:
            return  # signed in some other way, so this check cannot sign
        key = settings.get("key_version")
        signed = tornado.web.create_signed_value(
            settings["cookie_secret"], "other", "1000", key_version=key
        ).decode()
        for name in self.first_visit():
            self.visit({name: signed}).expect(status=200, json={"visits": 1}, advice=OTHER)

    def test_a_count_is_valid_for_31_days(self) -> None:
        now = time.time()
        for days, visits, advice in ((29, 2, YOUNG), (32, 1, AGE)):
            with mock.patch("time.time", lambda: now - days * DAY):  # noqa: B023, called at once
                jar = self.first_visit()
            answer = self.visit(jar)
            answer = Response(f"{answer.sent}\n(signed {days} days ago)", answer.response)
            answer.expect(status=200, json={"visits": visits}, advice=advice)

    def test_scripts_of_the_page_do_not_see_it(self) -> None:
        answer = self.visit()
        if not all(cookie["httponly"] for cookie in self.cookies(answer).values()):
            raise Mismatch(
                sent=answer.sent,
                received=f"Set-Cookie: {answer.headers['Set-Cookie']}",
                expected="Set-Cookie: visits=...; HttpOnly; ...",
                advice=SCRIPTS,
            )
