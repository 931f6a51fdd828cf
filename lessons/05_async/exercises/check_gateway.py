"""What the other service does wrong, or does not do at all, comes out as 502 or 504."""

import asyncio

import tornado.httpserver
import tornado.web
from tornado.testing import bind_unused_port

from course.exercise_case import ExerciseCase

CATCH = "get(): try around fetch(); see AskHandler in client_errors.py"


class ServiceHandler(tornado.web.RequestHandler):
    async def get(self, what: str) -> None:
        if what == "slow":
            self.gone = asyncio.Event()
            await self.gone.wait()  # for ever, unless the client gives up
        elif what == "fine":
            self.write("fine\n")
        else:
            self.send_error({"missing": 404, "broken": 500}[what])

    def on_connection_close(self) -> None:
        self.gone.set()


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
        self.send("GET", "/fine").expect(
            status=200, body="fine\n", look="get(): write the body that came, as the stub does"
        )

    def test_an_error_of_the_service_is_a_bad_gateway(self) -> None:
        for page in ("missing", "broken"):
            with self.subTest(page):
                self.send("GET", f"/{page}").expect(
                    status=502,
                    look=f"{CATCH}:\nfetch() raises HTTPClientError for any answer without success",
                )

    def test_a_service_that_is_not_there_is_a_bad_gateway(self) -> None:
        listener, port = bind_unused_port()
        listener.close()
        self._app.settings["upstream"] = f"http://127.0.0.1:{port}"
        self.send("GET", "/fine").expect(
            status=502,
            look=f"{CATCH}:\nnobody answered, so it is no HTTPClientError: a refused connection is "
            "an OSError",
        )

    def test_a_service_that_is_too_slow_is_a_gateway_timeout(self) -> None:
        self.send("GET", "/slow").expect(
            status=504,
            look=f"{CATCH}:\nfetch(..., request_timeout=1.0) raises HTTPTimeoutError; that is an "
            "HTTPClientError too,\nso its except comes first",
        )
