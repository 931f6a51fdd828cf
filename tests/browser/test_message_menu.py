"""The menu of a message: replies, edits, links, a long press; and a page older than the server."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.support.browser_person import PHONE, Person
from tests.support.browser_profiles import Profiles
from tests.support.chat_server import ChatServer

pytestmark = pytest.mark.service("chromium")


@pytest.fixture(scope="module")
def two(profiles: Profiles, shared_server: ChatServer) -> Iterator[tuple[Person, Person]]:
    """Two people whose pages stay open from test to test."""
    people = (
        Person(profiles, shared_server, "Ann").arrive(),
        Person(profiles, shared_server, "Bob", own_profile=True).arrive(),
    )
    yield people
    for someone in people:
        assert someone.errors == []
        someone.close()


@pytest.fixture
def group(two: tuple[Person, Person], request: pytest.FixtureRequest) -> str:
    """A group, the test's own, that both have open."""
    title: str = request.node.name.removeprefix("test_").replace("_", " ")[:60]
    two[0].make_group(title)
    two[1].join_group(title)
    return title


def test_a_reply_quotes_its_original_and_leads_to_it(
    two: tuple[Person, Person], group: str
) -> None:
    ann, bob = two
    about = bob.page.locator("#about-message")
    ann.say("Where do we meet?")
    bob.sees("Where do we meet?")
    bob.composer.fill("At the")
    bob.act_on("Where do we meet?", "Reply")
    expect(bob.composer).to_be_focused()
    expect(about).to_contain_text("Where do we meet?")
    bob.picture("reply")
    bob.expect_accessible()
    bob.composer.press("Escape")
    expect(about).to_be_hidden()
    expect(bob.composer).to_have_value("At the")
    bob.act_on("Where do we meet?", "Reply")
    ann.say_many([f"line {number}" for number in range(120)])
    bob.say("At the station")
    ann.sees("At the station")
    ann.page.reload()
    ann.sees("At the station")
    expect(ann.message("Where do we meet?")).to_have_count(0)  # its page is not loaded
    quote = ann.log.get_by_role("button", name="Reply to You Where do we meet?")
    quote.click()
    original = ann.log.locator("[data-seq]:focus")
    expect(original).to_contain_text("Where do we meet?")
    expect(original).to_be_in_viewport()


def test_an_edit_is_shown_to_both_and_in_quotes_of_the_message(
    two: tuple[Person, Person], group: str
) -> None:
    ann, bob = two
    ann.say("See you at noo")
    bob.sees("See you at noo")
    bob.act_on("See you at noo", "Reply")
    bob.say("Fine")
    ann.sees("Fine")
    ann.composer.fill("a draft")
    ann.act_on("See you at noo", "Edit")
    expect(ann.composer).to_have_value("See you at noo")
    ann.picture("edit")
    ann.expect_accessible()
    ann.say("See you at noon")
    for someone in two:
        someone.sees("See you at noon")
        expect(someone.log.locator(".edited")).to_have_count(1)
        expect(someone.log.locator(".quote")).to_contain_text("See you at noon")
        expect(someone.entry(group)).to_contain_text("Fine")
    expect(ann.composer).to_have_value("a draft")
    expect(ann.composer).to_be_focused()
    bob.expect_accessible()
    ann.composer.fill("")
    bob.page.reload()
    bob.sees("See you at noon")


def test_a_refused_edit_is_kept_at_its_message_and_can_be_tried_again(
    two: tuple[Person, Person], group: str, person: Callable[..., Person]
) -> None:
    ann, bob = two
    tab: Person = person(known=ann, own_profile=True)
    accept = tab.refuse_frames("edit")
    ann.say("frist")
    tab.enter().open_group(group)
    tab.act_on("frist", "Edit")
    tab.say("first")
    row = tab.log.locator("[data-seq]").filter(has_text="first")
    expect(row).to_contain_text("Too many messages at once.")
    tab.picture("edit-refused")
    tab.expect_accessible()
    tab.page.reload()
    expect(row.get_by_role("img", name="Not sent")).to_be_visible()
    bob.sees("frist")
    expect(row.get_by_role("button", name="Cancel")).to_be_visible()
    accept()
    row.get_by_role("button", name="Try again").click()
    bob.sees("first")
    expect(row.get_by_role("img", name="Sent")).to_be_visible()


def test_the_link_of_a_message_opens_it(two: tuple[Person, Person], group: str) -> None:
    ann, bob = two
    bob.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ann.say("Line 0, the link")
    bob.act_on("Line 0, the link", "Copy link")
    expect(bob.page.locator("#notice")).to_have_text("Copied.")
    link = bob.page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"http://[^/]+/#/\d+/\d+", link)
    bob.page.goto("/#/")
    ann.say_many([f"line {number}" for number in range(120)])
    for someone in two:
        someone.page.goto("about:blank")
        someone.page.goto(link)
        row = someone.log.locator("[data-seq]:focus")
        expect(row).to_contain_text("Line 0, the link")
        expect(row).to_be_in_viewport()
        expect(someone.entry(group)).to_have_attribute("aria-current", "page")
    expect(bob.entry(group).locator(".badge")).to_be_visible()  # the others are not read yet
    bob.page.goto(link.rpartition("/")[0] + "/99999")  # no such message: the conversation itself
    bob.page.reload()
    expect(bob.log.locator("[data-seq] .text").first).to_be_visible()


def test_a_long_press_opens_the_menu_on_a_phone(
    two: tuple[Person, Person], group: str, person: Callable[..., Person]
) -> None:
    ann, _ = two
    look = {"size": PHONE, "has_touch": True, "is_mobile": True}
    phone: Person = person(known=ann, own_profile=True, **look)
    phone.enter().open_group(group)
    ann.say("A message of two lines, as wide as a phone, so that nothing is beside it")
    text = phone.log.locator(".text").last
    expect(text).to_be_in_viewport()
    box = text.bounding_box()
    assert box
    touch = phone.context.new_cdp_session(phone.page)
    points = [{"x": box["x"] + 20, "y": box["y"] + 10}]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    menu = phone.page.get_by_role("menu")
    expect(menu).to_be_visible()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    phone.picture("menu-phone")
    phone.expect_accessible()
    menu.get_by_role("menuitem", name="Reply").tap()
    expect(phone.composer).to_be_focused()
    expect(menu).to_be_hidden()
    phone.say("An answer")
    phone.page.get_by_role("button", name="Send").tap()
    expect(phone.log.locator(".quote")).to_contain_text("A message of two lines")
    phone.sees("An answer")
    text.tap()  # a tap shows the button
    expect(phone.log.locator(".chosen .act")).to_be_visible()
    phone.picture("menu-button-phone")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_older_page_offers_to_load_itself_again(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann", own_profile=True)
    version = 99

    def between(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def from_server(message: str | bytes) -> None:
            event = json.loads(message)
            if event["type"] == "hello":
                assert event["version"] == 2
                event["version"] = version
            route.send(json.dumps(event))

        server.on_message(from_server)

    ann.page.route_web_socket("**/ws", between)
    ann.arrive()
    line = ann.page.locator("#connection")
    expect(line).to_contain_text("New version")
    ann.picture("outdated")
    ann.expect_accessible()
    version = 2
    line.get_by_role("button", name="Reload").click()
    ann.wait_until_live()
    expect(line).to_be_empty()
