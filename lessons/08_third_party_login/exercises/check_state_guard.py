"""Only the browser that asked gets in, and only once; for others the provider is not even asked."""

from http.cookies import SimpleCookie

import tornado.httpserver
import tornado.httputil
import tornado.web
from tornado.testing import bind_unused_port

from course.exercise_case import Answer, ExerciseCase

GUARD = (
    'get(): compare get_query_argument("state", "") with get_signed_cookie("state"), first;\n'
    "raise tornado.web.HTTPError(403) when they differ, or when there is none"
)
BYTES = "hmac.compare_digest() takes text in ASCII only: encode() it, the cookie is bytes anyway"
ONCE = 'self.clear_cookie("state") before anything is raised: a question has one answer'


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

    def callback(self, query: str, cookie: str = "", name: str = "state") -> Answer:
        headers = {}
        if cookie:
            secret = self._app.settings["cookie_secret"]
            signed = tornado.web.create_signed_value(secret, name, cookie).decode()
            headers["Cookie"] = f"state={signed}"
        return self.send("GET", f"/callback?code=the-code{query}", headers=headers)

    def expect_refused(self, answer: Answer, look: str) -> None:
        answer.expect(status=403, look=look)
        self.expect(
            len(self.asked), 0, sent=f"{answer.sent}\nhow often was POST /token asked?", look=GUARD
        )

    def test_the_browser_that_asked_gets_in(self) -> None:
        self.callback("&state=mine", "mine").expect(status=200, body="You are in", look=GUARD)
        self.expect(len(self.asked), 1, sent="how often was POST /token asked?", look=GUARD)

    def test_another_state_is_refused(self) -> None:
        for query in ("&state=other", "&state=min", "&state=mine1", "&state=", ""):
            with self.subTest(query):
                self.expect_refused(self.callback(query, "mine"), GUARD)

    def test_a_state_of_any_letters_is_refused_not_an_error(self) -> None:
        self.expect_refused(self.callback("&state=%C3%BC", "mine"), BYTES)

    def test_a_browser_that_never_asked_is_refused(self) -> None:
        for query in ("&state=mine", "&state=", ""):
            with self.subTest(query):
                self.expect_refused(self.callback(query), GUARD)

    def test_a_cookie_that_is_not_ours_is_none(self) -> None:
        headers = {"Cookie": "state=mine"}
        answer = self.send("GET", "/callback?code=the-code&state=mine", headers=headers)
        self.expect_refused(answer, GUARD)
        self.expect_refused(self.callback("&state=mine", "mine", name="user"), GUARD)

    def test_a_state_is_used_once_even_when_it_was_wrong(self) -> None:
        for query in ("&state=mine", "&state=other"):
            with self.subTest(query):
                answer = self.callback(query, "mine")
                morsel = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie"))).get("state")
                self.expect(
                    morsel and morsel.value,
                    "",
                    sent=f"{answer.sent}\nthe cookie state that comes back",
                    look=ONCE,
                )
