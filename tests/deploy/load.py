"""Clients that send messages all the time, in a thread beside a test."""

import asyncio
import contextlib
import secrets
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from fault_injection.harness.client_pool import ClientPool
from fault_injection.harness.context import Context, wait_until
from tests.deploy.stack import Stack
from tests.support.api_session import ApiSession

WRITERS = 6
T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]


@contextlib.contextmanager
def scenario() -> Iterator[tuple[Context, Run[Any]]]:
    """Give a context, and a function that runs a coroutine in the event loop of a thread.

    The thread is not this one, in which the loop of Playwright runs.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    # Not in the folder of pytest: only its owner reaches that, and servers run as other users.
    try:
        with tempfile.TemporaryDirectory(prefix="deploy-") as folder:
            context = Context("deploy", 1, True, Path(folder), print)
            try:
                yield context, run
            finally:
                run(context.stack.aclose())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def add_writers(stack: Stack) -> list[list[str]]:
    """Make users and a group of theirs; return the cookie of each and the id of the group."""
    names = [f"writer{secrets.token_hex(4)}" for _ in range(WRITERS)]
    sessions = [ApiSession(stack.url, stack.cookie_of_new_user(name, name)) for name in names]
    _, made = await sessions[0].call("POST", "/api/groups", {"title": "Load"})
    conv = made["conversation"]["id"]
    for session in sessions[1:]:
        await session.call("POST", f"/api/groups/{conv}/join")
    return [[session.cookie, str(conv)] for session in sessions]


class Load:
    """Writers that send as fast as their messages are acknowledged, to a stack.

    Args:
        pool: the writers.
        run: runs a coroutine in their event loop.
    """

    def __init__(self, pool: ClientPool, run: Run[Any]) -> None:
        self.pool = pool
        self._run = run

    def closes(self) -> set[object]:
        """Return the close codes of the connections that the server ended."""
        return set(self.pool.total("closes"))

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until a condition is true."""
        self._run(wait_until(what, condition, 60))

    def go_on(self) -> None:
        """Wait until each writer has ten more messages acknowledged."""
        self._run(self.pool.wait_for_each(10))

    def expect_nothing_lost(self) -> None:
        """Every message is stored once, in a history without a gap, which everybody has."""
        self._run(self.pool.stop_and_converge())
        self.pool.verify()
        assert not self.pool.context.violations
        assert not self.pool.total("errors")


@contextlib.contextmanager
def load(stack: Stack) -> Iterator[Load]:
    """Let writers in a group of their own send messages through nginx, inside the block."""
    with scenario() as (context, run):

        async def start() -> ClientPool:
            url = stack.engine.url.render_as_string(hide_password=False)
            pool = ClientPool(context, url, credentials=await add_writers(stack))
            pool.connect_all(stack.url)
            pool.start_sending()
            await pool.wait_for_each(10)
            return pool

        yield Load(run(start()), run)
