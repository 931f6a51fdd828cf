"""The page's own timeline module, fed in every disorder that a network can make."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.chat_server import ChatServer

pytestmark = pytest.mark.service("chromium")

ROUNDS = 500


@pytest.fixture(scope="module")
def page(browser: Browser, shared_server: ChatServer) -> Iterator[Page]:
    page = browser.new_page(base_url=shared_server.url)
    page.goto("/login")
    page.evaluate(
        """async () => {
            Object.assign(window, await import("/static/js/conversations/timeline.js"));
            Object.assign(window, await import("/static/js/realtime/outbox.js"));
            window.event = (seq, from = 2, type = "message") =>
                ({type, conv: 1, seq, from: {id: from, nickname: "B"}, text: "t" + seq, at: seq});
            window.range = (first, last) =>
                Array.from({length: last - first + 1}, (_, i) => event(first + i));
        }"""
    )
    yield page
    page.close()


def test_any_order_of_live_events_pages_and_gaps_ends_in_the_true_history(page: Page) -> None:
    # A made-up server with a history; a made-up network that loses, doubles and delays.
    wrong: list[Any] = page.evaluate(
        """rounds => {
            let seed = 20261120;
            const random = n => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
            const wrong = [];
            for (let round = 0; round < rounds; round++) {
                const head = 1 + random(60), read = random(head + 1);
                const start = 1 + random(head);
                const history = range(1, head).map(e => event(e.seq, 1 + random(3),
                    random(5) ? "message" : "member"));
                const page = (first, last) => history.slice(Math.max(0, first - 1), last);
                const unread = upto => history.filter(e => e.seq > read && e.seq <= upto
                    && e.type === "message" && e.from.id !== 1).length;
                const timeline = new Timeline(1);
                timeline.applySummary({head: start, read: Math.min(read, start),
                    unread: read < start ? unread(start) : 0, last: history[start - 1]});
                let live = start;
                const late = [];
                const steps = 20 + random(60);
                for (let step = 0; step < steps; step++) switch (random(7)) {
                    case 0: if (live < head) timeline.receive([history[live++]]); break;
                    case 1: if (live < head) live++; break;  // lost
                    case 2: if (live < head) late.push(history[live++]); break;
                    case 3: timeline.receive(late.splice(random(late.length + 1), 1)); break;
                    case 4: timeline.receive([history[random(live)]]); break;  // doubled
                    case 5: timeline.open(page(live - 4, live), live); break;
                    case 6: if (timeline.older) timeline.receive(
                        page(timeline.first - 3, timeline.first - 1)); break;
                }
                // Then the network is well again.
                timeline.open(page(head - 2, head), head);
                timeline.advanceHead(head);
                let fetches = 0;
                while (timeline.missing && fetches++ < 100) {
                    const {after} = timeline.missing;
                    timeline.receive(page(after + 1, after + 10));
                }
                while (timeline.older && fetches++ < 200) {
                    const {before} = timeline.older;
                    timeline.receive(page(before - 10, before - 1));
                }
                timeline.markRead(read);
                const shown = [];
                for (let seq = timeline.first; seq <= timeline.last; seq++)
                    shown.push(timeline.at(seq));
                if (JSON.stringify(shown) !== JSON.stringify(history)
                    || timeline.latest?.seq !== head || timeline.unread !== unread(head))
                    wrong.push({round, head, read, start, shown: shown.map(e => e?.seq),
                        counted: timeline.unread, true: unread(head)});
            }
            return wrong;
        }""",
        ROUNDS,
    )
    assert wrong == []


def test_an_idle_conversation_counts_and_forgets(page: Page) -> None:
    assert page.evaluate(
        """() => {
            const timeline = new Timeline(1);
            timeline.applySummary({head: 10, read: 10, unread: 0, last: event(10)});
            for (const e of range(11, 1010)) timeline.receive([e]);
            let kept = 0;
            for (let seq = 1; seq <= 1010; seq++) if (timeline.at(seq)) kept++;
            return [timeline.unread, kept <= 200, timeline.latest.seq];
        }"""
    ) == [1000, True, 1010]


def test_the_read_mark_never_goes_back_and_counts_what_is_left(page: Page) -> None:
    assert page.evaluate(
        """() => {
            const timeline = new Timeline(1);
            timeline.applySummary({head: 10, read: 4, unread: 6, last: event(10)});
            timeline.open(range(1, 10), 10);
            const seen = [timeline.markRead(6), timeline.unread];
            seen.push(timeline.markRead(5), timeline.unread);
            timeline.receive([event(11), event(12, 1), event(13)]);
            seen.push(timeline.unread, timeline.markRead(12));
            seen.push(timeline.unread, timeline.unreadIsStale);
            // The server has not heard of it yet.
            timeline.applySummary({head: 13, read: 4, unread: 8, last: event(13)});
            seen.push(timeline.read, timeline.unread);
            return seen;
        }"""
    ) == [True, 4, False, 4, 6, True, 1, False, 12, 1]


def test_a_mark_from_another_tab_over_unknown_events_asks_the_server(page: Page) -> None:
    assert page.evaluate(
        """() => {
            const timeline = new Timeline(1);
            timeline.applySummary({head: 10, read: 0, unread: 10, last: event(10)});
            timeline.markRead(5);
            const before = timeline.unreadIsStale;
            timeline.applySummary({head: 10, read: 5, unread: 5, last: event(10)});
            return [before, timeline.unreadIsStale, timeline.unread];
        }"""
    ) == [True, False, 5]


def test_a_trimmed_history_grows_back(page: Page) -> None:
    assert page.evaluate(
        """() => {
            const timeline = new Timeline(1);
            timeline.open(range(1, 100), 100);
            timeline.trim(10);
            const trimmed = [timeline.first, timeline.last, timeline.older.before];
            timeline.receive(range(41, 90));
            return [...trimmed, timeline.first, timeline.older.before];
        }"""
    ) == [91, 100, 91, 41, 41]


def test_the_outbox_keeps_what_is_not_acknowledged(page: Page) -> None:
    assert page.evaluate(
        """() => {
            const kept = new Map();
            const storage = {
                getItem: key => kept.get(key) ?? null,
                setItem: (key, value) => kept.set(key, value),
            };
            let ids = 0;
            const id = number => `0b5f4a4e-4c37-4d0a-9d65-00000000000${number}`;
            const box = () => new Outbox(storage, "box", () => id(++ids));
            const first = box();
            for (const text of ["a", "b", "c", "d"]) first.add(1, text, 0);
            first.ack(id(1), 7);
            first.fail(id(2), "conflict");
            first.remove(id(3));
            const second = box();  // after a reload
            const texts = second.forConversation(1).map(m => m.text + m.state);
            second.retry(id(2));
            return [texts, second.unsent.map(message => message.cid.slice(-1))];
        }"""
    ) == [["bfailed", "dpending"], ["4", "5"]]
