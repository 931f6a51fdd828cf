"""Commands for the operator of a chat: `python -m capstone_chat.admin --help`."""

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
from capstone_chat.accounts.password_resets import LIFETIME_MS, make_token
from capstone_chat.conversations.users import IS_ACTIVE
from capstone_chat.options import (
    OptionError,
    Options,
    check_url,
    hide_password,
    load_or_create_secret,
)
from capstone_chat.purge import Purge
from capstone_chat.realtime import topics
from capstone_chat.realtime.control import RefreshUser
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage import engines
from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import sessions, users
from capstone_chat.text import names


@click.group()
def app() -> None:
    """Manage the users and the data of a chat."""


BACKUP_TOOLS = {"mysql": "mariadb-dump", "mariadb": "mariadb-dump", "postgresql": "pg_dump"}
"""Programs that copy the database of a server while it is in use."""

data_option = click.option(
    "--data", default="var", show_default=True, help="The chat's --data folder."
)
url_option = click.option(
    "--database", "url", default="", help="The chat's --database, if it has one."
)
redis_option = click.option("--redis", default="", help="The chat's --redis, if it has one.")


def database_url(data: str, url: str) -> sa.URL:
    """Return the URL of a chat's database; end the process with exit code 2 if there is none."""
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
    """Return whether a path is a file; False for a path that is too long."""
    with contextlib.suppress(OSError):
        return path.is_file()
    return False


@contextlib.contextmanager
def transaction(
    data: str, url: str, *, writes: bool = False
) -> Generator[sa.Connection, None, None]:
    """Open a transaction on a chat's database, which is committed at the end of the block."""
    engine = engines.create_engine(database_url(data, url))
    try:
        with engine.execution_options(writes=writes).begin() as connection:
            yield connection
    finally:
        engine.dispose()


def fail(text: str) -> NoReturn:
    """Print an error in one line and end the process with exit code 2."""
    click.echo(f"admin: {' '.join(hide_password(text).split())}", err=True)
    raise click.exceptions.Exit(2)


def format_time(milliseconds: int | None) -> str:
    """Return a time as `YYYY-MM-DD HH:MM` in UTC; "" for None."""
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
    """End all sessions of a user and refuse further logins; the user's messages stay.

    The user's open connections are closed at once with --redis, else when the browser answers a
    ping.
    """
    secret = ""
    if redis:
        check_url("--redis", urls.redis_servers, redis)
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
    """Allow a disabled user to log in again."""
    set_disabled(name, data, url, None)


@app.command("reset-password")
@click.argument("name")
@data_option
@url_option
@click.option(
    "--chat",
    "address",
    default="http://localhost:8888",
    show_default=True,
    help="The address at which the user opens the chat.",
)
def reset_password(name: str, data: str, url: str, address: str) -> None:
    """Print a link with which a user can set a new password, once, within 24 hours.

    Send the link to the user only: who opens it first has the account. Until then the old password
    and all sessions stay valid.
    """
    try:
        origin = urls.parse_origin(address)
    except urls.UrlError as error:
        fail(f"--chat: {error}")
    if not Path(data, "secret").exists():
        fail(f"there is no secret in {data}: the link needs the chat's --data folder")
    secret = load_or_create_secret(Path(data))
    with transaction(data, url) as connection:
        query = sa.select(users.c.id, users.c.password).where(
            users.c.name_key == names.canonical_key(name), IS_ACTIVE
        )
        user = connection.execute(query).one_or_none()
    if user is None:
        fail(f"there is no user {name!r} who can log in: see the command users")
    expires_at = now_ms() + LIFETIME_MS
    click.echo(f"{origin}/reset?token={make_token(secret, user.id, user.password, expires_at)}")
    click.echo(f"valid once, until {format_time(expires_at)} UTC")


def set_disabled(name: str, data: str, url: str, when: int | None) -> int:
    """Disable or enable a user; return the user's id.

    Args:
        name: the user name.
        data: the chat's --data.
        url: the chat's --database.
        when: milliseconds since 1970, to disable; None to enable.
    """
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
    """Close all connections of a user whose sessions have been deleted, in every process."""
    from capstone_chat.realtime.redis_broker import RedisBroker  # most commands need no Redis

    try:
        hub = Hub(RedisBroker(redis, secret))
        await hub.start()
        hub.send_control(topics.user(user_id), RefreshUser())
        await hub.close()
    except OptionError as error:
        fail(f"open connections are closed at the next ping, not at once: {error}")


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
    """Delete all unreachable rows at once; the chat may be running.

    The chat does this periodically, see --purge-interval. An SQLite file does not shrink; the
    chat uses the free space again.
    """
    deleted = asyncio.run(purge(database_url(data, url), session_idle, session_lifetime))
    table = rich.table.Table("table", "rows deleted")
    for name, count in deleted.items():
        table.add_row(name, str(count))
    rich.console.Console().print(table)


async def purge(url: sa.URL, idle: int, lifetime: int) -> dict[str, int]:
    """Purge a database; return the number of deleted rows of each table."""
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
    """Copy the SQLite database to FILE, consistently; the chat may be running."""
    database = database_url(data, url)
    if (kind := database.get_backend_name()) != "sqlite":
        tool = BACKUP_TOOLS.get(kind, "its own tool")
        fail(f"backup copies SQLite files; use {tool} for {database!r}")
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.chmod(0o600)  # the umask may have removed the owner's permissions
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
    """Run a command and end the process; print an error in one line, without a traceback."""
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
