"""Make docs/chat.png, the picture in the README: python -m tests.browser.readme_picture

Starts the chat on an empty database, lets four people talk in it in Chromium, and keeps what one of
them sees. Needs requirements/dev.txt and Chromium.
"""

import sqlite3
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.support.browser_person import Person
from tests.support.browser_profiles import Profiles
from tests.support.chat_server import serving
from tests.support.chromium import running, using

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "chat.png"
MINUTE = 60_000  # milliseconds

ANN, BEN, CHLOE, DAVID = "Ann Walker", "Ben Okafor", "Chloé Martin", "David Lindqvist"
GROUP = "Saturday hike"
ABOUT = "Where we go, who drives, who brings lunch"
OTHERS = [
    ("Book club", BEN, "Chapter 9 changes everything. No spoilers!", 190),
    ("House on Mill Lane", CHLOE, "The plumber comes on Tuesday at 8", 95),
    ("Tornado study group", DAVID, "Lesson 05 finally made coroutines click for me", 42),
    ("Board games", ANN, "I can host on Friday", 20),
]
TALK = [
    (BEN, "Forecast for Saturday: 18°C and sunny all day", 34),
    (BEN, "Shall we take the lake trail?", 34),
    (ANN, "Yes please! It is 14 km with the loop around the north shore.", 31),
    (CHLOE, "I am in. Here is the map: https://trails.example.org/lake-loop", 24),
    (DAVID, "Count me in too. I can drive, three seats free.", 18),
    (ANN, "Perfect. Meet at the station at 8:30?", 12),
    (CHLOE, "8:30 works. I bring coffee and my famous lemon cake", 7),
    (ANN, "Then it is settled: lake, sun and lemon cake.", 2),
]


def age(data: Path, title: str, minutes: list[int]) -> None:
    """Let the messages of a group be as many minutes old, as if people had taken their time."""
    with sqlite3.connect(data / "chat.db", timeout=10) as database:
        (conv,) = database.execute(
            "SELECT id FROM conversations WHERE title = ?", (title,)
        ).fetchone()
        newest = database.execute("SELECT max(at) FROM events").fetchone()[0]
        database.execute(
            "UPDATE events SET at = at - ? WHERE conversation_id = ?",
            ((max(minutes) + 3) * MINUTE, conv),
        )
        said = database.execute(
            "SELECT seq FROM events WHERE conversation_id = ? AND type = 'message' ORDER BY seq",
            (conv,),
        ).fetchall()
        for (seq,), ago in zip(said, minutes, strict=True):
            database.execute(
                "UPDATE events SET at = ? WHERE conversation_id = ? AND seq = ?",
                (newest - ago * MINUTE, conv, seq),
            )
    database.close()


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as server,
        running() as chromium,
        using(chromium),
    ):
        profiles = Profiles(chromium)
        people = {
            name: Person(profiles, server, name).register() for name in (ANN, BEN, CHLOE, DAVID)
        }
        for title, writer, text, _ in OTHERS:
            people[writer].make_group(title)
            if writer != ANN:
                people[ANN].join_group(title)
            people[writer].say(text)
            people[writer].sees(text)
        people[BEN].make_group(GROUP, ABOUT)
        for name in CHLOE, DAVID, ANN:
            people[name].join_group(GROUP)
        for name, text, _ in TALK:
            people[name].say(text)
            people[ANN].sees(text)
        ann = people[ANN]
        ann.open_group("Board games")
        for title, _, _, ago in OTHERS:
            age(server.data, title, [ago])
        age(server.data, GROUP, [ago for _, _, ago in TALK])
        people[CHLOE].open_group("House on Mill Lane")
        for text in "He asks for the key", "I leave it at yours":
            people[CHLOE].say(text)
            people[CHLOE].sees(text)
        ann.page.reload()
        ann.wait_until_live()
        ann.open_group(GROUP)
        ann.sees(TALK[-1][1])
        expect(ann.page.locator("#members li")).to_have_count(4)
        people[DAVID].open_group(GROUP)
        people[DAVID].composer.press_sequentially("Can")
        expect(ann.page.locator("#typing")).not_to_be_empty()
        ann.page.screenshot(path=PICTURE)
    # A page has few colours: a palette keeps the file small.
    Image.open(PICTURE).convert("RGB").quantize(256).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
