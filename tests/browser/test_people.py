"""Contacts and private chats: two people who know each other, and one who is not wanted."""

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.support.browser_person import PHONE, Person

pytestmark = pytest.mark.service("chromium")


@pytest.fixture
def bob(person: Callable[..., Person]) -> Person:
    bob: Person = person("Bob Marsh", network_errors=True, size=PHONE, scheme="dark")
    return bob.arrive()


def online(someone: Person, other: Person) -> None:
    """`someone` sees that `other` is online."""
    expect(someone.entry(other.nickname).or_(someone.contact(other))).to_contain_text("Online")


def test_a_contact_is_added_by_user_name_and_written_to(ann: Person, bob: Person) -> None:
    ann.page.get_by_role("button", name="Add a contact").first.click()
    dialog = ann.page.get_by_role("dialog")
    name = dialog.get_by_label("User name")
    name.fill("nobody-is-called-so")
    ann.page.keyboard.press("Enter")
    expect(name).to_have_accessible_description(
        "Ask them for the name they log in with. Nobody has this user name."
    )
    ann.picture("contact-unknown")
    ann.expect_accessible()
    name.fill(ann.name)
    ann.page.keyboard.press("Enter")
    expect(dialog).to_contain_text("That is you.")
    name.fill(f"@{bob.name.upper()}")
    ann.page.keyboard.press("Enter")
    expect(ann.contact(bob)).to_be_visible()
    online(ann, bob)
    ann.picture("contact-added")
    ann.expect_accessible()

    ann.write_to(bob)
    expect(ann.log).to_contain_text("Only the two of you can read it.")
    ann.picture("private-empty")
    ann.expect_accessible()
    # Nobody hears of a chat in which nothing was written.
    expect(bob.page.get_by_text("No conversations yet")).to_be_visible()
    ann.say("Hello Bob, it is me")
    expect(bob.entry("Ann Walker")).to_contain_text("Hello Bob, it is me")
    bob.open_group("Ann Walker")
    bob.say("Ann! How nice")
    ann.sees("Ann! How nice")
    expect(ann.contact(bob)).to_have_count(0)
    ann.picture("private-talk")
    bob.picture("private-talk-phone-dark")
    for someone in ann, bob:
        someone.expect_accessible()


def test_a_private_message_says_when_the_other_has_read_it(ann: Person, bob: Person) -> None:
    ann.add_contact(bob)
    ann.write_to(bob)
    ann.say("Have you seen this?")
    expect(bob.entry("Ann Walker").locator(".badge")).to_have_text("1")
    expect(ann.log.get_by_role("img", name="Sent")).to_have_count(1)
    bob.open_group("Ann Walker")
    expect(ann.log.get_by_role("img", name="Read")).to_have_count(1)
    ann.say("And this?")
    expect(ann.log.get_by_role("img", name="Read")).to_have_count(2)
    ann.page.reload()
    expect(ann.log.get_by_role("img", name="Read")).to_have_count(2)


def test_who_comes_and_goes_is_seen_by_contacts(
    ann: Person, bob: Person, person: Callable[..., Person]
) -> None:
    ann.add_contact(bob)
    online(ann, bob)
    bob.page.goto("about:blank")
    expect(ann.contact(bob)).not_to_contain_text("Online")
    bob.enter()
    online(ann, bob)
    ann.write_to(bob)
    expect(ann.page.locator("#talk-subtitle")).to_have_text("Online")


def test_who_is_blocked_can_neither_write_nor_see_who_is_there(ann: Person, bob: Person) -> None:
    for one, other in (ann, bob), (bob, ann):
        one.add_contact(other)
    ann.write_to(bob)
    ann.say("Still friends")
    bob.open_group("Ann Walker")
    bob.sees("Still friends")

    ann.page.locator("#about").get_by_role("button", name="Block", exact=True).click()
    dialog = ann.page.get_by_role("dialog")
    expect(dialog).to_contain_text("You will not be able to write to each other")
    ann.picture("block-question")
    ann.expect_accessible()
    ann.answer_dialog("Block")
    expect(ann.page.locator("#barred")).to_contain_text("You have blocked Bob Marsh.")
    expect(ann.composer).to_be_hidden()
    ann.picture("blocked")
    ann.expect_accessible()

    bob.say("Are you there?")
    expect(bob.draft("Are you there?")).to_contain_text("You cannot write to each other.")
    bob.picture("blocked-other")
    bob.expect_accessible()
    bob.page.reload()
    bob.wait_until_live()
    expect(bob.page.locator("#talk-subtitle")).to_have_text(f"@{ann.name}")

    ann.page.locator("#barred").get_by_role("button", name="Unblock").click()
    expect(ann.composer).to_be_focused()
    bob.draft("Are you there?").get_by_role("button", name="Try again").click()
    ann.sees("Are you there?")


def test_a_button_that_is_pressed_while_the_page_changes_gets_its_click(
    ann: Person, bob: Person
) -> None:
    for one, other in (ann, bob), (bob, ann):
        one.add_contact(other)
    mouse = ann.page.mouse
    online(ann, bob)
    ann.contact(bob).hover()
    mouse.down()
    bob.page.goto("about:blank")
    expect(ann.contact(bob)).not_to_contain_text("Online")
    mouse.up()
    subtitle = ann.page.locator("#talk-subtitle")
    expect(subtitle).to_have_text(f"@{bob.name}")

    ann.say("Are you there?")
    expect(ann.log.get_by_role("img", name="Sent")).to_have_count(1)
    ann.log.locator(".act").hover()
    mouse.down()
    bob.enter()
    bob.open_group("Ann Walker")
    expect(ann.log.get_by_role("img", name="Read")).to_have_count(1)
    mouse.up()
    expect(ann.page.get_by_role("menuitem", name="Reply")).to_be_visible()
    ann.page.keyboard.press("Escape")

    remove = ann.page.locator("#about").get_by_role("button", name="Remove from contacts")
    remove.hover()
    mouse.down()
    expect(remove).to_be_focused()
    bob.page.goto("about:blank")
    expect(subtitle).to_have_text(f"@{bob.name}")
    expect(remove).to_be_focused()
    mouse.up()
    expect(ann.page.locator("#about")).to_contain_text("Add to contacts")


def test_a_contact_is_removed_and_one_who_is_blocked_is_found_again(
    ann: Person, bob: Person
) -> None:
    ann.add_contact(bob)
    ann.write_to(bob)
    about = ann.page.locator("#about")
    about.get_by_role("button", name="Remove from contacts").click()
    expect(about.get_by_role("button", name="Add to contacts")).to_be_visible()
    about.get_by_role("button", name="Block", exact=True).click()
    ann.answer_dialog("Block")
    ann.page.goto("/#/")
    expect(ann.contact(bob)).to_contain_text("Blocked")
    ann.contact(bob).click()
    expect(ann.page.get_by_role("dialog")).to_contain_text(f"@{bob.name}")
    ann.picture("blocked-contact")
    ann.expect_accessible()
    ann.answer_dialog("Unblock")
    expect(ann.contact(bob)).not_to_contain_text("Blocked")


def test_a_state_that_is_older_than_a_change_does_not_undo_it(ann: Person, bob: Person) -> None:
    ann.add_contact(bob)
    ann.write_to(bob)
    about = ann.page.locator("#about")
    expect(about.get_by_role("button", name="Remove from contacts")).to_be_visible()
    late: list[tuple[Route, APIResponse]] = []
    # Her page may still be asking after the private chat: that request is held back as well as one
    # of the group that she does not know.
    with ann.page.expect_request("**/api/state"):
        ann.page.route("**/api/state", lambda route: late.append((route, route.fetch())), times=1)
        bob.add_to_new_group("Surprise", ann)
    while not late:  # its answer, of before the removal, is held back
        ann.page.evaluate("0")
    about.get_by_role("button", name="Remove from contacts").click()
    expect(about.get_by_role("button", name="Add to contacts")).to_be_visible()
    route, response = late[0]
    with ann.page.expect_request("**/api/state"):  # it asks once more
        route.fulfill(response=response)
    expect(about.get_by_role("button", name="Add to contacts")).to_be_visible()


def test_a_private_chat_opens_from_the_members_of_a_group(ann: Person, bob: Person) -> None:
    group = f"Where {ann.name} met"
    ann.make_group(group)
    bob.join_group(group)
    ann.page.locator("#members").get_by_role("button", name="Bob Marsh").click()
    ann.picture("person")
    ann.expect_accessible()
    ann.answer_dialog("Write a message")
    expect(ann.heading("Bob Marsh")).to_be_visible()
    expect(ann.composer).to_be_focused()
    ann.say("Just between us")
    bob.page.get_by_role("button", name="Back to the list").click()
    bob.open_group("Ann Walker")
    bob.sees("Just between us")


def test_the_search_finds_a_person_by_the_whole_user_name(
    ann: Person, person: Callable[..., Person]
) -> None:
    ray = person("Quentin Ray").arrive()  # other tests name groups after bob
    found = ann.page.get_by_role("list", name="People")
    ann.search.fill(ray.name.rstrip("0123456789"))
    expect(ann.page.get_by_text("Enter the whole user name to find a person.")).to_be_visible()
    expect(found.get_by_role("listitem")).to_have_count(0)
    ann.search.fill(f"@{ray.name.upper()}")
    expect(found).to_contain_text("Quentin Ray")
    ann.picture("person-found")
    ann.expect_accessible()
    ann.page.get_by_role("button", name=f"Add {ray.name} to contacts").click()
    expect(found.get_by_role("listitem")).to_have_count(0)
    expect(ann.search).to_be_focused()
    ann.search.fill(f"@{ray.name}")  # as the list shows it
    expect(ann.contact(ray)).to_be_visible()
    ann.write_to(ray)


def test_on_a_phone_a_long_message_uses_the_width_and_a_read_one_differs_from_a_sent_one(
    ann: Person, bob: Person
) -> None:
    group = f"Long talk of {ann.name}"
    ann.make_group(group)
    bob.join_group(group)
    text = "A sentence that needs some lines on a phone. " * 4
    ann.say(text)
    bubble = bob.log.locator(".bubble").filter(has_text="A sentence")
    box = bubble.bounding_box()
    assert box is not None and box["width"] > 300
    for more in "One more", "And one more":
        ann.say(more)
        bob.sees(more)
    times = bob.log.locator(".bubble time").evaluate_all(
        "times => times.map(time => [time.textContent, time.checkVisibility()])"
    )
    shown = [time for time, visible in times if visible]
    assert shown == [time for time, _ in itertools.groupby(time for time, _ in times)]
    bob.say("Short")
    bob.say(text)
    bob.picture("phone-bubbles")

    ann.page.locator("#members").get_by_role("button", name="Bob Marsh").click()
    ann.answer_dialog("Write a message")
    expect(ann.heading("Bob Marsh")).to_be_visible()
    ann.say("Just between us")
    bob.page.get_by_role("button", name="Back to the list").click()
    bob.entry("Ann Walker").click()
    expect(bob.heading("Ann Walker")).to_be_visible()
    stroke = "e => getComputedStyle(e).strokeWidth"
    bob.say("Are you there?")
    read = bob.log.get_by_role("img", name="Read")
    expect(read).to_be_visible()
    ann.page.goto("/#/")
    bob.say("And now?")
    sent = bob.log.get_by_role("img", name="Sent")
    expect(sent).to_be_visible()
    assert read.evaluate(stroke) != sent.evaluate(stroke)
    bob.picture("sent-and-read")
