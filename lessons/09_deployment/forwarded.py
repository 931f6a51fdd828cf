"""The address of a visitor behind a proxy: the same requests to servers with different settings.

Run it:  python3 learn.py run 09/forwarded
"""

import asyncio
import contextlib
import json

import tornado.httpserver
import tornado.netutil
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.options import define, options, parse_command_line

SERVERS = {
    "plain": {},
    "xheaders": {"xheaders": True},
    "trusting 10.0.0.5": {"xheaders": True, "trusted_downstream": ["10.0.0.5"]},
}
# 203.0.113.7 is the visitor, 10.0.0.5 a proxy of ours, 6.6.6.6 what an attacker has written.
REQUESTS = {
    "X-Real-IP, X-Scheme": {"X-Real-IP": "203.0.113.7", "X-Scheme": "https"},
    "X-Forwarded-For": {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.0.0.5"},
    "both, X-Real-IP forged": {"X-Real-IP": "6.6.6.6", "X-Forwarded-For": "203.0.113.7"},
}


class WhoHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"address": self.request.remote_ip, "scheme": self.request.protocol})


def make_app() -> tornado.web.Application:
    """Make an application that shows the address and the scheme which its server has found."""
    return tornado.web.Application([(r"/", WhoHandler)])


async def told(port: int, headers: dict[str, str]) -> str:
    answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/", headers=headers)
    who = json.loads(answer.body)
    return f"{who['scheme']} {who['address']}"


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    ports = {}
    for name, settings in SERVERS.items():
        last = name == list(SERVERS)[-1]
        sockets = tornado.netutil.bind_sockets(options.port if last else 0, "127.0.0.1")
        tornado.httpserver.HTTPServer(make_app(), **settings).add_sockets(sockets)
        ports[name] = sockets[0].getsockname()[1]

    rows = {"sent": list(SERVERS)}
    for sent, headers in REQUESTS.items():
        rows[sent] = [await told(port, headers) for port in ports.values()]
    for sent, seen in rows.items():
        print(f"{sent:<22}  " + "  ".join(f"{each:<18}" for each in seen).rstrip())
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
