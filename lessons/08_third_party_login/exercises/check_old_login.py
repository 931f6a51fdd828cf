"""The old login ends again with the name of the user, and a failure of the provider is a 502."""

from typing import Any

import tornado.httpserver
import tornado.httputil
import tornado.web
from tornado.testing import bind_unused_port

from course.testing.http import ExerciseCase

AWAIT = (
    "async def get(self), and in it: token = await self.oauth2_request(url, post_args=form).\n"
    "There are no callbacks and no async_callback() any more."
)
FORM = "POST /token gets the form: oauth2_request(url, post_args=form) is right."
HEADER = (
    "oauth2_request(url, access_token=...) puts the token into the address, where logs keep it:\n"
    'AsyncHTTPClient().fetch(url, headers={"Authorization": f"Bearer {token}"})'
)
FAILURE = (
    "A failure raises an exception; there is no empty user any more. Catch HTTPClientError,\n"
    "OSError, ValueError, LookupError and TypeError around both requests: HTTPError(502)"
)
PLAIN = (
    "A name is no HTML: xhtml_escape(name), or\n"
    'self.set_header("Content-Type", "text/plain; charset=UTF-8")'
)
MISSING = "get_argument() answers 400 without a code: leave it outside of the try."


class ProviderHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.settings["asked"].append(self.request)
        status, body = self.settings["answers"][self.request.path]
        self.set_status(status)
        self.write(body)

    post = get


class OldLogin(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tornado.httputil.HTTPServerRequest] = []
        self.answers: dict[str, tuple[int, Any]] = {
            "/token": (200, {"access_token": "the-token"}),
            "/userinfo": (200, {"name": "Ada"}),
        }
        app = tornado.web.Application(
            [(".*", ProviderHandler)], asked=self.asked, answers=self.answers
        )
        self.provider = tornado.httpserver.HTTPServer(app)
        listener, port = bind_unused_port()
        self.provider.add_socket(listener)
        self._app.settings["provider"] = f"http://127.0.0.1:{port}"

    def tearDown(self) -> None:
        self.provider.stop()
        self.io_loop.run_sync(self.provider.close_all_connections)
        super().tearDown()

    def test_the_login_ends_with_the_name(self) -> None:
        answer = self.send("GET", "/login?code=the-code").expect(status=200, advice=AWAIT)
        answer.expect(text="Hello Ada", advice=AWAIT)

    def test_the_code_is_sent_as_a_form(self) -> None:
        answer = self.send("GET", "/login?code=the-code").expect(status=200, advice=AWAIT)
        form = {name: value[0].decode() for name, value in self.asked[0].body_arguments.items()}
        expected = {"grant_type": "authorization_code", "code": "the-code"}
        self.expect(form, expected, sent=f"{answer.sent}\nPOST /token", advice=FORM)

    def test_the_token_is_sent_in_the_header_only(self) -> None:
        answer = self.send("GET", "/login?code=the-code").expect(status=200, advice=AWAIT)
        request = self.asked[-1]
        sent = f"{answer.sent}\nat the provider"
        self.expect(request.uri, "/userinfo", sent=sent, advice=HEADER)
        received = request.headers.get("Authorization")
        self.expect(received, "Bearer the-token", sent=sent, advice=HEADER)

    def test_a_failure_of_the_provider_is_502(self) -> None:
        good = dict(self.answers)
        for path, answer in (
            ("/token", (400, {"error": "invalid_grant"})),
            ("/token", (200, {"error": "bad_code"})),
            ("/token", (200, "<html>")),
            ("/userinfo", (401, {"error": "invalid_token"})),
            ("/userinfo", (200, "[]")),
        ):
            self.answers.update(good)
            self.answers[path] = answer
            self.send("GET", "/login?code=the-code").expect(status=502, advice=FAILURE)
        self._app.settings["provider"] = "http://127.0.0.1:1"
        self.send("GET", "/login?code=the-code").expect(status=502, advice=FAILURE)

    def test_a_name_is_text(self) -> None:
        self.answers["/userinfo"] = (200, {"name": "<b>Bob</b>"})
        answer = self.send("GET", "/login?code=the-code").expect(status=200, advice=AWAIT)
        if answer.content_type == "text/html":
            answer.expect(contains="Hello &lt;b&gt;Bob", advice=PLAIN)

    def test_a_request_without_a_code_is_400(self) -> None:
        self.send("GET", "/login").expect(status=400, advice=MISSING)
