"""Room server with websockets and its function `broadcast`."""

import argparse
import asyncio
from collections import defaultdict

from websockets.asyncio.server import ServerConnection, broadcast, serve

rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)


async def enter(socket: ServerConnection) -> None:
    """Add the connection to its room; send each of its messages to all members."""
    assert socket.request is not None
    room = rooms[socket.request.path]
    room.add(socket)
    try:
        async for message in socket:
            broadcast(room, message)
    finally:
        room.discard(socket)


async def main(port: int) -> None:
    """Serve until the process is ended."""
    async with serve(enter, "127.0.0.1", port, compression=None) as server:
        print(f"Open http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8888)
    asyncio.run(main(parser.parse_args().port))
