"""Lesson 01: the methods a request goes through (C058-C065)."""

import asyncio
from typing import Any

import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.testing import AsyncHTTPTestCase, ExpectLog, gen_test

from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

lifecycle = import_script("01_hello", "lifecycle")


class LifecycleTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return lifecycle.make_app()

    def steps_after(self, **request: Any) -> list[str]:
        self.fetch("/", **request)
        steps: list[str] = json_of(self.fetch("/steps"))["steps"]
        return steps

    def test_the_order_of_a_request_that_succeeds(self) -> None:
        """C058"""
        self.assertEqual(
            self.steps_after(),
            ["set_default_headers", "initialize", "prepare", "get", "on_finish"],
        )

    def test_the_order_of_a_request_that_fails(self) -> None:
        """C059"""
        self.assertEqual(
            self.steps_after(method="POST", body=""),
            [
                "set_default_headers",
                "initialize",
                "prepare",
                "post",
                "set_default_headers",
                "write_error",
                "on_finish",
            ],
        )

    def test_a_missing_method_is_an_error_after_prepare(self) -> None:
        """C059: 405 goes the same way."""
        self.assertEqual(
            self.steps_after(method="DELETE"),
            [
                "set_default_headers",
                "initialize",
                "prepare",
                "set_default_headers",
                "write_error",
                "on_finish",
            ],
        )

    def test_the_steps_are_told_once(self) -> None:
        """C058"""
        self.steps_after()
        self.assertEqual(json_of(self.fetch("/steps"))["steps"], [])


class ErrorInInitializeHandler(tornado.web.RequestHandler):
    def initialize(self) -> None:
        self.send_error(503)


class PrepareHandler(tornado.web.RequestHandler):
    async def prepare(self) -> None:
        match self.path_args[0]:
            case "finish":
                self.finish("from prepare")
            case "redirect":
                self.redirect("/elsewhere")
            case "raise":
                raise tornado.web.HTTPError(403)
            case "write":
                self.write("prepared, ")

    def get(self, what: str) -> None:
        self.write("from get")


class WriteOnFinishHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("sent")

    def on_finish(self) -> None:
        try:
            self.write("too late")
        except RuntimeError as error:
            self.settings["errors"].append(str(error))


class AsyncHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(0)
        self.write("finished by itself")


class WaitingHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        self.settings["entered"].set()
        await self.settings["left"].wait()

    def on_connection_close(self) -> None:
        self.settings["left"].set()


class BaseHandler(tornado.web.RequestHandler):
    def get_current_user(self) -> str | None:
        return self.request.headers.get("X-User")

    def write_error(self, status_code: int, **kwargs: object) -> None:
        self.finish({"code": status_code})


class WhoHandler(BaseHandler):
    def get(self) -> None:
        self.write({"user": self.current_user})


class FailingHandler(BaseHandler):
    def get(self) -> None:
        raise tornado.web.HTTPError(409)


class LifecycleDetailsTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.errors: list[str] = []
        self.entered = asyncio.Event()
        self.left = asyncio.Event()
        return tornado.web.Application(
            [
                ("/initialize", ErrorInInitializeHandler),
                (r"/prepare/(\w+)", PrepareHandler),
                ("/on-finish", WriteOnFinishHandler),
                ("/async", AsyncHandler),
                ("/waiting", WaitingHandler),
                ("/who", WhoHandler),
                ("/failing", FailingHandler),
            ],
            errors=self.errors,
            entered=self.entered,
            left=self.left,
        )

    def prepared(self, what: str) -> HTTPResponse:
        return self.get(f"/prepare/{what}")

    def test_an_answer_from_initialize_drops_the_connection(self) -> None:
        """C060"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assert_dropped("/initialize")

    def test_after_finish_in_prepare_get_is_not_called(self) -> None:
        """C061"""
        self.assertEqual(self.prepared("finish").body, b"from prepare")
        self.assertEqual(self.prepared("redirect").headers["Location"], "/elsewhere")
        self.assertEqual(self.prepared("raise").code, 403)

    def test_after_write_in_prepare_get_is_called(self) -> None:
        """C061"""
        self.assertEqual(self.prepared("write").body, b"prepared, from get")

    def test_on_finish_is_too_late_to_write(self) -> None:
        """C062"""
        self.assertEqual(self.text("/on-finish"), "sent")
        self.assertEqual(self.errors, ["Cannot write() after finish()"])

    def test_a_coroutine_ends_the_request_when_it_returns(self) -> None:
        """C063"""
        self.assertEqual(self.text("/async"), "finished by itself")

    @gen_test
    async def test_a_client_that_leaves_is_noticed_while_the_handler_waits(self) -> None:
        """C064"""
        client: IOStream = await TCPClient().connect("127.0.0.1", self.get_http_port())
        await client.write(b"GET /waiting HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await self.entered.wait()
        self.assertFalse(self.left.is_set())
        client.close()
        await self.left.wait()

    def test_handlers_share_what_their_base_defines(self) -> None:
        """C065"""
        self.assertEqual(json_of(self.get("/who", headers={"X-User": "Ada"})), {"user": "Ada"})
        response = self.get("/failing")
        self.assertEqual((response.code, json_of(response)), (409, {"code": 409}))
