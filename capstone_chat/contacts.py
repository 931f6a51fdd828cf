"""The people whom a user knows, and those whom a user has blocked."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from capstone_chat import bus, names, protocol
from capstone_chat.accounts import ALIVE
from capstone_chat.bus import Bus
from capstone_chat.database import Database, now
from capstone_chat.membership import NotFound, Refused, lock, pair_of
from capstone_chat.people import Person, columns
from capstone_chat.schema import contacts, conversations, users


class Contacts:
    """Adds, removes, blocks, and says whose presence a user may see.

    Args:
        clock: milliseconds since 1970.
    """

    def __init__(self, database: Database, bus: Bus, *, clock: Callable[[], int] = now) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def of(self, user: Person) -> list[dict[str, Any]]:
        """Return the user's contacts by nickname, those who are blocked too."""
        return await self._database.read(lambda connection: _contacts(connection, user.id))

    async def visible(self, user: Person) -> list[int]:
        """Return the ids of those contacts whose presence the user may see."""
        return await self._database.look_up(lambda connection: visible(connection, user.id))

    async def add(self, user: Person, name: str) -> dict[str, Any]:
        """Add somebody by user name; whoever was blocked no longer is.

        Raises:
            NotFound: nobody has this name.
            Refused: it is the user's own.
        """
        if names.name_problem(name):
            raise NotFound(name)
        query = sa.select(users.c.id).where(users.c.name_key == names.key(name), ALIVE)
        other = await self._database.read(lambda connection: connection.scalar(query))
        if other is None:
            raise NotFound(name)
        return await self.set(user, other, blocked=False)

    async def set(self, user: Person, other: int, *, blocked: bool) -> dict[str, Any]:
        """Make somebody a contact, or block, and return how the list now has them.

        Raises:
            NotFound: there is no such user.
            Refused: it is the user.
        """
        if other == user.id:
            raise Refused("yourself", "That is you.")
        at = self._clock()

        def change(connection: sa.Connection) -> tuple[dict[str, Any], list[int]]:
            alive = sa.select(users.c.id).where(users.c.id == other, ALIVE)
            if connection.scalar(alive) is None:
                raise NotFound(other)
            # A message that is being stored is waited for; the next one sees the block.
            pair = sa.select(conversations.c.id).where(
                conversations.c.pair == pair_of(user.id, other)
            )
            lock(connection, connection.scalars(pair))
            connection.execute(contacts.delete().where(_place(user.id, other)))
            row = contacts.insert().values(user_id=user.id, other_id=other, blocked=blocked, at=at)
            connection.execute(row)
            return _contacts(connection, user.id, other)[0], _watchers(connection, user.id, other)

        def tell(changed: tuple[dict[str, Any], list[int]]) -> None:
            self._show_presence(user.id, other, changed[1])

        return (await self._database.write(change, tell))[0]

    async def remove(self, user: Person, other: int) -> None:
        """Take somebody off the list, blocked or not."""

        def change(connection: sa.Connection) -> list[int]:
            connection.execute(contacts.delete().where(_place(user.id, other)))
            return _watchers(connection, user.id, other)

        await self._database.write(
            change, lambda watchers: self._show_presence(user.id, other, watchers)
        )

    def _show_presence(self, one: int, other: int, watchers: list[int]) -> None:
        """Let the open sockets of both see of each other what they may see from now on. To somebody
        who was blocked it looks as if the other one had gone."""
        for watcher, watched in (one, other), (other, one):
            if watcher in watchers:
                self._bus.order(bus.user(watcher), {"enter": [bus.presence(watched)]})
            else:
                self._bus.order(bus.user(watcher), {"leave": [bus.presence(watched)]})
                gone = {"type": "presence", "user": watched, "online": False}
                self._bus.publish(bus.user(watcher), protocol.encode(gone))


def _place(user_id: int, other: int) -> sa.ColumnElement[bool]:
    return (contacts.c.user_id == user_id) & (contacts.c.other_id == other)


def _contacts(
    connection: sa.Connection, user_id: int, other: int | None = None
) -> list[dict[str, Any]]:
    query = (
        sa.select(*columns(), users.c.name, contacts.c.blocked)
        .join(contacts, contacts.c.other_id == users.c.id)
        .where(contacts.c.user_id == user_id)
        .order_by(users.c.nickname, users.c.id)
    )
    if other is not None:
        query = query.where(users.c.id == other)
    return [row._asdict() for row in connection.execute(query)]


def _watchers(connection: sa.Connection, one: int, other: int) -> list[int]:
    """Return who of the two may see the other's presence."""
    pairs = (one, other), (other, one)
    return [user_id for user_id, seen in pairs if seen in visible(connection, user_id)]


_theirs = contacts.alias()
_VISIBLE = sa.select(contacts.c.other_id).where(
    contacts.c.user_id == sa.bindparam("user"),
    ~contacts.c.blocked,
    ~sa.exists().where(
        _theirs.c.user_id == contacts.c.other_id,
        _theirs.c.other_id == sa.bindparam("user"),
        _theirs.c.blocked,
    ),
)


def visible(connection: sa.Connection, user_id: int) -> list[int]:
    """Return the ids of those contacts whose presence a user may see."""
    return list(connection.scalars(_VISIBLE, {"user": user_id}))
