"""The files of deploy/ at work on a Galera cluster: three nodes, HAProxy, two processes, nginx."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from fault_injection.harness.galera import Galera
from tests.deploy.load import scenario
from tests.deploy.stack import Stack, serving, two_people
from tests.support.browser_person import Person

pytestmark = pytest.mark.service("nginx", "supervisor", "galera", "haproxy", "redis", "chromium")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Galera]:
    with scenario() as (context, run):
        cluster = Galera(context)
        run(cluster.start())
        yield cluster


@pytest.fixture(scope="module")
def stack(cluster: Galera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with serving(tmp_path_factory.mktemp("chat"), cluster.one_writer) as stack:
        yield stack


@pytest.mark.timeout(300)
def test_two_people_on_different_processes_go_on_when_the_node_that_writes_is_killed(
    cluster: Galera, stack: Stack, person: Callable[[str], Person]
) -> None:
    ann, ben = two_people(stack, person)
    os.kill(cluster.nodes[0].pid, signal.SIGKILL)
    texts = "I bring a basket.", "And I bring a ladder."
    ann.say(texts[0])
    ben.say(texts[1])
    try:
        for someone in ann, ben:
            for text in texts:
                # On a busy machine the other nodes vote for some seconds. A statement that waits
                # for them is given up after 15 s, and then the pages try again.
                expect(someone.message(text)).to_have_count(1, timeout=120_000)
    except AssertionError:
        for part in cluster.haproxy, *cluster.nodes:
            print(part.name, part.read_log()[-3000:])
        print(stack.logs()[-6000:])
        raise
    stack.engine.dispose()  # its connection led to the killed node
    with stack.engine.connect() as connection:
        writer = connection.exec_driver_sql("SELECT @@wsrep_node_name").scalar()
    assert writer in ("db2", "db3")
