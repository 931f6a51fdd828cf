# A thread made by hand, which hands its result to a future of the loop.
"""A report that keeps the database busy for a while. Let the others be served meanwhile."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import tornado.web
from tornado.options import define, options, parse_command_line

SLOW = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000)
SELECT count(*) FROM n"""


class ReportHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        connect = self.settings["connect"]

        def work() -> None:
            db = connect(":memory:")
            try:
                (number,) = next(iter(db.execute(SLOW)))
            except Exception as error:
                loop.call_soon_threadsafe(future.set_exception, error)
            else:
                loop.call_soon_threadsafe(future.set_result, number)
            finally:
                db.close()

        threading.Thread(target=work, daemon=True).start()
        self.write({"counted": await future})


def make_app(connect: Callable[[str], Any] = sqlite3.connect) -> tornado.web.Application:
    return tornado.web.Application([(r"/report", ReportHandler)], connect=connect)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
