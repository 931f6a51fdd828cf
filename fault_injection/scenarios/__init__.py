"""The scenarios: each fault, and the invariant that must hold during it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fault_injection.harness.context import Context
from fault_injection.scenarios import (
    churn,
    clock_skew,
    control_frames,
    database_outage,
    disk_full,
    duplicate_sends,
    fuzz,
    galera_kill,
    galera_partition,
    half_requests,
    kill,
    migration,
    pictures,
    postgres_failover,
    presence_crowd,
    purge,
    reconnect,
    redis_failover,
    redis_outage,
    rolling,
    texts,
)


@dataclass(frozen=True)
class Scenario:
    """One fault and its invariant.

    Args:
        name: name for `--only`.
        fault: the fault in words.
        invariant: the invariant in words.
        run: causes the fault, and records violations and figures in the context.
        needs: programs that the scenario starts.
    """

    name: str
    fault: str
    invariant: str
    run: Callable[[Context], Awaitable[None]]
    needs: tuple[str, ...] = ()


MARIADB = ("mariadbd", "mariadb-install-db")
GALERA = (*MARIADB, "wsrep_sst_rsync", "rsync", "haproxy")

SCENARIOS = (
    Scenario(
        "kill",
        "kill -9 under load",
        "nothing acknowledged is lost, nothing duplicated, no gap in seq",
        kill.run,
    ),
    Scenario(
        "database",
        "the database frozen, and killed",
        "no false ack, what is sent again lands once, lag under 100 ms, readyz 503, healthz 200",
        database_outage.run,
        (*MARIADB, "initdb", "postgres"),
    ),
    Scenario(
        "redis",
        "Redis killed and restarted under load",
        "sends still acked, all members converge within one ping",
        redis_outage.run,
        (*MARIADB, "redis-server"),
    ),
    Scenario(
        "reconnect",
        "5,000 clients come back at once (300 in the short form)",
        "all resumed, no gap, nothing duplicated, no failed login, under 10 s with jitter",
        reconnect.run,
    ),
    Scenario(
        "cids",
        "the same cid sent twice, in order and racing",
        "one row, one seq, the same ack",
        duplicate_sends.run,
        MARIADB,
    ),
    Scenario(
        "rolling",
        "a rolling restart behind nginx",
        "no failed send after a retry, clients see 1001 and come back",
        rolling.run,
        (*MARIADB, "redis-server", "nginx"),
    ),
    Scenario(
        "disk",
        "the disk full",
        "clear error, reads work, integrity check ok, recovers when space returns",
        disk_full.run,
    ),
    Scenario(
        "clock",
        "two processes, the clock of one an hour off",
        "order unchanged",
        clock_skew.run,
        (*MARIADB, "redis-server"),
    ),
    Scenario(
        "fuzz",
        "1,000,000 fuzzed frames (20,000 in the short form)",
        "no uncaught exception, no leaked socket or task",
        fuzz.run,
    ),
    Scenario(
        "pictures",
        "hostile pictures from several users",
        "less than 100 MB for one, logins at most twice as slow, no process left after any stop",
        pictures.run,
    ),
    Scenario(
        "churn",
        "20 minutes of joins and leaves (8 seconds in the short form)",
        "memory, file descriptors and tasks flat",
        churn.run,
    ),
    Scenario(
        "texts",
        "hostile texts in every field, query and frame",
        "no text costs more than 5 ms, a bystander's p99 within 50 ms of normal",
        texts.run,
    ),
    Scenario(
        "control_frames",
        "floods of pongs, pings, fragments and tiny messages from several users",
        "closed with 3009; another user's p99 within 50 ms, memory flat, a few log lines",
        control_frames.run,
        MARIADB,
    ),
    Scenario(
        "half_requests",
        "hundreds of half requests and unread answers, also with 64 file descriptors",
        "all closed in time, visitors served; p99 within 50 ms, memory flat, a few log lines",
        half_requests.run,
    ),
    Scenario(
        "migration",
        "a migration killed at every statement (a part of them in the short form)",
        "it is run again, and tables and rows are as if it had never been killed",
        migration.run,
        (*MARIADB, "initdb", "postgres"),
    ),
    Scenario(
        "purge",
        "a group of 100,000 events that all have left is purged (4,000 in the short form)",
        "the 99th percentile of other users' acks stays within 50 ms",
        purge.run,
    ),
    Scenario(
        "galera_kill",
        "kill -9 of a database node, while two or three nodes write to the same conversations",
        "nothing acknowledged is lost, doubled or out of order; acks again within 15 s",
        galera_kill.run,
        GALERA,
    ),
    Scenario(
        "galera_partition",
        "the database node that writes is cut off from the others and comes back",
        "nothing acknowledged is lost, doubled or out of order; acks again within 15 s",
        galera_partition.run,
        GALERA,
    ),
    Scenario(
        "postgres_failover",
        "kill -9 of PostgreSQL's primary, and its synchronous standby is promoted",
        "nothing acknowledged is lost, doubled or out of order; acks again within 15 s",
        postgres_failover.run,
        ("initdb", "postgres", "pg_basebackup"),
    ),
    Scenario(
        "redis_failover",
        "kill -9 of a master of a Redis Cluster under load, and its replica takes over",
        "sends still acked, all members converge within one ping, then events are live again",
        redis_failover.run,
        (*MARIADB, "redis-server"),
    ),
    Scenario(
        "presence_crowd",
        "users on three processes, one of them killed; Redis killed and empty afterwards",
        "every page shows who is connected, after the expiry and one ping at the latest",
        presence_crowd.run,
        (*MARIADB, "redis-server"),
    ),
)
