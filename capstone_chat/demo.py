"""The demo: a chat in a fresh data folder, with people, groups and messages, and two login links.

The visitor neither registers nor types a password. Each link is valid once. The first one names
`localhost`, the second one the IP address: a browser keeps the cookies of the two apart (RFC 6265,
section 5.1.3), so one browser can show both people, and so can two.
"""

import asyncio
import contextlib
import dataclasses
import secrets
import tempfile
import uuid
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import tornado.web

from capstone_chat.accounts.accounts import Login
from capstone_chat.conversations.conversations import Conversations
from capstone_chat.conversations.event_log import Event
from capstone_chat.conversations.groups import Groups
from capstone_chat.conversations.messages import Messages
from capstone_chat.conversations.users import User
from capstone_chat.handlers.demo_login import DemoLoginHandler
from capstone_chat.options import DEFAULT_DATA_DIR, OptionError, Options
from capstone_chat.realtime.protocol import Send
from capstone_chat.services import Services
from capstone_chat.storage.database import now_ms

ANN, BEN, CHLOE, DAVID = "Ann Walker", "Ben Okafor", "Chloé Martin", "David Lindqvist"
USER_NAMES = {ANN: "ann", BEN: "ben", CHLOE: "chloe", DAVID: "david"}

VISITORS = (ANN, BEN)
"""The people whom the two links log in."""

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Talk:
    """A conversation of the demo.

    Attributes:
        title: the title of a group; "" for a private chat.
        people: nicknames of the members, the owner of a group first.
        messages: nickname of the sender, text, and age in minutes; the oldest first.
        unread: number of messages at the end that a member has not read, by nickname.
        description: the description of a group.
    """

    title: str
    people: tuple[str, ...]
    messages: tuple[tuple[str, str, int], ...]
    unread: dict[str, int] = field(default_factory=dict)
    description: str = ""


TALKS = (
    Talk("Book club", (BEN, ANN), ((BEN, "Chapter 9 changes everything. No spoilers!", 190),)),
    Talk(
        "House on Mill Lane",
        (CHLOE, ANN),
        (
            (CHLOE, "The plumber comes on Tuesday at 8", 95),
            (CHLOE, "He asks for the key", 5),
            (CHLOE, "I leave it at yours", 4),
        ),
        unread={ANN: 2},
    ),
    Talk(
        "Tornado study group",
        (DAVID, ANN, BEN),
        ((DAVID, "Lesson 05 finally made coroutines click for me", 42),),
        unread={BEN: 1},
    ),
    Talk("", (ANN, BEN), ((BEN, "Do you have a second pair of hiking poles?", 27),)),
    Talk("Board games", (ANN,), ((ANN, "I can host on Friday", 20),)),
    Talk(
        "Saturday hike",
        (BEN, CHLOE, DAVID, ANN),
        (
            (BEN, "Forecast for Saturday: 18°C and sunny all day", 34),
            (BEN, "Shall we take the lake trail?", 34),
            (ANN, "Yes please! It is 14 km with the loop around the north shore.", 31),
            (CHLOE, "I am in. Here is the map: https://trails.example.org/lake-loop", 24),
            (DAVID, "Count me in too. I can drive, three seats free.", 18),
            (ANN, "Perfect. Meet at the station at 8:30?", 12),
            (CHLOE, "8:30 works. I bring coffee and my famous lemon cake", 7),
            (ANN, "Then it is settled: lake, sun and lemon cake.", 2),
        ),
        description="Where we go, who drives, who brings lunch",
    ),
)


@contextlib.contextmanager
def data_folder(options: Options) -> Generator[Options, None, None]:
    """Give the demo a data folder that is empty: that of `--data`, else a temporary one.

    Yields:
        The options with this folder. A temporary folder is deleted at the end.

    Raises:
        OptionError: the folder of `--data` is not empty.
        OSError: the folder cannot be read, or a temporary one cannot be created.
    """
    if options.data != str(DEFAULT_DATA_DIR):
        folder = Path(options.data)
        if folder.exists() and any(folder.iterdir()):
            raise OptionError(
                f"--demo --data={options.data}: this folder is not empty; give a new one, or none"
            )
        yield options
        return
    with tempfile.TemporaryDirectory(prefix="chat_demo_", ignore_cleanup_errors=True) as temporary:
        yield dataclasses.replace(options, data=temporary)


async def prepare(app: tornado.web.Application) -> dict[str, str]:
    """Fill the empty chat, and add the route of the login links.

    Returns:
        The path and query of the login link by nickname, for VISITORS.
    """
    logins = await DemoWriter(app.settings["chat"]).write()
    by_token = {secrets.token_urlsafe(32): logins[nickname] for nickname in VISITORS}
    app.add_handlers(".*", [(r"/demo", DemoLoginHandler, {"logins": by_token})])
    return {login.user.nickname: f"/demo?token={token}" for token, login in by_token.items()}


class DemoWriter:
    """Writes the people and the talks of the demo into an empty chat.

    It has its own services for conversations, with a clock that is set back for each message.
    Otherwise all messages of a talk would have the same time.

    Args:
        chat: the services of the chat.
    """

    def __init__(self, chat: Services) -> None:
        self._chat = chat
        self._started_at = now_ms()
        self._minutes_ago = 0
        parts = chat.database, chat.hub
        self._groups = Groups(*parts, clock=self._clock)
        self._conversations = Conversations(*parts, clock=self._clock)
        self._messages = Messages(*parts, clock=self._clock)
        self._users: dict[str, User] = {}

    def _clock(self) -> int:
        return self._started_at - self._minutes_ago * MINUTE_MS

    async def write(self) -> dict[str, Login]:
        """Write everything; return a login of each person by nickname."""
        register = self._chat.accounts.register
        logins = await asyncio.gather(
            *(register(name, secrets.token_urlsafe(), nick) for nick, name in USER_NAMES.items())
        )
        self._users = {login.user.nickname: login.user for login in logins}
        for user in self._users.values():
            for name in USER_NAMES.values():
                if name != user.name:
                    await self._chat.contacts.add(user, name)
        for talk in TALKS:
            await self._write_talk(talk)
        return {login.user.nickname: login for login in logins}

    async def _write_talk(self, talk: Talk) -> None:
        self._minutes_ago = talk.messages[0][2] + 3
        first, *others = (self._users[nickname] for nickname in talk.people)
        if talk.title:
            conv = await self._groups.create(first, talk.title, talk.description, public=True)
            for user in others:
                await self._groups.join(user, conv)
        else:
            conv = await self._conversations.get_or_create_private(first, others[0].id)
        seq = 0
        for nickname, text, minutes_ago in talk.messages:
            self._minutes_ago = minutes_ago
            seq = (await self._post(self._users[nickname], conv, text)).seq
        for nickname in talk.people:
            read = seq - talk.unread.get(nickname, 0)
            await self._conversations.mark_read(self._users[nickname], conv, read)

    async def _post(self, user: User, conv: int, text: str) -> Event:
        stored: asyncio.Future[Event] = asyncio.get_running_loop().create_future()

        def on_stored(result: Event | Exception) -> None:
            if isinstance(result, Exception):
                stored.set_exception(result)
            else:
                stored.set_result(result)

        self._messages.post(user, Send(str(uuid.uuid4()), conv, text), on_stored)
        return await stored
