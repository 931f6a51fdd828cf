"""`@pytest.mark.service(...)`, that CI skips nothing (see tests/services.py), and Chromium."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.services import SERVICES, require, required

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_configure(config: pytest.Config) -> None:
    names = ", ".join(SERVICES)
    config.addinivalue_line("markers", f"service(*names): needs these to be there ({names})")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # A misspelt service would otherwise be found only where the test runs.
    for item in items:
        for mark in item.iter_markers("service"):
            unknown = [name for name in mark.args if name not in SERVICES]
            if unknown or not mark.args:
                raise pytest.UsageError(
                    f"{item.nodeid}: service{mark.args} must name some of {', '.join(SERVICES)}"
                )
    # The longest first, or the other test processes have nothing to do beside the last of them.
    items.sort(key=lambda item: "notebooks" not in item.path.parts)


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
    from tests.browser.chromium import running  # a test process may never need it

    with running() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Iterator[Browser]:
    """Chromium, for a module whose tests run no event loop of their own."""
    from tests.browser.chromium import using

    with using(chromium):
        yield chromium
