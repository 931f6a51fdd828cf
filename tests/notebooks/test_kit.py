"""What a notebook needs of its kit: servers that end, a judge, and colours for all readers."""

import asyncio
import itertools
import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient

from notebooks import kit

# Machado, Oliveira and Fernandes (2009): a complete deuteranomaly and protanomaly, in linear RGB.
DEFICIENCIES = {
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
}
WHITE = (0.9505, 1.0, 1.089)


@pytest.fixture(autouse=True)
def _other_tests_keep_their_log() -> Iterator[None]:
    logger = logging.getLogger("tornado")
    handlers, propagate = logger.handlers, logger.propagate
    yield
    logger.handlers, logger.propagate = handlers, propagate


def linear(colour: str) -> list[float]:
    """The linear red, green and blue of a colour such as #0072B2."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def lab(rgb: list[float]) -> tuple[float, float, float]:
    """CIELAB of a linear colour."""
    matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(m * max(c, 0) for m, c in zip(row, rgb, strict=True)) for row in matrix]
    x, y, z = (
        (v / w) ** (1 / 3) if v / w > 0.008856 else 7.787 * v / w + 16 / 116
        for v, w in zip(xyz, WHITE, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def smallest_difference(colours: list[str], deficiency: str) -> float:
    """The CIELAB distance of the two colours that such a reader can tell apart least."""
    matrix = DEFICIENCIES[deficiency]
    seen = [
        lab([sum(m * c for m, c in zip(row, linear(colour), strict=True)) for row in matrix])
        for colour in colours
    ]
    return min(math.dist(one, other) for one, other in itertools.combinations(seen, 2))


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_a_colour_blind_reader_can_tell_the_colours_apart(deficiency: str) -> None:
    colours = [kit.BLUE, kit.GREEN, kit.RED, kit.PALE]
    assert smallest_difference(colours, deficiency) > 20
    assert smallest_difference(["#4f8a10", "#b06a10"], deficiency) < 20, "the measure itself"


def test_a_judge_names_what_was_received_and_the_advice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kit.judge(405, 200, "Write a method named head.")
    kit.judge(200, 200, "")
    assert capsys.readouterr().out == (
        "Not yet: received 405, expected 200. Write a method named head.\nRight: 200\n"
    )


def test_show_gives_the_source_of_a_method_and_names_its_file() -> None:
    kit.begin("01_hello")
    shown = str(kit.show("make_app", "HelloHandler.get").data)
    assert "`lessons/01_hello/make_app.py`" in shown
    assert "\ndef get(self) -> None:\n" in shown


def test_parts_of_two_files_stand_below_the_names_of_their_files() -> None:
    shown = str(kit.show_source(kit.bound, kit.table, smallest_difference).data)
    assert re.findall("^`([^`]+)`$", shown, re.M) == [
        "notebooks/kit.py",
        "tests/notebooks/test_kit.py",
    ]
    assert shown.count("```python") == 2


def test_an_exercise_without_a_work_file_is_not_begun(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lessons").symlink_to(kit.ROOT / "lessons", target_is_directory=True)
    monkeypatch.setattr(kit, "ROOT", tmp_path)
    kit.check("01/allow_head")
    assert "python3 learn.py start 01/allow_head" in capsys.readouterr().out
    assert not (tmp_path / "my_work").exists()


def test_a_stopped_server_refuses_connections(capsys: pytest.CaptureFixture[str]) -> None:
    async def serve_and_stop() -> str:
        address = kit.serve([("/", tornado.web.RequestHandler)])
        assert (await kit.ask(address)).code == 405
        await kit.stop()
        return address

    async def refused(address: str) -> bool:
        try:
            await AsyncHTTPClient().fetch(address)
        except ConnectionRefusedError:
            return True
        return False

    address = asyncio.run(serve_and_stop())
    assert asyncio.run(refused(address))
    assert capsys.readouterr().out == "1 servers stopped\n"
