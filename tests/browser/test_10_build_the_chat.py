"""Lesson 10 in real Chromium: two people use each stage, and a server comes and goes."""

import contextlib
import io
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.support.accessibility import violations
from tests.support.lesson_pages import LESSONS_FOLDER
from tests.support.script_server import Server, serving

pytestmark = pytest.mark.service("chromium")

LESSON = LESSONS_FOLDER / "10_build_the_chat"
PHONE = {"width": 390, "height": 844}
PASSWORD = "correct horse battery"


class Chat:
    """A stage in a folder of its own, with its database, and the people who use it."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.folder = folder / "stage"
        ignored = shutil.ignore_patterns("chat.db*", "__pycache__")
        shutil.copytree(LESSON / f"stage_{number:02}", self.folder, ignore=ignored)

    def serving(self, *arguments: str) -> contextlib.AbstractContextManager[Server]:
        return serving(self.folder / "app.py", *arguments)

    def solve_captcha(self, page: Page) -> None:
        captcha_id = page.locator("[name=captcha_id]").input_value()
        with contextlib.closing(sqlite3.connect(self.folder / "chat.db")) as database:
            sql = "SELECT answer FROM captchas WHERE id = ?"
            (answer,) = database.execute(sql, (captcha_id,)).fetchone()
        page.get_by_label("The letters on the picture").fill(answer)

    def register(self, page: Page, server: Server, nickname: str) -> None:
        page.goto(f"{server.url}/register")
        page.get_by_label("User name").fill(nickname.lower())
        page.get_by_label("Nickname").fill(nickname)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password again").fill(PASSWORD)
        if self.number >= 3:
            expect(page.get_by_text("You can use this name.")).to_be_visible()
            self.solve_captcha(page)
        assert violations(page) == []
        page.get_by_role("button", name="Register").click()
        expect(page.locator("#state")).to_have_text("online")


People = Callable[[int], contextlib.AbstractContextManager[tuple[Chat, Server, Page, Page]]]
"""Starts a stage by its number; the pages are those of Ada and of Bob."""


@pytest.fixture
def people(tmp_path: Path, new_page: Callable[..., Page]) -> People:
    """Ada at a desk and Bob with a phone, registered and in the chat of a stage."""

    @contextlib.contextmanager
    def using(number: int) -> Iterator[tuple[Chat, Server, Page, Page]]:
        chat = Chat(number, tmp_path)
        ada, bob = new_page(color_scheme="light"), new_page(color_scheme="dark", viewport=PHONE)
        with chat.serving() as server:
            chat.register(ada, server, "Ada")
            chat.register(bob, server, "Bob")
            yield chat, server, ada, bob

    return using


def say(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_label("Message", exact=True).press("Enter")


def open_conversation(page: Page, title: str) -> None:
    page.locator("#list .row").filter(has_text=title).click()
    expect(page.locator("#title")).to_have_text(title)


def expect_texts(page: Page, *texts: str) -> None:
    expect(page.locator("#log .bubble p")).to_have_text(list(texts))


def expect_good_page(page: Page) -> None:
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_stage_1_two_people_talk(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    with Chat(1, tmp_path).serving() as server:
        ada, bob = new_page(color_scheme="light"), new_page(color_scheme="dark", viewport=PHONE)
        for page, name in ((ada, "Ada"), (bob, "Bob")):
            page.goto(server.url)
            page.get_by_label("Your name").fill(name)
            page.get_by_role("button", name="Enter").click()
            expect(page.locator("#state")).to_have_text("online")
        hostile = "<img src=x onerror=\"document.title = 'run'\">"
        say(ada, hostile)
        say(bob, "two\nlines")
        for page in (ada, bob):
            expect_texts(page, hostile, "two lines")
            expect(page).not_to_have_title("run")
            expect_good_page(page)


def test_stage_2_people_register_and_stay_logged_in(people: People) -> None:
    with people(2) as (_, server, ada, bob):
        say(ada, "hello")
        expect_texts(bob, "hello")
        expect(bob.locator("#log .theirs b")).to_have_text("Ada")
        bob.reload()
        expect(bob.locator("#state")).to_have_text("online")
        say(bob, "still Bob")
        expect(ada.locator("#log .theirs b")).to_have_text("Bob")
        ada.context.clear_cookies()
        ada.reload()
        expect(ada).to_have_url(f"{server.url}/register?next=%2F")
        for page in (ada, bob):
            expect_good_page(page)


def test_stage_3_login_and_logout_with_a_captcha(people: People) -> None:
    with people(3) as (chat, server, ada, bob):
        other_window = bob.context.new_page()
        other_window.goto(server.url)
        expect(other_window.locator("#state")).to_have_text("online")
        bob.get_by_role("button", name="Log out").click()
        expect(other_window).to_have_url(f"{server.url}/login")  # its connection was closed
        bob.get_by_label("User name").fill("bob")
        for answer, then in (("WRONG", "/login"), ("", "/")):
            bob.get_by_label("Password").fill(PASSWORD)
            chat.solve_captcha(bob)
            if answer:
                bob.get_by_label("The letters on the picture").fill(answer)
            bob.get_by_role("button", name="Log in").click()
            expect(bob).to_have_url(f"{server.url}{then}")
            expect(bob.get_by_role("alert")).to_have_count(1 if answer else 0)
            expect_good_page(bob)
        expect(bob.locator("#state")).to_have_text("online")
        say(bob, "back again")
        expect_texts(ada, "back again")


def test_stage_4_history_is_there_after_a_restart(people: People) -> None:
    with people(4) as (chat, server, ada, bob):
        say(ada, "remember me")
        expect_texts(bob, "remember me")
        server.stop()
        with chat.serving(f"--port={server.port}"):
            for page in (ada, bob):
                page.reload()
                expect(page.locator("#state")).to_have_text("online")
                expect_texts(page, "remember me")
            say(bob, "of course")
            expect_texts(ada, "remember me", "of course")
            expect_good_page(ada)


def test_stage_5_a_group_is_for_its_members(people: People) -> None:
    with people(5) as (_, _, ada, bob):
        ada.get_by_role("button", name="Groups").click()
        ada.get_by_label("A new group").fill(" ")
        ada.get_by_role("button", name="Create").click()
        expect(ada.get_by_role("alert")).to_contain_text("A title has")
        assert violations(ada) == []
        ada.get_by_label("A new group").fill("Garden")
        ada.get_by_label("A new group").press("Enter")
        expect(ada.locator("#title")).to_have_text("Garden")
        say(ada, "Tomatoes?")
        expect_texts(ada, "Tomatoes?")
        expect(bob.locator("#list .row")).to_have_text(["LLobby"])
        bob.get_by_role("button", name="Groups").click()
        bob.get_by_role("button", name="Close").click()
        expect(bob.get_by_role("dialog")).to_have_count(0)
        bob.get_by_role("button", name="Groups").click()
        bob.get_by_role("button", name="Join").click()
        expect(bob.locator("#title")).to_have_text("Garden")
        expect_texts(bob, "Tomatoes?")
        say(bob, "Yes!")
        expect_texts(ada, "Tomatoes?", "Yes!")
        open_conversation(ada, "Lobby")
        expect_texts(ada)
        for page in (ada, bob):
            expect_good_page(page)


def set_member(chat: Chat, name: str, *, member: bool) -> None:
    """Make a user a member of the lobby, or end that, without a word to the pages."""
    change = "INSERT INTO members (conv, user) SELECT 1, id FROM users WHERE name = ?"
    if not member:
        change = "DELETE FROM members WHERE user = (SELECT id FROM users WHERE name = ?)"
    with contextlib.closing(sqlite3.connect(chat.folder / "chat.db")) as database, database:
        database.execute(change, (name,))


def test_stage_7_a_message_that_failed_is_sent_again_by_keyboard(people: People) -> None:
    with people(7) as (chat, _, ada, bob):
        open_conversation(bob, "Lobby")
        set_member(chat, "ada", member=False)
        say(ada, "Can you read this?")
        retry = ada.get_by_role("button", name="Try again")
        expect(retry).to_be_visible()
        expect_good_page(ada)
        retry.press("Enter")
        expect(retry).to_be_visible()  # it has failed again
        set_member(chat, "ada", member=True)
        retry.press("Enter")
        expect(retry).to_have_count(0)
        expect(ada.locator("#log .pending, #log .failed")).to_have_count(0)
        say(bob, "Yes, once.")
        for page in (ada, bob):
            expect_texts(page, "Can you read this?", "Yes, once.")
        ada.get_by_role("button", name="Groups").click()
        ada.get_by_label("A new group").fill("Garden")
        ada.get_by_label("A new group").press("Enter")
        expect(ada.locator("#title")).to_have_text("Garden")
        bob.get_by_role("button", name="All conversations").click()
        bob.get_by_role("button", name="Groups").click()
        bob.get_by_role("button", name="Join").click()
        expect(ada.locator("#log .note")).to_have_text("Bob has joined")


def test_stage_6_groups_contacts_and_pictures(people: People) -> None:
    with people(6) as (_, _, ada, bob):
        picture = io.BytesIO()
        Image.new("RGB", (300, 200), "teal").save(picture, "PNG")
        file: FilePayload = {
            "name": "me.png",
            "mimeType": "image/png",
            "buffer": picture.getvalue(),
        }
        bob.locator("#picture-file").set_input_files(file)
        expect(bob.locator("#my-picture img")).to_have_count(1)
        ada.get_by_role("button", name="Groups").click()
        ada.get_by_label("A new group").fill("Garden")
        assert violations(ada) == []
        ada.get_by_role("button", name="Create").click()
        expect(ada.locator("#title")).to_have_text("Garden")
        say(ada, "Tomatoes?")
        bob.get_by_role("button", name="Groups").click()
        bob.get_by_role("button", name="Join").click()
        expect(bob.locator("#title")).to_have_text("Garden")
        say(bob, "Yes!")
        expect_texts(ada, "Tomatoes?", "Yes!")
        expect(ada.locator("#log .theirs .avatar img")).to_have_count(1)
        ada.locator("#log").get_by_role("button", name="Bob").press("Enter")
        expect(ada.locator("#title")).to_have_text("Bob")
        say(ada, "only for you")
        bob.get_by_role("button", name="All conversations").click()
        open_conversation(bob, "Ada")
        expect_texts(bob, "only for you")
        for page in (ada, bob):
            expect_good_page(page)


def test_stage_9_unread_online_typing(people: People) -> None:
    with people(9) as (_, _, ada, bob):
        say(ada, "one")
        say(ada, "two")
        expect(bob.locator("#list .badge")).to_have_text("2")
        expect(bob).to_have_title("(2) Chat")
        bob.evaluate("receiveEvent(conversations.get(1).events.at(-1))")  # the state has counted it
        expect(bob).to_have_title("(2) Chat")
        open_conversation(bob, "Lobby")
        expect(bob.locator("#list .badge")).to_have_count(0)
        bob.evaluate("Date.now = () => 1e12")  # the 3 s between two reports never pass
        bob.get_by_label("Message", exact=True).press_sequentially("th")
        expect(ada.get_by_text("Bob is typing")).to_be_visible()
        bob.get_by_label("Message", exact=True).press("Enter")
        expect(ada.get_by_text("Bob is typing")).to_be_hidden()
        bob.get_by_label("Message", exact=True).press_sequentially("a second one")
        expect(ada.get_by_text("Bob is typing")).to_be_visible()
        ada.get_by_role("button", name="Add a contact").click()
        ada.get_by_label("User name").fill("bob")
        ada.get_by_role("button", name="Add", exact=True).click()
        expect(ada.locator("#list .online")).to_have_count(1)
        bob.get_by_role("button", name="All conversations").click()
        bob.set_viewport_size({"width": PHONE["height"], "height": PHONE["width"]})  # turned
        expect(bob.locator("#title")).to_have_text("Chat")
        expect(bob.get_by_label("Message", exact=True)).to_be_hidden()
        bob.goto("about:blank")
        expect(ada.locator("#list .online")).to_have_count(0)
        expect_good_page(ada)


def test_stage_10_nothing_is_lost_or_doubled_while_the_server_is_away(people: People) -> None:
    with people(10) as (chat, server, ada, bob):
        open_conversation(bob, "Lobby")
        say(ada, "before")
        expect_texts(bob, "before")
        server.stop()
        for page in (ada, bob):
            expect(page.locator("#state")).to_have_text("reconnecting")
        say(ada, "while away")
        expect(ada.locator("#log .pending")).to_have_count(1)
        with chat.serving(f"--port={server.port}"):
            for page in (ada, bob):
                expect(page.locator("#state")).to_have_text("online")
                expect_texts(page, "before", "while away")
            expect(ada.locator("#log .pending")).to_have_count(0)
            say(bob, "after")
            for page in (ada, bob):
                expect_texts(page, "before", "while away", "after")
                expect_good_page(page)
            ada.get_by_role("button", name="Log out").click()
            expect(ada).to_have_url(f"{server.url}/login")


def store_message_of_bob(chat: Chat, text: str) -> None:
    """Store a message, as another process of the chat would."""
    with contextlib.closing(sqlite3.connect(chat.folder / "chat.db")) as database, database:
        database.execute(
            "INSERT INTO events (conv, seq, type, user, text, at)"
            " SELECT 1, max(seq) + 1, 'message', (SELECT id FROM users WHERE name = 'bob'), ?,"
            " max(at) + 1 FROM events WHERE conv = 1",
            (text,),
        )


def test_stage_8_an_ack_that_comes_before_the_missed_events_hides_none_of_them(
    people: People,
) -> None:
    with people(8) as (chat, server, ada, _):
        say(ada, "before")
        expect(ada.locator("#log .pending")).to_have_count(0)
        server.stop()
        say(ada, "from Ada")
        store_message_of_bob(chat, "from Bob")
        held: list[Route] = []
        holding = True
        ada.route(
            "**/api/state", lambda route: held.append(route) if holding else route.continue_()
        )
        with chat.serving(f"--port={server.port}"):
            expect(ada.locator("#state")).to_have_text("online")
            expect(ada.locator("#log .pending")).to_have_count(0)  # the ack is there
            holding = False
            for route in held:
                route.continue_()
            expect_texts(ada, "before", "from Bob", "from Ada")


def test_stage_8_missed_events_are_loaded_after_the_next_hello_if_the_first_load_failed(
    people: People,
) -> None:
    with people(8) as (chat, server, ada, _):
        say(ada, "before")
        expect(ada.locator("#log .pending")).to_have_count(0)
        server.stop()
        store_message_of_bob(chat, "from Bob")
        ada.route("**/events?after=*", lambda route: route.abort())
        with (
            chat.serving(f"--port={server.port}"),
            ada.expect_event("requestfailed", lambda request: "after=" in request.url),
        ):
            expect(ada.locator("#state")).to_have_text("online")
        ada.unroute("**/events?after=*")
        expect(ada.locator("#state")).to_have_text("reconnecting")
        with chat.serving(f"--port={server.port}"):
            expect_texts(ada, "before", "from Bob")


def test_stage_8_a_conversation_opened_while_the_server_is_away_is_loaded_later(
    people: People,
) -> None:
    with people(8) as (chat, server, ada, bob):
        say(ada, "before")
        expect(ada.locator("#log .pending")).to_have_count(0)
        server.stop()
        expect(bob.locator("#state")).to_have_text("reconnecting")
        open_conversation(bob, "Lobby")
        with chat.serving(f"--port={server.port}"):
            expect_texts(bob, "before")


def test_stage_8_the_page_connects_and_loads_the_state_if_the_first_load_failed(
    people: People,
) -> None:
    with people(8) as (_, _, ada, _):
        ada.route("**/api/state", lambda route: route.abort(), times=1)
        ada.reload()
        expect(ada.locator("#state")).to_have_text("online")
        open_conversation(ada, "Lobby")


def test_stage_8_a_page_that_the_server_refuses_does_not_come_back(people: People) -> None:
    with people(8) as (_, _, ada, _):
        ada.evaluate("""() => {
            const { onclose } = socket;
            socket.onclose = () => onclose({ code: 3502 });
            socket.close();
        }""")
        expect(ada.locator("#state")).to_have_text("The server has closed the connection.")
        ada.evaluate("dispatchEvent(new Event('online'))")
        assert ada.evaluate("socket.readyState === WebSocket.CLOSED")


def test_stage_7_older_messages_load_again_after_another_conversation_was_opened_meanwhile(
    people: People,
) -> None:
    with people(7) as (chat, _, ada, bob):
        bob.goto("about:blank")
        say(ada, "before")
        expect(ada.locator("#log .pending")).to_have_count(0)
        for number in range(250):
            store_message_of_bob(chat, f"from Bob {number}")
        ada.get_by_role("button", name="Groups").click()
        ada.get_by_label("A new group").fill("Garden")
        ada.get_by_role("button", name="Create").click()
        expect(ada.locator("#title")).to_have_text("Garden")
        ada.reload()
        expect(ada.locator("#log .bubble")).to_have_count(100)
        held: list[Route] = []
        ada.route("**/events?before=*", lambda route: held.append(route), times=1)
        with ada.expect_request("**/events?before=*"):
            ada.evaluate("log.scrollTop = 0")
        open_conversation(ada, "Garden")
        with ada.expect_response("**/events?before=*"):
            held[0].continue_()
        open_conversation(ada, "Lobby")
        expect(ada.locator("#log .bubble")).to_have_count(200)
        ada.evaluate("log.scrollTop = 0")
        expect(ada.locator("#log .bubble")).to_have_count(251)


def test_stage_10_what_was_missed_in_the_open_conversation_is_read(people: People) -> None:
    with people(10) as (chat, server, ada, _):
        say(ada, "before")
        expect(ada.locator("#log .pending")).to_have_count(0)
        server.stop()
        store_message_of_bob(chat, "from Bob")
        with chat.serving(f"--port={server.port}"):
            expect_texts(ada, "before", "from Bob")
            expect(ada.locator("#list .badge")).to_have_count(0)
            expect(ada).to_have_title("Chat")
