"""A chat whose members are in a set of the process, in two processes: two separate chats.

Run it:  python3 learn.py run 09/alone
It starts a second process on another port: Ada is in the first process, Bob in the second.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

HERE = Path(__file__).parent


class MemberHandler(tornado.websocket.WebSocketHandler):
    members: ClassVar[set["MemberHandler"]] = set()  # each process has its own

    def open(self) -> None:
        self.members.add(self)

    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.close(1003, "text only")
            return
        for member in self.members.copy():
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                member.write_message(message)

    def on_close(self) -> None:
        self.members.discard(self)


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        examples = ["Hello", "Who hears this?"]
        other = self.settings["other"]
        self.render("room.html", path="/room", examples=examples, process=os.getpid(), other=other)


def make_app(other: int = 0) -> tornado.web.Application:
    """One room at /room; the page links to the other process, which has a room of its own."""
    return tornado.web.Application(
        [(r"/", PageHandler), (r"/room", MemberHandler)],
        template_path=HERE / "templates",
        static_path=HERE / "static",
        other=other,
    )


@contextlib.asynccontextmanager
async def second(*arguments: str) -> AsyncIterator[int]:
    """Start this script a second time; yield the port that it has chosen."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-u", sys.argv[0], "--port=0", f"--other={options.port}", *arguments],
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        address = await process.stdout.readline()
        yield int(address.rpartition(b":")[2])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def heard(member: tornado.websocket.WebSocketClientConnection) -> str:
    """Return all that a member hears before "Bye"."""
    texts = []
    while (text := await member.read_message()) not in (None, "Bye"):
        texts.append(str(text))
    return ", ".join(texts) or "nothing"


async def talk(first: int, other: int) -> None:
    """Connect Ada to one process and Bob to the other; print the messages that each receives."""
    ada, bob = [
        await tornado.websocket.websocket_connect(f"ws://localhost:{port}/room")
        for port in (first, other)
    ]
    await ada.write_message("Hello from Ada")
    print("Ada hears", await ada.read_message())
    await bob.write_message("Bye")
    print("Bob hears", await heard(bob))
    ada.close()
    bob.close()


async def main() -> None:
    define("port", default=8888, help="port to listen on; 0 for any that is free")
    define("other", default=0, help="the port of the first process, in the second one")
    parse_command_line()
    if options.other:
        # Ctrl-C in a terminal reaches both processes, and the first one ends this one by SIGTERM.
        # A second KeyboardInterrupt can stop asyncio.run() in its cleanup, which then never ends.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    app = make_app(options.other)
    [socket] = tornado.netutil.bind_sockets(options.port, "127.0.0.1")
    tornado.httpserver.HTTPServer(app).add_sockets([socket])
    async with contextlib.AsyncExitStack() as stack:
        if not options.other:
            other = await stack.enter_async_context(second())
            app.settings["other"] = other
            await talk(options.port, other)
        print(f"Open http://localhost:{socket.getsockname()[1]}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    # By default SIGTERM would leave the second process running. Ctrl-C cancels main(); an & in a
    # shell script has SIGINT ignored, which would disable both.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
