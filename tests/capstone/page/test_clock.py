"""Texts made from a clock: days, time zones, and a reader whose clock is wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capstone.page import javascript

pytestmark = pytest.mark.service("node")

PAGE = """
process.env.TZ = given.zone ?? "UTC";
globalThis.document = { documentElement: { lang: given.language ?? "en" }, addEventListener() {} };
globalThis.addEventListener = () => {};
let time = 0;
Date.now = () => time;
const timers = new Set();
globalThis.setTimeout = (work, wait) => {
    const timer = { work, at: time + wait };
    timers.add(timer);
    return timer;
};
globalThis.clearTimeout = (timer) => timers.delete(timer);
const clock = await import("./browser/clock.js");
const { strings } = await import("./i18n/strings.js");
const format = await import("./i18n/format.js");
const local = (...parts) => new Date(...parts).getTime();
"""


def run(script: str, **given: Any) -> Any:
    return javascript.run(PAGE + script, given)


@pytest.mark.parametrize(
    ("language", "today", "yesterday"),
    [("en", "Today", "Yesterday"), ("zh-CN", "今天", "昨天"), ("ru", "Сегодня", "Вчера")],
)
def test_today_becomes_yesterday_at_midnight(language: str, today: str, yesterday: str) -> None:
    found = run(
        """
        const at = local(2026, 2, 1, 23, 50);
        console.log(JSON.stringify([
            format.dayHeading(at, local(2026, 2, 1, 23, 59, 59, 999)),
            format.dayHeading(at, local(2026, 2, 2)),
            format.dayHeading(at, local(2026, 2, 2, 23, 59, 59, 999)),
            format.dayHeading(at, local(2026, 2, 3)) === strings.yesterday,
        ]));
        """,
        language=language,
        zone="Europe/Berlin",
    )
    assert found == [today, yesterday, yesterday, False]


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin",  # summer time begins at 2 and ends at 3
        "America/Havana",  # and here at midnight: the day has no 0:00, or two
        "Africa/Cairo",
        "Australia/Lord_Howe",  # by half an hour
        "Asia/Kathmandu",
        "Pacific/Apia",
    ],
)
def test_every_day_of_a_year_is_today_until_its_midnight(zone: str) -> None:
    wrong = run(
        """
        const wrong = [];
        for (let day = 1; day <= 366; day++) {
            const start = local(2026, 0, day), next = local(2026, 0, day + 1);
            const last = local(2026, 0, day, 23, 59, 59, 999);
            const late = local(2026, 0, day + 1, 23, 59, 59, 999);
            const told = [
                [format.dayHeading(start, last), strings.today],
                [format.dayHeading(last, last), strings.today],
                [format.dayHeading(start, next), strings.yesterday],
                [format.dayHeading(start, late), strings.yesterday],
                [format.dayHeading(last, next), strings.yesterday],
            ];
            if (told.some(([found, true_]) => found !== true_)) wrong.push([day, told]);
            if (!format.sameDay(start, last) || format.sameDay(last, next)) wrong.push(day);
            // Every 20 minutes, so that each hour of a day of 23 or 25 hours is looked at.
            for (let at = start; at < last; at += 1_200_000) {
                if (!format.sameDay(at, start)) wrong.push([day, at]);
            }
        }
        console.log(JSON.stringify(wrong));
        """,
        zone=zone,
    )
    assert wrong == []


@given(
    st.lists(
        st.tuples(st.integers(0, 4_000_000_000_000), st.integers(-(10**11), 10**11)),
        min_size=200,
        max_size=400,
    )
)
@javascript.FEW
def test_nothing_is_in_the_future(moments: list[tuple[int, int]]) -> None:
    for language, future in (("en", "in "), ("ru", "через "), ("zh-CN", "后")):
        told = run(
            """
            console.log(JSON.stringify(given.moments.map(([at, off]) =>
                [format.relative, format.dayHeading, format.shortTime].map(
                    (write) => write(at, at + off)))));
            """,
            moments=moments,
            language=language,
        )
        for relative, day, _brief in told:
            assert not relative.startswith(future)
            assert not relative.endswith(future)
            assert day
        early = [told for told, (_at, off) in zip(told, moments, strict=True) if off < 0]
        assert len({tuple(told[:2]) for told in early}) <= 1  # this minute, today


def test_the_servers_clock_counts_whatever_the_readers_says() -> None:
    found = run(
        """
        const told = [];
        const server = Date.UTC(2026, 5, 1, 12);
        for (const wrong of [0, 480_000, -480_000, 86_400_000, -31_536_000_000, -server]) {
            time = server + wrong;
            clock.setServerTime(server);
            told.push([clock.now() - server, format.relative(server - 180_000),
                format.dayHeading(server - 180_000)]);
            time += 60_000;
            told.push(format.relative(server - 180_000));
        }
        const before = clock.now();
        clock.setServerTime(undefined); // an older server
        told.push(clock.now() - before);
        console.log(JSON.stringify(told));
        """
    )
    once = [[0, "3 minutes ago", "Today"], "4 minutes ago"]
    assert found == [*once * 6, 0]


def test_a_tick_comes_with_every_minute_and_when_the_clock_is_put_right() -> None:
    found = run(
        """
        const ticks = [];
        time = Date.UTC(2026, 5, 1, 12, 0, 59, 990);
        clock.onTick(() => ticks.push(new Date(clock.now()).toISOString().slice(11, 23)));
        const ring = () => {
            const [next] = [...timers].sort((a, b) => a.at - b.at);
            timers.delete(next);
            time = next.at;
            next.work();
        };
        ring();
        time += 30_000;
        clock.setServerTime(time + 3_600_000); // the reader's clock is an hour slow
        clock.setServerTime(time + 3_600_000 + 1_500); // an answer that was quicker changes nothing
        ring();
        ring();
        console.log(JSON.stringify([ticks, timers.size]));
        """
    )
    ticks = ["12:01:00.000", "13:01:30.000", "13:02:00.000", "13:03:00.000"]
    assert found == [ticks, 1]


def test_a_reader_who_travels_has_the_times_of_the_new_place() -> None:
    found = run(
        """
        clock.onTick(() => {});
        const at = Date.UTC(2026, 5, 1, 23, 30);
        const told = () =>
            [format.time(at).replace(/\\s/u, " "), format.dayHeading(at, at + 3_600_000)];
        const before = told();
        process.env.TZ = "Asia/Shanghai";
        const [timer] = timers;
        timer.work();
        console.log(JSON.stringify([before, told()]));
        """,
        zone="UTC",
    )
    assert found == [["11:30 PM", "Yesterday"], ["7:30 AM", "Today"]]
