"""The benchmark of the tour runs and gives its figures."""

import asyncio
import shutil
from pathlib import Path

from benchmarks.tour import ROOT, Row, measure


def test_each_figure_is_measured(tmp_path: Path) -> None:
    lesson = Path("lessons", "01_hello")
    shutil.copytree(ROOT / lesson, tmp_path / lesson)

    async def rows() -> list[Row]:
        return [row async for row in measure(tmp_path, quick=True)]

    figures = {row.label: row for row in asyncio.run(rows())}
    assert [label for label in figures if label.startswith("check ")] == [
        "check 01/allow_head",
        "check 01/allow_head on the command line",
    ]
    for label in ("start, median of 1", "flood: printed", "flood: maximal latency"):
        assert figures[label].value > 0
    assert [label for label in figures if label.startswith("memory")] == [
        "memory at the start",
        "memory after 1 runs",
        "memory after 4 runs",
    ]
    assert str(figures["checks over 1 s in the tour only"]).startswith("checks over 1 s in")
