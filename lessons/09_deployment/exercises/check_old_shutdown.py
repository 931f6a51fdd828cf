"""The old shutdown works again: nothing new is accepted, and what is in progress is answered."""

import asyncio
import importlib.util
from collections.abc import Awaitable
from unittest import mock

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.testing import gen_test

from course.testing.http import ExerciseCase, Mismatch

PATIENCE = 3.0  # seconds; only a wrong stop() needs them
PRIVATE = (
    "IOLoop.instance()._callbacks and _timeouts are gone; asyncio does not say what it waits for.\n"
    "Count the requests yourself: prepare() adds one, on_finish() takes it away."
)
WAIT = "stop() must not return, or end the loop, before the requests in progress are answered."
AT_ONCE = "With nothing in progress there is nothing to wait for."
LIMIT = (
    "asyncio.wait_for(..., seconds) raises TimeoutError after the limit: stop() must return then."
)
NEW = "server.stop() first: a connection that comes now must be refused."
EVENT = "Wait for an asyncio.Event that on_finish() sets, not with sleep()."
LOOP = "Do not stop the loop: main() returns after stop(), and asyncio.run() ends."


class OldShutdown(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        """Load the file anew: each test has an event loop of its own, and so have its events."""
        file = str(self.subject.__file__)
        spec = importlib.util.spec_from_file_location("old_shutdown", file)
        assert spec
        assert spec.loader
        self.fresh = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.fresh)
        app: tornado.web.Application = self.fresh.make_app()
        return app

    def setUp(self) -> None:
        super().setUp()
        self.begun, self.finish = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            self.begun.set()
            await self.finish.wait()

        self._app.settings["work"] = work

    def tearDown(self) -> None:
        self.finish.set()
        super().tearDown()

    async def in_time(self, stopping: Awaitable[None], what: str, advice: str) -> None:
        """Wait for the end of stop()."""
        try:
            await asyncio.wait_for(asyncio.shield(stopping), PATIENCE)
        except TimeoutError:
            received = f"no end after {PATIENCE:g} seconds"
            raise Mismatch(
                sent=what, received=received, expected="stop() returns", advice=advice
            ) from None
        except (AttributeError, RuntimeError) as error:
            raise Mismatch(
                sent=what,
                received=f"{type(error).__name__}: {error}",
                expected="stop() returns",
                advice=PRIVATE,
            ) from None

    def begin(self, seconds: float) -> "asyncio.Future[None]":
        return asyncio.ensure_future(self.stop_only_the_server(seconds))

    async def stop_only_the_server(self, seconds: float) -> None:
        """Call stop(); raise `Mismatch` if it stops the event loop, which would end the test."""
        loop = asyncio.get_running_loop()
        end_of_the_test, stopped = loop.stop, []

        def stop_loop() -> None:
            if asyncio.current_task():  # in a coroutine, so it is the learner's
                stopped.append("by stop()")
            else:
                end_of_the_test()

        with mock.patch.object(loop, "stop", stop_loop):
            await self.fresh.stop(self.http_server, seconds)
        if stopped:
            raise Mismatch(
                sent=f"stop(server, {seconds:g})",
                received="it stops the event loop",
                expected="it returns",
                advice=LOOP,
            )

    @gen_test
    async def test_without_requests_it_returns_at_once(self) -> None:
        await self.in_time(self.begin(60), "stop(server, 60) without a request", AT_ONCE)

    @gen_test
    async def test_nothing_new_is_accepted(self) -> None:
        await self.in_time(self.begin(60), "stop(server, 60)", AT_ONCE)
        try:
            await AsyncHTTPClient().fetch(self.get_url("/"), request_timeout=0.5)
        except HTTPClientError:
            pass  # no answer in this time, but a connection
        except OSError:
            return
        received = "a connection"
        raise Mismatch(
            sent="stop(server, 60)\nGET /", received=received, expected="none", advice=NEW
        )

    @gen_test
    async def test_a_request_in_progress_is_answered(self) -> None:
        for number in (1, 2):
            client = AsyncHTTPClient(force_instance=True)
            answer = asyncio.ensure_future(client.fetch(self.get_url("/")))
            await self.begun.wait()
            if number == 1:
                self.finish.set()
                await answer
                self.begun.clear()
                self.finish.clear()
        stopping = self.begin(60)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        what = "GET / which takes long, and stop(server, 60) meanwhile"
        if stopping.done():
            await self.in_time(stopping, what, WAIT)
            raise Mismatch(sent=what, received="it has returned", expected="it waits", advice=WAIT)
        self.finish.set()
        try:
            response = await asyncio.wait_for(answer, PATIENCE)
        except Exception as error:
            raise Mismatch(
                sent=what, received=repr(error), expected="200 OK", advice=WAIT
            ) from None
        self.expect(response.body, b"done", sent=what, advice=WAIT)
        await self.in_time(stopping, what, EVENT)

    @gen_test
    async def test_it_does_not_wait_longer_than_the_limit(self) -> None:
        answer = asyncio.ensure_future(AsyncHTTPClient().fetch(self.get_url("/")))
        await self.begun.wait()
        what = "GET / which never ends, and stop(server, 0.05)"
        await self.in_time(self.begin(0.05), what, LIMIT)
        self.finish.set()
        await asyncio.wait([answer])
        answer.exception()
