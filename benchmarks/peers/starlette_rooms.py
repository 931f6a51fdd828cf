"""Room server with Starlette on uvicorn, with the fastest of uvicorn's WebSocket protocols."""

import argparse
import asyncio
import contextlib
from collections import defaultdict

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)


async def enter(websocket: WebSocket) -> None:
    """Add the connection to its room; send each of its messages to all members."""
    room = rooms[websocket.path_params["name"]]
    await websocket.accept()
    room.add(websocket)
    try:
        async for text in websocket.iter_text():
            for member in list(room):
                with contextlib.suppress(WebSocketDisconnect):  # closed since the copy was made
                    await member.send_text(text)
    finally:
        room.discard(websocket)


async def main(port: int) -> None:
    """Serve until the process is ended."""
    app = Starlette(routes=[WebSocketRoute("/{name}", enter)])
    config = uvicorn.Config(
        app,
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_level="warning",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not (server.started or serving.done()):  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    if server.started:
        where = server.servers[0].sockets[0].getsockname()
        print(f"Open http://127.0.0.1:{where[1]}", flush=True)
    await serving


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8888)
    asyncio.run(main(parser.parse_args().port))
