"""The request console: HTTP requests and WebSockets to the scripts that the tour runs.

The requests do not come from the browser, because a page may set neither Host, Origin nor Cookie,
and sees neither redirects nor Set-Cookie. They reach only the ports of scripts that run.
"""

import asyncio
import base64
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketError,
    websocket_connect,
)

from course.tour.runs import Run
from course.translation import translate

MAX_BODY = 1024 * 1024
"""Bytes of a body, or of a message of a socket, that are shown."""
TIMEOUT = 10.0
"""Seconds that an answer may take."""
MAX_SOCKETS = 5
"""Number of sockets that one page may have open."""
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
"""A method or the name of a header (RFC 9110, 5.6.2)."""
PATH = re.compile(r"/[!-~]*")
FIELD_VALUE = re.compile(r"[\t -~\x80-\xff]*")
WITH_BODY = {"POST", "PUT", "PATCH"}
"""Methods whose requests say that they have a body, even if it is empty."""


class RequestRefusedError(Exception):
    """A request cannot be sent, or has no answer; the message says why."""


class _EnoughError(Exception):
    """The body is longer than what is shown."""


def address_of(run: Run, path: str, scheme: str = "http") -> str:
    """Return the address of a path of a running script, whatever address the script has printed.

    Raises:
        RequestRefusedError: the script does not run, or this is no path.
    """
    if run.state != "ready":
        raise RequestRefusedError(translate("{name} does not run.", name=run.program.name))
    if not PATH.fullmatch(path):
        raise RequestRefusedError(
            translate("A path begins with / and has no spaces; others are written as %20.")
        )
    secure = "s" if urlsplit(run.url).scheme == "https" else ""
    return f"{scheme}{secure}://localhost:{run.port}{path}"


def read_headers(pairs: object) -> HTTPHeaders:
    """Return headers from a list of pairs.

    Raises:
        RequestRefusedError: this is no such list, or a header has characters that none may have.
    """
    headers = HTTPHeaders()
    if not isinstance(pairs, list):
        raise RequestRefusedError(translate("The headers must be a list of names and values."))
    for pair in pairs:
        match pair:
            case [str(name), str(value)] if TOKEN.fullmatch(name) and FIELD_VALUE.fullmatch(value):
                headers.add(name, value.strip())
            case _:
                raise RequestRefusedError(translate("This is no header: {pair}", pair=pair))
    return headers


async def send_request(
    run: Run, method: str, path: str, headers: HTTPHeaders, body: bytes
) -> dict[str, Any]:
    """Send a request to a running script; return its answer. A redirect is not followed.

    Raises:
        RequestRefusedError: the request has no valid form, or there is no answer.
    """
    if not TOKEN.fullmatch(method):
        raise RequestRefusedError(translate("This is no method: {method}", method=method))
    lines: list[str] = []
    content = bytearray()

    def receive(chunk: bytes) -> None:
        content.extend(chunk)
        if len(content) > MAX_BODY:
            raise _EnoughError

    request = HTTPRequest(
        address_of(run, path),
        method=method,
        headers=headers,
        body=body if body or method in WITH_BODY else None,
        allow_nonstandard_methods=True,
        follow_redirects=False,
        decompress_response=False,
        request_timeout=TIMEOUT,
        validate_cert=False,  # that of a script of lesson 09
        header_callback=lines.append,
        streaming_callback=receive,
    )
    client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=2**40)
    began = time.monotonic()
    truncated = False
    try:
        await client.fetch(request, raise_error=False)
    except _EnoughError:
        truncated = True
    except (HTTPClientError, OSError, ValueError) as error:
        if not lines:
            raise RequestRefusedError(_explain(run, error)) from error
        truncated = True  # such as a stream that does not end
    finally:
        client.close()
    if not lines:
        raise RequestRefusedError(_explain(run, None))
    milliseconds = round((time.monotonic() - began) * 1000, 1)
    return {
        **_read_head(lines),
        **_as_text(bytes(content[:MAX_BODY])),
        "ms": milliseconds,
        "truncated": truncated,
    }


def _explain(run: Run, error: Exception | None) -> str:
    if isinstance(error, HTTPClientError) and error.code == 599:
        return translate("{name} has not answered: {error}", name=run.program.name, error=error)
    return translate("There is no answer: {error}", error=error or "the connection was closed")


def _read_head(lines: list[str]) -> dict[str, Any]:
    """Return the status and the headers of an answer; of several heads, those of the last one."""
    start = max(index for index, line in enumerate(lines) if line.startswith("HTTP/"))
    _, status, reason = [*lines[start].strip().split(" ", 2), ""][:3]
    pairs = [line.partition(":") for line in lines[start + 1 :] if line.strip()]
    return {
        "status": int(status),
        "reason": reason,
        "headers": [[name, value.strip()] for name, _, value in pairs],
    }


def _as_text(body: bytes) -> dict[str, Any]:
    """Return a body as text, or in Base64 if it is none."""
    try:
        return {"body": body.decode("utf-8"), "base64": False}
    except UnicodeDecodeError as error:
        if error.end >= len(body) - 3 and len(body) == MAX_BODY:  # cut within a character
            return {"body": body[: error.start].decode("utf-8"), "base64": False}
        return {"body": base64.b64encode(body).decode(), "base64": True}


class SocketConsole:
    """The sockets that one page has opened to running scripts.

    Args:
        send: sends a message to the page, and waits until the browser has taken it.
    """

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._send = send
        self._sockets: dict[str, WebSocketClientConnection] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def open(
        self, name: str, run: Run, path: str, headers: HTTPHeaders, subprotocols: list[str]
    ) -> None:
        """Open a socket; the page is told when it is open, and all that comes.

        Raises:
            RequestRefusedError: the page has too many sockets, or one of this name.
        """
        if name in self._tasks or len(self._tasks) >= MAX_SOCKETS:
            raise RequestRefusedError(translate("Close another socket first."))
        if not all(TOKEN.fullmatch(each) for each in subprotocols):
            raise RequestRefusedError(translate("This is no list of subprotocols."))
        address = address_of(run, path, "ws")
        request = HTTPRequest(
            address, headers=headers, request_timeout=TIMEOUT, validate_cert=False
        )
        self._tasks[name] = asyncio.create_task(self._receive(name, request, subprotocols))

    async def send(self, name: str, message: str | bytes) -> None:
        """Send a message.

        Raises:
            RequestRefusedError: the socket is not open.
        """
        with contextlib.suppress(WebSocketClosedError):
            await self._open_socket(name).write_message(message, isinstance(message, bytes))

    def close(self, name: str, code: int, reason: str) -> None:
        """Close a socket with a code and a reason (RFC 6455, 7.4).

        Raises:
            RequestRefusedError: the socket is not open, or a client must not send this code.
        """
        if code not in (1000, 1001, 1003, 1007, 1008, 1009) and not 3000 <= code <= 4999:
            raise RequestRefusedError(translate("Use code 1000, or one from 3000 to 4999."))
        if len(reason.encode()) > 123:
            raise RequestRefusedError(translate("The reason is longer than 123 bytes."))
        self._open_socket(name).close(code, reason)

    def close_all(self) -> None:
        """Forget all sockets, because the page has gone."""
        for task in self._tasks.values():
            task.cancel()

    def _open_socket(self, name: str) -> WebSocketClientConnection:
        if name not in self._sockets:
            raise RequestRefusedError(translate("The socket is not open."))
        return self._sockets[name]

    async def _receive(self, name: str, request: HTTPRequest, subprotocols: list[str]) -> None:
        code: int | None = None
        reason = ""
        socket = None
        try:
            socket = await websocket_connect(
                request, subprotocols=subprotocols or None, max_message_size=MAX_BODY
            )
            self._sockets[name] = socket
            protocol = socket.selected_subprotocol
            await self._send({"type": "socket.opened", "id": name, "protocol": protocol})
            while (message := await socket.read_message()) is not None:
                await self._send({"type": "socket.message", "id": name, **_describe(message)})
            code, reason = socket.close_code, socket.close_reason or ""
        except HTTPClientError as error:
            reason = f"{error.code} {error.message}"
        except (OSError, WebSocketError, ValueError) as error:
            reason = str(error)
        finally:
            if socket:
                socket.close()
            self._sockets.pop(name, None)
            self._tasks.pop(name, None)
        await self._send({"type": "socket.closed", "id": name, "code": code, "reason": reason})


def _describe(message: str | bytes) -> dict[str, Any]:
    if isinstance(message, str):
        return {"text": message, "bytes": len(message.encode())}
    return {"base64": base64.b64encode(message).decode(), "bytes": len(message)}
