"""Start a program, stream its lines over a WebSocket, and end it: SIGTERM first, then SIGKILL.

Run it:  python3 learn.py run 09/run_and_stream
On Windows use WSL: there are no process groups.
"""

import asyncio
import contextlib
import hmac
import os
import secrets
import signal
import sys
from collections import deque
from typing import Any

import tornado.locks
import tornado.web
import tornado.websocket
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

MAX_MESSAGES = 1000  # that are kept for a page that is loaded again
PROTOCOL = "lines.1"
# region program
PROGRAM = """
import itertools, os, signal, sys, threading, time

def end_with_the_server():
    sys.stdin.read()  # returns when the server has ended, in whatever way
    os.killpg(0, signal.SIGKILL)  # 0 is the group of this process

threading.Thread(target=end_with_the_server, daemon=True).start()
for number in itertools.count(1):
    print("tick", number, flush=True)
    time.sleep(float(sys.argv[1]))
"""
# endregion


class Run:
    """One program at a time, and the messages about it, numbered by `seq` from 1."""

    def __init__(self, command: list[str], stop_seconds: float) -> None:
        self.command, self.stop_seconds = command, stop_seconds
        self.messages: deque[dict[str, Any]] = deque(maxlen=MAX_MESSAGES)
        self.seq = 0
        self.news = tornado.locks.Condition()
        self.lock = asyncio.Lock()  # or two requests could start two programs
        self.task: asyncio.Task[None] | None = None

    def add(self, **message: Any) -> None:
        self.seq += 1
        self.messages.append({"seq": self.seq, **message})
        self.news.notify_all()

    async def start(self) -> None:
        async with self.lock:
            if self.task and not self.task.done():
                raise tornado.web.HTTPError(409, "it is running")
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,  # closed by the system when this process ends
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # a process group of its own
            )
            self.task = asyncio.create_task(self.watch())

    async def watch(self) -> None:
        """Read until the last process of the group has closed the pipe."""
        assert self.process.stdout
        async for line in self.process.stdout:
            self.add(line=line.decode(errors="replace").rstrip())
        self.add(ended=await self.process.wait())

    async def stop(self) -> None:
        async with self.lock:
            if not self.task:
                return
            for number in (signal.SIGTERM, signal.SIGKILL):
                if not self.task.done():
                    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                        os.killpg(self.process.pid, number)
                    await asyncio.wait([self.task], timeout=self.stop_seconds)


class RunHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        given = self.request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.settings['token']}".encode()):
            raise tornado.web.HTTPError(401)

    async def post(self) -> None:
        after = self.settings["run"].seq
        await self.settings["run"].start()
        self.write({"after": after})

    async def delete(self) -> None:
        await self.settings["run"].stop()
        self.write({"last": [*self.settings["run"].messages][-1:]})


class LinesHandler(tornado.websocket.WebSocketHandler):
    def prepare(self) -> None:
        """Refuse a connection without the token, which a browser can send as a subprotocol only."""
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        token = f"token.{self.settings['token']}".encode()
        if not any(hmac.compare_digest(each.strip().encode(), token) for each in offered):
            raise tornado.web.HTTPError(401)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return PROTOCOL if PROTOCOL in subprotocols else None

    def open(self, after: str) -> None:
        self.task = asyncio.create_task(self.send_news(int(after)))

    async def send_news(self, seq: int) -> None:
        """Send the messages after a number; each when the browser has taken the one before."""
        run = self.settings["run"]
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
            while True:
                for message in [each for each in run.messages if each["seq"] > seq]:
                    await self.write_message(message)
                    seq = message["seq"]
                if seq == run.seq:
                    await run.news.wait()

    def on_close(self) -> None:
        self.task.cancel()


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(
            "POST /run starts the program, DELETE /run ends it, /lines/0 streams its lines.\n"
        )


def make_app(command: list[str], token: str, stop_seconds: float = 3) -> tornado.web.Application:
    """Make an application that runs one command, for clients that have the token.

    Args:
        command: the command; a client cannot choose another one.
        token: of each request.
        stop_seconds: seconds that the program may take to end before it is killed.
    """
    routes = [("/", HomeHandler), ("/run", RunHandler), (r"/lines/(\d+)", LinesHandler)]
    return tornado.web.Application(routes, run=Run(command, stop_seconds), token=token)


async def show(port: int, token: str) -> None:
    """Start the program, read lines in a page that is loaded again, and end the program."""
    client = AsyncHTTPClient(force_instance=True)
    url, headers = f"localhost:{port}", {"Authorization": f"Bearer {token}"}
    await client.fetch(f"http://{url}/run", method="POST", headers=headers, body="")
    for title, after in (("a page:      ", 0), ("loaded again:", 2)):
        page = await tornado.websocket.websocket_connect(
            f"ws://{url}/lines/{after}", subprotocols=[PROTOCOL, f"token.{token}"]
        )
        print(title, await page.read_message(), await page.read_message())
        page.close()
    await client.fetch(f"http://{url}/run", method="DELETE", headers=headers)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("token", default=secrets.token_urlsafe(), help="what each request must have")
    parse_command_line()
    app = make_app([sys.executable, "-c", PROGRAM, "0.1"], options.token)
    app.listen(options.port, "localhost")
    try:
        await show(options.port, options.token)
        print(f"The token: {options.token}")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()
    finally:
        await app.settings["run"].stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
