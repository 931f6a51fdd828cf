"""An API answers 401 without a valid token and 403 without the scope, and says why in a header."""

import tornado.web

from course.testing.http import ExerciseCase, Mismatch, Response

TOKENS = {
    "reads": {"user": "Grace", "scope": "profile photos:read"},
    "writes": {"user": "Edsger", "scope": "photos:write"},
    "nearly": {"user": "Eve", "scope": "photos:readonly profile"},
    "nothing": {"user": "Eve", "scope": ""},
}
GET, POST = "photos:read", "photos:write"
OPEN = "A request whose token has the scope is answered. Compare what prepare() lets through."
USER = 'The user is that of the token: self.settings["tokens"][token]["user"]'
SCHEME = 'The name of the scheme may have any letter case: scheme.lower() == "bearer"'
FIRST = (
    "Check the header Authorization in prepare(), which runs before get() and post(): without\n"
    "`Bearer TOKEN` set_status(401), and finish(), so that get() is not called."
)
UNKNOWN = 'self.settings["tokens"].get(token) is None if nobody has made the token: 401'
HEADER_ONLY = "Take the token from the header only. Addresses and forms are kept in logs."
SCOPE = "The token is good, but its scope does not allow this request: 403, not 401."
EACH = "GET needs photos:read and POST needs photos:write: self.request.method says which it is."
WORDS = 'The scope is a list of words: "photos:read" in grant["scope"].split()'
LEAK = (
    "Nothing may follow a refusal. Call finish() in prepare(), or raise: get() is not called then."
)
HEADER = 'self.set_header("WWW-Authenticate", \'Bearer error="..."\')'
NO_ERROR = (
    "A request without a token gets no error=..., only `WWW-Authenticate: Bearer` (RFC 6750)."
)


class Scopes(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        app = self.make_app()
        app.settings["tokens"] = TOKENS
        return app

    def ask(self, method: str, authorization: str, query: str = "") -> Response:
        headers = {"Authorization": authorization} if authorization else {}
        body = None if method == "GET" else ""
        return self.send(method, f"/photos{query}", headers=headers, body=body)

    def expect_refused(self, answer: Response, status: int, error: str, advice: str) -> None:
        answer.expect(status=status, advice=advice)
        answer.expect(lacks="user", advice=LEAK)
        challenge = answer.headers.get("WWW-Authenticate", "")
        wrong = error not in challenge if error else "error" in challenge
        if not challenge.lower().startswith("bearer") or wrong:
            raise Mismatch(
                sent=answer.sent,
                received=f"WWW-Authenticate: {challenge}" if challenge else "no WWW-Authenticate",
                expected=f"WWW-Authenticate: Bearer {error}".rstrip(),
                advice=HEADER if error else NO_ERROR if challenge else HEADER,
            )

    def test_a_token_with_the_scope_is_answered(self) -> None:
        self.ask("GET", "Bearer reads").expect(status=200, advice=OPEN)
        self.ask("GET", "Bearer reads").expect(json={"user": "Grace"}, advice=USER)
        self.ask("POST", "Bearer writes").expect(status=201, advice=OPEN)
        self.ask("POST", "Bearer writes").expect(json={"user": "Edsger"}, advice=USER)
        self.ask("GET", "bearer reads").expect(status=200, advice=SCHEME)

    def test_without_a_token_it_is_401(self) -> None:
        for method in ("GET", "POST"):
            self.expect_refused(self.ask(method, ""), 401, "", FIRST)
        self.expect_refused(self.ask("GET", "Basic reads"), 401, "", FIRST)
        answer = self.ask("GET", "", "?access_token=reads&token=reads")
        self.expect_refused(answer, 401, "", HEADER_ONLY)

    def test_an_unknown_token_is_401(self) -> None:
        for method in ("GET", "POST"):
            answer = self.ask(method, "Bearer guessed")
            self.expect_refused(answer, 401, 'error="invalid_token"', UNKNOWN)

    def test_a_token_without_the_scope_is_403(self) -> None:
        error = 'error="insufficient_scope"'
        for token in ("nothing", "writes"):
            self.expect_refused(self.ask("GET", f"Bearer {token}"), 403, error, SCOPE)
        self.expect_refused(self.ask("POST", "Bearer reads"), 403, error, EACH)
        self.expect_refused(self.ask("GET", "Bearer nearly"), 403, error, WORDS)
