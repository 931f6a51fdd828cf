"""Lesson 01: the server, the loop, and several processes (C017-C026)."""

import asyncio
import contextlib
import importlib.util
import io
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import unittest
from urllib.request import urlopen

import tornado.httpserver
import tornado.ioloop
import tornado.web
from tornado.process import cpu_count
from tornado.testing import AsyncHTTPTestCase, AsyncTestCase, bind_unused_port, gen_test

from tests.support.lesson_case import import_script
from tests.support.lesson_pages import LESSONS_FOLDER, ROOT
from tests.support.script_server import serving

server_script = import_script("01_hello", "server")
FOLDER = LESSONS_FOLDER / "01_hello"


class ListenTest(AsyncTestCase):
    @gen_test
    async def test_a_client_can_connect_before_the_loop_serves_it(self) -> None:
        """C018: listen() opens the port, only the reply waits for the loop."""
        server = tornado.httpserver.HTTPServer(server_script.make_app())
        listening, port = bind_unused_port()
        server.add_sockets([listening])
        said = io.StringIO()
        with contextlib.redirect_stdout(said), server_script.ask_too_early(port) as client:
            reply = await asyncio.get_running_loop().sock_recv(client, 1000)
        self.assertIn("Connected. No reply", said.getvalue())
        self.assertTrue(reply.startswith(b"HTTP/1.1 200 OK\r\n"))
        server.stop()
        await server.close_all_connections()

    @gen_test
    async def test_app_listen_gives_the_server_that_http_server_would(self) -> None:
        """C017, C021: listen is a method; what app.listen() returns is the HTTPServer."""
        server = server_script.make_app().listen(0, "127.0.0.1")
        self.assertIsInstance(server, tornado.httpserver.HTTPServer)
        server.stop()


class LoopTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return server_script.make_app()

    def test_the_ioloop_wraps_the_asyncio_loop(self) -> None:
        """C019: Tornado has no epoll loop of its own any more."""
        self.assertEqual(self.fetch("/").body, b'{"IOLoop wraps the asyncio loop": true}')
        self.assertIsNone(importlib.util.find_spec("tornado.platform.epoll"))

    @gen_test
    async def test_instance_is_the_old_name_of_current(self) -> None:
        """C020"""
        loop = tornado.ioloop.IOLoop
        self.assertIs(loop.instance(), loop.current())


def answer(url: str) -> str:
    with urlopen(url, timeout=30) as response:
        text: str = response.read().decode()
        return text


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code that forks, in a Python of its own, where a deprecated call is an error.

    Not that of Tornado itself: on Python 3.12 and 3.13 asyncio warns when it makes a loop because
    Tornado asks for one that is not there.
    """
    warnings = ["-W", "error::DeprecationWarning"]
    warnings += ["-W", "ignore:There is no current event loop:DeprecationWarning"]
    return subprocess.run(
        [sys.executable, *warnings, "-c", textwrap.dedent(code)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


@unittest.skipIf(sys.platform == "win32", "Windows has no fork and no SO_REUSEPORT")
class ForkTest(unittest.TestCase):
    def test_bind_and_start_fork_without_a_warning(self) -> None:
        """C022, C023: start(3) makes three, start(0) one for each core."""
        for number, expected in [(3, 3), (0, cpu_count())]:
            with self.subTest(start=number):
                done = run_python(f"""
                    import tornado.httpserver, tornado.process
                    server = tornado.httpserver.HTTPServer(lambda request: None)
                    server.bind(0, "127.0.0.1")
                    server.start({number})
                    print(f"{{tornado.process.task_id()}}\\n", end="", flush=True)
                """)
                children = sorted(map(int, done.stdout.split()))
                self.assertEqual(children, list(range(expected)), done.stderr)
                self.assertNotIn("Deprecat", done.stderr)

    def test_children_answer_on_the_port_that_the_parent_bound(self) -> None:
        """C024: task_id() tells them apart, and they end with the parent."""
        with serving(FOLDER / "processes.py", "--processes=2") as server:
            first, first_process = self.ask(server.url)
            # Whichever child answered: while it is stopped, the other one has to.
            os.kill(first_process, signal.SIGSTOP)
            try:
                second, second_process = self.ask(server.url)
            finally:
                os.kill(first_process, signal.SIGCONT)
            self.assertEqual({first, second}, {0, 1})
            self.assertNotEqual(first_process, second_process)
            self.assertEqual(server.stop(), 0)
            # Nobody holds its output open any more: the children are gone too.
            self.assertEqual(server.rest(), "")

    def ask(self, url: str) -> tuple[int, int]:
        told = re.fullmatch(r"child (\d), process (\d+)\n", answer(url))
        assert told
        return int(told[1]), int(told[2])

    def test_a_child_that_crashes_is_replaced(self) -> None:
        """C024"""
        with serving(FOLDER / "processes.py", "--processes=1") as server:
            child, process = self.ask(server.url)
            os.kill(process, signal.SIGKILL)
            # The port stays open in the parent, so the question waits for the next child.
            again, other = self.ask(server.url)
            self.assertEqual((child, again), (0, 0))
            self.assertNotEqual(process, other)

    def test_separate_processes_share_a_port(self) -> None:
        """C025: with reuse_port the kernel deals the connections out."""
        shared = FOLDER / "shared_port.py"
        with serving(shared) as one, serving(shared, f"--port={one.port}"):
            if sys.platform == "darwin":
                self.assertIn("process", answer(one.url))  # both run; one may get everything
            else:
                told = {answer(one.url) for _ in range(60)}
                self.assertEqual(len(told), 2)

    def test_without_reuse_port_a_second_process_is_refused(self) -> None:
        """C025: started as learn.py does, the reason is one line."""
        app = str(FOLDER / "make_app.py")
        with serving(FOLDER / "make_app.py") as one:
            for start, message in [
                ([app], "Address already in use"),
                (["-m", "course.script_launcher", app], "is in use: another program listens on it"),
            ]:
                with self.subTest(start=start):
                    second = subprocess.run(
                        [sys.executable, *start, f"--port={one.port}"],
                        capture_output=True,
                        encoding="utf-8",
                        cwd=ROOT,
                    )
                    self.assertEqual(second.returncode, 1)
                    self.assertIn(message, second.stderr)

    def test_a_loop_touched_before_the_fork_crashes_the_children(self) -> None:
        """C026: both children register the port with the same epoll, and only one can.

        From Python 3.12 on a child forgets the loop of its parent, and makes its own.
        """
        done = run_python("""
            import os
            import tornado.httpserver, tornado.ioloop
            tornado.ioloop.IOLoop.current()
            server = tornado.httpserver.HTTPServer(lambda request: None)
            server.bind(0, "127.0.0.1")
            try:
                server.start(2)
                print("served\\n", end="", flush=True)
            except FileExistsError as error:
                print(f"{type(error).__name__}: {error}\\n", end="", flush=True)
            os._exit(0)
        """)
        told = sorted(done.stdout.splitlines())
        crashed = "FileExistsError: [Errno 17] File exists"
        other = "served" if sys.version_info >= (3, 12) else crashed
        self.assertEqual(told, [other, "served"], done.stderr)


class ReusePortTest(unittest.TestCase):
    def test_the_script_asks_for_it_only_where_it_exists(self) -> None:
        """C025"""
        source = (FOLDER / "shared_port.py").read_text(encoding="utf-8")
        self.assertIn('reuse_port=hasattr(socket, "SO_REUSEPORT")', source)
        self.assertEqual(hasattr(socket, "SO_REUSEPORT"), sys.platform != "win32")
