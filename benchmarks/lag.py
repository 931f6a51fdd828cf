"""How long the chat's loop is held while passwords are hashed and captchas are drawn and spoken.

    python -m benchmarks.lag
    python -m benchmarks.lag --logins=100 --captchas=40

The chat's own parts, in this process, with its default threads. A probe asks the loop every
millisecond to be called, and notes how much later it is.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable

from capstone_chat.app import make_app
from capstone_chat.options import Options
from capstone_chat.services import Services

EVERY = 0.001
"""Seconds between two questions of the probe."""


@contextlib.asynccontextmanager
async def probe() -> AsyncIterator[list[float]]:
    """Collect, while the block runs, how late the loop is: milliseconds."""
    late: list[float] = []

    async def ask() -> None:
        while True:
            due = time.perf_counter() + EVERY
            await asyncio.sleep(EVERY)
            late.append((time.perf_counter() - due) * 1000)

    asking = asyncio.ensure_future(ask())
    try:
        yield late
    finally:
        asking.cancel()


async def show(what: str, work: Awaitable[object]) -> None:
    """Do the work and print how late the loop was meanwhile."""
    begun = time.perf_counter()
    async with probe() as late:
        await work
    late.sort()
    p50, p99 = (late[int(len(late) * share)] for share in (0.5, 0.99))
    took = time.perf_counter() - begun
    print(f"{what:24} {took:6.2f} {p50:10.2f} {p99:10.2f} {late[-1]:10.2f}")


async def captcha(chat: Services) -> None:
    """Issue one and have it drawn and spoken."""
    challenge = await chat.captchas.create("login", "a browser")
    await chat.captchas.image(challenge, "a browser")
    await chat.captchas.audio(challenge, "a browser")


async def measure(folder: str, logins: int, captchas: int) -> None:
    """Print a line for the idle loop, one for logins, one for captchas."""
    chat: Services = make_app(Options(data=folder)).settings["chat"]
    await chat.open()
    await chat.accounts.register("anna", "correct horse battery", "Anna")
    await captcha(chat)  # the first one loads its fonts and voices
    print(f"{'':24} {'s':>6} {'p50 ms':>10} {'p99 ms':>10} {'max ms':>10}")
    await show("nothing", asyncio.sleep(1))
    wrong = [chat.accounts.log_in("anna", "a wrong one", "") for _ in range(logins)]
    await show(f"{logins} logins at once", asyncio.gather(*wrong))
    await show(
        f"{captchas} captchas at once", asyncio.gather(*(captcha(chat) for _ in range(captchas)))
    )
    await chat.close()


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--logins", type=int, default=20, help="passwords to check at once")
    parser.add_argument("--captchas", type=int, default=20, help="captchas to make at once")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(folder, given.logins, given.captchas))
    return 0


if __name__ == "__main__":
    sys.exit(main())
