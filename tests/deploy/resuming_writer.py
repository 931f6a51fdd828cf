"""Clients that send messages all the time, in a thread beside a test."""

import asyncio
import itertools
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from tests.deploy.stack import PATIENCE
from tests.support.api_session import ApiSession
from tests.support.chat_client import ResumingClient


class Writer(ResumingClient):
    """Sends one message after the other, and says when something has changed.

    Attributes:
        texts: all messages that it has sent.
        writing: whether it sends further messages.
    """

    def __init__(self, session: ApiSession, conv: int, changed: threading.Condition) -> None:
        super().__init__(session, conv)
        self.texts: list[str] = []
        self.writing = True
        self._changed = changed

    async def write(self) -> None:
        """Send messages until `writing` is false."""
        for number in itertools.count():
            if not self.writing:
                return
            self.texts.append(f"message {number} of {id(self)}")
            await self.send(self.texts[-1])

    async def run_connection(self) -> None:
        """Run a connection as any client, and report its end."""
        try:
            await super().run_connection()
        finally:
            self._report()

    async def handle(self, event: dict[str, Any]) -> None:
        """Handle an event as any client, and report it.

        Raises:
            AssertionError: a message was refused.
        """
        await super().handle(event)
        assert not self.errors, event
        self._report()

    def _report(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Writers:
    """Some writers in a conversation, inside a `with` block."""

    def __init__(self, url: str, cookies: list[str], conv: int) -> None:
        self._changed = threading.Condition()
        self.all = [Writer(ApiSession(url, cookie), conv, self._changed) for cookie in cookies]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._stop: Callable[[], object] = lambda: None
        self._ends: list[BaseException | None] = []

    async def _run(self) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(end.set)
        running = [asyncio.ensure_future(writer.run()) for writer in self.all]
        writing = [asyncio.ensure_future(writer.write()) for writer in self.all]
        ending = asyncio.ensure_future(end.wait())
        await asyncio.wait([ending, *running], return_when=asyncio.FIRST_COMPLETED)
        for task in ending, *running, *writing:
            task.cancel()
        self._ends = await asyncio.gather(*running, *writing, return_exceptions=True)

    def __enter__(self) -> "Writers":
        self._thread.start()
        self.go_on(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self._stop()
        self._thread.join(PATIENCE)
        for end in self._ends:
            if error is None and end is not None and not isinstance(end, asyncio.CancelledError):
                raise end

    def wait(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until a condition is true; it is checked whenever a writer receives something."""

        def over() -> bool:
            return ready() or not self._thread.is_alive()

        with self._changed:
            self._changed.wait_for(over, PATIENCE)
        assert ready(), f"not {what}: {[(len(w.acks), w.closes, w.refused) for w in self.all]}"

    def go_on(self, messages: int) -> None:
        """Wait until each writer has so many more messages acknowledged."""
        goals = [(writer, len(writer.acks) + messages) for writer in self.all]
        self.wait(lambda: all(len(w.acks) >= goal for w, goal in goals), "acknowledged")

    def finish(self) -> None:
        """Stop writing; wait until every message is acknowledged and every writer has it."""
        for writer in self.all:
            writer.writing = False
        self.wait(lambda: all(len(w.acks) == len(w.texts) for w in self.all), "all acknowledged")
        head = max(max(writer.acks.values()) for writer in self.all)
        self.wait(lambda: all(writer.last_seq >= head for writer in self.all), "all delivered")

    def closes(self) -> list[int | None]:
        """Return the close codes of all connections that the server ended."""
        return [code for writer in self.all for code in writer.closes]
