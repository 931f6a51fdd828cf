"""Room server with aiohttp: `send_str` for one member after the other."""

import argparse
import asyncio
import contextlib
from collections import defaultdict

import aiohttp
from aiohttp import web

rooms: defaultdict[str, set[web.WebSocketResponse]] = defaultdict(set)


async def enter(request: web.Request) -> web.WebSocketResponse:
    """Add the connection to its room; send each of its messages to all members."""
    room = rooms[request.match_info["name"]]
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    room.add(socket)
    try:
        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                for member in list(room):
                    with contextlib.suppress(ConnectionError):  # closed since the copy was made
                        await member.send_str(message.data)
    finally:
        room.discard(socket)
    return socket


async def main(port: int) -> None:
    """Serve until the process is ended."""
    app = web.Application()
    app.router.add_get("/{name}", enter)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"Open http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8888)
    asyncio.run(main(parser.parse_args().port))
