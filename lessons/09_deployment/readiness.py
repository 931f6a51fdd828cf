"""Alive and ready: a server that stops says first that it is not ready, then finishes its work.

Run it:  python3 learn.py run 09/readiness
"""

import asyncio
import contextlib
import signal

import tornado.httpserver
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line


class State:
    """Whether the process wants new requests, and how many it has not answered yet."""

    def __init__(self) -> None:
        self.ready = True
        self.in_flight = 0
        self.begun = asyncio.Event()  # for show(): the first request has begun
        self.none = asyncio.Event()
        self.none.set()


class AliveHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("alive\n")


class ReadyHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        if not self.settings["state"].ready:
            self.set_status(503)
        self.write("ready\n" if self.settings["state"].ready else "stopping\n")


class WorkHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.settings["state"].in_flight += 1
        self.settings["state"].none.clear()
        self.settings["state"].begun.set()

    async def get(self) -> None:
        await asyncio.sleep(self.settings["work"])
        self.write("done\n")

    def on_finish(self) -> None:
        self.settings["state"].in_flight -= 1
        if not self.settings["state"].in_flight:
            self.settings["state"].none.set()


def make_app(work: float = 0.3) -> tornado.web.Application:
    """Make an application with one page that takes some seconds, and two for health checks."""
    routes = [("/(?:healthz)?", AliveHandler), ("/readyz", ReadyHandler), ("/work", WorkHandler)]
    return tornado.web.Application(routes, state=State(), work=work)


async def stop(server: tornado.httpserver.HTTPServer, state: State, drain: float) -> None:
    """Stop without losing a request.

    Args:
        server: it listens until the drain period is over.
        state: of the application that it serves.
        drain: seconds in which the load balancer can notice that this process is not ready.
    """
    state.ready = False  # /readyz answers 503 from now on
    await asyncio.sleep(drain)  # requests still arrive, and are answered
    server.stop()
    await state.none.wait()


async def show(port: int, server: tornado.httpserver.HTTPServer, state: State) -> None:
    """Stop a server during a request; print what clients see."""
    client = AsyncHTTPClient(force_instance=True)

    async def ask(path: str) -> str:
        try:
            answer = await client.fetch(f"http://localhost:{port}{path}", raise_error=False)
        except OSError as error:
            return type(error).__name__
        return f"{answer.code} {answer.body.decode().strip()}"

    print(f"before:    /readyz {await ask('/readyz')}")
    work = asyncio.create_task(ask("/work"))
    await state.begun.wait()
    stopping = asyncio.create_task(stop(server, state, drain=0.1))
    await asyncio.sleep(0)  # stop() begins
    print(f"draining:  /readyz {await ask('/readyz')}, /healthz {await ask('/healthz')}")
    print(f"           /work, begun before: {await work}")
    await stopping
    print(f"stopped:   /readyz {await ask('/readyz')}")


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    define("drain", default=0.1, help="seconds to answer 503 before the server stops listening")
    parse_command_line()
    app = make_app()
    server = app.listen(options.port, "localhost")
    await show(options.port, server, app.settings["state"])
    app.settings["state"] = State()
    server = app.listen(options.port, "localhost")
    stopped = asyncio.Event()
    with contextlib.suppress(NotImplementedError):  # Windows has no SIGTERM
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print(f"Open http://localhost:{options.port}")
    await stopped.wait()
    await stop(server, app.settings["state"], options.drain)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
