"""A user in 300 conversations, and a group of 250 members: the page loads what is looked at."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Request, expect

from tests.support.browser_person import Person
from tests.support.chat_server import ChatServer

pytestmark = pytest.mark.service("chromium")

MANY = 300


@pytest.fixture
def ann(person: Callable[..., Person], shared_server: ChatServer) -> Person:
    """Ann, whose oldest group "Old" is followed by 300 newer ones."""
    ann = person("Ann Walker", network_errors=True).arrive()
    ann.make_group(f"Old {ann.name}")
    shared_server.add_groups(ann.name, MANY)
    ann.page.goto("about:blank")
    return ann.enter()


def entries(someone: Person) -> int:
    return someone.page.locator("#lists .entry[href]").count()


def test_the_list_goes_on_when_it_is_scrolled_to_its_end(ann: Person) -> None:
    newest, oldest = ann.entry(f"{ann.name} {MANY - 1}"), ann.entry(f"Old {ann.name}")
    expect(newest).to_be_visible()
    assert entries(ann) == 100
    place = newest.bounding_box()
    # Counted first: another page of the list may come before the look at its oldest entry.
    while (before := entries(ann)) and oldest.count() == 0:
        ann.page.locator("#lists").evaluate("lists => lists.scrollTo(0, lists.scrollHeight)")
        ann.page.wait_for_function(
            "before => document.querySelectorAll('#lists .entry[href]').length > before", arg=before
        )
    assert entries(ann) == MANY + 1
    expect(ann.page.get_by_role("button", name="Show more")).to_have_count(0)
    ann.page.locator("#lists").evaluate("lists => lists.scrollTo(0, 0)")
    assert newest.bounding_box() == place
    ann.expect_accessible()


def test_the_list_goes_on_by_keyboard(ann: Person) -> None:
    ann.entry(f"{ann.name} {MANY - 100}").focus()
    ann.page.keyboard.press("ArrowDown")
    ann.page.keyboard.press("Enter")
    expect(ann.entry(f"{ann.name} {MANY - 101}")).to_have_count(1)


def test_what_is_not_loaded_is_found_and_opened(ann: Person) -> None:
    assert ann.entry(f"Old {ann.name}").count() == 0
    ann.search.fill(f"old {ann.name}")
    expect(ann.page.locator("#search-status")).to_have_text("1 found")
    ann.open_group(f"Old {ann.name}")
    ann.say("Still here")
    ann.search.fill("")
    expect(ann.page.locator("#lists .entry[href]").first).to_contain_text("Still here")
    expect(ann.page.locator("#lists .entry[href]")).to_have_count(101)
    address = ann.page.url
    ann.page.goto("about:blank")
    ann.page.goto(address)
    expect(ann.heading(f"Old {ann.name}")).to_be_visible()


def test_an_address_of_a_conversation_that_is_not_loaded_opens_it(ann: Person) -> None:
    conv = ann.page.evaluate(
        """async () => {
            const { get } = await import("/static/js/api.js");
            const { conversations } = await get("/api/conversations", { query: "Old" });
            return conversations[0].id;
        }"""
    )
    ann.page.goto("about:blank")
    ann.page.goto(f"/#/{conv}")
    expect(ann.heading(f"Old {ann.name}")).to_be_visible()
    ann.page.goto("/#/999999999")
    expect(ann.page.get_by_role("heading", name="Start a conversation")).to_be_visible()
    assert ann.page.url.endswith("#/")


def test_a_message_brings_a_conversation_that_is_not_loaded_into_the_list(
    ann: Person, person: Callable[..., Person]
) -> None:
    bob = person("Bob Marsh").arrive()
    bob.join_group(f"Old {ann.name}")
    bob.say("Anybody here?")
    first = ann.page.locator("#lists .entry[href]").first
    expect(first).to_contain_text("Anybody here?")
    expect(first).to_contain_text("1 unread message")
    expect(ann.page).to_have_title(re.compile(r"^\(1\) "))


def test_a_page_of_many_conversations_begins_with_one_request(ann: Person) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/" in request.url:
            asked.append(request.url.partition("/api/")[2])

    ann.page.goto("about:blank")
    ann.page.on("request", note)
    ann.enter()
    ann.page.remove_listener("request", note)
    assert asked == ["state"]


class TestMembers:
    @pytest.fixture
    def owner(self, person: Callable[..., Person], shared_server: ChatServer) -> Person:
        owner = person("Olga Stone").arrive()
        title = f"Large {owner.name}"
        owner.make_group(title)
        shared_server.add_members(title, 250)
        owner.page.reload()
        owner.wait_until_live()
        return owner

    def test_members_are_shown_a_page_at_a_time_by_keyboard(self, owner: Person) -> None:
        members = owner.page.locator("#members li")
        expect(members).to_have_count(100)
        expect(members.first).to_contain_text("Owner")
        details = owner.page.get_by_role("region", name="Details")
        more = details.get_by_role("button", name="Show more")
        more.focus()
        owner.page.keyboard.press("Enter")
        expect(members).to_have_count(200)
        expect(members.nth(100).get_by_role("button")).to_be_focused()
        owner.expect_accessible()
        more.scroll_into_view_if_needed()
        owner.picture("members-many")
        more.focus()
        owner.page.keyboard.press("Enter")
        expect(members).to_have_count(251)
        expect(more).to_have_count(0)

    def test_one_of_many_members_is_found_and_removed(self, owner: Person) -> None:
        owner.page.get_by_role("searchbox", name="Find a member").fill("member 217")
        members = owner.page.locator("#members li")
        expect(members).to_have_count(1)
        members.get_by_role("button").click()
        dialog = owner.page.get_by_role("dialog")
        dialog.get_by_role("button", name="Remove from the group").click()
        owner.answer_dialog("Remove from the group")
        expect(members).to_have_count(0)
        owner.picture("members-found")
        owner.page.get_by_role("searchbox", name="Find a member").fill("")
        expect(members).to_have_count(100)
        expect(owner.page.locator("#talk-subtitle")).to_have_text("250 members")

    def test_a_newcomer_is_shown_among_the_pages_that_are(
        self, owner: Person, person: Callable[..., Person]
    ) -> None:
        aaron = person("Aaron First").arrive()
        aaron.join_group(f"Large {owner.name}")
        members = owner.page.locator("#members li")
        expect(members.nth(1)).to_contain_text("Aaron First")
        expect(members).to_have_count(100)
