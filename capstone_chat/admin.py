"""For the operator, while the chat runs or not: python -m capstone_chat.admin --help"""

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import rich.console
import rich.markup
import rich.table
import sqlalchemy as sa
import typer

from capstone_chat import bus, engines, names
from capstone_chat.database import now
from capstone_chat.hub import Hub
from capstone_chat.options import OptionError, Options, cookie_secret
from capstone_chat.redis_bus import RedisBus
from capstone_chat.schema import sessions, users

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Look after a chat's users and data."
)

DUMP = {"mysql": "mariadb-dump", "mariadb": "mariadb-dump", "postgresql": "pg_dump"}
"""What copies the database of a server while it is in use."""

Data = Annotated[str, typer.Option(help="The chat's --data folder.")]
Url = Annotated[str, typer.Option("--database", help="The chat's --database, if it has one.")]
Redis = Annotated[str, typer.Option("--redis", help="The chat's --redis, if it has one.")]


def database_url(data: str, url: str) -> sa.URL:
    """Return where the database of a chat is, or end with exit code 2 when there is none."""
    if not url and not Path(data, "chat.db").exists():
        complain(f"there is no chat in {data}: give the chat's --data folder, or its --database")
    return sa.make_url(Options(data=data, database=url).database_url)


@contextlib.contextmanager
def transaction(
    data: str, url: str, *, writes: bool = False
) -> Generator[sa.Connection, None, None]:
    """Give a connection to the database of a chat; what is done with it is committed at the end."""
    engine = engines.connect(database_url(data, url).render_as_string(hide_password=False))
    try:
        with engine.execution_options(writes=writes).begin() as connection:
            yield connection
    finally:
        engine.dispose()


def complain(text: str) -> NoReturn:
    """Say on one line what is wrong, and end with exit code 2."""
    typer.echo(f"admin: {text}", err=True)
    raise typer.Exit(2)


def at(milliseconds: int | None) -> str:
    """Return a time as people read it, in UTC; empty for none."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


@app.command("users")
def list_users(data: Data = "var", url: Url = "") -> None:
    """List all users, the newest first."""
    seen = sa.func.max(sessions.c.seen_at)
    query = (
        sa.select(users, seen.label("seen_at"))
        .outerjoin(sessions, sessions.c.user_id == users.c.id)
        .group_by(users.c.id)
        .order_by(users.c.id.desc())
    )
    table = rich.table.Table("id", "name", "nickname", "registered", "last seen", "state")
    with transaction(data, url) as connection:
        for row in connection.execute(query):
            state = "deleted" if row.deleted_at else "disabled" if row.disabled_at else ""
            cells = (row.name, row.nickname, at(row.created_at), at(row.seen_at), state)
            table.add_row(str(row.id), *map(rich.markup.escape, cells))
    rich.console.Console().print(table)


@app.command()
def disable(name: str, data: Data = "var", url: Url = "", redis: Redis = "") -> None:
    """End all sessions of a user and let nobody log in as them; their messages stay.

    With --redis their open sockets end at once, without it when their browsers answer a ping.
    """
    if redis and not Path(data, "secret").exists():
        complain(f"there is no secret in {data}: --redis needs the chat's --data folder")
    user_id = set_disabled(name, data, url, now())
    if redis:
        asyncio.run(end_sockets(user_id, redis, cookie_secret(Path(data))))


@app.command()
def enable(name: str, data: Data = "var", url: Url = "") -> None:
    """Let a disabled user log in again."""
    set_disabled(name, data, url, None)


def set_disabled(name: str, data: str, url: str, when: int | None) -> int:
    """Store that a user is disabled, or that they are not; return the user's id."""
    who = (users.c.name_key == names.key(name)) & users.c.deleted_at.is_(None)
    with transaction(data, url, writes=True) as connection:
        user_id: int | None = connection.scalar(sa.select(users.c.id).where(who))
        if user_id is None:
            complain(f"there is no user {name!r}: see the command users")
        connection.execute(users.update().where(who).values(disabled_at=when))
        if when is not None:
            connection.execute(sessions.delete().where(sessions.c.user_id == user_id))
    typer.echo(f"{name} is {'enabled' if when is None else 'disabled'}")
    return user_id


async def end_sockets(user_id: int, redis: str, secret: str) -> None:
    """Let every open socket of a user, in all processes, see that its session has ended."""
    try:
        others = RedisBus(Hub(), redis, secret)
        await others.open()
        others.order(bus.user(user_id), {"renew": True})
        await others.close()
    except OptionError as error:
        complain(f"their open sockets end with the next ping, not at once: {error}")


@app.command()
def backup(file: Path, data: Data = "var", url: Url = "") -> None:
    """Copy the SQLite database to FILE while the chat runs; the copy is whole and consistent."""
    place = database_url(data, url)
    if (kind := place.get_backend_name()) != "sqlite":
        complain(f"backup copies SQLite files; use {DUMP.get(kind, 'its own tool')} for {place!r}")
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        complain(f"{file} is there already: choose another name")
    except OSError as error:
        complain(f"{file}: {error.strerror}")
    with (
        contextlib.closing(sqlite3.connect(str(place.database))) as source,
        contextlib.closing(sqlite3.connect(file)) as target,
    ):
        source.backup(target)
        problems = target.execute("PRAGMA integrity_check").fetchone()[0]
    if problems != "ok":
        complain(f"the copy is broken: {problems}")
    typer.echo(f"{file}: {file.stat().st_size} bytes")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a database that is none, or of another version, is named."""
    try:
        app(arguments)
    except (sa.exc.SQLAlchemyError, sqlite3.Error, ModuleNotFoundError) as error:
        reason = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        text = " ".join(str(reason).split())
        typer.echo(f"admin: the database cannot be used: {text}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
