"""Users: registering, checking a login, and what people change about themselves."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from capstone_chat import membership, names
from capstone_chat.database import Database, insert_row, now
from capstone_chat.events import Event
from capstone_chat.passwords import Passwords
from capstone_chat.people import Person
from capstone_chat.schema import contacts, conversations, members, pictures, users

DELETED = "deleted user"
"""The nickname of all who have deleted their account."""


class NameTaken(Exception):
    """Somebody else has this user name."""


@dataclass(frozen=True, slots=True)
class User(Person):
    """Who is logged in, as handlers and pages see it."""

    name: str
    language: str
    theme: str

    def private(self) -> dict[str, Any]:
        """Return what the user may know of the own account, for JSON."""
        own = {"name": self.name, "language": self.language, "theme": self.theme}
        return self.public() | own


USER = (
    users.c.id,
    users.c.nickname,
    users.c.picture,
    users.c.name,
    users.c.language,
    users.c.theme,
)
"""The columns that make a User."""

ALIVE = users.c.disabled_at.is_(None) & users.c.deleted_at.is_(None)
"""Of users: those who can log in."""


class Accounts:
    """Registers users, checks logins, and changes what users say of themselves.

    Args:
        clock: milliseconds since 1970.
    """

    def __init__(
        self, database: Database, passwords: Passwords, *, clock: Callable[[], int] = now
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._clock = clock

    async def is_taken(self, name: str) -> bool:
        """Tell whether somebody has this user name, or one that differs in case only."""
        query = sa.select(sa.exists().where(users.c.name_key == names.key(name)))
        return bool(await self._database.read(lambda connection: connection.scalar(query)))

    async def register(self, name: str, password: str, nickname: str) -> User:
        """Make a user of checked names and password.

        Raises:
            NameTaken: the name was free a moment ago, or never.
        """
        row = users.insert().values(
            name=name,
            name_key=names.key(name),
            nickname=nickname,
            password=await self._passwords.hash(password),
            created_at=self._clock(),
        )
        try:
            user_id = await self._database.write(lambda connection: insert_row(connection, row))
        except sa.exc.IntegrityError as error:
            raise NameTaken(name) from error
        return User(user_id, nickname, None, name, "", "")

    async def check(self, name: str, password: str) -> User | None:
        """Return the user with this name and password; None takes as long, whichever is wrong."""
        query = sa.select(*USER, users.c.password).where(users.c.name_key == names.key(name), ALIVE)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        stored = row.password if row else None
        if not await self._passwords.verify(stored, password) or row is None:
            return None
        if self._passwords.outdated(row.password):
            await self._change(row.id, password=await self._passwords.hash(password))
        return User(*row[:-1])

    async def change_profile(self, user: User, **values: str) -> None:
        """Store a new nickname, language or theme, already checked."""
        await self._change(user.id, **values)

    async def change_password(self, user: User, new: str) -> None:
        """Store a new password, already checked."""
        await self._change(user.id, password=await self._passwords.hash(new))

    async def change_picture(self, user: User, webp: bytes | None) -> str | None:
        """Store a picture (see `avatars.square`) or remove it, and return its new name."""
        name = secrets.token_hex(16) if webp else None

        def change(connection: sa.Connection) -> None:
            connection.execute(pictures.delete().where(pictures.c.user_id == user.id))
            if webp:
                row = pictures.insert().values(name=name, user_id=user.id, webp=webp)
                connection.execute(row)
            connection.execute(users.update().where(users.c.id == user.id).values(picture=name))

        await self._database.write(change)
        return name

    async def picture(self, name: str) -> bytes | None:
        """Return a picture as WebP, or None when there is none of this name."""
        query = sa.select(pictures.c.webp).where(pictures.c.name == name)
        return await self._database.read(lambda connection: connection.scalar(query))

    async def delete(self, user: User, told: Callable[[list[Event]], None]) -> None:
        """Delete an account: its messages stay, under nobody's name. Its sessions are to be ended
        after this, or one could begin in between.

        Args:
            told: called after the commit with what the members of its groups are to see.
        """
        at = self._clock()
        gone = {
            "name": f"deleted-{user.id}",
            "name_key": f"deleted user {user.id}",  # no name has a blank, so nobody has this one
            "nickname": DELETED,
            "password": "",
            "picture": None,
            "deleted_at": at,
        }

        theirs = sa.select(members.c.conversation_id).where(members.c.user_id == user.id)
        private = (conversations.c.kind == "private") & conversations.c.id.in_(theirs)

        def change(connection: sa.Connection) -> list[Event]:
            connection.execute(users.update().where(users.c.id == user.id).values(**gone))
            connection.execute(conversations.update().where(private).values(pair=None))
            for table in pictures, contacts:
                connection.execute(table.delete().where(table.c.user_id == user.id))
            connection.execute(contacts.delete().where(contacts.c.other_id == user.id))
            mine = (
                sa.select(members.c.conversation_id)
                .join(conversations)
                .where(members.c.user_id == user.id, conversations.c.kind == "group")
            )
            nobody = Person(user.id, DELETED, None)
            membership.lock(connection, connection.scalars(mine).all())
            return [
                event
                for conv in connection.scalars(mine).all()
                for event in membership.dismiss(connection, conv, nobody, at)
            ]

        await self._database.write(change, told)

    async def _change(self, user_id: int, **values: Any) -> None:
        change = users.update().where(users.c.id == user_id).values(**values)
        await self._database.write(lambda connection: connection.execute(change))
