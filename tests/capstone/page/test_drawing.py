"""The page is drawn whatever one of its views or the browser does."""

import pytest

from tests.capstone.page import javascript

pytestmark = pytest.mark.service("node")

PAGE = """
const listeners = {};
globalThis.document = {
    documentElement: { lang: "en" },
    hidden: false,
    addEventListener: (name, listener) => { listeners[name] = listener; },
};
const timers = [];
globalThis.setTimeout = (work) => timers.push(work);
const frames = [];
globalThis.requestAnimationFrame = (work) => frames.push(work);
const { Store } = await import("./conversations/store.js");
const store = new Store();
const drawn = [];
"""


def test_a_view_that_fails_keeps_no_other_from_being_drawn() -> None:
    found = javascript.run(
        PAGE
        + """
        store.subscribe(["timeline"], () => { throw new Error("a mistake"); });
        store.subscribe(["timeline"], () => drawn.push("messages"));
        store.notify("timeline");
        frames.shift()();
        let told;
        try { timers.shift()(); } catch (error) { told = error.message; }
        console.log(JSON.stringify([drawn, told]));
        """
    )
    assert found == [["messages"], "a mistake"]


def test_a_page_that_is_hidden_before_its_frame_comes_is_drawn_without_it() -> None:
    found = javascript.run(
        PAGE
        + """
        store.subscribe(["conversations"], () => drawn.push("title"));
        store.notify("conversations");
        document.hidden = true;
        listeners.visibilitychange();
        const hidden = drawn.length;
        store.notify("conversations");
        timers.shift()();
        console.log(JSON.stringify([hidden, drawn.length]));
        """
    )
    assert found == [1, 2]
