"""A small reverse proxy in Tornado: it passes requests and responses on in parts, to fixed servers.

Run it:  python3 learn.py run 09/reverse_proxy
It starts the server behind it too. It passes on HTTP only, no WebSockets.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable

import tornado.httpserver
import tornado.netutil
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders, parse_response_start_line
from tornado.iostream import StreamClosedError
from tornado.options import define, options, parse_command_line

MAX_BYTES = 10**9  # of a body, in either direction
# They are for one connection, so a proxy must not pass them on (RFC 9110, 7.6.1).
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


def end_to_end(headers: HTTPHeaders) -> HTTPHeaders:
    """Return the headers that a proxy passes on."""
    lines = headers.get_list("Connection")
    named = {name.strip().lower() for line in lines for name in line.split(",")}
    kept = HTTPHeaders()
    for name, value in headers.get_all():
        if name.lower() not in HOP_BY_HOP | named:
            kept.add(name, value)
    return kept


@tornado.web.stream_request_body
class ProxyHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        name = self.path_args[0]
        if name not in self.settings["upstreams"]:  # never a host that the client has written
            raise tornado.web.HTTPError(404)
        self.parts: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        self.request.connection.set_max_body_size(MAX_BYTES)
        # uri as it came: path_args are decoded already.
        rest = self.request.uri.removeprefix(f"/{name}")
        self.exchange = asyncio.create_task(self.pass_on(self.settings["upstreams"][name] + rest))

    async def data_received(self, chunk: bytes) -> None:
        await self.give(chunk)  # meanwhile Tornado reads nothing, so the client waits too

    async def give(self, part: bytes | None) -> None:
        """Wait until there is place for a part, or the exchange has ended; None is the end."""
        put = asyncio.ensure_future(self.parts.put(part))
        await asyncio.wait({put, self.exchange}, return_when=asyncio.FIRST_COMPLETED)
        put.cancel()

    async def body_producer(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        while (part := await self.parts.get()) is not None:
            await write(part)

    async def pass_on(self, url: str) -> None:
        """Send the request to a URL, and its response to the client."""
        request = self.request
        headers = end_to_end(request.headers)
        headers.pop("Expect", None)  # Tornado has answered "100 Continue"
        headers["X-Real-IP"] = request.remote_ip  # replaces what the client has sent
        headers["X-Scheme"] = request.protocol
        has_body = {"Content-Length", "Transfer-Encoding"} & set(request.headers)
        await self.settings["client"].fetch(
            HTTPRequest(
                url,
                method=request.method,
                headers=headers,
                body_producer=self.body_producer if has_body else None,
                header_callback=self.take_header,
                streaming_callback=self.take_part,
                follow_redirects=False,  # or the server behind us could name any host
                decompress_response=False,
                allow_nonstandard_methods=True,
                request_timeout=0,  # a long download may take its time
            ),
            raise_error=False,
        )

    def take_header(self, line: str) -> None:
        if line.startswith("HTTP/"):
            start = parse_response_start_line(line.rstrip())
            self.set_status(start.code, start.reason)
            self.received = HTTPHeaders()
        elif line.strip():
            self.received.parse_line(line)
        else:
            self._headers.clear()  # those that Tornado adds by itself
            for name, value in end_to_end(self.received).get_all():
                self.add_header(name, value)

    async def take_part(self, chunk: bytes) -> None:
        self.write(chunk)
        await self.flush()  # waits until the client has taken it

    async def get(self, *_: str) -> None:
        """Wait for the end of the exchange. The body of the request has arrived."""
        await self.give(None)
        try:
            await self.exchange
        except (OSError, StreamClosedError, HTTPClientError) as error:
            if not self._headers_written:
                raise tornado.web.HTTPError(502, "%s", error) from error
            # The client has half a response: close the connection, so that it notices.
            self.detach().close()

    head = post = put = patch = delete = options = get

    def compute_etag(self) -> None:
        """Return no ETag: the headers are those of the server behind us."""

    def on_connection_close(self) -> None:
        self.exchange.cancel()


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Try /app/headers, which the server behind the proxy answers.\n")


class HeadersHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(dict(self.request.headers.get_all()))


@tornado.web.stream_request_body
class UploadHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.parts, self.digest = 0, hashlib.sha256()

    def data_received(self, chunk: bytes) -> None:
        self.parts += 1
        self.digest.update(chunk)

    def post(self) -> None:
        self.write({"parts": self.parts, "sha256": self.digest.hexdigest()})


def make_server() -> tornado.web.Application:
    """Make the application behind the proxy."""
    routes = [("/headers", HeadersHandler), ("/upload", UploadHandler)]
    return tornado.web.Application(routes)


def make_app(**upstreams: str) -> tornado.web.Application:
    """Pass /NAME/... on to the address of that name."""
    client = AsyncHTTPClient(force_instance=True, max_clients=100, max_body_size=MAX_BYTES)
    return tornado.web.Application(
        [("/", HomeHandler), (r"/(\w+)/.*", ProxyHandler)], upstreams=upstreams, client=client
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    tornado.httpserver.HTTPServer(make_server()).add_sockets(sockets)
    behind = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    make_app(app=behind).listen(options.port, "localhost")
    print(f"/app/... goes to {behind}")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
