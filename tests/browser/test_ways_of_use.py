"""Every size and theme, the keyboard alone, a phone, and the browser's own buttons."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser_person import DESKTOP, PHONE, Person
from tests.support.browser_profiles import Profiles
from tests.support.chat_server import ChatServer

pytestmark = pytest.mark.service("chromium")

LOOKS = [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")]
LOOK_NAMES = ["desktop-light", "desktop-dark", "phone-light", "phone-dark"]
GROUP = "Reading circle"
ABOUT = "One book a month, and tea"
TALK = [
    "Shall we read the next one together?",
    "Yes! See https://example.org/books",
    "A list:\n- one\n- two",
    "long " * 60,
]


@pytest.fixture(scope="module")
def ann(profiles: Profiles, shared_server: ChatServer) -> Iterator[Person]:
    """Someone with a group that has a history."""
    ann = Person(profiles, shared_server, "Ann Walker").arrive()
    group = f"{GROUP} of {ann.name}"
    ann.make_group(group, ABOUT)
    bob = Person(profiles, shared_server, "Bob Marsh").arrive()
    bob.join_group(group)
    ann.say_many(TALK[:2])
    bob.say_many(TALK)
    ann.sees(TALK[3].strip())
    bob.close()
    yield ann
    assert ann.errors == []
    ann.close()


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=LOOK_NAMES)
def test_every_state_is_accessible_in_every_look(
    ann: Person,
    person: Callable[..., Person],
    size: dict[str, int],
    scheme: str,
    request: pytest.FixtureRequest,
) -> None:
    look = request.node.callspec.id
    guest: Person = person(known=ann, size=size, scheme=scheme, network_errors=True)
    page = guest.page

    def looks_good(state: str) -> None:
        guest.picture(f"{state}-{look}")
        guest.expect_accessible()

    guest.enter()
    looks_good("list")

    guest.open_group(GROUP)
    guest.sees(TALK[3].strip())
    looks_good("talk")

    if size == PHONE:
        page.get_by_role("button", name="Members").click()
    expect(page.locator("#members li")).to_have_count(2)
    looks_good("members")
    if size == PHONE:
        page.get_by_role("button", name="Back to the conversation").click()
        page.get_by_role("button", name="Back to the list").click()

    guest.search.fill("nothing is called so")
    expect(page.get_by_text("Nothing found for “nothing is called so”.")).to_be_visible()
    looks_good("nothing-found")
    guest.search.fill("")

    page.get_by_role("button", name="Create a group").first.click()
    looks_good("dialog")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Create group").click()
    expect(dialog.get_by_label("Name")).to_be_focused()
    expect(dialog.get_by_label("Name")).to_have_accessible_description("Fill this in.")
    looks_good("dialog-error")


def test_forced_colours_show_bubbles_and_the_open_conversation(
    ann: Person, person: Callable[..., Person]
) -> None:
    guest: Person = person(known=ann, forced_colors="active")
    guest.enter().open_group(GROUP)
    guest.sees(TALK[3].strip())
    guest.picture("forced-colours")
    width = "e => getComputedStyle(e).borderInlineEndWidth"
    own = guest.message(TALK[0]).first  # Ann said it first, then Bob
    other = guest.message(TALK[3].strip())
    bubble = "xpath=ancestor::*[contains(@class, 'bubble')]"
    assert own.locator(bubble).evaluate(width) == "4px"
    assert other.locator(bubble).first.evaluate("e => getComputedStyle(e).borderStyle") == "solid"
    open_one = guest.page.locator(".entry[aria-current]")
    assert open_one.evaluate("e => getComputedStyle(e).borderInlineStartWidth") == "4px"


def test_newcomers_are_told_what_to_do(
    own_server: ChatServer, person: Callable[..., Person]
) -> None:
    person("Ann Walker").arrive().make_group(GROUP, ABOUT)
    asked: list[str] = []
    for size, name in (DESKTOP, "desktop"), (PHONE, "phone"):
        carol: Person = person("Carol", size=size)
        asked.clear()
        carol.page.on("request", lambda request: asked.append(request.url))
        carol.arrive()
        expect(carol.page.get_by_text("No conversations yet")).to_be_visible()
        expect(carol.page.get_by_role("button", name=f"Join {GROUP}")).to_be_visible()
        assert [url.rpartition("/")[2] for url in asked if "/api/" in url] == ["state"]
        for action in "Find public groups", "Create a group", "Add a contact":
            expect(carol.page.get_by_role("button", name=action).last).to_be_visible()
        carol.page.get_by_role("button", name="Copy your user name").click()
        expect(carol.page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
        field = carol.page.get_by_role("textbox", name="User name")
        carol.page.get_by_role("button", name="Add a contact").last.click()
        field.press("Control+V")
        expect(field).to_have_value(carol.name)
        carol.page.keyboard.press("Escape")
        carol.picture(f"newcomer-{name}")
        carol.expect_accessible()
    carol.page.get_by_role("button", name=f"Join {GROUP}").click()
    expect(carol.heading(GROUP)).to_be_visible()


def test_the_keyboard_alone_does_everything(ann: Person, person: Callable[..., Person]) -> None:
    guest: Person = person(known=ann)
    guest.enter()
    press = guest.page.keyboard.press
    focused = guest.page.locator(":focus")

    def tab_to(name: str) -> None:
        for _ in range(30):
            press("Tab")
            if focused.count() and focused.evaluate("e => e.ariaLabel ?? e.textContent") == name:
                return
        raise AssertionError(f"Tab does not reach {name}")

    tab_to("Create a group")
    press("Enter")
    expect(guest.page.get_by_role("dialog")).to_be_visible()
    press("Escape")
    expect(guest.page.get_by_role("dialog")).to_be_hidden()
    expect(focused).to_have_accessible_name("Create a group")
    press("Enter")
    guest.page.keyboard.type("Keyboard club")
    press("Enter")
    expect(guest.heading("Keyboard club")).to_be_visible()
    expect(guest.composer).to_be_focused()
    guest.page.keyboard.type("typed")
    press("Enter")
    guest.sees("typed")

    for _ in range(2):  # the second time it is open already
        press("Control+k")
        expect(guest.search).to_be_focused()
        guest.page.keyboard.type("reading")
        press("ArrowDown")
        expect(focused).to_contain_text(GROUP)
        press("Enter")
        guest.sees(TALK[3].strip())
        expect(guest.composer).to_be_focused()
        expect(guest.search).to_have_value("")
    expect(guest.entry("Keyboard club")).to_be_visible()
    press("Shift+Tab")  # what can be done with the newest message
    expect(focused).to_have_accessible_name("Message menu")
    press("Shift+Tab")
    expect(focused).to_have_text("https://example.org/books")
    press("Shift+Tab")  # the same link, from Ann
    press("Shift+Tab")
    expect(guest.log).to_be_focused()
    assert guest.log.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_the_skip_link_leads_to_the_message_box(ann: Person, person: Callable[..., Person]) -> None:
    guest: Person = person(known=ann)
    guest.enter().open_group(GROUP)
    address = guest.page.url
    guest.page.get_by_role("link", name="Skip to the message box").focus()
    guest.page.keyboard.press("Enter")
    expect(guest.composer).to_be_focused()
    assert guest.page.url == address


def test_on_a_phone_back_goes_up_and_the_browsers_button_does_the_same(
    ann: Person, person: Callable[..., Person]
) -> None:
    guest: Person = person(known=ann, size=PHONE)
    page = guest.enter().page
    members = page.get_by_role("heading", name="Members")
    guest.open_group(GROUP)
    expect(guest.entry(GROUP)).to_be_hidden()
    page.get_by_role("button", name="Members").click()
    expect(members).to_be_focused()
    page.go_back()
    expect(guest.heading(GROUP)).to_be_visible()
    page.get_by_role("button", name="Back to the list").click()
    expect(guest.entry(GROUP)).to_be_visible()
    page.go_forward()
    expect(guest.heading(GROUP)).to_be_visible()
    page.go_back()
    expect(guest.entry(GROUP)).to_be_visible()
    # Straight to a deep address: back still goes up, not out of the chat.
    guest.open_group(GROUP)
    page.get_by_role("button", name="Members").click()
    deep = page.url
    page.goto("about:blank")
    page.goto(deep)
    guest.wait_until_live()
    expect(members).to_be_visible()
    page.get_by_role("button", name="Back to the conversation").click()
    page.get_by_role("button", name="Back to the list").click()
    expect(guest.entry(GROUP)).to_be_visible()


def test_nothing_is_cut_off_at_200_percent(ann: Person, person: Callable[..., Person]) -> None:
    # Zooming a 1280x800 window to 200 % leaves a page of 640x400.
    guest: Person = person(known=ann, size={"width": 640, "height": 400})
    guest.enter().open_group(GROUP)
    expect(guest.composer).to_be_in_viewport(ratio=1)
    width = guest.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 640
    guest.picture("zoomed")
    for path in "/login", "/register":
        visitor: Person = person("Visitor", size={"width": 320, "height": 400})
        visitor.page.goto(path)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_conversation_that_is_not_ours_leads_to_the_list(
    ann: Person, person: Callable[..., Person]
) -> None:
    guest: Person = person(known=ann)
    guest.page.goto("/#/4711")
    guest.wait_until_live()
    expect(guest.page).to_have_url(re.compile("/#/$"))
    expect(guest.page.get_by_text("Start a conversation")).to_be_visible()


def test_a_group_that_the_server_refuses_is_told_in_the_dialog(
    ann: Person, person: Callable[..., Person]
) -> None:
    guest: Person = person(known=ann, network_errors=True)
    guest.enter()
    error = {"code": "title_invalid", "message": "Not this one.", "field": "title"}

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=400, json={"error": error})
        else:
            route.fallback()

    guest.page.route("**/api/groups", refuse)
    guest.page.get_by_role("button", name="Create a group").first.click()
    dialog = guest.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("anything")
    dialog.get_by_role("button", name="Create group").click()
    expect(dialog.get_by_label("Name")).to_have_accessible_description("Not this one.")
    expect(dialog.get_by_label("Name")).to_have_value("anything")


def test_a_page_with_200_conversations_begins_with_one_request_and_one_socket(
    person: Callable[..., Person], shared_server: ChatServer
) -> None:
    guest: Person = person("Gala", own_profile=True)
    guest.arrive()
    shared_server.add_groups(guest.name, 200)
    guest.page.goto("about:blank")
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.url))
    guest.page.on("websocket", lambda socket: asked.append(socket.url))
    guest.enter()
    expect(
        guest.page.get_by_role("list", name="Your conversations").get_by_role("link")
    ).to_have_count(100)
    guest.open_group(f"{guest.name} 177")
    guest.sees("Hello")
    dynamic = [url.partition("//")[2].partition("/")[2] for url in asked if "/static/" not in url]
    # The page itself, its one question and its one socket; then what the open conversation needs.
    assert sorted(dynamic[:3]) == ["", "api/state", "ws"]
    assert sorted(path.rpartition("/")[2].partition("?")[0] for path in dynamic[3:]) == [
        "events",
        "invitations",
        "members",
    ]


def test_the_first_load_is_light_and_the_next_asks_for_no_file_again(
    ann: Person, person: Callable[..., Person]
) -> None:
    guest: Person = person(known=ann, own_profile=True)

    def transferred() -> dict[str, int]:
        """The bytes of each address that was asked for."""
        guest.sees(TALK[3].strip())
        sizes: dict[str, int] = guest.page.evaluate(
            """Object.fromEntries(["navigation", "resource"].flatMap(type =>
                performance.getEntriesByType(type).filter(entry => entry.transferSize)
                    .map(entry => [new URL(entry.name).pathname, entry.transferSize])))"""
        )
        return sizes

    guest.enter().open_group(GROUP)
    first = transferred()
    assert "/static/js/conversations/store.js" in first
    assert 10 < sum(first.values()) / 1024 < 135
    guest.page.reload()
    again = transferred()
    assert "/api/state" in again
    assert [path for path in again if path.startswith("/static/")] == []
