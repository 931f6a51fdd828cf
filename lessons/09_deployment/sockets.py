"""The lines of nginx.conf that a WebSocket needs: the answer to the handshake without each.

Run it:  python3 learn.py run 09/sockets
Needs:  nginx
"""

import asyncio
import contextlib
import signal
import tempfile
from pathlib import Path

import app
import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket
from proxy import nginx, program, release, running
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.options import define, options, parse_command_line

# What an nginx.conf may lack. Many tutorials lack Host in the location of the chat.
LEFT_OUT = {
    "Upgrade and Connection": ["proxy_set_header Upgrade", "proxy_set_header Connection"],
    "proxy_http_version 1.1": ["proxy_http_version"],
    "Host": ["proxy_set_header Host"],
    "nothing": [],
}


def make_app() -> tornado.web.Application:
    """Return the application of app.py, whose WebSocket is at /echo."""
    return app.make_app()


async def handshake(port: int) -> str:
    """Open a WebSocket as a page of this address does; return what comes."""
    headers = {"Origin": f"http://localhost:{port}"}
    request = HTTPRequest(f"ws://localhost:{port}/echo", headers=headers)
    try:
        socket = await tornado.websocket.websocket_connect(request)
    except HTTPClientError as refused:
        return f"{refused.code} {refused.response.body.decode() if refused.response else refused}"
    with contextlib.suppress(tornado.websocket.WebSocketClosedError):
        await socket.write_message("Hello")
    said = await socket.read_message()
    socket.close()
    return f"101, then {said or 'closed at once'}"


def left_out(line: str, without: list[str]) -> str:
    """Return a line of nginx.conf as it is if the directives in `without` are left out."""
    if not line.strip().startswith(tuple(without)):
        return line
    # Since nginx 1.29.7 the default is 1.1. Write the older default, so that all versions agree.
    return line.replace("1.1", "1.0") if "proxy_http_version" in line else ""


async def attempt(folder: Path, port: int, without: list[str]) -> str:
    """Return the answer to the handshake if nginx.conf lacks these lines."""
    conf = folder / "nginx.conf"
    whole = conf.read_text(encoding="utf-8")
    lines = [left_out(line, without) for line in whole.splitlines(True)]
    conf.write_text("".join(lines), encoding="utf-8")
    with running(nginx(folder), folder, port):
        answer = await handshake(port)
    conf.write_text(whole, encoding="utf-8")
    return answer


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    program("nginx", "nginx")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        upstreams = release(folder, options.port)[:2]
        for port in upstreams:  # both are this process here
            sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
            tornado.httpserver.HTTPServer(make_app(), xheaders=True).add_sockets(sockets)
        answers = {
            what: await attempt(folder, options.port, without) for what, without in LEFT_OUT.items()
        }
        print("nginx.conf without      the handshake")
        for what, answer in answers.items():
            print(f"{what:<22}  {answer}")
        with running(nginx(folder), folder, options.port):
            print(f"Open http://localhost:{options.port}")
            await asyncio.Event().wait()


if __name__ == "__main__":
    # By default SIGTERM would leave nginx running. Ctrl-C cancels main(); an & in a
    # shell script has SIGINT ignored, which would disable both.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
