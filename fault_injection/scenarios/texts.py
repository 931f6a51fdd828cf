"""Hostile texts: no text of a field, a query or a frame costs more than 5 ms of processor time."""

import asyncio
import itertools
import json
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

from capstone_chat.realtime.protocol import MAX_TEXT_LENGTH
from fault_injection.harness.api_session import ApiSession, RawConnection
from fault_injection.harness.bystander import Bystander
from fault_injection.harness.client_pool import NO_LIMITS, ClientPool
from fault_injection.harness.context import Context
from fault_injection.harness.leaks import stop_and_check_leaks
from fault_injection.harness.processes import ChatProcess

MAX_COST_MS = 5.0
"""Milliseconds of processor time that a text may cost more than plain letters of its length."""

SIZES = {
    "as long as a message": (MAX_TEXT_LENGTH, 1 << 20),
    "within the limit of a field": (1024, 2000),
    "beyond it": (3000, 5000),
}
"""Characters and bytes of the texts at most."""

HOSTILE = {
    "marks of two classes": "\u0301\u0316",  # they are sorted one by one: quadratic
    "marks of one class": "\u0301",
    "a mark that becomes two": "\u0344",
    "a letter that becomes 18": "\ufdfa",
    "a note that becomes three": "\U0001d160",
    "thirty marks a letter": "a" + "\u0301\u0316" * 15,
    "letters that grow in lower case": "\u0390\u1e9e",
    "composed syllables": "\uac01",
}
"""Texts that take long to normalize, by what they are made of."""


def text_of(unit: str, characters: int, size: int) -> str:
    """Return a letter followed by as much of `unit` as fits into so many characters and bytes."""
    text = ("x" + unit * characters)[:characters]
    return text.encode()[:size].decode(errors="ignore")


def processor_ms(chat: ChatProcess) -> float:
    """Return the milliseconds of processor time that the threads of a chat have used."""
    tasks = Path(f"/proc/{chat.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


class Fields:
    """Sends a text in each place that the chat reads one from.

    Args:
        page: of a user, with its token.
        visitor: a browser without a session.
    """

    def __init__(
        self,
        chat: ChatProcess,
        session: ApiSession,
        visitor: ApiSession,
        connection: RawConnection,
        conv: int,
    ) -> None:
        self.url = chat.url
        self.session = session
        self.visitor = visitor
        self.connection = connection
        self.conv = conv

    def senders(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        """Return how to send a text, by place."""
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
        """Send a form whose texts are all hostile."""
        names = ("name", "nickname", "password", "confirmation", "captcha", "captcha_id", "next")
        body = urlencode({"_xsrf": self.visitor.xsrf_token} | dict.fromkeys(names, text))
        await self.visitor.fetch(f"{self.url}/{name}", method="POST", body=body)

    async def query(self, path: str, name: str, text: str) -> None:
        """Send a text in a query."""
        await self.session.fetch(self.url + path + urlencode({name: text}))

    async def json(self, method: str, path: str, name: str, other: str, text: str) -> None:
        """Send a text in two fields of a JSON object."""
        headers = {"X-XSRFToken": self.session.xsrf_token, "Content-Type": "application/json"}
        body = json.dumps({name: text, other: text}, ensure_ascii=False)
        await self.session.fetch(
            self.url + path,
            method=method,
            body=body,
            headers=headers,
            allow_nonstandard_methods=True,
        )

    async def message(self, text: str) -> None:
        """Send a message and wait for its answer."""
        cid = str(uuid.uuid4())
        frame = {"type": "send", "cid": cid, "conv": self.conv, "text": text}
        await self.connection.socket.write_message(json.dumps(frame, ensure_ascii=False))
        await self.connection.receive("ack", "error")


async def run(context: Context) -> None:
    """Compare each hostile text with plain letters, while a bystander sends messages."""
    data = context.folder / "data"
    pool = ClientPool(context, data, rooms=2, members=2)
    chat = await ChatProcess(context, "chat", f"--data={data}", *NO_LIMITS).start()
    session, visitor = ApiSession(pool.http, pool.credentials[0][0]), ApiSession(pool.http, "")
    await session.open(chat.url)
    visitor.xsrf_token = (await visitor.hidden_fields(f"{chat.url}/login"))["_xsrf"]
    connection = await RawConnection.open(chat.url, pool.credentials[0][0])
    context.stack.push_async_callback(connection.close)
    bystander = await Bystander(context).start(chat.url, *pool.credentials[-1])
    await bystander.measure_normal(context.short_or_long(1.0, 5.0))
    background = await background_load(chat, context.short_or_long(0.5, 2.0))
    fields = Fields(chat, session, visitor, connection, int(pool.credentials[0][1]))
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
    await stop_and_check_leaks(context, pool, chat)


async def background_load(chat: ChatProcess, seconds: float) -> float:
    """Return the milliseconds of processor time a second that the bystander costs the chat."""
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
    """Return the milliseconds of processor time that sending a text costs the chat.

    The cheapest of several is taken: what else the chat does meanwhile does not count.
    """
    loop = asyncio.get_running_loop()
    found = []
    for _ in range(times):
        began, before = loop.time(), processor_ms(chat)
        await send(text)
        used = processor_ms(chat) - before
        found.append(used - background * (loop.time() - began))
    return min(found)
