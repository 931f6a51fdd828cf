"""The tour as a program: its address, its port, its browser, and its end, whatever ends it."""

import asyncio
import contextlib
import json
import re
import signal
import socket
import sys
import unittest
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from course.tour.server import PortTakenError, bind
from tests.course.sample_course import make_course, write
from tests.course.tour.lifeline import lifeline
from tests.course.tour.tour_case import SERVER, Page
from tests.support.checkout import ROOT, clean_environment

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


class TourProcess:
    """The tour in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.base = ""

    async def address(self) -> str:
        """Return the next address that the terminal shows."""
        assert self.process.stdout
        async for line in self.process.stdout:
            if found := re.search(r"Open (http\S+)#code=(\S+)", line.decode()):
                self.base = found[1].rstrip("/")
                return found[2]
        raise AssertionError("the tour has printed no address")

    async def exchange(self, code: str) -> str | None:
        request = HTTPRequest(f"{self.base}/api/token", "POST", body=json.dumps({"code": code}))
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
        token: str | None = json.loads(response.body).get("token")
        return token

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        token = await self.exchange(await self.address())
        request = HTTPRequest(
            f"{self.base.replace('http', 'ws')}/ws", headers={"Origin": self.base}
        )
        connection = await websocket_connect(request, subprotocols=["tour.1", f"token.{token}"])
        try:
            yield Page(connection)
        finally:
            connection.close()


@contextlib.asynccontextmanager
async def tour(root: Path, *arguments: str, **variables: str) -> AsyncIterator[TourProcess]:
    """Start the tour of a course."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "course", f"--root={root}", "tour", "--port=0", *arguments),
        cwd=ROOT,
        env=clean_environment(**variables),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield TourProcess(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


class ProgramTest(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def course(self, tmp_path: Path) -> None:
        self.root = make_course(tmp_path)

    def write_server(self, more: str) -> None:
        script = SERVER.format(routes='[("/", Handler)]', more=more)
        write(self.root / "lessons" / "01_hello" / "server.py", script.lstrip())

    async def begin_family(self, page: Page, lines: tuple[Any, Any]) -> None:
        """Start a script with a child process, which both hold a line."""
        child = f"{lines[1].source}; import threading; threading.Event().wait(99)"
        # On Linux even a session of its own does not save it.
        session = f"start_new_session={sys.platform == 'linux'}"
        start_child = f"subprocess.Popen([sys.executable, '-c', {child!r}], {session})"
        self.write_server(f"{lines[0].source}; {start_child}")
        await page.start("script:01/server")
        for line in lines:
            await line.wait_begun()

    @posix_only
    async def test_nothing_is_left_after_the_tour_is_killed(self) -> None:
        async with (
            tour(self.root, "--no-browser") as own,
            lifeline() as one,
            lifeline() as two,
            own.page() as page,
        ):
            await self.begin_family(page, (one, two))
            own.process.kill()
            await one.wait_ended()
            await two.wait_ended()

    @posix_only
    async def test_signals_and_a_closed_terminal_end_the_tour_and_its_scripts(self) -> None:
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            with self.subTest(signal=name):
                async with (
                    tour(self.root, "--no-browser") as own,
                    lifeline() as one,
                    lifeline() as two,
                    own.page() as page,
                ):
                    await self.begin_family(page, (one, two))
                    own.process.send_signal(signal.Signals[name])
                    self.assertEqual(await own.process.wait(), 0)
                    await one.wait_ended()
                    await two.wait_ended()

    async def test_enter_shows_a_new_address_and_ends_the_old_one(self) -> None:
        async with tour(self.root, "--no-browser") as own:
            old = await own.address()
            assert own.process.stdin
            own.process.stdin.write(b"\n")
            new = await own.address()
            self.assertIsNone(await own.exchange(old))
            self.assertTrue(await own.exchange(new))

    @posix_only
    async def test_the_browser_opens_the_address_that_the_terminal_shows(self) -> None:
        async with lifeline() as line:
            source = f"{line.source}\nimport sys\nline.sendall(sys.argv[1].encode())\n"
            browser = self.root / "browser"
            write(browser, f"#!{sys.executable}\n{source}")
            browser.chmod(0o755)
            async with tour(self.root, "01/greeting", BROWSER=str(browser)) as own:
                code = await own.address()
                opened = await (await line.reader).read()
        self.assertTrue(opened.decode().endswith(f"/exercise/01/greeting#code={code}"))

    async def test_a_text_browser_does_not_take_the_terminal(self) -> None:
        browser = self.root / "w3m"
        opened = self.root / "opened"
        write(browser, f"#!/bin/sh\ntouch {opened}\n")
        browser.chmod(0o755)
        async with tour(self.root, BROWSER=str(browser)) as own, own.page() as page:
            await page.receive()
        self.assertFalse(opened.exists())

    async def test_a_forwarded_host_is_the_one_of_the_address(self) -> None:
        async with tour(self.root, "--no-browser", "--host=name-1.app.example") as own:
            await own.address()
            self.assertEqual(own.base, "https://name-1.app.example")


class PortTest(unittest.TestCase):
    def test_the_tour_listens_on_loopback_only(self) -> None:
        sockets = bind(0)
        try:
            for one in sockets:
                self.assertIn(one.getsockname()[0], ("127.0.0.1", "::1"))
        finally:
            for one in sockets:
                one.close()

    def test_a_taken_port_is_said_and_the_default_port_is_replaced(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.MonkeyPatch.context() as patch:
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(PortTakenError, str(port)):
                bind(port)
            patch.setattr("course.tour.server.DEFAULT_PORT", port)
            sockets = bind(None)
            self.assertNotEqual(sockets[0].getsockname()[1], port)
            for one in sockets:
                one.close()
