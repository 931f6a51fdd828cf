"""Each failure of the provider is a 502 with a text of the app; a user who declines gets 403."""

import logging
from dataclasses import replace
from typing import Any

import tornado.httpserver
import tornado.httputil
import tornado.web
from tornado.testing import bind_unused_port

from course.testing.http import ExerciseCase, Mismatch

FAILS = (
    "An answer without success raises HTTPClientError from oauth2_request(). Catch it, and raise\n"
    'tornado.web.HTTPError(502, "provider: %r", error, reason="The provider ...") from None'
)
STATUS = "502 Bad Gateway is the status for it: another server has failed."
AWAY = "A connection that is refused raises OSError from oauth2_request(): 502 as well."
NO_JSON = "An answer that is not JSON raises ValueError from oauth2_request(): 502 as well."
NO_KEY = (
    'JSON without a token: tokens["access_token"] raises KeyError, and TypeError if it is a list. '
    "Read it inside the try, and catch LookupError and TypeError: 502 as well."
)
WORD = (
    "The visitor has to read that the provider has failed: "
    'HTTPError(502, ..., reason="The provider ...")'
)
OURS = "The visitor gets a sentence of yours: the exception and its traceback belong in the log."
GOOD = "After a good answer the visitor must be logged in."
LOG = (
    "Your log has to say why it failed: pass the exception to HTTPError as log_message,\n"
    'HTTPError(502, "provider: %r", error), or to a logger. The reason is for the visitor only.'
)
NO = 'get(): first, if get_query_argument("error", "") is "access_denied", answer 403.'


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

    def expect_502(self, what: str, advice: str, answer: tuple[int, Any] = (200, "")) -> None:
        self.answers["answer"] = answer
        received = self.send("GET", "/callback?code=the-code")
        received = replace(received, sent=f"{received.sent}\nthe provider answers {what}")
        received.expect(status=502, advice=advice if received.status == 500 else STATUS)
        received.expect(lacks="Traceback", advice=OURS)
        if "provider" not in received.text.casefold():
            received.expect(contains="provider", advice=WORD)

    def test_a_good_answer_logs_the_visitor_in(self) -> None:
        self.answers["answer"] = (200, {"access_token": "1234567"})
        self.send("GET", "/callback?code=the-code").expect(
            status=200, contains="a token of 7 characters", advice=GOOD
        )

    def test_an_error_of_the_provider_is_502(self) -> None:
        self.expect_502("500", FAILS, (500, "Traceback (most recent call last)"))
        self.expect_502("400 invalid_grant", FAILS, (400, {"error": "invalid_grant"}))

    def test_a_provider_that_does_not_answer_is_502(self) -> None:
        listener, port = bind_unused_port()
        listener.close()
        self._app.settings["provider"] = f"http://127.0.0.1:{port}"
        self.expect_502("nothing: it is away", AWAY)

    def test_an_answer_without_a_token_is_502(self) -> None:
        self.expect_502("200 <html>", NO_JSON, (200, "<html>"))
        self.expect_502("200 {}", NO_KEY, (200, "{}"))
        self.expect_502("200 an error", NO_KEY, (200, {"error": "bad_code"}))
        self.expect_502("200 []", NO_KEY, (200, "[]"))

    def test_the_reason_is_in_the_log(self) -> None:
        self.answers["answer"] = (507, "")
        with self.assertLogs() as log:  # any logger, and at least one: Tornado's of each request
            answer = self.send("GET", "/callback?code=the-code").expect(status=502, advice=FAILS)
        lines = [
            logging.Formatter().format(record)
            for record in log.records
            if record.name != "tornado.access"
        ]
        if "507" not in "\n".join(lines):
            raise Mismatch(
                sent=f"{answer.sent}\nthe provider answers 507\nwhat is in the log?",
                received="\n".join(lines) or "nothing",
                expected="a line with 507",
                advice=LOG,
            )

    def test_a_user_who_has_declined_gets_403_and_nothing_is_sent_to_the_provider(self) -> None:
        answer = self.send("GET", "/callback?error=access_denied").expect(status=403, advice=NO)
        self.expect(
            len(self.asked), 0, sent=f"{answer.sent}\nhow often was POST /token sent?", advice=NO
        )
