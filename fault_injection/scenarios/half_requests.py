"""Hundreds of clients send half a request, then a byte at a time, and do not read the answers.

The chat has many file descriptors in the first run, and 64 in the second.
"""

import asyncio
import resource
import socket
from collections.abc import Callable

import tornado.httpclient

from fault_injection.harness.bystander import Bystander
from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, wait_until
from fault_injection.harness.leaks import few_resources, stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from tests.support.api_session import ApiSession
from tests.support.chat_client import ChatSocket

FEW_FILES = 64
"""File descriptors of the chat in the second run."""
TIMEOUT = 2
"""Seconds that the chat waits for a head or a body; 30 without the option."""
BYTE_INTERVAL = 0.5
"""Seconds between two bytes of a client."""
MAX_GROWTH_KIB = 60 * 1024
"""KiB by which the memory may grow: the streams and tasks of a connection take a few KiB."""

HEAD = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\nCookie: a="
UNREAD = "unread answers"
HALF_REQUESTS = {
    "nothing": b"",
    "half heads": HEAD,
    "half bodies": HEAD + b"b\r\n\r\nname=",
    UNREAD: b"GET /static/css/chat.css HTTP/1.1\r\nHost: x\r\n\r\n" * 500,
}
READERS = 2
"""Connections that do not read. Until the buffers of the system are full, the chat answers hundreds
of requests of each, and the scenario does not test that load."""
OPTIONS = (
    *(f"--header-timeout={TIMEOUT}", f"--body-timeout={TIMEOUT}", f"--response-timeout={TIMEOUT}"),
    *("--send-rate=1000", "--send-burst=10000", "--drain=0.2"),
    *("--request-rate=1000000", "--request-burst=1000000"),
)


async def run(context: Context) -> None:
    """Attack a chat with the usual limit of open files, and one with 64."""
    count = context.short_or_long(300, 1500)
    await attack(context, "many files", count)
    await attack(context, "few files", count, before=limit_files)


def limit_files() -> None:
    """Set the limit of file descriptors, in the process of the chat before it starts."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, FEW_FILES))


async def attack(
    context: Context, name: str, count: int, before: Callable[[], None] | None = None
) -> None:
    """Open connections of each kind; check a bystander, a visitor, memory and log.

    Args:
        context: the context of the scenario.
        name: name of the run.
        count: connections of each kind.
        before: called in the process of the chat before it starts.
    """
    data = context.folder / f"data-{name.replace(' ', '-')}"
    pool = ClientPool(context, data=data, rooms=1, members=2)
    chat = await pool.chat(name.replace(" ", "-"), limits=OPTIONS).start(preexec_fn=before)
    await pool.warm_up(chat.url)
    bystander = Bystander(context, f"bystander-{name.replace(' ', '-')}")
    await bystander.start(chat.url, *pool.credentials[0])
    await bystander.measure_normal(context.short_or_long(2.0, 10.0))
    for kind, half in HALF_REQUESTS.items():
        context.progress(f"{name}: {kind}")
        async with few_resources(context, chat, f"{name}, {kind}", MAX_GROWTH_KIB):
            async with bystander.undisturbed(f"{name}, {kind}"):
                connections = await hold_half_requests(
                    context, chat, pool, half, READERS if kind == UNREAD else count
                )
            await wait_until(f"{kind}: all are closed", lambda: chat.client_connections() == 1)
            for each in connections:
                each.close()
    await check_visitor(context, f"{name}, afterwards", chat, pool)
    await bystander.kill()
    await stop_and_check_leaks(pool)


async def hold_half_requests(
    context: Context, chat: ChatProcess, pool: ClientPool, half: bytes, count: int
) -> list[socket.socket]:
    """Open connections, send half a request on each, then a byte at a time; return them."""
    connections: list[socket.socket] = []
    loop = asyncio.get_running_loop()
    for number in range(count):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        connections.append(connection)
        try:
            await loop.sock_connect(connection, ("127.0.0.1", chat.port))
            connection.send(half)
        except OSError:  # the chat has closed it
            continue
        if number % 100 == 99:
            await check_visitor(context, f"during {number + 1} connections", chat, pool)
    for _ in range(round(TIMEOUT / BYTE_INTERVAL) * 2):
        await asyncio.sleep(BYTE_INTERVAL)
        for connection in connections:
            try:
                connection.send(b"x")
            except OSError:
                continue
    return connections


async def check_visitor(context: Context, when: str, chat: ChatProcess, pool: ClientPool) -> None:
    """Check that a visitor can load files and pages, and send a message."""
    cookie, conv = pool.credentials[1]
    session = ApiSession(chat.url, cookie, pool.http)
    try:
        for path in "/static/css/chat.css", "/api/state", "/readyz", "/":
            response = await session.fetch(path)
            context.expect_equal(f"{when}: {path}", response.code, 200)
        connection = await ChatSocket.connect(chat.url, cookie)
        await connection.send(int(conv), "Hi", "0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b11")
        await connection.receive("ack")
        await connection.close()
    except (OSError, tornado.httpclient.HTTPError) as error:
        context.expect(f"{when}: a visitor is served", False, repr(error))
