"""`@pytest.mark.service(...)`, that CI skips nothing (tests/support/services.py), and Chromium."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.services import SERVICES, require, required

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TESTS = Path(__file__).parent

MEASURED_BY_OTHERS = {"browser", "exercises", "lessons", "notebooks"}
"""Folders whose tests start thousands of scripts, or servers that other folders test.

scripts/coverage measures nothing during these tests: each start of a program would take 0.1 s
longer, and the tests of the lessons a seventh more processor time."""


def pytest_configure(config: pytest.Config) -> None:
    # A shell script ignores SIGINT and SIGQUIT in what it starts with `&`. The programs that the
    # tests start would inherit that, and Ctrl-C would end none of them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGQUIT"):  # not on Windows
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    # Seconds, which `gen_test` reads. The default of 5 is too short beside other work.
    os.environ.setdefault("ASYNC_TEST_TIMEOUT", "60")
    # No program whose output a test reads may be told to colour it.
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "PYTHON_COLORS"):
        os.environ.pop(name, None)
    names = ", ".join(SERVICES)
    config.addinivalue_line("markers", f"service(*names): needs these to be there ({names})")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # A misspelt service would otherwise be found only where the test runs.
    for item in items:
        for mark in item.iter_markers("service"):
            unknown = [name for name in mark.args if name not in SERVICES]
            if unknown or not mark.args:
                raise pytest.UsageError(
                    f"{item.nodeid}: service{mark.args} must name some of {', '.join(SERVICES)}"
                )
    if hasattr(config, "workerinput"):
        items[:] = side_by_side(items, config.workerinput["workercount"])


def side_by_side(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Order the tests for so many processes at once.

    Each gets an equal run of the list, from its start, and whoever is done takes from the end of
    the longest that is left (pytest-xdist's `worksteal`). So the runs begin with what takes long,
    and only every second one with the tests that share a Chromium and a chat.
    """
    parts: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        parts[item.path.relative_to(TESTS).parts[0]].append(item)
    browser = parts.pop("browser", [])
    half = len(browser) // 2
    begin = [browser[:half], parts.pop("notebooks", []), browser[half:], parts.pop("exercises", [])]
    if workers < len(begin):
        begin = [browser, [*begin[1], *begin[3]]]
    rest = list(chain.from_iterable(parts.values()))
    ordered: list[pytest.Item] = []
    for number, run in enumerate(begin, 1):
        ordered += run
        missing = max(0, number * len(items) // workers - len(ordered))
        ordered += rest[:missing]
        del rest[:missing]
    return ordered + rest


def pytest_collection_finish() -> None:
    # The collector need not look again and again at all that was imported and collected.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if item.path.relative_to(TESTS).parts[0] not in MEASURED_BY_OTHERS:
        return (yield)
    names = [name for name in os.environ if name.startswith("COVERAGE_PROCESS_")]
    hidden = {name: os.environ.pop(name) for name in names}
    traces = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(traces[0])
        threading.settrace(traces[1])
        os.environ.update(hidden)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("service"):
        for name in mark.args:
            require(name)


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if required() and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: REQUIRE_SERVICES=1 allows no skip: {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One for all tests of this process: to start it costs more than most of them."""
    from tests.support.chromium import running  # a test process may never need it

    with running() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Iterator[Browser]:
    """Chromium, for a module whose tests run no event loop of their own."""
    from tests.support.chromium import using

    with using(chromium):
        yield chromium
