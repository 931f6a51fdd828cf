"""The page's own modules in every disorder: whatever the network does, the history ends up true."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.support.services import require

pytestmark = pytest.mark.service("node")

SCRIPT = Path(__file__).with_name("resume.mjs")

OFTEN = ("post", "say", "up", "down", "answer", "tick")
SELDOM = ("join", "title", "open", "older", "newer", "jump", "read", "flood", "more")
CHANGES = ("remove", "edit", "answer_to", "correct")
TROUBLE = ("later", "twice", "lose", "fail", "cut")
NUMBER = st.integers(0, 60)
STEPS = st.lists(
    st.tuples(
        st.one_of(*map(st.sampled_from, (OFTEN, SELDOM, CHANGES, TROUBLE))),
        NUMBER,
        NUMBER,
    ),
    min_size=20,
    max_size=150,
)
OPENED = [(step, 0, 0) for step in ("answer", "down", "open", "answer")]
"""The state and the hello have come, and the first conversation is open."""
SCENARIOS = st.fixed_dictionaries(
    {
        "sizes": st.lists(st.integers(1, 45), min_size=1, max_size=4),
        "steps": st.builds(list.__add__, st.sampled_from(([], OPENED)), STEPS),
    }
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
    suppress_health_check=list(hypothesis.HealthCheck),  # a busy machine is no failure
)
@hypothesis.given(scenario=SCENARIOS)
def test_any_disorder_ends_in_the_true_history(page: Page, scenario: dict[str, Any]) -> None:
    assert page.play(scenario) == []


def test_after_a_long_absence_a_fresh_page_is_loaded(page: Page) -> None:
    steps = [["tick", 0, 0], ["answer", 0, 0], ["open", 0, 0], ["answer", 0, 0], ["cut", 0, 0]]
    assert page.play({"sizes": [5], "steps": [*steps, ["flood", 0, 0]]}) == []


class TestPages:
    """The server has two conversations on a page; the reader has four."""

    ANSWER, DOWN = ["answer", 0, 0], ["down", 0, 0]
    BEGIN = (ANSWER, DOWN)  # the state and the hello

    def play(self, page: Page, *steps: list[Any]) -> None:
        assert page.play({"sizes": [2, 2, 2, 2], "steps": [*self.BEGIN, *steps]}) == []

    def test_a_message_brings_a_conversation_that_is_not_loaded(self, page: Page) -> None:
        self.play(page, ["post", 0, 1], self.DOWN, self.ANSWER, ["known", 0, 0])

    def test_a_message_that_comes_while_its_conversation_is_asked_for_is_not_lost(
        self, page: Page
    ) -> None:
        post = [["post", 0, 1], self.DOWN]
        self.play(page, *post, *post, self.ANSWER, self.ANSWER, ["known", 0, 0])

    def test_a_message_that_was_lost_on_the_way_brings_it_with_the_next_ping(
        self, page: Page
    ) -> None:
        self.play(page, ["post", 0, 1], ["lose", 0, 0])

    def test_what_was_loaded_is_asked_for_again_as_a_whole(self, page: Page) -> None:
        load = [["more", 0, 0], self.ANSWER, ["known", 0, 0], ["known", 1, 0]]
        lost = [["elsewhere", 0, 0], ["post", 3, 1], ["lose", 0, 0], ["cut", 0, 0]]
        back = [*[["tick", 0, 0]] * 4, self.DOWN, *[self.ANSWER, ["tick", 0, 0]] * 6]
        self.play(page, *load, *lost, *back, ["known", 3, 0], ["known", 0, 0])
