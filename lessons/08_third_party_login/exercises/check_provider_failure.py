"""Whatever the provider does wrong comes out as 502 in our words; who says no gets a 403."""

from dataclasses import replace
from typing import Any

import tornado.httpserver
import tornado.httputil
import tornado.web
from tornado.testing import bind_unused_port

from course.exercise_case import ExerciseCase

CATCH = "get(): try around oauth2_request() and around the use of what it returns"
RAISE = 'raise tornado.web.HTTPError(502, "provider: %r", error, reason="...") from None'


class ProviderHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        self.settings["asked"].append(self.request)
        status, body = self.settings["answer"]
        self.set_status(status)
        self.write(body)


class ProviderFailure(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tornado.httputil.HTTPServerRequest] = []
        app = tornado.web.Application([(".*", ProviderHandler)], asked=self.asked)
        self.answers = app.settings
        self.provider = tornado.httpserver.HTTPServer(app)
        listener, port = bind_unused_port()
        self.provider.add_socket(listener)
        self._app.settings["provider"] = f"http://127.0.0.1:{port}"

    def tearDown(self) -> None:
        self.provider.stop()
        self.io_loop.run_sync(self.provider.close_all_connections)
        super().tearDown()

    def expect_502(self, what: str, look: str, answer: tuple[int, Any] = (200, "")) -> None:
        self.answers["answer"] = answer
        came = self.send("GET", "/callback?code=the-code")
        came = replace(came, sent=f"{came.sent}\nthe provider answers {what}")
        came.expect(status=502, contains="provider", lacks="Traceback", look=look)

    def test_a_good_answer_lets_in(self) -> None:
        self.answers["answer"] = (200, {"access_token": "1234567"})
        self.send("GET", "/callback?code=the-code").expect(
            status=200, body="You are in, with a token of 7 letters", look="as the stub has it"
        )

    def test_a_provider_that_fails_is_a_bad_gateway(self) -> None:
        look = f"{CATCH}:\nany answer without success is an HTTPClientError\n{RAISE}"
        self.expect_502("500", look, (500, "Traceback (most recent call last)"))
        self.expect_502("400 invalid_grant", look, (400, {"error": "invalid_grant"}))

    def test_a_provider_that_is_away_is_a_bad_gateway(self) -> None:
        listener, port = bind_unused_port()
        listener.close()
        self._app.settings["provider"] = f"http://127.0.0.1:{port}"
        self.expect_502(
            "nothing: it is away", f"{CATCH}:\na refused connection is an OSError\n{RAISE}"
        )

    def test_an_answer_that_makes_no_sense_is_a_bad_gateway(self) -> None:
        for what, body, error in (
            ("200 <html>", "<html>", "no JSON is a ValueError"),
            ("200 {}", "{}", "a missing key is a KeyError"),
            ("200 an error", {"error": "bad_code"}, "a missing key is a KeyError"),
            ("200 []", "[]", "a list has no such key: TypeError"),
        ):
            with self.subTest(what):
                self.expect_502(what, f"{CATCH}:\n{error}\n{RAISE}", (200, body))

    def test_the_reason_is_in_our_log(self) -> None:
        look = f"{RAISE}: the second argument goes to the log, the reason to the visitor"
        self.answers["answer"] = (500, "")
        sent = "GET /callback?code=the-code\nthe provider answers 500\nour log"
        with self.looking(look, sent=sent), self.assertLogs("tornado.general") as log:
            self.send("GET", "/callback?code=the-code").expect(status=502, look=look)
        self.expect("HTTP 500" in log.output[0], True, sent=f"{sent} has HTTP 500", look=look)

    def test_somebody_who_said_no_is_told_so_and_the_provider_is_not_asked(self) -> None:
        look = 'get(): first, get_query_argument("error", "") == "access_denied" is a 403'
        answer = self.send("GET", "/callback?error=access_denied").expect(status=403, look=look)
        self.expect(
            len(self.asked), 0, sent=f"{answer.sent}\nhow often was POST /token asked?", look=look
        )
