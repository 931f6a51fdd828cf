"""The rows: each fault, and what must hold in it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.faults import (
    churn,
    cids,
    clock,
    database,
    disk,
    fuzz,
    kill,
    reconnect,
    redis_away,
    rolling,
)
from benchmarks.faults.stage import Stage


@dataclass(frozen=True)
class Row:
    """One fault.

    Args:
        name: for `--only`.
        fault: what goes wrong.
        holds: what must hold all the same.
        play: lets it go wrong, and notes on the stage what was found.
        needs: programs without which it cannot be played.
    """

    name: str
    fault: str
    holds: str
    play: Callable[[Stage], Awaitable[None]]
    needs: tuple[str, ...] = ()


MARIADB = ("mariadbd", "mariadb-install-db")

ROWS = (
    Row(
        "kill",
        "kill -9 under load",
        "nothing acknowledged is lost, nothing doubled, no gap in seq",
        kill.play,
    ),
    Row(
        "database",
        "the database frozen, and killed",
        "no false ack, what is sent again lands once, lag under 100 ms, readyz 503, healthz 200",
        database.play,
        (*MARIADB, "initdb", "postgres"),
    ),
    Row(
        "redis",
        "Redis killed and restarted under load",
        "sends still acked, all members converge within one ping",
        redis_away.play,
        (*MARIADB, "redis-server"),
    ),
    Row(
        "reconnect",
        "5,000 clients come back at once (300 in the short form)",
        "all resumed, no gap, nothing doubled, no failed login, under 10 s with jitter",
        reconnect.play,
    ),
    Row(
        "cids",
        "the same cid sent twice, in order and racing",
        "one row, one seq, the same ack",
        cids.play,
        MARIADB,
    ),
    Row(
        "rolling",
        "a rolling restart behind nginx",
        "no failed send after a retry, clients see 1001 and come back",
        rolling.play,
        (*MARIADB, "redis-server", "nginx"),
    ),
    Row(
        "disk",
        "the disk full",
        "clear error, reads work, integrity check ok, recovers when space returns",
        disk.play,
    ),
    Row(
        "clock",
        "two processes, the clock of one an hour off",
        "order unchanged",
        clock.play,
        (*MARIADB, "redis-server"),
    ),
    Row(
        "fuzz",
        "1,000,000 fuzzed frames (20,000 in the short form)",
        "no uncaught exception, no leaked socket or task",
        fuzz.play,
    ),
    Row(
        "churn",
        "20 minutes of joins and leaves (8 seconds in the short form)",
        "memory, file descriptors and tasks flat",
        churn.play,
    ),
)
