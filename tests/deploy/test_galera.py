"""The files of deploy/ at work on a Galera cluster: three nodes, HAProxy, two processes, nginx."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fault_injection.harness.context import Context
from fault_injection.harness.galera import Galera
from tests.deploy.stack import Stack, serving
from tests.support.browser_person import Person

pytestmark = pytest.mark.service("nginx", "supervisor", "galera", "haproxy", "redis", "chromium")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Galera]:
    # Not in the folder of pytest: only its owner reaches that, and the nodes run as user mysql.
    # In a thread: the loop of Playwright runs in this one.
    with tempfile.TemporaryDirectory(prefix="galera-") as folder, ThreadPoolExecutor(1) as thread:
        context = Context("deploy", 1, True, Path(folder), print)
        cluster, runner = Galera(context), asyncio.Runner()
        try:
            thread.submit(runner.run, cluster.start()).result()
            yield cluster
        finally:
            thread.submit(runner.run, context.stack.aclose()).result()
            thread.submit(runner.close).result()


@pytest.fixture(scope="module")
def stack(cluster: Galera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with serving(tmp_path_factory.mktemp("chat"), cluster.one_writer) as stack:
        yield stack


def test_two_people_on_different_processes_go_on_when_the_node_that_writes_is_killed(
    cluster: Galera, stack: Stack, person: Callable[[str], Person]
) -> None:
    ann, ben = person("Ann").arrive(), person("Ben").arrive()
    while 0 in map(stack.sockets, stack.ports):  # nginx looks at the requests under way as well
        ben.enter()
    ann.make_group("Garden")
    ben.join_group("Garden")
    ann.say("The tomatoes are ready.")
    ben.sees("The tomatoes are ready.")
    os.kill(cluster.nodes[0].pid, signal.SIGKILL)
    texts = "I bring a basket.", "And I bring a ladder."
    ann.say(texts[0])
    ben.say(texts[1])
    for someone in ann, ben:
        for text in texts:
            # On a busy machine the other nodes vote for some seconds, and then the pages try again.
            expect(someone.message(text)).to_have_count(1, timeout=60_000)
    stack.engine.dispose()  # its connection led to the killed node
    with stack.engine.connect() as connection:
        writer = connection.exec_driver_sql("SELECT @@wsrep_node_name").scalar()
    assert writer in ("db2", "db3")
