"""The browser is sent to the provider with four things, one of them random and kept in a cookie."""

import re
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import tornado.web

from course.exercise_case import Answer, ExerciseCase, Mismatch

PROVIDER = "http://provider.example:9000"
GO = "LoginHandler: self._OAUTH_AUTHORIZE_URL = ..., then self.authorize_redirect(...)"
STATE = 'extra_params={"state": secrets.token_urlsafe(32)} of authorize_redirect()'
COOKIE = 'self.set_signed_cookie("state", state, httponly=True, samesite="Lax"), the same state'


class LoginRedirect(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        app = self.make_app()
        app.settings["provider"] = PROVIDER
        return app

    def login(self) -> tuple[Answer, dict[str, str]]:
        """The answer to GET /login, and the query of the address that it leads to."""
        answer = self.send("GET", "/login").expect(status=302, look=GO)
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        return answer, {name: values[0] for name, values in query.items()}

    def expect_in_query(self, name: str, value: str, look: str) -> None:
        answer, query = self.login()
        self.expect(query.get(name), value, sent=f"{answer.sent}\n{name} in Location", look=look)

    def test_it_leads_to_the_provider(self) -> None:
        answer, _ = self.login()
        came = answer.headers["Location"].partition("?")[0]
        self.expect(came, f"{PROVIDER}/authorize", sent=f"{answer.sent}\nLocation", look=GO)

    def test_it_says_who_asks_for_what_and_where_the_answer_goes(self) -> None:
        self.expect_in_query("client_id", "course", 'client_id="course"')
        self.expect_in_query("redirect_uri", self.subject.CALLBACK, "redirect_uri=CALLBACK")
        self.expect_in_query("scope", "profile", 'scope=["profile"]: a list')
        self.expect_in_query("response_type", "code", "authorize_redirect() adds it by itself")

    def test_the_state_is_long_and_new_each_time(self) -> None:
        states = []
        for _ in range(2):
            answer, query = self.login()
            states.append(query.get("state", ""))
            if not re.fullmatch(r"[\w-]{22,}", states[-1]):
                raise Mismatch(
                    sent=f"{answer.sent}\nstate in Location",
                    came=repr(states[-1]),
                    expected="22 letters or more of secrets.token_urlsafe(), 128 bits",
                    look=STATE,
                )
        if states[0] == states[1]:
            raise Mismatch(
                sent="GET /login, twice",
                came=f"the same state: {states[0]}",
                expected="two states",
                look="make the state in get(), not once for all",
            )

    def test_the_state_is_kept_in_a_signed_cookie_of_this_browser(self) -> None:
        answer, query = self.login()
        sent = f"{answer.sent}\nthe cookie called state"
        morsel = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie"))).get("state")
        kept = morsel and tornado.web.decode_signed_value(
            self._app.settings["cookie_secret"], "state", morsel.value
        )
        self.expect(kept and kept.decode(), query.get("state", "a state"), sent=sent, look=COOKIE)
        flags = (bool(morsel["httponly"]), morsel["samesite"])
        self.expect(flags, (True, "Lax"), sent=f"{sent}: HttpOnly, SameSite", look=COOKIE)
