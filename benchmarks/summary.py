"""Summary of repeated measurements: the median, the smallest and the largest value."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass


def format_number(value: float) -> str:
    """Return a number with two or three significant digits."""
    if value >= 100_000:
        return f"{value / 1000:.0f}k"
    if value >= 10_000:
        return f"{value / 1000:.1f}k"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


@dataclass(frozen=True)
class Summary:
    """The median and the range of repeated measurements."""

    median: float
    low: float
    high: float
    count: int

    def text(self, form: Callable[[float], str] = format_number) -> str:
        """Return the median with the range in brackets; a single measurement has no range."""
        if self.count == 1:
            return form(self.median)
        return f"{form(self.median)} ({form(self.low)}-{form(self.high)})"

    def __str__(self) -> str:
        return self.text()


def summarize(values: Iterable[float]) -> Summary | None:
    """Return the summary of measurements; None if there are none."""
    found = list(values)
    if not found:
        return None
    return Summary(statistics.median(found), min(found), max(found), len(found))
