"""The page's storage in a browser that forbids it, has no room, or holds something else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capstone.page import javascript

pytestmark = pytest.mark.service("node")

CID = "0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b11"
MESSAGE = {"cid": CID, "conv": 1, "text": "hi", "at": 0, "state": "pending"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["1", "2", "__proto__", "toString"]), inner, max_size=3)
    ),
    max_leaves=6,
)
NEARLY_MESSAGES = st.lists(
    JSON
    | st.fixed_dictionaries(
        {name: st.just(value) | JSON for name, value in MESSAGE.items()},
        optional={"code": JSON, "seq": JSON},
    ),
    max_size=4,
)
STORED = st.text(max_size=5) | JSON.map(json.dumps) | NEARLY_MESSAGES.map(json.dumps)

REFUSALS = """
const errors = {
    forbidden: () => { throw new DOMException("denied", "SecurityError"); },
    absent: () => null,
    full: () => ({
        getItem: () => null,
        setItem() { throw new DOMException("full", "QuotaExceededError"); },
        removeItem() {},
    }),
    broken: () => ({
        getItem() { throw new Error("disk"); },
        setItem() { throw new Error("disk"); },
        removeItem() { throw new Error("disk"); },
    }),
};
"""


def test_what_a_browser_refuses_is_kept_until_the_page_is_closed() -> None:
    found = javascript.run(
        REFUSALS
        + """
        const { FallbackStorage } = await import("./browser/storage.js");
        const { Drafts } = await import("./conversations/drafts.js");
        const { Outbox } = await import("./realtime/outbox.js");
        console.log(JSON.stringify(Object.values(errors).map((open) => {
            const storage = new FallbackStorage(open);
            const before = storage.getItem("a");
            storage.setItem("a", "1");
            const kept = storage.getItem("a");
            storage.removeItem("a");
            const drafts = new Drafts(storage, "drafts");
            drafts.set(1, "begun");
            drafts.set(2, "too");
            const begun = [drafts.get(1), drafts.get(2)];
            drafts.clear();
            const outbox = new Outbox(storage, "outbox");
            outbox.add(1, "said", 0);
            const said = new Outbox(storage, "outbox").unsent.map(({ text }) => text);
            return [before, kept, storage.getItem("a"), begun, drafts.get(1), said];
        })));
        """
    )
    assert found == [[None, "1", None, ["begun", "too"], "", ["said"]]] * 4


def test_a_storage_with_room_again_is_used_again() -> None:
    found = javascript.run(
        """
        const { FallbackStorage } = await import("./browser/storage.js");
        const real = new Map([["a", "old"]]);
        let full = true;
        const storage = new FallbackStorage(() => ({
            getItem: (key) => real.get(key) ?? null,
            setItem: (key, value) => { if (full) throw new Error("full"); real.set(key, value); },
            removeItem: (key) => real.delete(key),
        }));
        storage.setItem("a", "new");
        const kept = [storage.getItem("a"), real.get("a")];
        full = false;
        storage.setItem("a", "newer");
        real.set("a", "from another tab");
        console.log(JSON.stringify([...kept, storage.getItem("a")]));
        """
    )
    assert found == ["new", "old", "from another tab"]


@given(st.lists(STORED, min_size=100, max_size=200))
@javascript.FEW
def test_whatever_lies_in_the_storage_the_page_begins(stored: list[str]) -> None:
    found: list[Any] = javascript.run(
        """
        const { Drafts } = await import("./conversations/drafts.js");
        const { Outbox } = await import("./realtime/outbox.js");
        console.log(JSON.stringify(given.map((text) => {
            const storage = { getItem: () => text, setItem() {}, removeItem() {} };
            const drafts = new Drafts(storage, "x");
            const outbox = new Outbox(storage, "x");
            const shown = [...outbox.forConversation(1), ...outbox.unsent];
            shown.forEach(({ at }) => new Date(at).toISOString());
            drafts.set(3, "more");
            return [typeof drafts.get(1), typeof drafts.get(2), drafts.get(3),
                shown.map(({ cid, conv, text }) => [cid, typeof conv, typeof text])];
        })));
        """,
        stored,
    )
    for first, second, third, shown in found:
        assert (first, second, third) == ("string", "string", "more")
        assert all(message == [CID, "number", "string"] for message in shown)


def test_a_pending_message_as_it_is_stored_comes_back() -> None:
    found = javascript.run(
        """
        const { Outbox } = await import("./realtime/outbox.js");
        const storage = { getItem: () => JSON.stringify(given), setItem() {} };
        console.log(JSON.stringify(new Outbox(storage, "x").forConversation(1)));
        """,
        [MESSAGE, MESSAGE | {"conv": "1"}, None, MESSAGE | {"cid": "x"}],
    )
    assert found == [MESSAGE]


def test_two_pages_share_the_pending_messages() -> None:
    """The next page sends what a closed one has left, and a page forgets what another has sent."""
    found = javascript.run(
        """
        const { Outbox } = await import("./realtime/outbox.js");
        const kept = new Map();
        let changed = () => {};
        const change = (key, value) => {
            const before = kept.get(key) ?? null;
            if (value === null) kept.delete(key); else kept.set(key, value);
            changed(before, value);
        };
        const storage = {
            getItem: (key) => kept.get(key) ?? null,
            setItem: change,
            removeItem: (key) => change(key, null),
        };
        const texts = (messages) => messages.map(({ text }) => text).join(" ");
        const one = new Outbox(storage, "box"), other = new Outbox(storage, "box");
        const first = one.add(1, "first", 1);
        const third = other.add(1, "third", 3);
        one.add(1, "second", 2);
        const next = new Outbox(storage, "box");
        other.adopt();
        const sent = [texts(next.unsent), texts(other.unsent)];
        const shown = [texts(other.forConversation(1)), texts(other.forConversation(1, true))];
        changed = (...values) => [one, next].forEach((page) => page.forgetRemoved(...values));
        other.ack(first.cid, 7);
        const left = [one, next, new Outbox(storage, "box")].map(({ unsent }) => texts(unsent));
        one.fail(third.cid, "blocked");  // an error that comes late
        one.clear();
        console.log(JSON.stringify([sent, shown, left, texts(next.unsent), kept.size]));
        """
    )
    ordered, remaining = "first second third", "second third"
    assert found == [
        [ordered, ordered],
        [ordered, "third"],
        ["second", remaining, remaining],
        "",
        0,
    ]
