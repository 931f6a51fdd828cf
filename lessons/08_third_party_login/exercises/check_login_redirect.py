"""The browser is sent to the provider with four things, one of them random and kept in a cookie."""

from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import tornado.web

from course.testing.http import ExerciseCase, Mismatch, Response

PROVIDER = "http://provider.example:9000"
ENOUGH = 22  # characters of secrets.token_urlsafe(16), which are 128 bits
GO = "LoginHandler: self._OAUTH_AUTHORIZE_URL = ..., then self.authorize_redirect(...)"
CLIENT = 'authorize_redirect(client_id="course")'
REDIRECT_URI = (
    "authorize_redirect(redirect_uri=CALLBACK): the provider sends the browser back there"
)
SCOPE = 'authorize_redirect(scope=["profile"]): a list, of which it makes a text'
TYPE = "authorize_redirect() adds response_type=code by itself; your own address needs it too."
NO_STATE = (
    "The address has no state. authorize_redirect() adds none by itself:\n"
    'extra_params={"state": secrets.token_urlsafe(32)}'
)
STATE = "A state that can be guessed protects from nothing: secrets.token_urlsafe(32)"
ANEW = "Make the state in get(), for each login: one that is made at the start is everybody's."
COOKIE = 'self.set_signed_cookie("state", state, httponly=True, samesite="Lax")'
UNSIGNED = "The cookie is not signed: set_signed_cookie() instead of set_cookie()."
SAME = "The cookie and the address have different states. Make the state once and use it twice."
HTTP_ONLY = "Scripts of the page can read the cookie: httponly=True"
LAX = (
    'samesite="Lax": the way back begins on the page of another site, the provider\'s. With Strict '
    "the browser would not send the cookie there."
)


class LoginRedirect(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        app = self.make_app()
        app.settings["provider"] = PROVIDER
        return app

    def login(self) -> tuple[Response, dict[str, str]]:
        """The answer to GET /login, and the query of the address that it leads to."""
        answer = self.send("GET", "/login").expect(status=302, advice=GO)
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        return answer, {name: values[0] for name, values in query.items()}

    def expect_in_query(self, name: str, value: str, advice: str) -> None:
        answer, query = self.login()
        self.expect(
            query.get(name), value, sent=f"{answer.sent}\n{name} in Location", advice=advice
        )

    def test_login_redirects_to_the_provider(self) -> None:
        answer, _ = self.login()
        received = answer.headers["Location"].partition("?")[0]
        self.expect(received, f"{PROVIDER}/authorize", sent=f"{answer.sent}\nLocation", advice=GO)

    def test_the_address_has_the_four_values_that_oauth_needs(self) -> None:
        self.expect_in_query("client_id", "course", CLIENT)
        self.expect_in_query("redirect_uri", self.subject.CALLBACK, REDIRECT_URI)
        self.expect_in_query("scope", "profile", SCOPE)
        self.expect_in_query("response_type", "code", TYPE)

    def test_the_state_is_long_and_new_each_time(self) -> None:
        states = []
        for _ in range(2):
            answer, query = self.login()
            states.append(query.get("state", ""))
            if len(states[-1]) < ENOUGH:
                raise Mismatch(
                    sent=f"{answer.sent}\nstate in Location",
                    received=repr(states[-1]) if states[-1] else "no state",
                    expected=f"{ENOUGH} characters or more, made by secrets",
                    advice=STATE if states[-1] else NO_STATE,
                )
        different = sum(one != other for one, other in zip(*states, strict=False))
        if different < len(states[0]) / 2:
            raise Mismatch(
                sent="GET /login, twice",
                received="\n".join(states),
                expected="two states that have nothing in common",
                advice=STATE if different else ANEW,
            )

    def test_the_state_is_kept_in_a_signed_cookie_of_this_browser(self) -> None:
        answer, query = self.login()
        sent = f"{answer.sent}\nthe cookie named state"
        morsel = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie"))).get("state")
        if morsel is None:
            raise Mismatch(
                sent=sent,
                received="no such cookie",
                expected="Set-Cookie: state=...",
                advice=COOKIE,
            )
        secret = self._app.settings["cookie_secret"]
        kept = tornado.web.decode_signed_value(secret, "state", morsel.value)
        if kept is None:
            raise Mismatch(
                sent=sent, received=morsel.value, expected="a signed value", advice=UNSIGNED
            )
        self.expect(kept.decode(), query.get("state"), sent=sent, advice=SAME)
        self.expect(bool(morsel["httponly"]), True, sent=f"{sent}: HttpOnly", advice=HTTP_ONLY)
        received = morsel["samesite"].capitalize()
        self.expect(received, "Lax", sent=f"{sent}: SameSite", advice=LAX)
