"""Measure the latency of the chat's event loop while passwords are hashed and captchas are made.

    python -m benchmarks.single.loop_latency
    python -m benchmarks.single.loop_latency --logins=100 --captchas=40

The services of the chat run in this process, with their default threads. A task repeatedly sleeps
for a millisecond and records the delay with which the event loop resumes it.
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

SAMPLE_INTERVAL = 0.001
"""Seconds between two samples."""


@contextlib.asynccontextmanager
async def sampled_latency() -> AsyncIterator[list[float]]:
    """Collect the latencies of the event loop inside the block, in milliseconds."""
    latencies: list[float] = []

    async def sample() -> None:
        while True:
            due = time.perf_counter() + SAMPLE_INTERVAL
            await asyncio.sleep(SAMPLE_INTERVAL)
            latencies.append((time.perf_counter() - due) * 1000)

    sampler = asyncio.ensure_future(sample())
    try:
        yield latencies
    finally:
        sampler.cancel()


async def print_latency(name: str, work: Awaitable[object]) -> None:
    """Await an operation; print its duration and the latency of the event loop during it."""
    begin = time.perf_counter()
    async with sampled_latency() as latencies:
        await work
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * share)] for share in (0.5, 0.99))
    seconds = time.perf_counter() - begin
    print(f"{name:24} {seconds:6.2f} {p50:10.2f} {p99:10.2f} {latencies[-1]:10.2f}")


async def make_captcha(chat: Services) -> None:
    """Create a captcha with its image and its sound."""
    challenge = await chat.captchas.create("login", "a browser")
    await chat.captchas.image(challenge, "a browser")
    await chat.captchas.audio(challenge, "a browser")


async def measure(folder: str, logins: int, captchas: int) -> None:
    """Print the latency of the idle event loop, then during logins, then during captchas."""
    chat: Services = make_app(Options(data=folder)).settings["chat"]
    await chat.open()
    await chat.accounts.register("anna", "correct horse battery", "Anna")
    await make_captcha(chat)  # the first one loads fonts and voices
    print(f"{'':24} {'s':>6} {'p50 ms':>10} {'p99 ms':>10} {'max ms':>10}")
    await print_latency("nothing", asyncio.sleep(1))
    wrong = [chat.accounts.log_in("anna", "a wrong one", "") for _ in range(logins)]
    await print_latency(f"{logins} logins at once", asyncio.gather(*wrong))
    await print_latency(
        f"{captchas} captchas at once",
        asyncio.gather(*(make_captcha(chat) for _ in range(captchas))),
    )
    await chat.close()


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--logins", type=int, default=20, help="passwords to check at once")
    parser.add_argument("--captchas", type=int, default=20, help="captchas to make at once")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(folder, given.logins, given.captchas))
    return 0


if __name__ == "__main__":
    sys.exit(main())
