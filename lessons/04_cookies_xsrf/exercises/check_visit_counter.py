"""The count goes on only with the cookie as it was signed; whatever else comes counts from 1."""

import time
from http.cookies import Morsel, SimpleCookie

import tornado.web

from course.exercise_case import Answer, ExerciseCase, Mismatch

COUNT = (
    "get(): 1 for a visitor without a cookie, then one more for each visit.\n"
    "get_signed_cookie() gives bytes, or None; set_signed_cookie() wants text: str(visits)"
)
SIGN = "self.set_signed_cookie, self.get_signed_cookie, and cookie_secret= in make_app()"
FORGED = f"a plain cookie is whatever the visitor types: use {SIGN}"


class VisitCounter(ExerciseCase):
    def cookie(self, answer: Answer) -> Morsel[str]:
        """The cookie visits that this answer sets."""
        cookies = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
        if "visits" not in cookies:
            raise Mismatch(
                sent=answer.sent,
                came="an answer that sets no cookie called visits",
                expected="Set-Cookie: visits=...",
                look=COUNT,
            )
        return cookies["visits"]

    def visit(self, value: str | None = None) -> Answer:
        return self.send("GET", "/", headers={"Cookie": f"visits={value}"} if value else {})

    def test_the_count_goes_up(self) -> None:
        answer = self.visit().expect(status=200, json={"visits": 1}, look=COUNT)
        for visits in (2, 3):
            answer = self.visit(self.cookie(answer).value)
            answer.expect(status=200, json={"visits": visits}, look=COUNT)

    def test_a_count_typed_by_hand_is_not_believed(self) -> None:
        for typed in ("1000", "many"):
            with self.subTest(typed):
                self.visit(typed).expect(status=200, json={"visits": 1}, look=FORGED)

    def test_one_changed_character_of_the_signature_is_enough(self) -> None:
        value = self.cookie(self.visit()).value
        changed = value[:-1] + ("0" if value[-1] != "0" else "1")
        self.visit(changed).expect(status=200, json={"visits": 1}, look=FORGED)

    def signed(self, name: str, value: str, age_days: float = 0) -> str:
        """What this application would have put into that cookie, so many days ago."""
        secret = self._app.settings.get("cookie_secret")
        if not secret:
            raise Mismatch(
                sent="make_app()",
                came="an application without a cookie_secret",
                expected="one that can sign",
                look="make_app(): Application(..., cookie_secret=secrets.token_hex(32))",
            )
        signed = tornado.web.create_signed_value(
            secret, name, value, clock=lambda: time.time() - age_days * 86400
        )
        return signed.decode()

    def test_a_signature_holds_for_one_cookie_only(self) -> None:
        self.visit(self.signed("stars", "1000")).expect(
            status=200,
            json={"visits": 1},
            look='that was signed for a cookie called stars: read get_signed_cookie("visits")',
        )

    def test_a_count_holds_for_31_days(self) -> None:
        look = "leave max_age_days at its default, 31"
        for days, visits in ((30, 8), (32, 1)):
            self.visit(self.signed("visits", "7", days)).expect(
                status=200, json={"visits": visits}, look=look
            )

    def test_scripts_of_the_page_do_not_see_it(self) -> None:
        answer = self.visit()
        if not self.cookie(answer)["httponly"]:
            raise Mismatch(
                sent=answer.sent,
                came=f"Set-Cookie: {answer.headers['Set-Cookie']}",
                expected="Set-Cookie: visits=...; HttpOnly; ...",
                look="set_signed_cookie takes every argument of set_cookie: httponly=True",
            )
