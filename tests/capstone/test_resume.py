"""The page's own modules in every disorder: whatever the network does, the history ends up true."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.services import require

pytestmark = pytest.mark.service("node")

SCRIPT = Path(__file__).with_name("resume.mjs")

OFTEN = ("post", "say", "up", "down", "answer", "tick")
SELDOM = ("remove", "join", "title", "open", "older", "newer", "jump", "read", "flood")
TROUBLE = ("later", "twice", "lose", "fail", "cut")
NUMBER = st.integers(0, 60)
STEPS = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(OFTEN), st.sampled_from(SELDOM), st.sampled_from(TROUBLE)),
        NUMBER,
        NUMBER,
    ),
    min_size=20,
    max_size=150,
)
SCENARIOS = st.fixed_dictionaries(
    {"sizes": st.lists(st.integers(1, 45), min_size=1, max_size=3), "steps": STEPS}
)


class Page:
    """Node with the page's modules; it plays one scenario after the other."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [require("node"), str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def play(self, scenario: dict[str, Any]) -> list[Any]:
        """Return what was not true in the end."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(scenario) + "\n")
        self.process.stdin.flush()
        return list(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    page = Page()
    yield page
    page.close()


@hypothesis.settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(scenario=SCENARIOS)
def test_any_disorder_ends_in_the_true_history(page: Page, scenario: dict[str, Any]) -> None:
    assert page.play(scenario) == []


def test_after_a_long_absence_a_fresh_page_is_loaded(page: Page) -> None:
    steps = [["tick", 0, 0], ["answer", 0, 0], ["open", 0, 0], ["answer", 0, 0], ["cut", 0, 0]]
    assert page.play({"sizes": [5], "steps": [*steps, ["flood", 0, 0]]}) == []
