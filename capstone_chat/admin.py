"""For the operator, while the chat runs or not: python -m capstone_chat.admin --help"""

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click
import rich.console
import rich.markup
import rich.table
import sqlalchemy as sa

from capstone_chat import logs, urls
from capstone_chat.options import (
    OptionError,
    Options,
    check_url,
    hide_password,
    load_or_create_secret,
)
from capstone_chat.purge import Purge
from capstone_chat.realtime import topics
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage import engines
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import sessions, users
from capstone_chat.text import names


@click.group()
def app() -> None:
    """Manage the users and the data of a chat."""


BACKUP_TOOLS = {"mysql": "mariadb-dump", "mariadb": "mariadb-dump", "postgresql": "pg_dump"}
"""What copies the database of a server while it is in use."""

data_option = click.option(
    "--data", default="var", show_default=True, help="The chat's --data folder."
)
url_option = click.option(
    "--database", "url", default="", help="The chat's --database, if it has one."
)
redis_option = click.option("--redis", default="", help="The chat's --redis, if it has one.")


def database_url(data: str, url: str) -> sa.URL:
    """Return where the database of a chat is, or end with exit code 2 when there is none."""
    if url:
        check_url("--database", urls.parse_database_url, url)
    elif not data.strip() or "\0" in data:
        fail("--data: give the chat's --data folder")
    database = Options(data=data, database=url).database_url
    if database.get_backend_name() == "sqlite" and not is_file(Path(database.database or "")):
        missing = data if not url else database.database
        fail(f"there is no chat in {missing}: give the chat's --data folder, or its --database")
    return database


def is_file(path: Path) -> bool:
    """Tell whether there is a file; there is none at a path that is too long."""
    with contextlib.suppress(OSError):
        return path.is_file()
    return False


@contextlib.contextmanager
def transaction(
    data: str, url: str, *, writes: bool = False
) -> Generator[sa.Connection, None, None]:
    """Give a connection to the database of a chat; what is done with it is committed at the end."""
    engine = engines.create_engine(database_url(data, url))
    try:
        with engine.execution_options(writes=writes).begin() as connection:
            yield connection
    finally:
        engine.dispose()


def fail(text: str) -> NoReturn:
    """Say on one line what is wrong, and end with exit code 2."""
    click.echo(f"admin: {' '.join(hide_password(text).split())}", err=True)
    raise click.exceptions.Exit(2)


def format_time(milliseconds: int | None) -> str:
    """Return a time as people read it, in UTC; empty for none."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


@app.command("users")
@data_option
@url_option
def list_users(data: str, url: str) -> None:
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
            cells = (
                row.name,
                row.nickname,
                format_time(row.created_at),
                format_time(row.seen_at),
                state,
            )
            table.add_row(str(row.id), *map(rich.markup.escape, cells))
    rich.console.Console().print(table)


@app.command()
@click.argument("name")
@data_option
@url_option
@redis_option
def disable(name: str, data: str, url: str, redis: str) -> None:
    """End all sessions of a user and let nobody log in as them; their messages stay.

    With --redis their open sockets end at once, without it when their browsers answer a ping.
    """
    secret = ""
    if redis:
        check_url("--redis", urls.parse_redis_url, redis)
        if not Path(data, "secret").exists():
            fail(f"there is no secret in {data}: --redis needs the chat's --data folder")
        secret = load_or_create_secret(Path(data))
    user_id = set_disabled(name, data, url, now_ms())
    if redis:
        asyncio.run(disconnect_user(user_id, redis, secret))


@app.command()
@click.argument("name")
@data_option
@url_option
def enable(name: str, data: str, url: str) -> None:
    """Let a disabled user log in again."""
    set_disabled(name, data, url, None)


def set_disabled(name: str, data: str, url: str, when: int | None) -> int:
    """Store that a user is disabled, or that they are not; return the user's id."""
    condition = (users.c.name_key == names.canonical_key(name)) & users.c.deleted_at.is_(None)
    with transaction(data, url, writes=True) as connection:
        user_id: int | None = connection.scalar(sa.select(users.c.id).where(condition))
        if user_id is None:
            fail(f"there is no user {name!r}: see the command users")
        connection.execute(users.update().where(condition).values(disabled_at=when))
        if when is not None:
            connection.execute(sessions.delete().where(sessions.c.user_id == user_id))
    click.echo(f"{name} is {'enabled' if when is None else 'disabled'}")
    return user_id


async def disconnect_user(user_id: int, redis: str, secret: str) -> None:
    """Let every open socket of a user, in all processes, see that its session has ended."""
    from capstone_chat.realtime.redis_broker import RedisBroker  # most commands need no Redis

    try:
        broker = RedisBroker(Hub(), redis, secret)
        await broker.connect()
        broker.send_control(topics.user(user_id), {"renew": True})
        await broker.disconnect()
    except OptionError as error:
        fail(f"their open sockets end with the next ping, not at once: {error}")


@app.command("purge")
@data_option
@url_option
@click.option(
    "--session-idle",
    default=Options.session_idle,
    show_default=True,
    help="The chat's --session-idle, in seconds.",
)
@click.option(
    "--session-lifetime",
    default=Options.session_lifetime,
    show_default=True,
    help="The chat's --session-lifetime, in seconds.",
)
def purge_now(data: str, url: str, session_idle: int, session_lifetime: int) -> None:
    """Delete at once all rows that nobody can reach, while the chat runs or not.

    The chat does it by itself, see --purge-interval. Space in an SQLite file is used again.
    """
    deleted = asyncio.run(purge(database_url(data, url), session_idle, session_lifetime))
    table = rich.table.Table("table", "rows deleted")
    for name, count in deleted.items():
        table.add_row(name, str(count))
    rich.console.Console().print(table)


async def purge(url: sa.URL, idle: int, lifetime: int) -> dict[str, int]:
    """Purge a database; return how many rows of each table were deleted."""
    database = Database(url)
    try:
        purge = Purge(database, idle=idle, lifetime=lifetime, pause=0)
        await purge.run()
        return purge.deleted
    finally:
        await database.close()


@app.command()
@click.argument("file", type=click.Path(path_type=Path))
@data_option
@url_option
def backup(file: Path, data: str, url: str) -> None:
    """Copy the SQLite database to FILE while the chat runs; the copy is whole and consistent."""
    database = database_url(data, url)
    if (kind := database.get_backend_name()) != "sqlite":
        tool = BACKUP_TOOLS.get(kind, "its own tool")
        fail(f"backup copies SQLite files; use {tool} for {database!r}")
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.chmod(0o600)  # the umask may have taken the owner's rights
    except FileExistsError:
        fail(f"{file} is there already: choose another name")
    except (OSError, ValueError) as error:
        fail(f"{file}: {getattr(error, 'strerror', None) or error}")
    with (
        contextlib.closing(sqlite3.connect(str(database.database))) as source,
        contextlib.closing(sqlite3.connect(file)) as target,
    ):
        source.backup(target)
        problems = target.execute("PRAGMA integrity_check").fetchone()[0]
    if problems != "ok":
        fail(f"the copy is broken: {problems}")
    click.echo(f"{file}: {file.stat().st_size} bytes")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a wrong option, or a database that cannot be used, is one line."""
    logs.escape_stdout()
    try:
        sys.exit(app.main(arguments, prog_name="capstone_chat.admin", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx and error.ctx.get_help())
        text = ""
    except click.ClickException as error:
        text = f"{error.format_message().rstrip('.')}; see --help"
    except OptionError as error:
        text = str(error)
    except ModuleNotFoundError as error:
        text = f"--database: its driver is missing; pip install {error.name}"
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError, TypeError, ValueError) as error:
        reason = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        text = f"the database cannot be used: {reason}"
    with contextlib.suppress(click.exceptions.Exit):
        if text:
            fail(text)
    sys.exit(2)


if __name__ == "__main__":
    main()
