"""Repetitions as one figure: their median, with the smallest and the largest."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass


def short(value: float) -> str:
    """Write a number with two or three digits that mean something."""
    if value >= 100_000:
        return f"{value / 1000:.0f}k"
    if value >= 10_000:
        return f"{value / 1000:.1f}k"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


@dataclass(frozen=True)
class Figure:
    """The median of some measurements, and how far they lie apart."""

    median: float
    low: float
    high: float
    count: int

    def text(self, form: Callable[[float], str] = short) -> str:
        """Write it; a single measurement has no brackets."""
        if self.count == 1:
            return form(self.median)
        return f"{form(self.median)} ({form(self.low)}-{form(self.high)})"

    def __str__(self) -> str:
        return self.text()


def figure(values: Iterable[float]) -> Figure | None:
    """Return the figure of some measurements; None of none."""
    found = list(values)
    if not found:
        return None
    return Figure(statistics.median(found), min(found), max(found), len(found))
