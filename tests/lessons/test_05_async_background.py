"""Lesson 05: queues, streams, periodic callbacks, cancellation, start-up (C210-C212, C502-C505)."""

import asyncio
import contextlib
import functools
import hashlib
import types
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from unittest import mock

import tornado.platform.asyncio
import tornado.web
from tornado.httpclient import HTTPClientError
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.testing import AsyncHTTPTestCase, AsyncTestCase, ExpectLog, gen_test

from tests.support.lesson_case import import_script, json_of

cancellation = import_script("05_async", "cancellation")
periodic = import_script("05_async", "periodic")
queues = import_script("05_async", "queues")
startup = import_script("05_async", "startup")
streaming = import_script("05_async", "streaming")


class QueueTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return queues.make_app(room=2)

    def put(self, name: str) -> int:
        return self.fetch("/", method="POST", body=f"name={name}").code

    @contextlib.asynccontextmanager
    async def worker(
        self, do: Callable[[str], Awaitable[None]]
    ) -> AsyncIterator[asyncio.Task[None]]:
        working = asyncio.create_task(queues.work(self._app, do))
        yield working
        working.cancel()
        await asyncio.wait([working])

    def test_a_full_queue_says_come_back_later(self) -> None:
        """C502"""
        self.assertEqual([self.put(name) for name in "abc"], [202, 202, 503])
        response = self.fetch("/", method="POST", body="name=d")
        self.assertEqual(response.body, b"full, come back later\n")
        self.assertEqual(response.headers.get("Retry-After"), "1")
        self.assertEqual(json_of(self.fetch("/")), {"waiting": 2, "done": []})

    @gen_test
    async def test_jobs_are_done_after_their_requests_have_ended(self) -> None:
        """C502"""
        url, gate = self.get_url("/"), asyncio.Event()
        for name in "ab":
            await self.http_client.fetch(url, method="POST", body=f"name={name}")

        async def do(name: str) -> None:
            await gate.wait()

        async with self.worker(do):
            self.assertEqual(self._app.settings["done"], [])
            gate.set()
            await self._app.settings["jobs"].join()
        self.assertEqual(self._app.settings["done"], ["a", "b"])

    @gen_test
    async def test_a_job_that_fails_does_not_end_the_worker(self) -> None:
        """C502"""

        async def do(name: str) -> None:
            if name == "bad":
                raise KeyError(name)

        for name in ("bad", "good"):
            self._app.settings["jobs"].put_nowait(name)
        with ExpectLog("root", "job 'bad' failed"):
            async with self.worker(do) as working:
                await self._app.settings["jobs"].join()
                self.assertFalse(working.done())
        self.assertEqual(self._app.settings["done"], ["good"])


class StreamingTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return streaming.make_app()

    def sleeping(self, sleep: Any) -> Any:
        return mock.patch.object(streaming, "asyncio", types.SimpleNamespace(sleep=sleep))

    @gen_test
    async def test_rows_arrive_while_the_handler_still_works(self) -> None:
        """C503: the handler makes the next row only when the reader has the one before."""
        rows: asyncio.Queue[bytes] = asyncio.Queue()
        seen: list[bytes] = []

        async def sleep(seconds: float) -> None:
            seen.append(await rows.get())

        with self.sleeping(sleep):
            await self.http_client.fetch(self.get_url("/"), streaming_callback=rows.put_nowait)
        self.assertEqual(seen, [f"row {number}\n".encode() for number in range(1, 6)])

    @gen_test
    async def test_a_reader_who_leaves_ends_the_stream(self) -> None:
        """C503: flush() raises StreamClosedError, which is no error of ours."""
        ended = asyncio.Event()
        self._app.settings["log_function"] = lambda handler: ended.set()
        client: IOStream = await TCPClient().connect("127.0.0.1", self.get_http_port())

        async def sleep(seconds: float) -> None:
            client.close()
            await left.wait()

        left = asyncio.Event()
        with (
            self.sleeping(sleep),
            self.assertNoLogs("tornado.application"),
            mock.patch.object(
                streaming.RowsHandler, "on_connection_close", lambda handler: left.set()
            ),
        ):
            await client.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await ended.wait()

    def test_an_upload_is_taken_piece_by_piece(self) -> None:
        """C503: more than the 65536 bytes that are read at a time."""
        body = b"x" * 1_000_000
        answer = json_of(self.fetch("/upload", method="POST", body=body))
        self.assertEqual(answer["bytes"], 1_000_000)
        self.assertEqual(answer["sha256"], hashlib.sha256(body).hexdigest())
        self.assertGreater(answer["pieces"], 10)


class PeriodicTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.clock = periodic.Clock()
        return periodic.make_app(self.clock)

    @gen_test
    async def test_a_page_shows_what_the_last_tick_left(self) -> None:
        """C504"""
        await self.clock.tick()
        response = await self.http_client.fetch(self.get_url("/"))
        self.assertRegex(response.body, rb"^\d\d:\d\d:\d\d, ticks: 1\n$")

    @gen_test
    async def test_it_ticks_until_it_is_stopped(self) -> None:
        """C504"""
        twice = asyncio.Event()

        def tick() -> None:
            self.clock.ticks += 1
            if self.clock.ticks == 2:
                twice.set()

        ticking = PeriodicCallback(tick, 1)  # milliseconds
        ticking.start()
        await twice.wait()
        ticking.stop()
        self.assertFalse(ticking.is_running())

    @gen_test
    async def test_an_error_is_logged_and_the_ticks_go_on(self) -> None:
        """C504"""
        calls: list[str] = []
        twice = asyncio.Event()

        async def tick() -> None:
            calls.append("called")
            if len(calls) == 1:
                raise KeyError("the first tick")
            twice.set()

        ticking = PeriodicCallback(tick, 1)
        with ExpectLog("tornado.application", "Exception in callback"):
            ticking.start()
            await twice.wait()
            ticking.stop()

    @gen_test
    async def test_a_tick_does_not_begin_before_the_last_one_ended(self) -> None:
        """C504: however long it takes, here five intervals."""
        under_way: list[int] = []
        done = asyncio.Event()

        async def tick() -> None:
            under_way.append(len(under_way))
            later = IOLoop.current().time() + 0.005
            turned = asyncio.Event()
            IOLoop.current().call_at(later, turned.set)
            await turned.wait()
            self.assertEqual(under_way.pop(), 0)
            done.set()

        ticking = PeriodicCallback(tick, 1)
        ticking.start()
        await done.wait()
        ticking.stop()
        self.assertEqual(under_way, [])


class CancellationTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.entered = asyncio.Event()
        self.ended = asyncio.Event()
        application = cancellation.make_app(self.report)
        application.settings["log_function"] = lambda handler: self.ended.set()
        return application

    async def report(self) -> str:
        self.entered.set()
        await self.release.wait()
        return "The report"

    @gen_test
    async def test_a_client_that_leaves_cancels_its_work(self) -> None:
        """C064, C505: on_connection_close() is called while the handler waits."""
        self.release = asyncio.Event()  # nobody sets it
        client: IOStream = await TCPClient().connect("127.0.0.1", self.get_http_port())
        await client.write(b"GET /report HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await self.entered.wait()
        client.close()
        await self.ended.wait()
        self.assertEqual(self._app.settings["events"], ["begun", "cancelled"])

    @gen_test
    async def test_a_client_that_waits_gets_its_report(self) -> None:
        """C505"""
        self.release = asyncio.Event()
        self.release.set()
        response = await self.http_client.fetch(self.get_url("/report"))
        self.assertEqual(response.body, b"The report\n")
        events = json_of(await self.http_client.fetch(self.get_url("/")))["events"]
        self.assertEqual(events, ["begun", "finished"])


class StartupTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application([(r"/catalogue", startup.UpstreamHandler)])

    @gen_test
    async def test_the_catalogue_is_loaded_before_the_first_request(self) -> None:
        """C210, C212: main() is a coroutine, so it can await."""
        catalogue = await startup.load_catalogue(self.get_url(""))
        self.assertEqual(catalogue, ["Mercury", "Venus", "Earth", "Mars"])
        settings = startup.make_app(catalogue).settings
        self.assertEqual(settings["catalogue"], catalogue)

    @gen_test
    async def test_without_the_catalogue_there_is_no_start(self) -> None:
        """C212: the error ends main(), and the script with it."""
        with self.assertRaisesRegex(HTTPClientError, "HTTP 404: Not Found"):
            await startup.load_catalogue(self.get_url("/elsewhere"))


class OldLoopsTest(AsyncTestCase):
    def test_run_sync_runs_one_coroutine(self) -> None:
        """C210: with partial for its arguments."""

        async def connect(address: str) -> str:
            return f"connected to {address}"

        done = self.io_loop.run_sync(functools.partial(connect, "upstream"))
        self.assertEqual(done, "connected to upstream")

    @gen_test
    async def test_a_loop_cannot_be_started_inside_a_loop(self) -> None:
        """C210: inside a coroutine one awaits."""
        work = asyncio.sleep(0)
        with self.assertRaisesRegex(
            RuntimeError, r"asyncio.run\(\) cannot be called from a running event loop"
        ):
            asyncio.run(work)  # told: "asyncio.run() cannot be called from a running event loop"
        work.close()

    @gen_test
    async def test_asyncio_is_the_loop_already(self) -> None:
        """C211: installing it by hand fails once a loop exists."""
        with self.assertRaisesRegex(RuntimeError, "already associated with asyncio loop"):
            tornado.platform.asyncio.AsyncIOMainLoop().install()
        loop = IOLoop.current()
        assert isinstance(loop, tornado.platform.asyncio.BaseAsyncIOLoop)
        self.assertIs(loop.asyncio_loop, asyncio.get_running_loop())
