"""Only the browser that began the login gets in, once; for others nothing goes to the provider."""

import contextlib
import datetime
from email.utils import parsedate_to_datetime
from http.cookies import Morsel, SimpleCookie

import tornado.httpserver
import tornado.httputil
import tornado.web
from tornado.testing import bind_unused_port

from course.testing.http import ExerciseCase, Mismatch, Response

GUARD = (
    'get(): before the request, compare get_query_argument("state", "") with '
    'get_signed_cookie("state"),\nand raise tornado.web.HTTPError(403) if they differ, or if there '
    "is no cookie."
)
EQUAL = (
    "Two states that are equal were refused. get_signed_cookie() returns bytes, the argument is "
    "text: encode() it. get_cookie() returns the signed text, not the state in it."
)
WHOLE = "Compare the whole state, character by character: a part of it, or other case, is another."
BOTH = (
    "A missing cookie and a missing state are both empty, so they are equal: refuse also when the "
    "browser has no cookie, or an empty one."
)
SIGNED = 'get_signed_cookie("state") returns None for a cookie that this application did not sign.'
FIRST = "The provider was asked although the state is wrong: compare before oauth2_request()."
DEFAULT = 'get_query_argument("state", ""): without a default, a missing state is a 400.'
STATUS = "The refusal is right, the status is another: raise tornado.web.HTTPError(403)."
BYTES = (
    "hmac.compare_digest() accepts text only in ASCII: encode() the argument; the cookie is bytes."
)
PATH = 'a cookie is deleted only with the path that it was set with: self.clear_cookie("state")'
ONCE = (
    'self.clear_cookie("state") before anything is raised: a state is good for one callback, right '
    "or wrong."
)


class ProviderHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.settings["asked"].append(self.request)
        self.write({"access_token": "the-token", "token_type": "Bearer"})


class StateGuard(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tornado.httputil.HTTPServerRequest] = []
        app = tornado.web.Application([(".*", ProviderHandler)], asked=self.asked)
        self.provider = tornado.httpserver.HTTPServer(app)
        listener, port = bind_unused_port()
        self.provider.add_socket(listener)
        self._app.settings["provider"] = f"http://127.0.0.1:{port}"

    def tearDown(self) -> None:
        self.provider.stop()
        self.io_loop.run_sync(self.provider.close_all_connections)
        super().tearDown()

    def callback(self, query: str, cookie: str = "", name: str = "state") -> Response:
        headers = {}
        if cookie:
            secret = self._app.settings["cookie_secret"]
            signed = tornado.web.create_signed_value(secret, name, cookie).decode()
            headers["Cookie"] = f"state={signed}"
        return self.send("GET", f"/callback?code=the-code{query}", headers=headers)

    def expect_refused(self, answer: Response, advice: str) -> None:
        if answer.status in (400, 401, 404) and not self.asked and advice != DEFAULT:
            advice = STATUS
        answer.expect(status=403, advice=advice)
        self.expect(
            len(self.asked), 0, sent=f"{answer.sent}\nhow often was POST /token sent?", advice=FIRST
        )

    def test_the_browser_that_began_the_login_gets_in(self) -> None:
        answer = self.callback("&state=mine", "mine")
        advice = EQUAL if answer.status == 403 else GUARD
        answer.expect(status=200, body="You are in", advice=advice)
        self.expect(len(self.asked), 1, sent="how often was POST /token sent?", advice=GUARD)

    def test_another_state_is_refused(self) -> None:
        for query in ("&state=other", "&state=", ""):
            self.expect_refused(self.callback(query, "mine"), GUARD if query else DEFAULT)
        for query in ("&state=min", "&state=mine1", "&state=MINE"):
            self.expect_refused(self.callback(query, "mine"), WHOLE)

    def test_a_wrong_state_of_any_characters_is_403_not_an_error(self) -> None:
        self.expect_refused(self.callback("&state=%C3%BC", "mine"), BYTES)

    def test_a_browser_without_a_cookie_is_refused(self) -> None:
        for query in ("&state=mine", "&state=", ""):
            self.expect_refused(self.callback(query), BOTH)

    def test_a_cookie_that_this_app_has_not_signed_is_refused(self) -> None:
        headers = {"Cookie": "state=mine"}
        answer = self.send("GET", "/callback?code=the-code&state=mine", headers=headers)
        self.expect_refused(answer, SIGNED)
        self.expect_refused(self.callback("&state=mine", "mine", name="user"), SIGNED)

    def test_the_cookie_is_cleared_also_after_a_refusal(self) -> None:
        for query in ("&state=mine", "&state=other"):
            answer = self.callback(query, "mine")
            morsel = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie"))).get("state")
            if morsel is None or not _ends(morsel):
                raise Mismatch(
                    sent=f"{answer.sent}\nthe cookie named state",
                    received="it stays" if morsel is None else morsel.OutputString(),
                    expected="it is cleared",
                    advice=ONCE,
                )
            if morsel["path"] not in ("", "/"):
                raise Mismatch(
                    sent=f"{answer.sent}\nthe cookie named state, which has the path /",
                    received=morsel.OutputString(),
                    expected="it is cleared, with the same path",
                    advice=PATH,
                )


def _ends(morsel: "Morsel[str]") -> bool:
    """Whether a browser deletes the cookie, or keeps nothing in it."""
    if not morsel.value or morsel["max-age"] in ("0", 0):
        return True
    with contextlib.suppress(TypeError, ValueError):
        return parsedate_to_datetime(morsel["expires"]) < datetime.datetime.now(datetime.UTC)
    return False
