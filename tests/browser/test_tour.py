"""The tour in Chromium: text, editor, results, exercises, and every command of the lessons."""

import gzip
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import ConsoleMessage, Dialog, Locator, Page, Response, expect
from playwright.sync_api import Request as BrowserRequest

from course.catalog import Catalog, Exercise
from course.tour.outline import outline
from tests.support.accessibility import violations
from tests.support.browser_person import PHONE
from tests.support.checkout import ROOT, make_checkout, serving
from tests.support.script_environment import servers_for
from tests.support.services import require_needs

pytestmark = pytest.mark.service("chromium", "curl")

CATALOG = Catalog(ROOT)
PAGE_LIMIT = 300_000
"""Bytes of a page with all its files, compressed."""
LOOPBACK = re.compile(r"(https?|ws)://localhost:\d+/|data:|about:|blob:")
# The browser reports an answer with an error status, which the page shows in its own words.
EXPECTED = re.compile(r"status of (401|403|409|412)|WebSocket connection to .* failed")

PRINTER = '''"""Print numbered lines."""

from asyncio import run, sleep


async def main():
    print("Open http://localhost:8888", flush=True)
    for number in range(100_000):
        print(f"line {number}", flush=True)
        await sleep(0.05)


run(main())
'''
FLOOD = '''"""Print as much as the pipe takes, and one line at the end."""

print("Open http://localhost:8888", flush=True)
for _ in range(20_000):
    print("x" * 499)
print("the last line", flush=True)
'''
BLOCKING = '''"""A handler that blocks the event loop."""

import asyncio
from socket import create_connection

import tornado.web


class SlowHandler(tornado.web.RequestHandler):
    def get(self):
        create_connection(("127.0.0.1", GATE)).recv(1)
        self.write("slow\\n")


async def main():
    tornado.web.Application([("/", SlowHandler)]).listen(8888, "localhost")
    print("Open http://localhost:8888", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
'''
SOCKET = '''"""A WebSocket that answers with what it gets."""

import asyncio

import tornado.web
import tornado.websocket


class EchoHandler(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        if message == "end":
            self.close(4001, "as you like")
        else:
            self.write_message(f"echo {message}")


async def main():
    tornado.web.Application([("/ws", EchoHandler)]).listen(8888, "localhost")
    print("Open http://localhost:8888", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
'''

# Runs all commands of the pages at some addresses, as the buttons do; returns those that differ.
RUN_ALL = """async addresses => {
    const { api, Channel } = await import("/static/connection.js");
    const channel = new Channel();
    let runs = [], changed = () => {};
    channel.on("runs", message => { runs = message.runs; changed(); });
    const stop = async run => {
        channel.send({ type: "stop", run });
        while (runs.some(each => each.run === run && each.state !== "ended"))
            await new Promise(resolve => { changed = resolve; });
    };
    channel.connect();
    const differing = [];
    let count = 0;
    for (const address of addresses) {
        const html = await (await fetch(address)).text();
        const { sessions } = JSON.parse(
            new DOMParser().parseFromString(html, "text/html").getElementById("page").textContent);
        for (const session of sessions) {
            const started = new Set();
            for (const [number, { text, kind }] of session.commands.entries()) {
                if (kind === "other") continue;
                const result = await api("POST", `/api/session/${session.id}/${number}`);
                count += 1;
                started.add(result.run);
                if (!result.matches) differing.push({ session: session.id, text, ...result });
            }
            for (const run of started) await stop(run);
        }
    }
    return { differing, count };
}"""


@dataclass(frozen=True)
class Tour:
    """A running tour.

    Attributes:
        address: the address with the one-time code.
        root: the checkout that it shows.
        token: the token of its pages.
    """

    address: str
    root: Path
    token: str

    def url(self, path: str) -> str:
        """Return the address of a page, without the code."""
        return self.address.partition("/#")[0] + path

    def exercise(self, label: str) -> Exercise:
        """Return an exercise of this checkout."""
        [exercise] = Catalog(self.root).select_exercises(label)[1]
        return exercise


@contextmanager
def running_tour(root: Path) -> Iterator[Tour]:
    """Run the tour of a checkout inside the block."""
    arguments = ["tour", "--no-browser", "--port=0"]
    with serving(root, arguments, "#code=") as address:
        code = address.partition("#code=")[2]
        body = json.dumps({"code": code}).encode()
        base = address.partition("/#")[0]
        with urlopen(Request(f"{base}/api/token", body, method="POST"), timeout=30) as answer:
            yield Tour(address, root, json.load(answer)["token"])


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkout(tmp_path_factory.mktemp("tour") / "course")


@pytest.fixture(scope="module")
def tour(checkout: Path) -> Iterator[Tour]:
    with running_tour(checkout) as running:
        yield running


Open = Callable[..., Page]


@pytest.fixture
def opened(tour: Tour, new_page: Callable[..., Page]) -> Iterator[Open]:
    """Opens pages of the tour. Any error on the console, or a request elsewhere, fails the test."""
    faults: list[str] = []
    pages: list[Page] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED.search(message.text):
            faults.append(f"{message.text} {message.location}")

    def on_request(request: BrowserRequest) -> None:
        if not LOOPBACK.match(request.url):
            faults.append(request.url)

    def open_page(path: str, *, token: bool = True, **look: Any) -> Page:
        page = new_page(own_profile=True, **look)
        page.on("console", on_console)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", on_request)
        if token:
            value = json.dumps(tour.token)
            page.add_init_script(f"localStorage.setItem('tour.token', {value})")
        page.goto(tour.url(path))
        if token:
            expect(page.locator(".keys-opener")).to_be_attached()
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        if page.evaluate("'tour.token' in localStorage"):
            stop_all(page)
    assert not faults, "\n".join(faults)


def stop_all(page: Page) -> None:
    """Stop the scripts that run; one of them may end by itself at the same moment."""
    page.evaluate("document.querySelectorAll('.runs [aria-label^=Stop]').forEach(it => it.click())")
    expect(page.locator(".runs")).to_be_hidden()


def use_file(page: Page, tour: Tour, label: str, text: str) -> None:
    """Write a text to the learner's file of an exercise, and wait until the editor shows it."""
    work_file = tour.exercise(label).work_file
    work_file.parent.mkdir(parents=True, exist_ok=True)
    work_file.write_text(text, encoding="utf-8")
    page.goto(tour.url(f"/exercise/{label}"))
    expect(editor(page)).to_contain_text(text.splitlines()[0])


def editor(page: Page) -> Locator:
    return page.locator(".cm-content, textarea.plain")


def type_over(page: Page, text: str) -> None:
    """Replace the text of the editor, which has the focus."""
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)


def run_button(page: Page, command: str) -> Locator:
    return page.locator(".command", has_text=command).get_by_role("button", name="un:").first


def test_the_address_of_the_terminal_opens_the_tour(checkout: Path, fresh_page: Page) -> None:
    arguments = ["tour", "--no-browser", "--port=0"]
    with serving(checkout, arguments, "#code=") as address:
        fresh_page.goto(address)
        expect(fresh_page.locator(".keys-opener")).to_be_attached()
        assert "#" not in fresh_page.url
        fresh_page.reload()
        expect(fresh_page.locator(".keys-opener")).to_be_attached()
        assert fresh_page.context.cookies() == []
    notice = fresh_page.locator(".notice")
    expect(notice).to_contain_text("The tour does not answer")
    port = re.findall(r":(\d+)/", address)[0]
    with serving(checkout, [*arguments[:-1], f"--port={port}"], "#code=") as address:
        expect(notice).to_contain_text("open the address that the terminal")
        fresh_page.goto(address)
        expect(fresh_page).to_have_url(address.partition("#")[0])
        expect(fresh_page.locator(".keys-opener")).to_be_attached()
        expect(notice).to_be_hidden()


def test_a_page_without_token_can_be_read(opened: Open) -> None:
    page = opened("/01/1", token=False)
    expect(page.locator(".notice")).to_contain_text("address that the terminal")
    expect(page.locator(".notice")).to_contain_text("Press Enter in that terminal")
    expect(page.get_by_role("heading", level=1)).to_have_text("The smallest server")
    expect(page.get_by_role("button", name="Run")).to_have_count(0)


def test_commands_of_the_text_run(opened: Open) -> None:
    page = opened("/01/1")
    run_button(page, "learn.py run 01").click()
    expect(page.locator(".mark").first).to_have_text("as in the text")
    expect(page.locator(".output")).to_contain_text("Open http://localhost:")
    expect(page.locator(".run-status")).to_contain_text("01/app runs at http://localhost:")
    address = page.locator(".run-status a")
    expect(address).to_have_attribute("href", address.inner_text())
    run_button(page, "curl").click()
    expect(page.locator(".mark").nth(1)).to_have_text("as in the text")
    expect(page.locator(".answer")).to_contain_text("Hello, world")
    page.reload()
    expect(page.locator(".mark").nth(1)).to_have_text("as in the text")
    expect(page.get_by_role("tab", name="Request")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".answer")).to_contain_text("Hello, world")
    page.get_by_role("tabpanel", name="Request").get_by_role("button", name="Send").click()
    expect(page.locator(".answer")).to_contain_text("200 OK")
    page.get_by_role("tab", name="Page").click()
    frame = page.frame_locator("iframe[title='Page of the script']")
    expect(frame.locator("body")).to_contain_text("Hello, world")
    page.goto(page.url.replace("/01/1", "/"))
    page.get_by_role("button", name="Stop 01/app").click()
    expect(page.locator(".runs")).to_be_hidden()


def test_break_it_makes_the_change_in_a_copy_and_undo_ends_it(opened: Open) -> None:
    page = opened("/01/6")
    button = page.get_by_role("button", name="Change and run: ")
    button.click()
    expect(page.locator(".mark.as-shown")).to_have_text("as in the text")
    expect(page.locator(".runs")).to_contain_text("changed")
    page.get_by_role("button", name="Undo the change").click()
    expect(page.locator(".runs")).to_be_hidden()
    expect(page.get_by_role("button", name="Undo the change")).to_be_hidden()


def test_a_fourth_script_takes_the_place_of_the_oldest(opened: Open, tour: Tour) -> None:
    page = opened("/")
    for path in ("/01/1", "/01/3", "/01/6", "/01/8"):
        page.goto(tour.url(path))
        run_button(page, "learn.py run").click()
        expect(page.locator(".mark").first).to_have_text("as in the text")
    names = page.locator(".runs .name")
    expect(names).to_have_text(["01/make_app", "01/response_output", "01/errors"])
    note = page.get_by_role("status").filter(has_text="01/app was stopped, because at most 3")
    expect(note).to_be_visible()
    note.get_by_role("button", name="Close").click()
    expect(note).to_be_hidden()


def test_behind_a_proxy_a_script_has_an_address_of_its_own(opened: Open) -> None:
    page = opened("/01/1", token=False)
    addresses = page.evaluate("""async () => {
        const { Runs } = await import("/static/runs.js");
        const run = { run: "1", url: "http://localhost:4000/chat", port: 4000 };
        return [null, "", "https://name-{port}.app.example"].map(
            proxied => new Runs({ on() {} }, new Set(), proxied).addressOf(run));
    }""")
    assert addresses == [
        "http://localhost:4000/chat",
        "",
        "https://name-4000.app.example/chat",
    ]


def test_a_link_to_a_script_opens_it_in_the_editor(opened: Open, tour: Tour) -> None:
    page = opened("/01/1", viewport=PHONE)
    page.locator("a[data-file='script:01/app']").first.click()
    expect(page).to_have_url(tour.url("/01/1"))
    expect(editor(page)).to_be_focused()
    expect(page.locator(".file-state")).to_contain_text("lessons/01_hello/app.py")


def test_a_page_without_files_has_no_workbench(opened: Open) -> None:
    page = opened("/10/stage_02/1")
    expect(page.locator("#workbench")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def solution_of(tour: Tour, label: str) -> str:
    return tour.exercise(label).solution.read_text("utf-8")


def test_a_lesson_by_keyboard_alone(opened: Open, tour: Tour) -> None:
    page = opened("/")
    page.keyboard.press("Tab")  # to the skip link
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#continue a")).to_be_focused()
    page.goto(tour.url("/01"))
    places = [place.address for place in outline(CATALOG).lessons[0].chapters[0].places]
    assert places[0] == "/01"
    assert sum(place.startswith("/exercise/") for place in places) == 2
    for place in places:
        expect(page).to_have_url(tour.url(place))
        expect(page.locator(".keys-opener")).to_be_attached()
        if place == "/01/1":
            run_button(page, "learn.py run 01").focus()
            page.keyboard.press("Enter")
            expect(page.locator(".mark").first).to_have_text("as in the text")
        if place.startswith("/exercise/"):
            solve(page, tour, place.removeprefix("/exercise/"))
        page.keyboard.press("Alt+n")
        expect(page).not_to_have_url(tour.url(place))
    page.goto(tour.url("/"))
    expect(page.locator(".done[data-lesson='01']")).to_contain_text("solved 2 of")
    progress = json.loads((tour.root / ".progress.json").read_text("utf-8"))
    assert "01_hello/allow_head" in json.dumps(progress)


def solve(page: Page, tour: Tour, label: str) -> None:
    """Solve an exercise with keys alone: a wrong try, a hint, then the solution."""
    expect(page.locator(".file-state")).to_contain_text("saved")
    while not page.evaluate("document.activeElement.classList.contains('code-mirror')"):
        page.keyboard.press("F6")
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.insert_text("\n# a try\n")
    expect(page.locator(".file-state")).to_contain_text("not saved")
    page.keyboard.press("ControlOrMeta+s")
    expect(page.locator(".verdict")).to_contain_text("failed, after")
    expect(page.locator(".failures pre").first).to_contain_text("expected")
    page.keyboard.press("ControlOrMeta+Shift+h")
    expect(page.locator(".help")).to_contain_text("Hint 1 of")
    type_over(page, solution_of(tour, label))
    page.keyboard.press("ControlOrMeta+s")
    expect(page.locator(".verdict")).to_contain_text("Solved")
    expect(page.locator(".state").first).to_have_text("· solved")


def test_a_failed_check_leads_to_the_line(opened: Open, tour: Tour) -> None:
    page = opened("/")
    use_file(page, tour, "02/define_options", "import tornado.web\n\nraise ValueError('no')\n")
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("button", name="Go to your line 3").click()
    expect(page.locator(".cm-activeLine")).to_have_text("raise ValueError('no')")
    expect(page.locator(".cm-lint-marker")).to_have_count(1)


def test_an_edit_in_another_editor_is_never_lost(opened: Open, tour: Tour) -> None:
    page = opened("/")
    label = "02/file_and_line"
    use_file(page, tour, label, "first = 1\n")
    work_file = tour.exercise(label).work_file
    work_file.write_text("second = 2\n", "utf-8")
    expect(editor(page)).to_contain_text("second = 2")
    editor(page).click()
    type_over(page, "mine = 3\n")
    work_file.write_text("theirs = 4\n", "utf-8")
    banner = page.locator(".banner")
    expect(banner).to_contain_text("changed by another program")
    banner.get_by_role("button", name="Compare").click()
    expect(page.locator("dialog .added")).to_contain_text("mine = 3")
    expect(page.locator("dialog .removed")).to_contain_text("theirs = 4")
    page.locator("dialog[open]").get_by_role("button", name="Close").click()
    banner.get_by_role("button", name="Keep my text").click()
    expect(banner).to_be_hidden()
    assert work_file.read_text("utf-8") == "mine = 3\n"
    editor(page).click()
    type_over(page, "mine again = 5\n")
    work_file.write_text("theirs again = 6\n", "utf-8")
    banner.get_by_role("button", name="Take the file's text").click()
    expect(editor(page)).to_contain_text("theirs again = 6")
    assert work_file.read_text("utf-8") == "theirs again = 6\n"


def test_a_reload_continues_the_output(opened: Open, tour: Tour) -> None:
    page = opened("/")
    use_file(page, tour, "03/empty_list", PRINTER)
    page.keyboard.press("ControlOrMeta+Enter")
    expect(page.locator(".output")).to_contain_text("line 5\n")
    page.reload()
    page.get_by_role("tab", name="Output").click()
    expect(page.locator(".output")).to_contain_text("line 60\n")
    numbers = [
        int(each) for each in re.findall(r"line (\d+)\n", page.locator(".output").inner_text())
    ]
    assert numbers == [*range(len(numbers))]


def test_a_flood_of_output_is_cut(opened: Open, tour: Tour) -> None:
    page = opened("/")
    use_file(page, tour, "03/empty_list", FLOOD)
    page.keyboard.press("ControlOrMeta+Enter")
    output = page.locator(".output")
    expect(output).to_contain_text("the last line")
    expect(output).to_contain_text("bytes left out")
    assert page.evaluate("document.querySelector('.output').textContent.length") < 120_000


def test_a_blocked_loop_is_shown_at_its_line(opened: Open, tour: Tour) -> None:
    page = opened("/")
    with socket.create_server(("127.0.0.1", 0)) as gate:  # it keeps the handler waiting
        source = BLOCKING.replace("GATE", str(gate.getsockname()[1]))
        use_file(page, tour, "03/empty_list", source)
        page.keyboard.press("ControlOrMeta+Enter")
        expect(page.locator(".run-status")).to_contain_text("runs at")
        page.get_by_role("tab", name="Request").click()
        page.get_by_role("button", name="Send").click()
        page.get_by_role("tab", name="Output").click()
        expect(page.locator(".run-status")).to_contain_text("blocked")
        expect(page.locator(".run-status")).to_contain_text("line 11 of")
        expect(page.locator(".run-status")).to_contain_text(".recv(1)")
        expect(page.locator(".cm-lint-marker")).to_have_count(1)
        gate.accept()[0].close()
    expect(page.locator(".run-status")).to_contain_text("runs at")
    expect(page.locator(".cm-lint-marker")).to_have_count(0)


def test_the_socket_tab_talks_to_a_script(opened: Open, tour: Tour) -> None:
    page = opened("/")
    use_file(page, tour, "03/empty_list", SOCKET)
    page.keyboard.press("ControlOrMeta+Enter")
    expect(page.locator(".run-status")).to_contain_text("runs at")
    page.get_by_role("tab", name="Socket").click()
    page.get_by_role("button", name="Open", exact=True).click()
    panel = page.get_by_role("tabpanel", name="Socket")
    panel.get_by_label("Message", exact=True).fill("hello")
    panel.get_by_role("button", name="Send").click()
    expect(panel.locator(".received")).to_contain_text("echo hello")
    panel.get_by_label("Message", exact=True).fill("end")
    panel.get_by_role("button", name="Send").click()
    expect(panel.locator(".messages")).to_contain_text("code 4001, as you like")


def test_the_socket_tab_knows_the_path_of_the_script(opened: Open) -> None:
    page = opened("/06/1")
    run_button(page, "learn.py run 06").click()
    expect(page.locator(".mark").first).to_have_text("as in the text")
    page.get_by_role("tab", name="Socket").click()
    panel = page.get_by_role("tabpanel", name="Socket")
    expect(panel.get_by_label("Path")).to_have_value("/echo")
    panel.get_by_role("button", name="Open", exact=True).click()
    expect(panel.locator(".messages")).to_contain_text("opened")
    panel.get_by_label("Path").fill("/mine")
    page.get_by_role("button", name="Change it").click()
    expect(page.locator(".file-state")).to_contain_text("my_work")
    expect(panel.get_by_label("Path")).to_have_value("/mine")


def test_a_lesson_of_which_one_page_was_visited_is_not_done(opened: Open, tour: Tour) -> None:
    page = opened("/08")
    with page.expect_response("**/api/visited"):
        page.reload()
    page.goto(tour.url("/"))
    links = page.locator("a[data-address='/08']")
    expect(links).to_have_count(2)
    expect(links.last.locator(".tick")).to_be_attached()
    expect(page.locator("h2 .tick")).to_have_count(0)
    expect(page.locator(".done[data-lesson='08']")).to_contain_text("minutes left")


def test_the_introduction_says_that_run_replaces_the_terminal(opened: Open, tour: Tour) -> None:
    page = opened("/01", token=False)
    expect(page.locator(".hint")).to_contain_text("a free port instead of 8888")
    page.goto(tour.url("/10"))
    expect(page.locator(".hint")).to_contain_text("a terminal of your own")


def test_a_check_says_that_it_shows_a_cause_once(opened: Open, tour: Tour) -> None:
    page = opened("/")
    exercise = tour.exercise("01/allow_head")
    use_file(page, tour, exercise.label, exercise.stub.read_text("utf-8"))
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".verdict")).to_contain_text("2 of 4 cases failed")
    expect(page.locator(".failures li")).to_have_count(1)
    expect(page.locator(".notes")).to_contain_text("shown once")


def test_a_solution_is_shown_after_a_try_or_on_a_second_request(opened: Open, tour: Tour) -> None:
    page = opened("/exercise/03/static_links")
    page.get_by_role("button", name="Show a solution").click()
    expect(page.locator(".help")).to_contain_text("Try it first")
    expect(page.locator(".help pre")).to_have_count(0)
    page.get_by_role("button", name="Show it anyway").click()
    first = solution_of(tour, "03/static_links").splitlines()[0]
    expect(page.locator(".help pre")).to_contain_text(first)
    expect(page.locator(".help")).not_to_contain_text("Try it first")


def test_a_page_with_unsaved_text_is_not_left_without_a_question(opened: Open, tour: Tour) -> None:
    page = opened("/exercise/03/static_links")
    expect(page.locator(".file-state")).to_contain_text("saved")
    editor(page).click()
    page.keyboard.insert_text("# unsaved\n")
    expect(page.locator(".file-state")).to_contain_text("not saved")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    with page.expect_event("dialog"):
        page.evaluate("location.href = '/'")
    expect(editor(page)).to_contain_text("# unsaved")
    assert asked == ["beforeunload"]
    page.keyboard.press("ControlOrMeta+s")
    expect(page.locator(".file-state")).to_contain_text(", saved")
    page.goto(tour.url("/"))
    assert len(asked) == 1


def test_the_plain_editor_is_remembered(opened: Open, tour: Tour) -> None:
    page = opened("/exercise/02/file_and_line")
    page.get_by_role("button", name="Plain text").click()
    expect(page.locator("textarea.plain")).to_be_visible()
    page.reload()
    expect(page.locator("textarea.plain")).to_be_visible()
    page.locator("textarea.plain").fill("plain = 1\n")
    page.keyboard.press("ControlOrMeta+s")
    expect(page.locator(".file-state")).to_contain_text(", saved")
    assert tour.exercise("02/file_and_line").work_file.read_text("utf-8") == "plain = 1\n"


def test_a_script_is_changed_in_a_copy(opened: Open, tour: Tour) -> None:
    page = opened("/01/1")
    original = (tour.root / "lessons/01_hello/app.py").read_text("utf-8")
    expect(page.locator(".file-state")).to_contain_text("read only")
    page.get_by_role("button", name="Change it").click()
    expect(page.locator(".file-state")).to_contain_text("my_work/01_hello/tour/")
    type_over(page, original.replace("Hello, world", "Changed"))
    page.keyboard.press("ControlOrMeta+Enter")
    expect(page.locator(".run-status")).to_contain_text("runs at")
    run_button(page, "curl").click()
    expect(page.locator(".mark").nth(1)).to_have_text("differs")
    expect(page.locator(".answer")).to_contain_text("Changed")
    page.get_by_role("button", name="Reset").click()
    expect(editor(page)).to_contain_text("Hello, world")
    assert (tour.root / "lessons/01_hello/app.py").read_text("utf-8") == original


def test_the_bars_between_panes_move_by_keys(opened: Open) -> None:
    page = opened("/01/1")
    bar = page.get_by_role("separator", name="Width of the text")
    before = page.locator("main").bounding_box()
    bar.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(bar).to_have_attribute("aria-valuenow", "35")
    after = page.locator("main").bounding_box()
    assert before
    assert after
    assert after["width"] < before["width"] - 100
    page.reload()
    expect(bar).to_have_attribute("aria-valuenow", "35")
    box = bar.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, 300)
    page.mouse.down()
    page.mouse.move(page.evaluate("innerWidth") * 0.6, 300)
    page.mouse.up()
    expect(bar).to_have_attribute("aria-valuenow", "60")


def test_a_narrow_window_shows_one_pane(opened: Open) -> None:
    page = opened("/01/1", viewport=PHONE)
    for name, place in (("Code", ".editor"), ("Result", ".result"), ("Text", "article")):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(place)).to_be_visible()
        others = {".editor", ".result", "article"} - {place}
        for other in others:
            expect(page.locator(other)).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_run_button_stays_where_it_was_pressed(opened: Open) -> None:
    page = opened("/01/1", viewport=PHONE)
    button = run_button(page, "curl")
    command = page.locator(".command", has_text="curl").first
    before = button.evaluate("it => it.offsetLeft")
    button.click()
    expect(command.locator(".mark.as-shown")).to_be_visible()
    assert button.evaluate("it => it.offsetLeft") == before
    below = "it => it.querySelector('.mark').offsetTop - it.querySelector('.run').offsetTop"
    assert command.evaluate(below) > 0
    result = page.get_by_role("button", name="Result new", exact=True)
    result.click()
    expect(result).to_have_count(0)
    expect(page.locator(".answer")).to_contain_text("Hello, world")


def test_the_question_mark_lists_the_keys(opened: Open) -> None:
    page = opened("/01/1")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Ctrl-Shift-H")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/01", "/01/2", "/exercise/01/allow_head", "/10/stage_02/2"])
def test_axe_finds_nothing(opened: Open, path: str, scheme: str) -> None:
    page = opened(path, color_scheme=scheme)
    assert violations(page) == []
    if path == "/01/2":
        run_button(page, "curl").click()
        expect(page.locator(".mark.as-shown")).to_have_count(1)
        for tab in ("Output", "Request", "Socket", "Page"):
            page.get_by_role("tab", name=tab).click()
            assert violations(page) == [], tab
        page.get_by_role("button", name="Plain text").click()
        page.keyboard.press("?")
        assert violations(page) == []
        page.keyboard.press("Escape")
    if path.startswith("/exercise"):
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator(".verdict")).to_have_class(re.compile("passed|failed"))
        page.keyboard.press("ControlOrMeta+Shift+h")
        expect(page.locator(".help section")).to_have_count(1)
        assert violations(page) == []


def test_a_page_is_light(opened: Open, tour: Tour) -> None:
    page = opened("/")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(tour.url("/01/4"))
    expect(editor(page)).to_contain_text("class")
    addresses = {answer.url for answer in answers if "/api/" not in answer.url}
    assert len(addresses) > 15
    size = 0
    for address in addresses:
        with urlopen(address, timeout=30) as answer:
            size += len(gzip.compress(answer.read()))
    assert size < PAGE_LIMIT


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [each.lesson.number for each in outline(CATALOG).lessons])
def test_every_run_and_break_button_gives_what_the_text_says(
    number: str, checkout: Path, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    lesson = next(each for each in outline(CATALOG).lessons if each.lesson.number == number)
    parts = [place for chapter in lesson.chapters for place in chapter.places if place.part]
    sessions = [each for place in parts if place.part for each in place.part.sessions()]
    for script in {session.block.script for session in sessions}:
        require_needs(script)
    with ExitStack() as stack:
        for script in {session.block.script for session in sessions}:
            stack.enter_context(servers_for(script))
        running = stack.enter_context(running_tour(checkout))
        page = new_page(own_profile=True)
        page.add_init_script(f"localStorage.setItem('tour.token', {json.dumps(running.token)})")
        page.goto(running.url("/"))
        found = page.evaluate(RUN_ALL, [place.address for place in parts])
        assert not found["differing"], "\n".join(
            "{session}\n$ {command}\nshown:\n{shown}\nreal:\n{output}".format(**each)
            for each in found["differing"]
        )
        assert found["count"] == sum(len(session.commands) for session in sessions)
