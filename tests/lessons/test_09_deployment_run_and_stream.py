"""Lesson 09: a program that a server starts and streams, and that never stays behind."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
from typing import Any, ClassVar

import psutil  # type: ignore[import-untyped]
import pytest
import tornado.web
from tornado.testing import gen_test
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.lessons.websocket_case import WebSocketTestCase
from tests.support.lesson_case import import_script
from tests.support.lesson_pages import LESSONS_FOLDER

SCRIPT = LESSONS_FOLDER / "09_deployment" / "run_and_stream.py"
TOKEN = {"Authorization": "Bearer tea"}
# A program that starts another one, which has the same pipes; both wait until they are ended.
FAMILY = """
import signal, subprocess, sys
if sys.argv[2] == "ignores":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[1] == "parent":
    subprocess.Popen([sys.executable, "-c", {program!r}, "child", sys.argv[2]])
print(sys.argv[1], flush=True)
signal.pause()
"""

run_and_stream = import_script("09_deployment", "run_and_stream")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")


def family(behaviour: str) -> list[str]:
    """Return a command that starts a parent and a child."""
    child = FAMILY.format(program="")
    return [sys.executable, "-c", FAMILY.format(program=child), "parent", behaviour]


class RunCase(WebSocketTestCase):
    """Runs one command."""

    command: ClassVar[list[str]] = [sys.executable, "-c", run_and_stream.PROGRAM, "0.001"]
    stop_seconds = 30.0

    def get_app(self) -> tornado.web.Application:
        self.app = run_and_stream.make_app(self.command, "tea", self.stop_seconds)
        return self.app

    def tearDown(self) -> None:
        self.app.settings["run"].stop_seconds = 0.1
        self.io_loop.run_sync(self.app.settings["run"].stop)
        super().tearDown()

    async def ask(self, method: str, headers: dict[str, str] = TOKEN) -> tuple[int, Any]:
        """Return the status and the JSON of the answer of /run."""
        answer = await self.http_client.fetch(
            self.get_url("/run"),
            method=method,
            headers=headers,
            allow_nonstandard_methods=True,
            raise_error=False,
        )
        return answer.code, json.loads(answer.body) if answer.code == 200 else None

    async def page(self, after: int = 0) -> WebSocketClientConnection:
        """Open the socket as a page that has the messages up to a number."""
        url = self.socket_url(f"/lines/{after}")
        page = await websocket_connect(url, subprotocols=["lines.1", "token.tea"])
        self.opened.append(page)
        return page

    async def message(self, page: WebSocketClientConnection) -> dict[str, Any]:
        text = await page.read_message()
        assert text is not None, "the socket was closed"
        found: dict[str, Any] = json.loads(text)
        return found


class StreamTest(RunCase):
    @gen_test
    async def test_a_page_that_is_loaded_again_continues(self) -> None:
        """C594: no line is missing, and none comes twice."""
        await self.ask("POST")
        page = await self.page()
        first = [await self.message(page) for _ in range(3)]
        page.close()
        again = await self.page(after=3)
        then = [await self.message(again) for _ in range(3)]
        self.assertEqual(
            first + then, [{"seq": number, "line": f"tick {number}"} for number in range(1, 7)]
        )

    @gen_test
    async def test_one_program_at_a_time(self) -> None:
        """C594: also if two requests come at once."""
        answers = await asyncio.gather(self.ask("POST"), self.ask("POST"))
        self.assertEqual(sorted(code for code, _ in answers), [200, 409])

    @gen_test
    async def test_each_request_needs_the_token(self) -> None:
        """C596: a cookie or a wrong token is not enough."""
        for headers in ({}, {"Cookie": "token=tea"}, {"Authorization": "Bearer te"}):
            for method in ("POST", "DELETE"):
                self.assertEqual((await self.ask(method, headers))[0], 401)
        for offered in ("lines.1", "lines.1, token.te", "tea"):
            headers = {"Sec-WebSocket-Protocol": offered}
            self.assertEqual(await self.status("/lines/0", headers), 401)
        self.assertEqual((await self.page()).selected_subprotocol, "lines.1")

    @gen_test
    async def test_a_wrong_number_is_refused(self) -> None:
        """C594"""
        headers = {"Sec-WebSocket-Protocol": "lines.1, token.tea"}
        self.assertEqual(await self.status("/lines/x", headers), 404)


class PoliteProgramTest(RunCase):
    command = family("ends")

    @gen_test
    async def test_the_whole_group_gets_sigterm(self) -> None:
        """C595: the pipe is at its end only when the child has ended too."""
        page = await self.page()
        await self.ask("POST")
        lines = {(await self.message(page))["line"] for _ in range(2)}
        self.assertEqual(lines, {"parent", "child"})
        _, answer = await self.ask("DELETE")
        self.assertEqual(answer, {"last": [{"seq": 3, "ended": -signal.SIGTERM}]})
        self.assertEqual(await self.message(page), answer["last"][0])


class DeafProgramTest(RunCase):
    command = family("ignores")
    stop_seconds = 0.1

    @gen_test
    async def test_a_program_that_ignores_sigterm_is_killed(self) -> None:
        """C595: with its child."""
        page = await self.page()
        await self.ask("POST")
        lines = {(await self.message(page))["line"] for _ in range(2)}
        self.assertEqual(lines, {"parent", "child"})
        _, answer = await self.ask("DELETE")
        self.assertEqual(answer["last"], [{"seq": 3, "ended": -signal.SIGKILL}])


async def next_message(port: int, after: int) -> Any:
    """Return the message that follows a number."""
    url = f"ws://localhost:{port}/lines/{after}"
    page = await websocket_connect(url, subprotocols=["lines.1", "token.tea"])
    text = await page.read_message()
    page.close()
    return json.loads(text or "null")


# A server of the script whose program prints a line an hour.
SILENT_SERVER = f"""
import asyncio, sys
sys.path.insert(0, {str(SCRIPT.parent)!r})
from run_and_stream import PROGRAM, make_app
from tornado.testing import bind_unused_port
from tornado.httpserver import HTTPServer

async def main():
    sock, port = bind_unused_port()
    HTTPServer(make_app([sys.executable, "-c", PROGRAM, "3600"], "tea")).add_socket(sock)
    print(port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_server_that_is_killed_leaves_no_program() -> None:
    """C595: the program prints nothing for an hour, so only the pipe at its input tells it."""
    command = [sys.executable, "-c", SILENT_SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            port = int(server.stdout.readline())
            url = f"http://localhost:{port}/run"
            request = urllib.request.Request(url, method="POST", headers=TOKEN)
            urllib.request.urlopen(request, timeout=30).close()
            # The first line was written, so the end of the output does not end the program.
            assert asyncio.run(next_message(port, 0)) == {"seq": 1, "line": "tick 1"}
            [program] = psutil.Process(server.pid).children()
        finally:
            server.kill()
        program.wait(timeout=20)
