"""The conversation: what is shown, what is kept, and that nothing jumps."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.support.browser_person import DESKTOP, PHONE, Person
from tests.support.browser_profiles import Profiles
from tests.support.chat_server import ChatServer

pytestmark = pytest.mark.service("chromium")

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    '"><svg/onload=alert(1)>',
    "javascript:alert(1)",
    "{{ handler.settings }} {% raw 1 %}",
    "&lt;b&gt; &amp; '; DROP TABLE users; --",
]
IS_AT_END = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"
AFTER_A_FRAME = (
    "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
)


@pytest.fixture(scope="module")
def two(profiles: Profiles, shared_server: ChatServer) -> Iterator[tuple[Person, Person]]:
    """Two people whose pages stay open from test to test."""
    people = (
        Person(profiles, shared_server, "Ann").arrive(),
        Person(profiles, shared_server, "Bob").arrive(),
    )
    yield people
    for someone in people:
        someone.close()


@pytest.fixture
def ann(two: tuple[Person, Person]) -> Iterator[Person]:
    yield two[0]
    assert two[0].errors == []


@pytest.fixture
def bob(two: tuple[Person, Person]) -> Iterator[Person]:
    yield two[1]
    assert two[1].errors == []


@pytest.fixture
def group(ann: Person, bob: Person, request: pytest.FixtureRequest) -> str:
    """A group, the test's own, that both have open."""
    title: str = request.node.name.removeprefix("test_").replace("_", " ")[:60]
    ann.make_group(title)
    bob.join_group(title)
    return title


def test_hostile_text_is_shown_as_text_everywhere(person: Callable[..., Person]) -> None:
    ann: Person = person('<img src=x onerror="alert(1)">', own_profile=True)
    bob: Person = person("Bob", own_profile=True)
    dialogs: list[str] = []
    for someone in ann, bob:
        someone.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    group = f"<b>bold</b> {ann.name}"
    ann.arrive().make_group(group, "<script>alert(2)</script>")
    bob.arrive().join_group(group)
    for text in HOSTILE:
        ann.say(text)
        bob.sees(text)
    expect(bob.log.locator(".sender").first).to_have_text(ann.nickname)
    expect(bob.log.locator("a, img[src], script, svg[onload]")).to_have_count(0)
    expect(bob.page.locator("#members")).to_contain_text(ann.nickname)
    expect(bob.page.locator("#about")).to_contain_text("<script>alert(2)</script>")
    bob.page.reload()
    bob.sees(HOSTILE[0])
    ann.picture("hostile")
    assert dialogs == []


def test_only_web_addresses_become_links(ann: Person, bob: Person, group: str) -> None:
    text = "See (https://example.org/a_(b)?q=1&r=<2>), http://example.com. ftp://no javascript:x"
    ann.say(text)
    bob.sees(text)
    links = bob.log.get_by_role("link")
    expect(links).to_have_text(["https://example.org/a_(b)?q=1&r=", "http://example.com"])
    for link in links.all():
        expect(link).to_have_attribute("rel", re.compile("noopener"))
        expect(link).to_have_attribute("target", "_blank")


def test_code_is_set_apart_scrolls_in_its_bubble_and_is_copied(
    ann: Person, bob: Person, group: str
) -> None:
    line = f"open('https://example.org/{'x' * 200}')"
    text = f"```python\nif 1:\n    {line}\n```\nTry `https://a.example`: that is <b>all</b>."
    ann.say(text)
    bob.sees(text)
    expect(bob.log.get_by_role("link")).to_have_count(0)
    block = bob.log.locator(".code-block code")
    expect(block).to_have_text(f"if 1:\n    {line}")
    for size in PHONE, DESKTOP:
        bob.page.set_viewport_size(size)
        if size is PHONE:
            bob.picture("code-phone")
            bob.expect_accessible()
        assert block.evaluate("code => code.scrollWidth > code.clientWidth + 100")
        assert bob.log.evaluate("log => log.scrollWidth <= log.clientWidth")
    expect(bob.entry(group).locator(".line")).to_contain_text("Try https://a.example: that")
    bob.log.get_by_role("button", name="Copy the code").click()
    expect(bob.page.locator("#notice")).to_have_text("Copied.")
    bob.composer.focus()
    bob.page.keyboard.press("Control+V")
    expect(bob.composer).to_have_value(f"if 1:\n    {line}")
    bob.composer.fill("")
    ann.page.set_viewport_size(PHONE)
    ann.log.get_by_role("button", name="Copy the code").click()  # not covered by the menu's button
    expect(ann.page.locator("#notice")).to_have_text("Copied.")
    ann.page.set_viewport_size(DESKTOP)  # her page stays open for the next tests


def test_shift_enter_breaks_the_line_and_the_field_grows(
    ann: Person, bob: Person, group: str
) -> None:
    """C279"""
    before = ann.composer.bounding_box()
    ann.composer.press_sequentially("one")
    ann.composer.press("Shift+Enter")
    ann.composer.press_sequentially("two")
    ann.composer.press("Shift+Enter")
    ann.composer.press_sequentially("three")
    after = ann.composer.bounding_box()
    assert before and after and after["height"] > before["height"] + 40
    ann.composer.press("Enter")
    expect(bob.log.locator("[data-seq] .text").last).to_have_text("one\ntwo\nthree")
    expect(ann.composer).to_have_value("")
    grown = ann.composer.bounding_box()
    assert grown and grown["height"] == before["height"]


def test_the_end_stays_in_view_while_the_field_grows_and_shrinks(
    ann: Person, bob: Person, group: str
) -> None:
    ann.say_many([f"line {number}" for number in range(60)])
    expect(bob.message("line 59")).to_be_in_viewport()
    bob.composer.focus()
    latest = bob.page.get_by_role("button", name=re.compile("^Jump to the latest message"))
    for line in range(6):
        bob.page.keyboard.type(f"row {line}")
        bob.page.keyboard.press("Shift+Enter")
        bob.page.evaluate(AFTER_A_FRAME)
        assert bob.log.evaluate(IS_AT_END)
    ann.say("news")
    expect(bob.message("news")).to_be_in_viewport()
    expect(latest).to_be_hidden()
    expect(bob.entry(group).locator(".badge")).to_be_hidden()
    bob.picture("composer-six-rows")
    bob.composer.fill("")
    bob.page.evaluate(AFTER_A_FRAME)
    assert bob.log.evaluate(IS_AT_END)
    bob.page.set_viewport_size({"width": 1280, "height": 500})  # as the keyboard of a phone does
    bob.page.evaluate(AFTER_A_FRAME)
    assert bob.log.evaluate(IS_AT_END)
    bob.page.set_viewport_size(DESKTOP)
    bob.page.evaluate(AFTER_A_FRAME)
    assert bob.log.evaluate(IS_AT_END)
    expect(latest).to_be_hidden()


def test_the_rest_is_counted_near_the_limit_and_nothing_longer_is_sent(
    ann: Person, bob: Person, group: str
) -> None:
    remaining = ann.page.locator("#remaining")
    ann.composer.fill("x" * 3700)
    expect(remaining).to_be_empty()
    ann.composer.fill("𝄞" * 3900)  # two UTF-16 units each, but one character
    expect(remaining).to_have_text("100 characters left")
    ann.composer.fill("x" * 4001)
    expect(remaining).to_have_text("1 character too many")
    ann.composer.press("Enter")
    expect(ann.composer).to_have_value("x" * 4001)
    ann.picture("too-long")
    ann.expect_accessible()
    ann.composer.fill("y" * 4000)
    ann.composer.press("Enter")
    bob.sees("y" * 4000)


def test_a_refused_message_can_be_tried_again_or_deleted(
    ann: Person, group: str, person: Callable[..., Person]
) -> None:
    tab: Person = person(known=ann, own_profile=True)
    accept = tab.refuse_frames("send")
    tab.enter().open_group(group)
    tab.say("first")
    tab.say("second")
    expect(tab.draft("first").get_by_role("img", name="Not sent")).to_be_visible()
    expect(tab.draft("second")).to_contain_text("Too many messages at once.")
    tab.picture("failed")
    tab.expect_accessible()

    tab.draft("second").get_by_role("button", name="Delete").click()
    expect(tab.draft("second")).to_have_count(0)
    accept()
    tab.draft("first").get_by_role("button", name="Try again").click()
    tab.sees("first")
    expect(tab.draft("first")).to_have_count(0)


def test_an_unsent_message_outlives_its_tab_and_goes_out_once(
    ann: Person, bob: Person, group: str, person: Callable[..., Person]
) -> None:
    cut = True
    tab: Person = person(known=ann, own_profile=True)
    tab.context.route_web_socket(
        "**/ws", lambda socket: None if cut else socket.connect_to_server() and None
    )
    tab.page.goto("/")  # the page's socket opens, and nobody is there
    tab.open_group(group)
    tab.say("left behind")
    expect(tab.draft("left behind")).to_be_visible()
    address, closed = tab.page.url, tab.page
    tabs = [tab.context.new_page(), tab.context.new_page()]
    closed.close()
    for tab.page in tabs:
        tab.page.goto(address)
        expect(tab.draft("left behind")).to_be_visible()
    cut = False
    for tab.page in tabs:
        tab.page.reload()
    bob.sees("left behind")
    for tab.page in tabs:
        tab.sees("left behind")
        expect(tab.draft("left behind")).to_have_count(0)


def test_a_lost_acknowledgement_makes_no_second_message(
    ann: Person, bob: Person, group: str, person: Callable[..., Person]
) -> None:
    swallow = True

    def between(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def from_server(message: str | bytes) -> None:
            if swallow and json.loads(message)["type"] in ("ack", "message"):
                route.close()
                server.close()
            else:
                route.send(message)

        server.on_message(from_server)

    tab: Person = person(known=ann, own_profile=True)
    tab.page.route_web_socket("**/ws", between)
    tab.enter().open_group(group)
    tab.say("only once")
    bob.sees("only once")
    swallow = False
    tab.wake()
    expect(tab.draft("only once")).to_have_count(0)
    tab.sees("only once")
    bob.sees("only once")


def test_a_long_history_loads_upwards_and_the_page_stays_small(ann: Person, group: str) -> None:
    # One's own messages are never unread: after a reload she is at the end.
    ann.say_many([f"line {number}" for number in range(400)])
    ann.page.reload()
    ann.sees("line 399")
    assert ann.log.evaluate(IS_AT_END)
    rows = ann.log.locator("[data-seq]")
    for number in range(340, -1, -20):
        ann.scroll_until(f"line {number}", up=True)
        assert rows.count() <= 200
    ann.log.evaluate("log => log.scrollTo(0, 0)")
    expect(ann.log.get_by_text("This is the beginning of the group")).to_be_visible()
    seqs = [int(row.get_attribute("data-seq") or 0) for row in rows.all()]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))

    ann.page.get_by_role("button", name="Jump to the latest message").click()
    ann.sees("line 399")
    assert ann.log.evaluate(IS_AT_END)
    assert rows.count() <= 200


def test_older_messages_do_not_move_what_is_being_read(ann: Person, group: str) -> None:
    ann.say_many([f"line {number}" for number in range(200)])
    ann.page.reload()
    ann.sees("line 199")
    # Scrolled up and looked at in one go, before the page can answer.
    seq, before = ann.log.evaluate(
        """log => {
            log.scrollTo(0, 300);
            const edge = log.getBoundingClientRect().top;
            const row = [...log.querySelectorAll("[data-seq]")]
                .find(row => row.getBoundingClientRect().top > edge);
            return [row.dataset.seq, row.getBoundingClientRect().top];
        }"""
    )
    expect(ann.message("line 110")).to_have_count(1)  # the page above has come
    after = ann.log.locator(f"[data-seq='{seq}']").evaluate(
        "row => row.getBoundingClientRect().top"
    )
    assert abs(before - after) < 2


def test_new_messages_move_only_a_reader_who_is_at_the_end(
    ann: Person, bob: Person, group: str
) -> None:
    ann.say_many([f"line {number}" for number in range(80)])
    bob.sees("line 79")
    assert bob.log.evaluate(IS_AT_END)
    bob.log.evaluate("log => log.scrollBy(0, -400)")  # a wheel would scroll for some frames
    latest = bob.page.get_by_role("button", name=re.compile("Jump to the latest"))
    expect(latest).to_be_visible()
    row = bob.message("line 70")
    before = row.bounding_box()
    ann.say_many([f"later {number}" for number in range(5)])
    expect(latest).to_have_accessible_name("Jump to the latest message, 5 new")
    after = row.bounding_box()
    assert before == after
    expect(bob.log.get_by_text("New messages", exact=True)).to_have_count(1)
    bob.picture("scrolled-up")
    bob.expect_accessible()
    latest.click()
    assert bob.log.evaluate(IS_AT_END)
    expect(latest).to_be_hidden()


def one_elsewhere(person: Callable[..., Person], group: str) -> tuple[Person, Person]:
    """Return two members of a group, of whom the second has another one open."""
    ann, bob = person("Ann").arrive(), person("Bob").arrive()
    ann.make_group(group)
    bob.join_group(group)
    bob.make_group(f"Other of {bob.name}")
    return ann, bob


def test_unread_messages_are_counted_and_marked_until_they_are_seen(
    person: Callable[..., Person],
) -> None:
    group = "Who has read what"
    ann, bob = one_elsewhere(person, group)
    ann.say_many(["one", "two", "three"])
    expect(bob.entry(group).locator(".badge")).to_have_text("3")
    expect(bob.entry(group)).to_contain_text("3 unread messages")
    expect(bob.page).to_have_title(re.compile(r"^\(3\) "))
    bob.picture("unread")
    bob.page.reload()
    expect(bob.entry(group).locator(".badge")).to_have_text("3")
    bob.open_group(group)
    expect(bob.log.get_by_text("New messages", exact=True)).to_be_visible()
    expect(bob.entry(group).locator(".badge")).to_be_hidden()
    expect(bob.page).not_to_have_title(re.compile(r"^\("))
    expect(ann.entry(group).locator(".badge")).to_be_hidden()
    # The mark is on the server: another page of Bob's finds nothing unread.
    other = bob.context.new_page()
    other.goto("/")
    entry = other.get_by_role("navigation").get_by_role("link").filter(has_text=group)
    expect(entry).to_be_visible()
    expect(entry.locator(".badge")).to_be_hidden()


def test_a_conversation_opens_at_its_first_unread_message_however_many_there_are(
    person: Callable[..., Person],
) -> None:
    group = "More than a page"
    ann, bob = one_elsewhere(person, group)
    ann.say_many([f"line {number}" for number in range(300)])
    badge = bob.entry(group).locator(".badge")
    expect(badge).to_have_text("99+")
    bob.page.reload()
    expect(badge).to_have_text("99+")
    expect(bob.entry(group)).to_contain_text("99 or more unread messages")
    bob.open_group(group)
    line = bob.log.get_by_text("New messages", exact=True)
    expect(line).to_be_in_viewport()
    expect(bob.message("line 0")).to_be_in_viewport()
    expect(bob.message("line 299")).to_have_count(0)
    bob.picture("first-unread")
    expect(badge).to_have_text("99+")
    name = "Jump to the latest message, 99 or more new"
    expect(bob.page.get_by_role("button", name=name)).to_be_visible()

    # Only messages that were in view are read: the next visit begins after them.
    bob.page.goto("about:blank")
    bob.enter()
    expect(badge).to_have_text("99+")
    bob.open_group(group)
    expect(line).to_be_in_viewport()
    row = bob.log.locator(".row:has(.new-messages) .text")
    seen = int(row.inner_text().removeprefix("line "))
    assert 3 < seen < 40

    bob.scroll_until("line 299", up=False)
    bob.log.evaluate("log => log.scrollTo(0, log.scrollHeight)")
    expect(badge).to_be_hidden()

    # A search leads into the past; afterwards the conversation opens at its end again.
    bob.page.reload()
    bob.page.get_by_role("button", name="Search in this conversation").click()
    bob.page.get_by_role("searchbox", name="Search in this conversation").fill("line 7")
    bob.page.locator("#found button").last.click()
    expect(bob.message("line 7")).to_be_in_viewport()
    bob.open_group(f"Other of {bob.name}")
    bob.open_group(group)
    expect(bob.message("line 299")).to_be_in_viewport()


def test_the_button_leads_to_the_latest_message_past_all_unread_ones(
    person: Callable[..., Person],
) -> None:
    group = "Straight to the end"
    ann, bob = one_elsewhere(person, group)
    ann.say_many([f"line {number}" for number in range(120)])
    bob.open_group(group)
    expect(bob.message("line 0")).to_be_in_viewport()
    bob.page.get_by_role("button", name=re.compile("^Jump to the latest message")).click()
    expect(bob.message("line 119")).to_be_in_viewport()
    expect(bob.entry(group).locator(".badge")).to_be_hidden()
    ann.say("and one more")
    expect(bob.message("and one more")).to_be_in_viewport()


def test_after_a_long_absence_the_view_stays_at_the_first_unread_message(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann")
    bob: Person = person("Bob", network_errors=True)
    group = "Back from the train"
    ann.arrive().make_group(group)
    dropped: list[str] = []

    def drop_messages(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def forward(frame: str | bytes) -> None:
            if len(dropped) < 600 and '"text":"line ' in str(frame):
                dropped.append(str(frame))
            else:
                route.send(frame)

        server.on_message(forward)

    bob.page.route_web_socket(re.compile("/ws$"), drop_messages)
    bob.arrive().join_group(group)
    ann.say("before")
    expect(bob.message("before")).to_be_in_viewport()
    ann.say_many([f"line {number}" for number in range(600)])
    bob.wake()
    expect(bob.message("line 0")).to_be_in_viewport()
    expect(bob.entry(group).locator(".badge")).to_have_text("99+")
    expect(bob.page).to_have_title(re.compile(r"^\(\d+\+\) "))


def test_reading_in_one_tab_clears_the_count_in_the_other(
    ann: Person, bob: Person, group: str
) -> None:
    other = bob.context.new_page()
    other.goto("/")
    badge = other.get_by_role("link").filter(has_text=group).locator(".badge")
    bob.page.goto("/#/")
    bob.page.reload()
    bob.wait_until_live()
    ann.say("for Bob")
    expect(badge).to_have_text("1")
    bob.open_group(group)
    expect(badge).to_be_hidden()


def test_who_is_writing_is_told(ann: Person, bob: Person, group: str) -> None:
    ann.composer.press_sequentially("I am")
    typing = bob.page.locator("#typing")
    expect(typing).to_have_text("Ann is typing…")
    bob.picture("typing")
    expect(ann.page.locator("#typing")).to_be_empty()
    ann.composer.press("Enter")
    expect(typing).to_be_empty()


def test_a_half_written_message_waits_in_its_conversation(
    ann: Person, bob: Person, group: str
) -> None:
    ann.composer.fill("half a thought")
    ann.make_group(f"Other of {ann.name}")
    expect(ann.composer).to_have_value("")
    ann.open_group(group)
    expect(ann.composer).to_have_value("half a thought")


def test_logging_out_in_one_tab_ends_the_others(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann")
    ann.arrive()
    other = ann.context.new_page()
    other.goto("/")
    expect(other.locator("body")).to_have_attribute("data-connection", "open")
    ann.log_out()
    expect(other.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_nothing_shifts_and_the_page_stays_small_while_messages_pour_in(
    ann: Person, bob: Person, group: str
) -> None:
    ann.say_many([f"early {number}" for number in range(60)])
    bob.sees("early 59")
    bob.page.evaluate(
        """() => {
            window.shifts = [];
            window.most = 0;
            new PerformanceObserver(list => {
                const inLog = node => document.getElementById("log").contains(node);
                for (const {sources} of list.getEntries())
                    for (const {node} of sources)
                        if (node?.isConnected && !inLog(node)) window.shifts.push(node.outerHTML);
            }).observe({type: "layout-shift", buffered: false});
            new MutationObserver(() => {
                window.most = Math.max(window.most, document.querySelectorAll("[data-seq]").length);
            }).observe(document.getElementById("log"), {childList: true, subtree: true});
        }"""
    )
    for batch in range(5):
        ann.say_many([f"pour {batch} {number}" for number in range(100)])
    bob.sees("pour 4 99")
    assert bob.log.evaluate(IS_AT_END)
    assert 0 < bob.page.evaluate("window.most") <= 200
    # In the log, what is above the newest message goes up for it; all else stays where it is.
    assert bob.page.evaluate("window.shifts") == []
