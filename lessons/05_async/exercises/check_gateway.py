"""Any failure of the other service comes out as 502 or 504, and the gateway waits one second."""

import asyncio

import tornado.httpserver
import tornado.web
from tornado.testing import bind_unused_port, gen_test

from course.testing.http import ExerciseCase

GOOD = "get(): write the body of the response, as at the beginning"
ERROR = (
    "get(): try around fetch(); see AskHandler in client_errors.py. HTTPTimeoutError is in the\n"
    "module tornado.simple_httpclient.\n"
    "fetch() raises HTTPClientError for any answer without success; with raise_error=False you\n"
    "must look at response.code. The status of the service is not that of the gateway"
)
REFUSED = (
    "get(): try around fetch(); see AskHandler in client_errors.py.\n"
    "Nobody answered, so it is no HTTPClientError: a refused connection is an OSError"
)
HUNG_UP = (
    "The service closed the connection without an answer: HTTPStreamClosedError. It is an\n"
    "HTTPClientError with the code 599, as a timeout is, so do not decide by the code"
)
PATIENT = "The service answered within a second: wait for 1.0 seconds, not less"
SLOW = (
    "get(): fetch(url, request_timeout=1.0) raises HTTPTimeoutError, which becomes 504.\n"
    "request_timeout limits the whole request; connect_timeout alone does not"
)
ORDER = (
    "HTTPTimeoutError is a subclass of HTTPClientError: its except comes first, and becomes 504.\n"
    "Any other failure is 502"
)
BLOCKED = (
    "Nobody else was served while the gateway waited: the other service runs in the same process\n"
    "here, and could not answer. Await AsyncHTTPClient().fetch(), which does not block"
)
LATE, TOO_LATE = 0.3, 1.3  # seconds until the service answers


class ServiceHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        if what == "hang_up":
            self.detach().close()
        elif what in ("late", "too_late"):
            await asyncio.sleep(LATE if what == "late" else TOO_LATE)
            self.write(f"{what}\n")
        elif what == "fine":
            self.write("fine\n")
        else:
            self.send_error({"missing": 404, "broken": 500}[what])


class Gateway(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        service = tornado.web.Application([(r"/(\w+)", ServiceHandler)])
        self.service = tornado.httpserver.HTTPServer(service)
        listener, port = bind_unused_port()
        self.service.add_socket(listener)
        self._app.settings["upstream"] = f"http://127.0.0.1:{port}"

    def tearDown(self) -> None:
        self.service.stop()
        self.io_loop.run_sync(self.service.close_all_connections)
        super().tearDown()

    def test_a_good_answer_is_passed_on(self) -> None:
        answer = self.send("GET", "/fine")
        advice = BLOCKED if answer.status == 504 else GOOD
        answer.expect(status=200, advice=advice)
        self.expect(answer.text.strip(), "fine", sent=answer.sent, advice=GOOD)

    def test_an_error_of_the_service_is_a_bad_gateway(self) -> None:
        for page in ("missing", "broken"):
            answer = self.send("GET", f"/{page}")
            answer.expect(status=502, advice=ORDER if answer.status == 504 else ERROR)

    def test_a_service_that_is_not_there_is_a_bad_gateway(self) -> None:
        listener, port = bind_unused_port()
        listener.close()
        self._app.settings["upstream"] = f"http://127.0.0.1:{port}"
        self.send("GET", "/fine").expect(status=502, advice=REFUSED)

    def test_a_service_that_closes_the_connection_is_a_bad_gateway(self) -> None:
        self.send("GET", "/hang_up").expect(status=502, advice=HUNG_UP)

    @gen_test
    async def test_a_service_that_is_too_slow_is_a_gateway_timeout(self) -> None:
        late, too_late = await asyncio.gather(
            self.request("GET", "/late"), self.request("GET", "/too_late")
        )
        late.expect(status=200, contains="late", advice=PATIENT)
        too_late.expect(status=504, advice=ORDER if too_late.status == 502 else SLOW)
