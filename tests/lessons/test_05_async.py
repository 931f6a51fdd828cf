"""Lesson 05: a handler that blocks, one that awaits, and the same work four ways (C182-C195).

What blocks and what does not is proved by the order of events, never by a time: while a slow
handler works, another visitor asks, and the page tells at which moment it was served.
"""

import asyncio
import gc
import socket
import tracemalloc
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any
from unittest import TestCase, mock

import tornado.escape
import tornado.gen
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.testing import AsyncHTTPTestCase, AsyncTestCase, ExpectLog, gen_test

from tests.support.lesson_case import RoutesHTTPTestCase, Script, import_script, json_of

app = import_script("05_async", "app")
blocking = import_script("05_async", "blocking")
callbacks = import_script("05_async", "callbacks")
generators = import_script("05_async", "generators")
async_await = import_script("05_async", "async_await")

coroutine: Callable[[Callable[..., Generator[Any, Any, Any]]], Callable[..., Awaitable[Any]]]
coroutine = generators.coroutine

PATIENCE = 60  # seconds until a wait that should have ended fails the test


def visit(port: int, path: str) -> socket.socket:
    """Send a GET and return at once: the request is with the server, the answer is to be read."""
    visitor = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    visitor.sendall(request.encode())
    return visitor


def read(visitor: socket.socket) -> str:
    """Wait for the answer, and return its body."""
    with visitor, visitor.makefile("rb") as answer:
        return answer.read().decode().partition("\r\n\r\n")[2]


async def read_without_blocking(visitor: socket.socket) -> str:
    return await asyncio.get_running_loop().run_in_executor(None, read, visitor)


class TwoTabsTest(AsyncHTTPTestCase):
    """app.py: /blocking and /awaiting, while another tab asks for /ping."""

    def get_app(self) -> tornado.web.Application:
        self.served: list[str] = []
        application = app.make_app()
        application.settings["log_function"] = lambda done: self.served.append(done.request.path)
        return application

    @gen_test
    async def test_a_handler_that_blocks_holds_up_another_tab(self) -> None:
        """C182, C184: the ping was there before the sleep ended, and is served after it."""
        pings: list[socket.socket] = []

        def sleep(seconds: float) -> None:
            pings.append(visit(self.get_http_port(), "/ping"))

        with mock.patch.object(app, "time", types.SimpleNamespace(sleep=sleep)):
            await self.http_client.fetch(self.get_url("/blocking"))
        self.assertEqual(await read_without_blocking(pings[0]), "pong\n")
        self.assertEqual(self.served, ["/blocking", "/ping"])

    @gen_test
    async def test_a_handler_that_awaits_does_not(self) -> None:
        """C184: the sleep does not end before the ping has been answered."""

        async def sleep(seconds: float) -> None:
            response = await AsyncHTTPClient().fetch(self.get_url("/ping"))
            self.assertEqual(response.body, b"pong\n")

        with mock.patch.object(app, "asyncio", types.SimpleNamespace(sleep=sleep)):
            await self.http_client.fetch(self.get_url("/awaiting"))
        self.assertEqual(self.served, ["/ping", "/awaiting"])

    def test_the_page_shows_the_pulse(self) -> None:
        """C184"""
        page = self.fetch("/")
        self.assertIn("/static/pulse.js?v=", page.body.decode())
        self.assertIn("Both take 2 seconds", page.body.decode())
        for file in ("style.css", "pulse.js"):
            self.assertEqual(self.fetch(f"/static/{file}").code, 200)


class SameWorkTestCase(AsyncHTTPTestCase):
    """One of the four ways. What the other tab is told while `ask` works is kept in `told`."""

    script: Script

    def get_app(self) -> tornado.web.Application:
        self.told: list[str] = []
        return self.script.make_app(self.ask)

    def ask(self) -> Any:
        raise NotImplementedError

    def slow(self) -> str:
        response = self.fetch("/slow")
        self.assertEqual(response.code, 200)
        return response.body.decode()

    def events(self) -> list[str]:
        events: list[str] = json_of(self.fetch("/"))["events"]
        return events


class BlockingTestCase(SameWorkTestCase):
    script = blocking

    def ask(self) -> str:
        self.assertEqual(self._app.settings["events"], ["asked"])
        self.tab = visit(self.get_http_port(), "/")
        return "42"


class BlockingTest(BlockingTestCase):
    @gen_test
    async def test_the_other_tab_waits_for_the_end(self) -> None:
        """C182, C185: the other tab asked in the middle, and was served after the end."""
        response = await self.http_client.fetch(self.get_url("/slow"))
        self.assertEqual(response.body, b"42\n")
        events = tornado.escape.json_decode(await read_without_blocking(self.tab))["events"]
        self.assertEqual(events, ["asked", "answered"])

    def test_a_failure_is_a_500(self) -> None:
        """C185"""
        self._app.settings["ask"] = mock.Mock(side_effect=KeyError)
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.fetch("/slow").code, 500)


class AsyncButBlocking(tornado.web.RequestHandler):
    async def get(self) -> None:
        blocking.SlowHandler.get(self)


class AsyncButBlockingTest(BlockingTestCase):
    def get_app(self) -> tornado.web.Application:
        application = super().get_app()
        application.add_handlers(".*", [("/slow", AsyncButBlocking)])
        return application

    @gen_test
    async def test_async_def_alone_changes_nothing(self) -> None:
        """C183: the other tab is served after the end, as before."""
        await self.http_client.fetch(self.get_url("/slow"))
        events = tornado.escape.json_decode(await read_without_blocking(self.tab))["events"]
        self.assertEqual(events, ["asked", "answered"])


class InThreadTestCase(SameWorkTestCase):
    def ask(self) -> str:
        """Runs in a thread, and does not return before the other tab has been served."""
        answer = read(visit(self.get_http_port(), "/"))
        self.told = tornado.escape.json_decode(answer)["events"]
        return "42"

    def raise_error(self) -> str:
        raise KeyError("a thread failed")


class CallbacksTest(InThreadTestCase):
    script = callbacks

    def test_the_other_tab_is_served_in_the_middle(self) -> None:
        """C186: a thread waits, the loop is free."""
        self.assertEqual(self.slow(), "42\n")
        self.assertEqual(self.told, ["asked"])
        self.assertEqual(self.events(), ["answered"])

    def test_an_error_in_the_thread_reaches_the_client(self) -> None:
        """C186: without the second callback the client would wait for ever."""
        self._app.settings["ask"] = self.raise_error
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.fetch("/slow").code, 500)
        self.assertEqual(self.events(), ["asked"])

    def test_the_module_of_the_old_demo_is_gone(self) -> None:
        """C186"""
        with self.assertRaisesRegex(ModuleNotFoundError, "No module named 'thread'"):
            __import__("thread")


class GeneratorsTest(InThreadTestCase):
    script = generators

    def test_the_other_tab_is_served_in_the_middle(self) -> None:
        """C188: the generator rests at its yield, the loop is free."""
        self.assertEqual(self.slow(), "42\n")
        self.assertEqual(self.told, ["asked"])
        self.assertEqual(self.events(), ["answered"])

    def test_an_error_in_the_thread_reaches_the_client(self) -> None:
        """C188"""
        self._app.settings["ask"] = self.raise_error
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertEqual(self.fetch("/slow").code, 500)
        self.assertEqual(self.events(), ["asked"])


class DriverTest(AsyncTestCase):
    """The decorator of generators.py."""

    @gen_test
    async def test_the_steps_come_in_the_order_of_the_old_demo(self) -> None:
        """C188: a begins, and rests; b runs from end to end; a goes on when its answer is there."""
        events: list[str] = []
        answer: asyncio.Future[str] = asyncio.Future()

        @coroutine
        def long_io() -> Generator[Any, Any, str]:
            events.append("io begins")
            result: str = yield answer
            events.append("io ends")
            return result

        @coroutine
        def request_a(name: str) -> Generator[Any, Any, None]:
            events.append(f"{name} begins")
            events.append(f"{name} got {(yield long_io())}")

        done = request_a("a")
        events.append("b begins and ends")
        answer.set_result("io result")
        await done
        self.assertEqual(
            events,
            ["a begins", "io begins", "b begins and ends", "io ends", "a got io result"],
        )

    @gen_test
    async def test_an_error_is_raised_where_the_yield_stands(self) -> None:
        """C188"""

        @coroutine
        def careful() -> Generator[Any, Any, str]:
            failing: asyncio.Future[None] = asyncio.Future()
            failing.set_exception(KeyError("lost"))
            try:
                yield failing
            except KeyError as error:
                return f"caught {error}"
            return "nothing was raised"

        self.assertEqual(await careful(), "caught 'lost'")

    def test_the_old_ways_of_the_demo_are_gone(self) -> None:
        """C187: generators have no .next(); a wrapper that calls f() loses the arguments."""

        def request_a(name: str) -> Generator[str]:
            yield name

        with self.assertRaisesRegex(AttributeError, "no attribute 'next'"):
            request_a("a").next()  # type: ignore[attr-defined]
        self.assertEqual(next(request_a("a")), "a")

        def old_decorator(f: Any) -> Any:
            return lambda *args, **kwargs: next(f())

        with self.assertRaisesRegex(TypeError, "missing 1 required positional argument: 'name'"):
            old_decorator(request_a)("a")


class AsyncAwaitTest(SameWorkTestCase):
    script = async_await

    async def ask(self) -> str:
        response = await AsyncHTTPClient().fetch(self.get_url("/"))
        self.told = json_of(response)["events"]
        return "42"

    def test_the_other_tab_is_served_in_the_middle(self) -> None:
        """C189, C195: one thread, and the loop is free while the handler awaits."""
        self.assertEqual(self.slow(), "42\n")
        self.assertEqual(self.told, ["asked"])
        self.assertEqual(self.events(), ["answered"])


class WaitingCoroutinesTest(TestCase):
    async def needed_by(self, count: int) -> int:
        """Return the bytes that so many calls of ask() and their tasks need while they wait."""
        before = tracemalloc.get_traced_memory()[0]
        calls = [asyncio.create_task(async_await.ask()) for _ in range(count)]
        await asyncio.sleep(0)  # each call runs up to its await
        needed = tracemalloc.get_traced_memory()[0] - before
        self.assertFalse([call for call in calls if call.done()])
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return needed

    def test_ten_thousand_waiting_calls_need_less_than_20_mib(self) -> None:
        """C184: as README.md says in step 3."""
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        needed = asyncio.run(self.needed_by(10_000), debug=False)
        self.assertLess(needed, 20 * 2**20)


class ThreeAtOnceTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.everybody = asyncio.Barrier(3)
        return async_await.make_app(self.ask)

    async def ask(self) -> str:
        await self.everybody.wait()  # nobody goes on before all three are here
        return "42"

    @gen_test
    async def test_three_awaiting_requests_are_under_way_at_once(self) -> None:
        """C184: in one thread."""
        url = self.get_url("/slow")
        await asyncio.gather(*(self.http_client.fetch(url) for _ in range(3)))
        self.assertEqual(self._app.settings["events"], ["asked"] * 3 + ["answered"] * 3)


class ForgetfulHandler(tornado.web.RequestHandler):
    async def fetch(self) -> None:
        self.write("the answer")

    async def get(self) -> None:
        self.fetch()  # type: ignore[unused-coroutine]


class UsingHandler(tornado.web.RequestHandler):
    async def weather(self) -> dict[str, object]:
        return {"text": "sunny"}

    async def get(self) -> None:
        weather: Any = self.weather()  # without await
        self.write(weather["text"])


class LegacyHandler(tornado.web.RequestHandler):
    @tornado.gen.coroutine
    def get(self) -> Generator[Any, Any, None]:
        words = yield [self.word("still"), self.word("works")]  # a list, here only
        self.write(" ".join(words))

    @tornado.gen.coroutine
    def word(self, word: str) -> Generator[Any, Any, str]:
        yield tornado.gen.moment
        raise tornado.gen.Return(word)


class CoroutinesTest(RoutesHTTPTestCase):
    routes = (
        (r"/forgetful", ForgetfulHandler),
        (r"/using", UsingHandler),
        (r"/legacy", LegacyHandler),
    )

    def test_a_missing_await_leaves_the_work_undone(self) -> None:
        """C194: the page is empty, and only a warning tells why."""
        with self.assertWarnsRegex(
            RuntimeWarning, "coroutine 'ForgetfulHandler.fetch' was never awaited"
        ):
            response = self.get("/forgetful")
            gc.collect()
        self.assertEqual((response.code, response.body), (200, b""))

    def test_a_missing_await_is_an_error_where_the_result_is_used(self) -> None:
        """C194: the result is a coroutine then, not the value."""
        with (
            ExpectLog("tornado.application", "Uncaught exception GET /using"),
            self.assertWarnsRegex(RuntimeWarning, "was never awaited"),
        ):
            self.assertEqual(self.get("/using").code, 500)
            gc.collect()

    def test_the_decorator_before_async_def_still_works(self) -> None:
        """C192, C193: coroutines by decorator, with Return."""
        self.assertEqual(self.text("/legacy"), "still works")

    def test_the_callback_style_is_gone(self) -> None:
        """C190, C191"""
        self.assertFalse(hasattr(tornado.web, "asynchronous"))
        self.assertFalse(hasattr(tornado.gen, "engine"))
        self.assertFalse(hasattr(tornado.gen, "Task"))

    @gen_test
    async def test_fetch_takes_no_callback(self) -> None:
        """C191"""
        calls: list[HTTPResponse] = []
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'callback'"):
            await self.http_client.fetch(self.get_url("/legacy"), callback=calls.append)
        self.assertEqual(calls, [])

    @gen_test
    async def test_a_task_runs_beside_whoever_made_it(self) -> None:
        """C194: create_task starts, await waits."""
        events: list[str] = []

        async def beside() -> None:
            events.append("beside")

        task = asyncio.create_task(beside())
        events.append("made")
        await task
        self.assertEqual(events, ["made", "beside"])
