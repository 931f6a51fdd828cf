"""A message has its newest text, in whatever order the message and its changes arrive."""

from itertools import permutations

import pytest

from tests.capstone.page import javascript

pytestmark = pytest.mark.service("node")

SCRIPT = """
const { Timeline } = await import("./conversations/timeline.js");
const person = { id: 2, nickname: "Bob", picture: null };
const event = (seq, type, more) => ({ conv: 1, seq, type, from: person, at: seq, ...more });
const live = event(1, "message", { text: "one" });
const fetched = event(1, "message", { text: "three", edited: 4 });
const reply = event(2, "message", { text: "yes", reply: { seq: 1, from: person, text: "one" } });
const edit = (seq, text) => event(seq, "edited", { target: 1, text });
const edits = [edit(3, "two"), edit(4, "three")];
const deleted = event(5, "deleted", { target: 1 });
const play = (events) => {
    const timeline = new Timeline(1);
    timeline.open([], 0);
    for (const one of events) timeline.receive([one]);
    return [timeline.at(1)?.text, timeline.quoteOf(reply).text, timeline.latest?.text];
};
"""


def test_an_edit_that_comes_late_does_not_undo_a_newer_text() -> None:
    """The page of the history that holds "three" was read after both edits."""
    found = javascript.run(
        SCRIPT
        + "console.log(JSON.stringify([[fetched, edits[0]], [edits[0], fetched]].map(play)));"
    )
    assert found == [["three"] * 3] * 2


def test_every_order_of_arrival_ends_with_the_same_texts() -> None:
    orders = [list(order) for order in permutations(range(4))]
    found = javascript.run(
        f"""{SCRIPT}
        const all = [live, reply, ...edits], orders = {orders};
        const texts = orders.map((order) => play(order.map((index) => all[index])));
        const gone = orders.map((order) => play([deleted, ...order.map((index) => all[index])]));
        console.log(JSON.stringify([texts, gone]));
        """
    )
    assert found == [[["three", "three", "yes"]] * 24, [[None, None, "yes"]] * 24]
