"""Groups: making, finding and joining them, and what their owners do."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from capstone_chat import events, names
from capstone_chat.accounts import ALIVE
from capstone_chat.bus import Bus
from capstone_chat.database import Database, insert_row, now
from capstone_chat.events import Event, NewEvent
from capstone_chat.membership import (
    NotFound,
    Refused,
    admit,
    announce,
    dismiss,
    lock,
    require_member,
    require_owner,
    role,
    set_role,
)
from capstone_chat.people import Person, columns
from capstone_chat.schema import conversations, members, users

FOUND = 20
"""Groups in the answer to a search at the most."""


class Groups:
    """Changes groups. Every change is an event of the group, so all its members see it.

    All methods raise `NotFound` for a group that is not there or that the user may not know of, and
    `Refused` for what only its owner may do.

    Args:
        clock: milliseconds since 1970.
    """

    def __init__(self, database: Database, bus: Bus, *, clock: Callable[[], int] = now) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def create(self, user: Person, title: str, description: str, *, public: bool) -> int:
        """Make a group that the user owns, of checked texts, and return its id."""
        at = self._clock()
        row = conversations.insert().values(
            kind="group",
            title=title,
            title_key=names.key(title)[:160],
            description=description,
            public=public,
            head=0,
            created_at=at,
        )

        def change(connection: sa.Connection) -> list[Event]:
            conv = insert_row(connection, row)
            return [admit(connection, conv, user, "created", at, role="owner")]

        return (await self._write(change))[0].conv

    async def find(self, user: Person, query: str) -> list[dict[str, Any]]:
        """Return public groups whose title holds the text, those with most members first."""
        size = sa.func.count(members.c.user_id)
        joined = sa.func.max(sa.case((members.c.user_id == user.id, 1), else_=0))
        found = (
            sa.select(
                conversations.c.id,
                conversations.c.title,
                conversations.c.description,
                size.label("members"),
                joined.label("joined"),
            )
            .join(members)
            .where(conversations.c.public)
            .where(conversations.c.title_key.contains(names.key(query), autoescape=True))
            .group_by(conversations.c.id, conversations.c.title, conversations.c.description)
            .order_by(size.desc(), conversations.c.id)
            .limit(FOUND)
        )
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return [{**row._asdict(), "joined": bool(row.joined)} for row in rows]

    async def join(self, user: Person, conv: int) -> None:
        """Make the user a member of a public group. To join twice changes nothing."""
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            lock(connection, [conv])
            group = (  # one that all have left is found by nobody and has no owner
                sa.select(conversations.c.id)
                .where(conversations.c.id == conv, conversations.c.public)
                .where(sa.exists().where(members.c.conversation_id == conv))
            )
            if connection.scalar(group) is None:
                raise NotFound(conv)
            if role(connection, conv, user.id):
                return []
            return [admit(connection, conv, user, "joined", at)]

        await self._write(change)

    async def leave(self, user: Person, conv: int) -> None:
        """End the user's own membership."""
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            _require_group(connection, conv)
            return dismiss(connection, conv, user, at)

        await self._write(change)

    async def edit(self, user: Person, conv: int, **values: str | bool) -> None:
        """Change the title, the description, or whether the group is public; checked texts."""
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            _require_group(connection, conv)
            require_owner(connection, conv, user.id)
            place = conversations.c.id == conv
            now_ = connection.execute(sa.select(conversations).where(place)).one()
            new = {name: value for name, value in values.items() if value != now_._mapping[name]}
            if not new:
                return []
            key = {"title_key": names.key(str(new["title"]))[:160]} if "title" in new else {}
            connection.execute(conversations.update().where(place).values(**new, **key))
            told = [NewEvent(conv, *_told(name, value, user)) for name, value in new.items()]
            return events.append(connection, told, at)

        await self._write(change)

    async def add(self, user: Person, conv: int, name: str) -> None:
        """Make somebody else a member, by user name."""
        at = self._clock()
        query = sa.select(*columns()).where(users.c.name_key == names.key(name), ALIVE)
        query = query.with_for_update(read=True)  # nobody deletes the account before the commit

        def change(connection: sa.Connection) -> list[Event]:
            _require_group(connection, conv)
            require_owner(connection, conv, user.id)
            known = not names.name_problem(name)
            row = connection.execute(query).one_or_none() if known else None
            if row is None:
                raise Refused("no_such_user", "Nobody has this user name.")
            if role(connection, conv, row.id):
                return []
            return [admit(connection, conv, Person(*row), "added", at, by=user)]

        await self._write(change)

    async def remove(self, user: Person, conv: int, other: int) -> None:
        """End somebody else's membership; their open sockets hear no more of it."""
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            _require_group(connection, conv)
            require_owner(connection, conv, user.id)
            return dismiss(connection, conv, _member(connection, conv, other, user), at, by=user)

        await self._write(change)

    async def hand_over(self, user: Person, conv: int, other: int) -> None:
        """Make another member the owner."""
        at = self._clock()

        def change(connection: sa.Connection) -> list[Event]:
            _require_group(connection, conv)
            require_owner(connection, conv, user.id)
            heir = _member(connection, conv, other, user)
            set_role(connection, conv, user.id, "member")
            set_role(connection, conv, other, "owner")
            new = NewEvent(conv, "member", user, "owner", subject=heir)
            return events.append(connection, [new], at)

        await self._write(change)

    async def _write(self, change: Callable[[sa.Connection], list[Event]]) -> list[Event]:
        return await self._database.write(change, lambda told: announce(self._bus, told))


def _require_group(connection: sa.Connection, conv: int) -> None:
    lock(connection, [conv])
    query = sa.select(conversations.c.id).where(
        conversations.c.id == conv, conversations.c.kind == "group"
    )
    if connection.scalar(query) is None:
        raise NotFound(conv)


def _member(connection: sa.Connection, conv: int, other: int, user: Person) -> Person:
    if other == user.id:
        raise Refused("yourself", "That is you.")
    require_member(connection, conv, other)
    return Person(*connection.execute(sa.select(*columns()).where(users.c.id == other)).one())


def _told(name: str, value: str | bool, user: Person) -> tuple[str, Person, str]:
    if name == "public":
        return "visibility", user, "public" if value else "private"
    return name, user, str(value)
