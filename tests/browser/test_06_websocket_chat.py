"""Lesson 06 in real Chromium: its pages, its sockets, and a server that comes and goes."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, Route, WebSocketRoute, expect

from course.pages import blocks
from tests.support.accessibility import violations
from tests.support.lesson_pages import LESSONS_FOLDER
from tests.support.script_server import Server, serving

pytestmark = pytest.mark.service("chromium")

LESSON = LESSONS_FOLDER / "06_websocket_chat"
PHONE = {"width": 390, "height": 844}
HOSTILE = '<img src="x" onerror="document.title = \'run\'"><script>document.title = "run"</script>'

# What a page of some origin gets when it opens a socket: the first answer, or how it ended.
ASK = """url => new Promise(resolve => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send("who am I?");
    socket.onmessage = ({data}) => { resolve(data); socket.close(); };
    socket.onclose = ({code}) => resolve(`closed with ${code}`);
})"""


def port_of(server: Server) -> int:
    """The port in the line that the script printed: a `--port` of the test's own wins."""
    return int(server.output.rstrip().rpartition(":")[2])


def enter(page: Page, port: int, name: str, room: str = "tea") -> None:
    page.goto(f"http://localhost:{port}/room?{urlencode({'name': name, 'room': room})}")
    expect(state(page)).to_have_text("open")


def state(page: Page) -> Locator:
    return page.locator("#state")


def say(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def line(page: Page, kind: str, text: str) -> Locator:
    """Lines of the log of this kind that contain this text."""
    return page.locator(f"#log p.{kind}").filter(has_text=text)


def expect_no_sideways_scroll(page: Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, f"{width} pixels are out of sight"


def test_a_page_opens_its_socket_and_both_sides_speak(new_page: Callable[..., Page]) -> None:
    """C214, C222"""
    with serving(LESSON / "app.py") as server:
        page = new_page()
        page.goto(server.url)
        expect(state(page)).to_have_text("open")
        say(page, "Grüß dich")
        expect(line(page, "out", "Grüß dich")).to_have_count(1)
        expect(line(page, "in", "Grüß dich")).to_have_count(1)
        page.get_by_label("Message", exact=True).fill("ü")
        page.get_by_role("button", name="Send as bytes").click()
        expect(line(page, "in", "bytes: 195 188")).to_have_count(1)
        page.get_by_role("button", name="Close").click()
        expect(state(page)).to_have_text("closed")
        expect(line(page, "event", "closed: 1000")).to_have_count(1)
        say(page, "nobody hears this")
        expect(line(page, "event", "not connected")).to_have_count(1)
        page.get_by_role("button", name="Connect").click()
        expect(state(page)).to_have_text("open")
        assert violations(page) == []


def test_the_javascript_of_the_page_is_enough(new_page: Callable[..., Page]) -> None:
    """C222: the lines that README.md shows open the socket and hear the echo."""
    (block,) = [
        one for one in blocks(LESSON / "README.md") if one.language == "js" and not one.kind
    ]
    with serving(LESSON / "app.py") as server:
        page = new_page()
        page.goto(server.url)
        with page.expect_console_message() as heard:
            page.evaluate("() => {" + block.text.replace("8888", str(server.port)) + "}")
        assert heard.value.text == "Hello"


def test_the_end_that_the_server_makes_is_shown(new_page: Callable[..., Page]) -> None:
    """C219, C222"""
    with serving(LESSON / "life.py") as server:
        page = new_page()
        page.goto(server.url)
        expect(line(page, "in", "Welcome, Ada")).to_have_count(1)
        page.get_by_role("button", name="close", exact=True).click()
        expect(line(page, "event", "closed: 4000 Goodbye, Ada")).to_have_count(1)
        page.get_by_role("button", name="Connect").click()
        page.get_by_role("button", name="crash").click()
        expect(line(page, "event", "closed: 1006")).to_have_count(1)


def test_a_browser_answers_pings_by_itself(new_page: Callable[..., Page]) -> None:
    """C227"""
    with serving(LESSON / "ping.py") as server:
        page = new_page()
        page.goto(server.url)
        expect(state(page)).to_have_text("open")
        say(page, "now")
        expect(line(page, "in", "ms there and back")).to_have_count(1)


def test_two_people_talk_on_a_desk_and_on_a_phone(new_page: Callable[..., Page]) -> None:
    """C222, C223"""
    with serving(LESSON / "chat.py") as server:
        ada, bob = new_page(color_scheme="light"), new_page(color_scheme="dark", viewport=PHONE)
        ada.goto(server.url)
        assert violations(ada) == []
        ada.get_by_label("Your name").fill("Ada")
        ada.get_by_label("Room").fill("tea")
        ada.get_by_role("button", name="Enter").click()
        expect(line(ada, "event", "Ada is here")).to_have_count(1)
        enter(bob, server.port, "Bob")
        expect(ada.locator("#members")).to_have_text("Here: Ada, Bob")
        say(ada, "Tea?")
        expect(line(bob, "theirs", "AdaTea?")).to_have_count(1)
        expect(line(ada, "mine", "Tea?")).to_have_count(1)
        say(bob, "x" * 400)
        expect(line(ada, "theirs", "x" * 400)).to_have_count(1)
        for page in (ada, bob):
            assert violations(page) == []
            expect_no_sideways_scroll(page)
        bob.goto(server.url)
        expect(line(ada, "event", "Bob has left")).to_have_count(1)
        expect(bob.get_by_text("tea: Ada")).to_be_visible()
        expect_no_sideways_scroll(bob)


def test_the_page_comes_back_by_itself_when_the_server_does(
    new_page: Callable[..., Page],
) -> None:
    """C222"""
    ada, bob = new_page(), new_page()
    with serving(LESSON / "chat.py") as server:
        port = port_of(server)
        enter(ada, port, "Ada")
        enter(bob, port, "Bob")
        say(ada, "before")
        expect(line(bob, "theirs", "before")).to_have_count(1)
    for page in (ada, bob):
        expect(state(page)).to_have_text("reconnecting")
    say(ada, "into the void")
    expect(ada.get_by_label("Message", exact=True)).to_have_value("into the void")
    with serving(LESSON / "chat.py", f"--port={port}") as server:
        assert port_of(server) == port
        for page in (ada, bob):
            expect(state(page)).to_have_text("open")
        expect(ada.locator("#members")).to_have_text("Here: Ada, Bob")
        ada.get_by_role("button", name="Send", exact=True).click()
        expect(line(bob, "theirs", "into the void")).to_have_count(1)
        expect(line(bob, "theirs", "before")).to_have_count(1)


def test_hostile_text_is_shown_as_text(new_page: Callable[..., Page]) -> None:
    """C225: in what is said, in names, and in the names of who is here."""
    with serving(LESSON / "chat.py") as server:
        ada, eve = new_page(), new_page()
        enter(ada, server.port, "Ada")
        enter(eve, server.port, "<b>Eve</b>")
        say(eve, HOSTILE)
        expect(line(ada, "theirs", HOSTILE)).to_have_text(f"<b>Eve</b>{HOSTILE}")
        expect(line(ada, "event", "<b>Eve</b> is here")).to_have_count(1)
        expect(ada.locator("#members")).to_have_text("Here: <b>Eve</b>, Ada")
        assert ada.locator("#log img, #log script, #members b").count() == 0
        assert ada.title() == "tea"
        say(eve, "the last word")  # whatever the markup had begun would have run before this
        expect(line(ada, "theirs", "the last word")).to_have_count(1)
        assert ada.title() == eve.title() == "tea"


def test_over_https_the_socket_is_wss(new_page: Callable[..., Page]) -> None:
    """C213, C222: the page is the real one, seen as if a proxy with TLS stood before it."""
    with serving(LESSON / "chat.py") as server:
        page = new_page(own_profile=True)
        asked: list[str] = []

        def pass_on(route: Route) -> None:
            path = route.request.url.partition("secure.example")[2]
            with urlopen(f"{server.url}{path}", timeout=30) as answer:
                kind = answer.headers["Content-Type"]
                route.fulfill(body=answer.read(), content_type=kind)

        def accept(socket: WebSocketRoute) -> None:
            asked.append(socket.url)

        page.route("https://secure.example/**", pass_on)
        page.route_web_socket(lambda url: True, accept)
        page.goto("https://secure.example/room?room=tea&name=Ada")
        expect(state(page)).to_have_text("open")
        assert asked == ["wss://secure.example/socket/tea?name=Ada"]


def test_a_foreign_page_gets_no_socket_though_the_cookie_goes_along(
    new_page: Callable[..., Page], tmp_path: Path
) -> None:
    """C220, C221, C226: the handshake is refused; with check_origin() always true it is not.

    The cookie goes along from another port, which is the same site, and not from another site.
    """
    careless = tmp_path / "login.py"
    text = (LESSON / "login.py").read_text(encoding="utf-8")
    text = text.replace("HERE = Path(__file__).parent", f"HERE = Path({str(LESSON)!r})")
    prepare = "    def prepare(self) -> None:\n"
    always = "    def check_origin(self, origin: str) -> bool:\n        return True\n\n"
    assert prepare in text
    careless.write_text(text.replace(prepare, always + prepare), encoding="utf-8")
    with serving(LESSON / "app.py") as elsewhere:
        for script, seen in (
            (LESSON / "login.py", "closed with 1006"),
            (careless, "Ada said 'who am I?'"),
        ):
            with serving(script) as server:
                page = new_page()
                page.goto(server.url)
                page.get_by_label("Name").fill("Ada")
                page.get_by_role("button", name="Log in").click()
                expect(page.get_by_text("Logged in as Ada")).to_be_visible()
                socket = f"ws://localhost:{server.port}/socket"
                assert page.evaluate(ASK, socket) == "Ada said 'who am I?'"
                page.goto(elsewhere.url)  # another port: another origin of the same site
                if script == careless:
                    assert page.evaluate(ASK, socket) == seen
                else:
                    with page.expect_console_message(says("WebSocket connection to .* 403")):
                        assert page.evaluate(ASK, socket) == seen
                page.goto(elsewhere.url.replace("localhost", "127.0.0.1"))  # another site
                with page.expect_console_message(says("HTTP Authentication failed")):  # no cookie
                    assert page.evaluate(ASK, socket) == "closed with 1006"


def says(pattern: str) -> Callable[[ConsoleMessage], bool]:
    """Return whether a message of the console has a text."""
    return lambda message: re.search(pattern, message.text) is not None


@pytest.mark.parametrize("name", ["messages", "room", "login", "slow_reader"])
def test_every_page_is_in_order_on_a_phone(new_page: Callable[..., Page], name: str) -> None:
    """C222"""
    with serving(LESSON / f"{name}.py") as server:
        page = new_page(viewport=PHONE, color_scheme="dark")
        page.goto(server.url)
        expect(page.get_by_role("heading").first).to_be_visible()
        assert violations(page) == []
        expect_no_sideways_scroll(page)


def test_a_text_arrives_three_times(new_page: Callable[..., Page]) -> None:
    """C550"""
    with serving(LESSON / "three_ways.py") as server:
        page = new_page()
        page.goto(server.url)
        page.get_by_label("Message", exact=True).fill("Grüß dich")
        page.get_by_role("button", name="Send").click()
        for way in ("WebSocket", "Server-Sent Events", "Long polling"):
            expect(page.get_by_role("log", name=way)).to_have_text("1: Grüß dich")
        assert violations(page) == []


def test_a_logout_in_one_tab_closes_the_socket_of_another(new_page: Callable[..., Page]) -> None:
    """C553"""
    with serving(LESSON / "logout.py") as server:
        page = new_page()
        page.goto(server.url)
        page.get_by_label("Name").fill("Ada")
        page.get_by_role("button", name="Log in").click()
        expect(state(page)).to_have_text("open")
        other = page.context.new_page()
        other.goto(server.url)
        expect(state(other)).to_have_text("open")
        page.get_by_role("button", name="Log out").click()
        expect(line(other, "event", "closed: 4001 logged out")).to_have_count(1)
