"""An interrupt ends `watch` wherever the signal arrives."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import watchfiles

from course import watch
from course.catalog import Catalog
from course.progress import Progress
from tests.course.sample_course import make_course


class InterruptedWhenDeleted:
    """An object whose destructor sends a signal to the process.

    Python discards the exception that the signal handler raises inside the destructor.
    """

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_whose_exception_is_discarded_ends_it_too(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changes(*_: object, **__: object) -> Iterator[set[object]]:
        yield set()
        pytest.fail("still watching")

    def check(*_: object) -> bool:
        InterruptedWhenDeleted(number)
        return False

    monkeypatch.setattr(watchfiles, "watch", changes)
    monkeypatch.setattr(watch, "_check_exercise", check)
    root = make_course(tmp_path)
    before = signal.getsignal(number)
    watch.watch_exercises(list(Catalog(root).exercises()), Progress(root / ".progress.json"))
    assert signal.getsignal(number) == before
