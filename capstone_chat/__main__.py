"""Starts the chat: python -m capstone_chat --help"""

import asyncio
import contextlib
import errno
import gc
import signal
import sys

import alembic.util
import sqlalchemy.exc
import tornado.httpserver
import tornado.netutil

from capstone_chat import logs
from capstone_chat.app import make_app
from capstone_chat.options import OptionError, Options, parse

BODY_LIMIT = 1 << 20
"""Bytes in a request's body."""


BACKLOG = 4096
"""Connections that wait to be accepted, as when everybody comes back at once."""


async def serve(options: Options) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what has begun: /readyz says so first, then the
    sockets are told, and what waits for its commit is stored."""
    app = make_app(options)
    chat = app.settings["chat"]
    server = tornado.httpserver.HTTPServer(app, xheaders=options.xheaders, max_body_size=BODY_LIMIT)
    try:
        await chat.open()
        sockets = tornado.netutil.bind_sockets(options.port, options.address, backlog=BACKLOG)
        server.add_sockets(sockets)
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for name in signal.SIGTERM, signal.SIGINT:
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
        gc.freeze()  # what is there now stays: the collector need not look at it again and again,
        gc.set_threshold(20_000, 20, 50)  # and seldom at open sockets, of which there are many
        print(f"Open http://{options.address}:{sockets[0].getsockname()[1]}", flush=True)
        await stop.wait()
        chat.hub.draining = True  # a proxy sends nobody here any more; those who are here go on
        stop.clear()
        with contextlib.suppress(TimeoutError):  # who asks twice is in a hurry
            await asyncio.wait_for(stop.wait(), options.drain)
        server.stop()
    finally:
        await chat.close()
        await server.close_all_connections()
        for name in signal.SIGTERM, signal.SIGINT:
            signal.signal(name, signal.SIG_IGN)  # it is stopping; to ask again changes nothing


def main() -> int:
    """Return the exit code: 0 after a clean stop, 1 for no port or folder, 2 for a wrong option."""
    try:
        options = parse(sys.argv[1:])
        logs.set_up(options.logging)
    except OptionError as error:
        return complain(str(error), 2)
    try:
        asyncio.run(serve(options))
    except OptionError as error:
        return complain(str(error), 2)
    except OSError as error:
        return complain(no_place(options, error), 1)
    except (sqlalchemy.exc.ArgumentError, ModuleNotFoundError) as error:
        known = "sqlite:///FILE, mysql+pymysql://... and postgresql+psycopg://... are known"
        return complain(f"--database: {error}; {known}", 2)
    except sqlalchemy.exc.DBAPIError as error:
        url = sqlalchemy.make_url(options.database_url).render_as_string(hide_password=True)
        return complain(f"the database {url} cannot be used: {error.orig}", 2)
    except alembic.util.CommandError as error:
        return complain(f"the database is not of this version of the chat: {error}", 2)
    return 0


def no_place(options: Options, error: OSError) -> str:
    """Return what to do when the system gives no port or no folder."""
    if error.errno == errno.EADDRINUSE:
        hint = f"give another one, as --port={options.port + 1}"
        return f"port {options.port} is taken: {hint}"
    if error.filename:
        return f"{error.filename}: {error.strerror}; give another folder, as --data=DIR"
    place = f"{options.address}:{options.port}"
    return f"cannot listen on {place}: {error.strerror}; give another --address or --port"


def complain(text: str, code: int) -> int:
    """Say on one line what is wrong, and return the exit code."""
    print(f"capstone_chat: {' '.join(text.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
