"""What was written: deleting it, finding it, going on where one has stopped, and hearing of it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser_person import PHONE, Person

pytestmark = pytest.mark.service("chromium")

SEARCH = "Search in this conversation"


@pytest.fixture
def bob(person: Callable[..., Person]) -> Person:
    bob: Person = person("Bob Marsh")
    return bob.arrive()


@pytest.fixture
def group(ann: Person, bob: Person) -> str:
    """A group that both have open."""
    title = f"Group of {ann.name}"
    ann.make_group(title)
    bob.join_group(title)
    return title


IS_ALL_READ = """
async () => {
  const state = await (await fetch("/api/state")).json();
  return state.conversations.every(({ unread }) => unread === 0);
}
"""


def test_a_message_of_ones_own_is_deleted_for_everybody(
    ann: Person, bob: Person, group: str
) -> None:
    for text in "one", "a slip of the tongue", "three":
        ann.say(text)
        bob.sees(text)
    bob.act_on("three", "Copy text")
    expect(bob.page.get_by_role("menuitem")).to_have_count(0)
    ann.act_on("a slip of the tongue", "Delete")
    dialog = ann.page.get_by_role("dialog")
    expect(dialog).to_contain_text("It disappears for everyone.")
    ann.picture("delete-question")
    ann.expect_accessible()
    dialog.get_by_role("button", name="Cancel").click()
    ann.sees("a slip of the tongue")
    ann.act_on("a slip of the tongue", "Delete")
    ann.answer_dialog("Delete")
    for someone in ann, bob:
        expect(someone.message("a slip of the tongue")).to_have_count(0)
        expect(someone.log.get_by_text("Message deleted")).to_have_count(1)
        someone.sees("three")
    expect(bob.entry(group).locator(".line")).to_have_text("Ann Walker: three")
    ann.picture("deleted")
    bob.expect_accessible()
    bob.page.reload()
    bob.sees("three")
    expect(bob.log.get_by_text("Message deleted")).to_have_count(1)
    expect(bob.log).not_to_contain_text("slip")


def test_a_deleted_message_is_unread_no_more(ann: Person, bob: Person, group: str) -> None:
    bob.page.goto("/#/")
    for text in "one", "two":
        ann.say(text)
        ann.sees(text)
    expect(bob.entry(group).locator(".badge")).to_have_text("2")
    ann.act_on("two", "Delete")
    ann.answer_dialog("Delete")
    expect(bob.entry(group).locator(".badge")).to_have_text("1")


def test_the_menu_of_a_message_by_keyboard(ann: Person, bob: Person, group: str) -> None:
    for someone, text in (ann, "first"), (ann, "second"), (bob, "third"):
        someone.say(text)
        ann.sees(text)
    focused, press = ann.page.locator(":focus"), ann.page.keyboard.press
    ann.composer.press("ArrowUp")  # from an empty composer to one's own newest message
    expect(ann.log.locator("[data-seq]").filter(has=focused)).to_contain_text("second")
    expect(focused).to_have_accessible_name("Message menu")
    press("ContextMenu")
    expect(focused).to_have_accessible_name("Reply")
    ann.picture("menu-focused")
    ann.expect_accessible()
    press("Escape")
    expect(focused).to_have_accessible_name("Message menu")
    press("ArrowUp")
    press("Enter")
    press("ArrowUp")  # from the first entry to the last one
    expect(focused).to_have_accessible_name("Delete")
    press("Enter")
    expect(ann.page.get_by_role("dialog")).to_be_visible()
    expect(focused).to_have_accessible_name("Cancel")
    press("Tab")
    press("Enter")
    expect(bob.log.get_by_text("Message deleted")).to_have_count(1)
    ann.sees("second")
    expect(ann.log.locator(":focus")).to_contain_text("Message deleted")


def test_the_owner_deletes_what_others_have_written(ann: Person, bob: Person, group: str) -> None:
    bob.say("rude")
    bob.say("and more")
    ann.sees("and more")
    ann.act_on("rude", "Delete")
    ann.answer_dialog("Delete")
    expect(bob.log.get_by_text("Ann Walker deleted one of your messages")).to_have_count(1)
    expect(ann.log.get_by_text("You deleted a message from Bob Marsh")).to_have_count(1)
    ann.say("bob cannot delete this")
    bob.sees("bob cannot delete this")
    row = bob.log.locator("[data-seq]").filter(has_text="bob cannot")
    row.hover()
    row.get_by_role("button", name="Message menu").click()
    expect(bob.page.get_by_role("menuitem")).to_have_text(["Reply", "Copy text", "Copy link"])
    bob.page.keyboard.press("Escape")


def test_a_message_is_found_and_shown_where_it_was_said(
    ann: Person, bob: Person, group: str
) -> None:
    ann.say_many([f"line {number}" for number in range(30)])
    ann.say_many(["The Strawberries are ripe"])
    ann.say_many([f"later {number}" for number in range(300)])
    bob.sees("later 299")
    bob.page.wait_for_function(IS_ALL_READ, polling=200)  # or it opens at the first unread message
    bob.page.reload()
    bob.sees("later 299")
    bob.page.get_by_role("button", name=SEARCH).click()
    field = bob.page.get_by_role("searchbox", name=SEARCH)
    expect(field).to_be_focused()
    field.fill("no such words")
    expect(bob.page.locator("#find-status")).to_have_text("Nothing found")
    field.fill("strawberries")
    found = bob.page.locator("#found button")
    expect(found).to_have_count(1)
    expect(found.locator("mark")).to_have_text("Strawberries")
    bob.picture("search")
    bob.expect_accessible()
    found.click()
    message = bob.message("The Strawberries are ripe")
    expect(message).to_be_in_viewport()
    expect(bob.message("line 29")).to_be_in_viewport()
    expect(bob.message("later 0")).to_be_in_viewport()
    expect(bob.log.locator(":focus")).to_contain_text("Strawberries")
    bob.picture("found")
    bob.expect_accessible()

    # In the past, too, the history goes on in both directions, and the way back is one click.
    bob.log.evaluate("log => log.scrollTo(0, 0)")
    expect(bob.log.get_by_text("This is the beginning of the group")).to_have_count(1)
    for number in range(40, 300, 20):
        bob.scroll_until(f"later {number}", up=False)
    seqs = [int(row.get_attribute("data-seq") or 0) for row in bob.log.locator("[data-seq]").all()]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    found.click()
    expect(bob.message("line 29")).to_be_in_viewport()
    ann.say("news")
    bob.page.get_by_role("button", name=re.compile("^Jump to the latest message")).click()
    bob.sees("news")
    expect(bob.message("news")).to_be_in_viewport()
    bob.say("answer")
    ann.sees("answer")


def test_whoever_looks_at_the_past_and_writes_comes_back_to_the_end(
    ann: Person, bob: Person, group: str
) -> None:
    ann.say_many(["a needle", *(f"hay {number}" for number in range(200))])
    ann.page.reload()
    ann.sees("hay 199")
    ann.page.get_by_role("button", name=SEARCH).click()
    ann.page.get_by_role("searchbox", name=SEARCH).fill("needle")
    ann.page.locator("#found button").click()
    expect(ann.message("a needle")).to_be_in_viewport()
    bob.say("are you there?")
    expect(ann.page.get_by_role("button", name="Jump to the latest message, 1 new")).to_be_visible()
    ann.say("yes")
    ann.sees("yes")
    ann.sees("are you there?")
    expect(ann.log.locator("[data-cid]")).to_have_count(0)


def test_many_results_come_page_by_page(ann: Person, group: str) -> None:
    ann.say_many([f"grain {number}" for number in range(70)])
    ann.page.get_by_role("button", name=SEARCH).click()
    ann.page.get_by_role("searchbox", name=SEARCH).fill("grain")
    found = ann.page.locator("#found button")
    expect(found).to_have_count(30)
    for count in 60, 70:
        ann.page.get_by_role("button", name="Older results").click()
        expect(found).to_have_count(count)
    expect(ann.page.get_by_role("button", name="Older results")).to_be_hidden()
    expect(found.last).to_contain_text("grain 0")


def test_a_phone_searches_in_a_pane_of_its_own(
    ann: Person, group: str, person: Callable[..., Person]
) -> None:
    ann.say_many(["needle", *(f"hay {number}" for number in range(120))])
    phone: Person = person(known=ann, size=PHONE, scheme="dark")
    phone.enter().open_group(group)
    phone.page.get_by_role("button", name=SEARCH).click()
    phone.page.get_by_role("searchbox", name=SEARCH).fill("needle")
    expect(phone.page.locator("#found button")).to_have_count(1)
    phone.picture("search-phone-dark")
    phone.expect_accessible()
    phone.page.locator("#found button").click()
    expect(phone.message("needle")).to_be_in_viewport()
    expect(phone.page.locator("#find")).to_be_hidden()

    # A message whose rows are loaded, above the view.
    phone.page.get_by_role("button", name=re.compile("^Jump to the latest message")).click()
    expect(phone.message("hay 119")).to_be_in_viewport()
    phone.page.get_by_role("button", name=SEARCH).click()
    phone.page.get_by_role("searchbox", name=SEARCH).fill("hay 101")
    expect(phone.page.locator("#found mark")).to_have_text("hay 101")
    phone.page.locator("#found button").click()
    expect(phone.log.locator(":focus")).to_contain_text("hay 101")
    expect(phone.message("hay 101")).to_be_in_viewport()
    phone.page.get_by_role("button", name="Back to the list").click()
    expect(phone.entry(group)).to_be_visible()


def test_texts_of_the_reader_stay_in_the_browser_until_logging_out(ann: Person, group: str) -> None:
    ann.composer.fill("half a thought")
    ann.make_group(f"Other of {ann.name}")
    expect(ann.entry(group)).to_contain_text("Draft: half a thought")
    ann.picture("draft")
    ann.expect_accessible()
    ann.page.reload()
    ann.wait_until_live()
    ann.open_group(group)
    expect(ann.composer).to_have_value("half a thought")
    ann.say("a whole thought")
    ann.sees("a whole thought")
    ann.page.reload()
    ann.sees("a whole thought")
    expect(ann.composer).to_have_value("")
    ann.composer.fill("nobody else's business")
    ann.page.evaluate(  # as if a message had not been sent
        "localStorage.setItem(`outbox-${document.body.dataset.userId}`, '[\"nobody\"]')"
    )
    ann.log_out()
    assert "nobody" not in ann.page.evaluate("JSON.stringify(localStorage)")


def test_a_hidden_window_tells_of_messages_when_it_may(
    ann: Person, bob: Person, group: str, person: Callable[..., Person]
) -> None:
    bob.page.goto("about:blank")  # or that page would read what is to stay unread
    bob = person(known=bob, own_profile=True)
    bob.page.add_init_script(
        """window.shown = [];
        window.Notification = class extends EventTarget {
            static permission = "default";
            static async requestPermission() { return this.permission = "granted"; }
            constructor(title, {body, tag}) {
                super();
                shown.push({title, body, tag});
                window.last = this;
            }
            close() {}
        };
        const define = (name, get) => Object.defineProperty(document, name, {get});
        define("visibilityState", () => window.away ? "hidden" : "visible");
        define("hidden", () => Boolean(window.away));"""
    )
    bob.page.goto("/")
    bob.wait_until_live()
    ann.say("not asked for yet")
    expect(bob.entry(group)).to_contain_text("not asked for yet")
    bob.page.get_by_role("button", name="Your profile").click()
    dialog = bob.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Turn on").click()
    expect(dialog.get_by_role("button", name="Turn off")).to_be_visible()
    bob.page.keyboard.press("Escape")
    ann.say("while Bob looks")
    expect(bob.entry(group)).to_contain_text("while Bob looks")
    bob.page.evaluate("away = true")
    ann.say("while Bob is away")
    expect(bob.page).to_have_title(re.compile(r"^\(3\) "))
    shown = bob.page.evaluate("shown")
    assert [(one["title"], one["body"]) for one in shown] == [
        (group, "Ann Walker: while Bob is away")
    ]
    bob.page.evaluate("() => { away = false; last.dispatchEvent(new Event('click')); }")
    expect(bob.heading(group)).to_be_visible()
