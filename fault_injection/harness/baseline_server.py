"""The least that Tornado can do: what the machine makes it wait for, it makes everybody wait for.

python -m fault_injection.harness.baseline_server: answers on a free port, which it prints.
"""

import asyncio

import tornado.httpserver
import tornado.netutil
import tornado.web


class BaselineHandler(tornado.web.RequestHandler):
    """An answer without work."""

    def get(self) -> None:
        """Answer."""
        self.finish("alive\n")


async def main() -> None:
    """Serve until it is killed."""
    server = tornado.httpserver.HTTPServer(tornado.web.Application([("/healthz", BaselineHandler)]))
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
