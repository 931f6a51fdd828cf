"""`--demo`: a fresh chat with people, two links that log two of them in, and what it refuses."""

import asyncio
import re
import signal
import stat
from pathlib import Path
from urllib.parse import urlsplit

import tornado.testing

from capstone_chat.demo import ANN, BEN, TALKS
from capstone_chat.options import DEFAULT_DATA_DIR
from tests.capstone.chat_case import Person
from tests.capstone.test_start import ProcessCase

LINK = re.compile(r"  (.+): (http://(?:localhost|127\.0\.0\.1):\d+)(/demo\?token=[\w-]{43})\n")


def mode_and_names(folder: Path) -> tuple[int, set[str]] | None:
    """Return the mode of a folder, and the names in it but for SQLite's journals; None without."""
    if not folder.exists():
        return None
    names = {path.name for path in folder.iterdir() if not path.name.startswith("chat.db-")}
    return stat.S_IMODE(folder.stat().st_mode), names


class DemoCase(ProcessCase):
    only_sqlite = True

    async def start_demo(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a demo on a free port; keep what it prints."""
        given = ("--demo", "--port=0", "--logging=warning", "--drain=0.01", *arguments)
        process = await self.spawn(*given)
        assert process.stdout is not None
        printed = [(await process.stdout.readline()).decode() for _ in range(4)]
        self.heading, *links, self.place = printed
        found = [match.groups() for match in map(LINK.fullmatch, links) if match]
        self.assertEqual(len(found), 2, printed)
        self.origins = [origin for _, origin, _ in found]
        self.links = {nickname: path for nickname, _, path in found}
        self.port = urlsplit(self.origins[0]).port or 0
        return process

    async def enter(self, nickname: str) -> Person:
        """Open a link in a new browser."""
        person = Person(self, nickname)
        response = await person.fetch(self.links[nickname])
        self.assertEqual((response.code, response.headers["Location"]), (303, "/"))
        return person


class LinksTest(DemoCase):
    @tornado.testing.gen_test
    async def test_two_links_show_the_chat_as_two_people_who_can_talk(self) -> None:
        process = await self.start_demo()
        hosts = [urlsplit(origin).hostname for origin in self.origins]
        self.assertEqual(hosts, ["localhost", "127.0.0.1"])  # one browser keeps their cookies apart
        self.assertEqual([*self.links], [ANN, BEN])
        self.assertIn(str(self.data), self.place)
        ann, ben = await self.enter(ANN), await self.enter(BEN)
        found = {}
        for person in ann, ben:
            code, state = await person.call("GET", "/api/state")
            self.assertEqual(code, 200)
            own = {one["title"]: one for one in state["conversations"]}
            expected = {talk.title for talk in TALKS if person.name in talk.people if talk.title}
            self.assertLessEqual(expected, own.keys())
            found[person.name] = own
        unread = {title: one["unread"] for title, one in found[ANN].items() if one["unread"]}
        self.assertEqual(unread, {"House on Mill Lane": 2})
        lines = [await ann.connect(), await ben.connect()]
        await lines[0].send(found[ANN]["Saturday hike"]["id"], "See you there")
        self.assertEqual((await lines[1].receive("message"))["text"], "See you there")
        await self.shut_down(process)
        self.assertTrue((self.data / "chat.db").is_file())  # a folder with a name is kept

    @tornado.testing.gen_test
    async def test_a_link_works_once_and_head_does_not_use_it_up(self) -> None:
        process = await self.start_demo()
        stranger = Person(self, "stranger")
        self.assertEqual((await stranger.fetch(self.links[ANN], method="HEAD")).code, 405)
        ann = await self.enter(ANN)
        again = await stranger.fetch(self.links[ANN])
        self.assertEqual(again.code, 404)
        self.assertIn(b"This link has been used", again.body)
        self.assertEqual((await stranger.fetch("/")).code, 302)  # to the login
        for query in "", "?token=", "?token=x":
            self.assertEqual((await stranger.fetch(f"/demo{query}")).code, 404)
        # A reload of the link leads the one who used it back to the chat.
        self.assertEqual((await ann.fetch(self.links[ANN])).headers["Location"], "/")
        self.assertEqual((await ann.fetch("/")).code, 200)
        await self.shut_down(process)

    @tornado.testing.gen_test
    async def test_without_the_option_there_is_no_such_address(self) -> None:
        process = await self.start()
        answer = await Person(self, "anna").fetch("/demo?token=x")
        self.assertEqual(answer.code, 404)
        self.assertIn(b"There is no such page", answer.body)
        await self.shut_down(process)


class FolderTest(DemoCase):
    @tornado.testing.gen_test
    async def test_without_a_folder_the_data_is_in_a_private_one_that_goes_at_the_end(self) -> None:
        for number in signal.SIGTERM, signal.SIGINT:
            process = await self.start_demo(f"--data={DEFAULT_DATA_DIR}")
            folder = Path(self.place.removeprefix("The data is in ").rstrip("\n"))
            self.assertNotIn(folder, (DEFAULT_DATA_DIR, self.data))
            self.assertEqual(mode_and_names(folder), (0o700, {"chat.db", "secret"}))
            process.send_signal(number)
            await process.communicate()
            self.assertEqual(process.returncode, 0)
            self.assertIsNone(mode_and_names(folder))


class RefusalTest(DemoCase):
    @tornado.testing.gen_test
    async def test_a_demo_touches_no_other_chat_and_is_for_this_computer_only(self) -> None:
        self.data.mkdir()
        for argument, part in (
            ("--database=mysql+pymysql://anna:hunter2@127.0.0.1:1/chat", "without --database"),
            (f"--database=sqlite:///{self.data}/other.db", "without --database"),
            ("--redis=redis://127.0.0.1:1", "without --redis"),
            ("--address=0.0.0.0", "this computer only"),
            ("--address=::", "this computer only"),
            ("--address=192.0.2.7", "this computer only"),
        ):
            with self.subTest(argument=argument):
                said = await self.refused("--demo", "--port=0", argument)
                self.assertIn(part, said)
        self.assertEqual([*self.data.iterdir()], [])

    @tornado.testing.gen_test
    async def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_is(self) -> None:
        self.data.mkdir()
        (self.data / "chat.db").write_text("a real one")
        said = await self.refused("--demo", "--port=0")
        self.assertIn(f"--data={self.data}: this folder is not empty", said)
        self.assertEqual((self.data / "chat.db").read_text(), "a real one")
        self.assertEqual([path.name for path in self.data.iterdir()], ["chat.db"])
