"""Hostile texts are sent in every field, query and frame; none may cost more than 5 ms."""

import asyncio
import itertools
import json
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

from capstone_chat.realtime.protocol import MAX_TEXT_LENGTH
from fault_injection.harness.bystander import Bystander
from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess
from tests.support.api_session import ApiSession
from tests.support.chat_client import ChatSocket

MAX_COST_MS = 5.0
"""Milliseconds of processor time by which a text may exceed plain letters of its length."""

SIZES = {
    "as long as a message": (MAX_TEXT_LENGTH, 1 << 20),
    "within the limit of a field": (1024, 2000),
    "beyond it": (3000, 5000),
}
"""Maximum characters and bytes of a text."""

HOSTILE = {
    "marks of two classes": "\u0301\u0316",  # sorted one by one, which takes quadratic time
    "marks of one class": "\u0301",
    "a mark that becomes two": "\u0344",
    "a letter that becomes 18": "\ufdfa",
    "a note that becomes three": "\U0001d160",
    "thirty marks a letter": "a" + "\u0301\u0316" * 15,
    "letters that grow in lower case": "\u0390\u1e9e",
    "composed syllables": "\uac01",
}
"""Units of texts that take long to normalize."""


def text_of(unit: str, characters: int, size: int) -> str:
    """Return a letter and repetitions of `unit` within a number of characters and bytes."""
    text = ("x" + unit * characters)[:characters]
    return text.encode()[:size].decode(errors="ignore")


def processor_ms(chat: ChatProcess) -> float:
    """Return the processor time of all threads of a chat, in milliseconds."""
    tasks = Path(f"/proc/{chat.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


class Fields:
    """Sends a text in each place from which the chat reads one.

    Args:
        session: a session of a user.
        visitor: a browser that is not logged in.
        visitor_token: the XSRF token of the visitor.
        connection: an open connection of the user.
        conv: id of a conversation of the user.
    """

    def __init__(
        self,
        session: ApiSession,
        visitor: ApiSession,
        visitor_token: str,
        connection: ChatSocket,
        conv: int,
    ) -> None:
        self.session = session
        self.visitor = visitor
        self.visitor_token = visitor_token
        self.connection = connection
        self.conv = conv

    def senders(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        """Return functions that send a text, by the place."""
        search = f"/api/conversations/{self.conv}/search?"
        return {
            "registration": lambda text: self.form("register", text),
            "login": lambda text: self.form("login", text),
            "free name": lambda text: self.query("/api/names?", "name", text),
            "search": lambda text: self.query(search, "query", text),
            "group search": lambda text: self.query("/api/groups?", "query", text),
            "group": lambda text: self.json("POST", "/api/groups", "title", "description", text),
            "profile": lambda text: self.json("PATCH", "/api/me", "nickname", "theme", text),
            "password": lambda text: self.json("PUT", "/api/me/password", "new", "old", text),
            "deletion": lambda text: self.json("DELETE", "/api/me", "password", "password", text),
            "contact": lambda text: self.json("POST", "/api/contacts", "name", "name", text),
            "message": self.message,
        }

    async def form(self, name: str, text: str) -> None:
        """Send a form with the text in every field."""
        names = ("name", "nickname", "password", "confirmation", "captcha", "captcha_id", "next")
        fields = {"_xsrf": self.visitor_token} | dict.fromkeys(names, text)
        await self.visitor.submit(f"/{name}", fields)

    async def query(self, path: str, name: str, text: str) -> None:
        """Send the text as an argument of a query."""
        await self.session.fetch(path + urlencode({name: text}))

    async def json(self, method: str, path: str, name: str, other: str, text: str) -> None:
        """Send the text in two fields of a JSON object."""
        headers = {"X-XSRFToken": await self.session.token(), "Content-Type": "application/json"}
        body = json.dumps({name: text, other: text}, ensure_ascii=False)
        await self.session.fetch(
            path, method=method, body=body, headers=headers, allow_nonstandard_methods=True
        )

    async def message(self, text: str) -> None:
        """Send the text as a message and wait for the answer."""
        cid = str(uuid.uuid4())
        frame = {"type": "send", "cid": cid, "conv": self.conv, "text": text}
        await self.connection.socket.write_message(json.dumps(frame, ensure_ascii=False))
        await self.connection.receive("ack", "error")


async def run(context: Context) -> None:
    """Compare the cost of each hostile text with that of plain letters."""
    pool = ClientPool(context, rooms=2, members=2)
    chat = await pool.chat().start()
    session = ApiSession(chat.url, pool.credentials[0][0], pool.http)
    visitor = ApiSession(chat.url, http=pool.http)
    token = (await visitor.hidden_fields("/login"))["_xsrf"]
    connection = await ChatSocket.connect(chat.url, pool.credentials[0][0])
    context.stack.push_async_callback(connection.close)
    bystander = await Bystander(context).start(chat.url, *pool.credentials[-1])
    await bystander.measure_normal(context.short_or_long(1.0, 5.0))
    background = await background_load(chat, context.short_or_long(0.5, 2.0))
    fields = Fields(session, visitor, token, connection, int(pool.credentials[0][1]))
    costs: dict[str, float] = {}
    times = context.short_or_long(3, 10)
    async with bystander.undisturbed("hostile texts"):
        await chat.read_monitor()
        for place, send in fields.senders().items():
            context.progress(place)
            for size, kind in itertools.product(SIZES, HOSTILE):
                plain = await cpu_cost(chat, background, send, text_of("x", *SIZES[size]), times)
                hostile = text_of(HOSTILE[kind], *SIZES[size])
                used = await cpu_cost(chat, background, send, hostile, times)
                costs[f"{place}, {size}, {kind}"] = used - plain
        held = (await chat.read_monitor())["held_ms"]
    await bystander.kill()
    worst = max(costs, key=lambda name: costs[name])
    context.figures["texts"] = len(costs)
    context.figures["costliest text ms"] = f"{costs[worst]:.1f} ({worst})"
    context.figures["loop held up for ms"] = held
    for name, milliseconds in costs.items():
        context.expect_time(f"{name} costs", milliseconds <= MAX_COST_MS, f"{milliseconds:.1f} ms")
    await connection.close()
    await stop_and_check_leaks(pool)


async def background_load(chat: ChatProcess, seconds: float) -> float:
    """Return the processor time that the bystander costs the chat, in milliseconds a second."""
    before = processor_ms(chat)
    await asyncio.sleep(seconds)
    return (processor_ms(chat) - before) / seconds


async def cpu_cost(
    chat: ChatProcess,
    background: float,
    send: Callable[[str], Awaitable[None]],
    text: str,
    times: int,
) -> float:
    """Return the processor time that a text costs the chat, in milliseconds.

    The minimum of several measurements is returned, because other work of the chat adds to them.

    Args:
        chat: the chat.
        background: the processor time of the bystander, in milliseconds a second.
        send: sends the text.
        text: the text.
        times: number of measurements.
    """
    loop = asyncio.get_running_loop()
    found = []
    for _ in range(times):
        began, before = loop.time(), processor_ms(chat)
        await send(text)
        used = processor_ms(chat) - before
        found.append(used - background * (loop.time() - began))
    return min(found)
