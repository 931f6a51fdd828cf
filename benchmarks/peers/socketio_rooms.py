"""Room server with python-socketio on aiohttp: its own rooms and its own protocol."""

import argparse
import asyncio
from typing import Any
from urllib.parse import parse_qs

import socketio  # type: ignore[import-untyped]
from aiohttp import web

server = socketio.AsyncServer(async_mode="aiohttp")


async def connect(sid: str, environ: dict[str, Any], auth: object = None) -> None:
    """Add the connection to the room that its query names."""
    name = parse_qs(environ["QUERY_STRING"])["room"][0]
    await server.save_session(sid, {"room": name})
    await server.enter_room(sid, name)


async def message(sid: str, text: str) -> None:
    """Send a message to all members of the sender's room."""
    session = await server.get_session(sid)
    await server.send(text, room=session["room"])


async def main(port: int) -> None:
    """Serve until the process is ended."""
    server.on("connect", connect)
    server.on("message", message)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"Open http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8888)
    asyncio.run(main(parser.parse_args().port))
