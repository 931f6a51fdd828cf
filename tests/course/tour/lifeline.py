"""Learn when a process ends that the test has not started itself: by the end of its connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Lifeline:
    """A port to which a process connects; the connection ends with the process.

    Attributes:
        source: lines of Python for the process, which keep the connection open.
    """

    def __init__(self, port: int) -> None:
        self.source = f"import socket; line = socket.create_connection(('127.0.0.1', {port}))"
        self.reader: asyncio.Future[asyncio.StreamReader] = asyncio.Future()

    async def wait_begun(self) -> None:
        """Wait until the process has connected."""
        await asyncio.shield(self.reader)

    async def wait_ended(self) -> None:
        """Wait until the process has ended.

        Raises:
            TimeoutError: it has not ended after 30 seconds.
        """
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                assert await (await self.reader).read() == b""


@contextlib.asynccontextmanager
async def lifeline() -> AsyncIterator[Lifeline]:
    """Listen for the connection of one process."""
    writers: list[asyncio.StreamWriter] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        line.reader.set_result(reader)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    line = Lifeline(server.sockets[0].getsockname()[1])
    async with server:
        yield line
        for writer in writers:
            writer.close()
