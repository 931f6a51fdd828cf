"""Groups: what owners do, and how everybody sees it happen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser_person import Person

pytestmark = pytest.mark.service("chromium")

GROUP = "Choir"


@pytest.fixture
def ann(person: Callable[..., Person]) -> Person:
    ann: Person = person("Ann Walker", network_errors=True)
    return ann.arrive()


@pytest.fixture
def bob(person: Callable[..., Person]) -> Person:
    bob: Person = person("Bob Marsh", scheme="dark")
    return bob.arrive()


def about(someone: Person, button: str) -> Locator:
    return someone.page.locator("#about").get_by_role("button", name=button, exact=True)


def member(someone: Person, other: Person) -> Locator:
    return someone.page.locator("#members li").filter(has_text=other.nickname)


def choose(someone: Person, other: Person, action: str) -> None:
    """Do something to a member of the open group."""
    member(someone, other).get_by_role("button").click()
    someone.page.get_by_role("dialog").get_by_role("button", name=action, exact=True).click()


def invitation(someone: Person, group: str) -> Locator:
    invitations = someone.page.get_by_role("list", name="Invitations")
    return invitations.get_by_role("listitem").filter(has_text=group)


def test_a_private_group_is_found_by_nobody_and_its_owner_adds_people(
    ann: Person, bob: Person
) -> None:
    group = f"{GROUP} of {ann.name}"
    ann.page.get_by_role("button", name="Create a group").first.click()
    dialog = ann.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(group)
    dialog.get_by_label("Invited people only").check()
    ann.picture("group-create")
    ann.expect_accessible()
    dialog.get_by_role("button", name="Create group").click()
    expect(ann.log).to_contain_text("Only members can read it.")
    expect(ann.page.locator("#about")).to_contain_text("Private group")

    bob.search.fill(group)
    expect(bob.page.get_by_text("Nobody and no group is called")).to_be_visible()
    bob.search.fill("")

    about(ann, "Add a member").click()
    dialog.get_by_label("User name").fill("nobody-is-called-so")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_contain_text("Nobody has this user name.")
    dialog.get_by_label("User name").fill(bob.name)
    bob.add_contact(ann)
    ann.answer_dialog("Add")

    # Bob's page hears of it at once.
    expect(bob.entry(group)).to_contain_text("Ann Walker added you")
    bob.open_group(group)
    expect(ann.log).to_contain_text("You added Bob Marsh")
    expect(member(ann, bob)).to_be_visible()
    ann.say("Welcome!")
    bob.sees("Welcome!")
    ann.picture("group-owner")
    bob.picture("group-member-dark")
    for someone in ann, bob:
        someone.expect_accessible()


def test_a_button_of_the_panel_stays_the_same_while_nothing_changes_it(ann: Person) -> None:
    # One that is replaced between the press and the release of a mouse gets no click.
    ann.make_group(f"{GROUP} of {ann.name}")
    button = about(ann, "Add a member").element_handle()
    for _ in range(2):
        ann.page.locator("#people").click()  # closes the panel, and opens it again
    expect(about(ann, "Add a member")).to_be_visible()
    assert button.evaluate("(element) => element.isConnected")


def test_a_stranger_is_invited_and_accepts_or_declines(ann: Person, bob: Person) -> None:
    group = f"{GROUP} of {ann.name}"
    ann.make_group(group, private=True)

    def invite() -> None:
        about(ann, "Add a member").click()
        ann.page.get_by_role("dialog").get_by_label("User name").fill(bob.name)
        ann.answer_dialog("Add")
        expect(ann.page.locator("#notice")).to_have_text(
            f"An invitation has been sent to @{bob.name}."
        )
        expect(member(ann, bob)).to_contain_text("Invited")
        expect(invitation(bob, group)).to_contain_text("Ann Walker invites you")
        expect(invitation(bob, group)).to_contain_text(f"@{ann.name} · 1 member")

    invite()
    for someone in ann, bob:
        someone.expect_accessible()
    ann.picture("group-invited")
    bob.picture("invitation-dark")

    # The keyboard alone declines, and is led back to the search.
    bob.search.press("ArrowDown")
    expect(invitation(bob, group).get_by_role("button").first).to_be_focused()
    for _ in range(2):
        bob.page.keyboard.press("Tab")
    expect(invitation(bob, group).get_by_role("button", name="Decline")).to_be_focused()
    bob.page.keyboard.press("Enter")
    expect(invitation(bob, group)).to_have_count(0)
    expect(bob.search).to_be_focused()
    expect(bob.entry(group)).to_have_count(0)

    # What ann's page still shows is withdrawn, though it is gone already; nothing tells her.
    member(ann, bob).get_by_role("button", name="Withdraw").click()
    expect(member(ann, bob)).to_have_count(0)

    invite()
    member(ann, bob).get_by_role("button", name="Withdraw").click()
    expect(invitation(bob, group)).to_have_count(0)

    invite()
    bob.page.reload()
    bob.wait_until_live()
    invitation(bob, group).get_by_role("button", name="Accept").click()
    expect(bob.heading(group)).to_be_visible()
    expect(invitation(bob, group)).to_have_count(0)
    expect(ann.log).to_contain_text("Bob Marsh joined")
    expect(member(ann, bob)).not_to_contain_text("Invited")
    bob.say("Here I am")
    ann.sees("Here I am")


def test_an_inviter_can_be_blocked(ann: Person, bob: Person) -> None:
    group = f"{GROUP} of {ann.name}"
    ann.make_group(group, private=True)
    about(ann, "Add a member").click()
    ann.page.get_by_role("dialog").get_by_label("User name").fill(bob.name)
    ann.answer_dialog("Add")
    invitation(bob, group).get_by_role("button").first.click()
    dialog = bob.page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Write a message")).to_have_count(0)
    dialog.get_by_role("button", name="Block").click()
    bob.answer_dialog("Block")
    expect(invitation(bob, group)).to_have_count(0)


def test_an_owner_changes_the_group_and_everybody_sees_it(ann: Person, bob: Person) -> None:
    before, after = f"{GROUP} of {ann.name}", f"Orchestra of {ann.name}"
    ann.make_group(before)
    bob.join_group(before)
    about(ann, "Edit group").click()
    dialog = ann.page.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_have_value(before)
    dialog.get_by_label("Name").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Name")).to_have_accessible_description("Fill this in.")
    dialog.get_by_label("Name").fill(after)
    dialog.get_by_label("What is it about?").fill("Strings and brass")
    dialog.get_by_label("Invited people only").check()
    ann.picture("group-edit")
    ann.answer_dialog("Save")

    for said in f"named the group “{after}”", "changed the description", "made the group private":
        expect(ann.log).to_contain_text(f"You {said}")
        expect(bob.log).to_contain_text(f"Ann Walker {said}")
    expect(bob.heading(after)).to_be_visible()
    expect(bob.entry(after)).to_be_visible()
    expect(bob.page.locator("#about")).to_contain_text("Strings and brass")
    expect(bob.page.locator("#about")).to_contain_text("Private group")
    expect(about(bob, "Edit group")).to_have_count(0)


def test_a_group_is_handed_over(ann: Person, bob: Person) -> None:
    group = f"{GROUP} of {ann.name}"
    ann.make_group(group)
    bob.join_group(group)
    choose(ann, bob, "Make owner")
    ann.picture("group-hand-over")
    ann.expect_accessible()
    ann.answer_dialog("Make owner")
    expect(bob.log).to_contain_text("Ann Walker made you the owner")
    expect(member(bob, bob)).to_contain_text("Owner")
    expect(about(bob, "Edit group")).to_be_visible()
    expect(about(ann, "Edit group")).to_have_count(0)
    expect(member(ann, bob)).to_contain_text("Owner")


def test_who_is_removed_is_told_and_sees_no_more_of_it(ann: Person, bob: Person) -> None:
    group = f"{GROUP} of {ann.name}"
    ann.make_group(group)
    bob.join_group(group)
    expect(member(ann, bob)).to_be_visible()
    choose(ann, bob, "Remove from the group")
    ann.picture("group-remove")
    ann.answer_dialog("Remove from the group")
    expect(bob.page.get_by_role("status").filter(has_text="no longer a member")).to_be_visible()
    expect(bob.entry(group)).to_have_count(0)
    expect(bob.page.get_by_text("Pick up a conversation")).to_be_visible()
    bob.picture("group-removed")
    bob.expect_accessible()
    expect(ann.log).to_contain_text("You removed Bob Marsh")
    expect(member(ann, bob)).to_have_count(0)
    expect(ann.page.locator("#talk-subtitle")).to_have_text("1 member")


def test_an_owner_who_leaves_passes_the_group_on(ann: Person, bob: Person) -> None:
    group = f"{GROUP} of {ann.name}"
    ann.make_group(group)
    bob.join_group(group)
    expect(ann.page.locator("#talk-subtitle")).to_have_text("2 members")
    about(ann, "Leave group").click()
    expect(ann.page.get_by_role("dialog")).to_contain_text("belongs to the member who has been")
    ann.picture("group-leave")
    ann.expect_accessible()
    ann.answer_dialog("Leave group")
    expect(ann.entry(group)).to_have_count(0)
    expect(bob.log).to_contain_text("Ann Walker left")
    expect(bob.log).to_contain_text("Ann Walker made you the owner")
    expect(about(bob, "Edit group")).to_be_visible()
    # And back, as anybody can: the group is public.
    ann.join_group(group)
    expect(bob.page.locator("#talk-subtitle")).to_have_text("2 members")


def test_who_leaves_a_group_goes_back_once_whatever_else_comes_in(ann: Person, bob: Person) -> None:
    ann.make_group(f"{GROUP} to leave")
    # The browser goes back some time after it was asked to: here, when the test says so.
    ann.page.evaluate(
        """() => {
            window.asked = [];
            const back = history.back.bind(history);
            history.back = () => void window.asked.push(back);
        }"""
    )
    about(ann, "Leave group").click()
    ann.answer_dialog("Leave group")
    expect(ann.entry(f"{GROUP} to leave")).to_have_count(0)
    bob.add_to_new_group("Surprise", ann)
    expect(ann.entry("Surprise")).to_be_visible()
    assert ann.page.evaluate("window.asked.length") == 1
    ann.page.evaluate("window.asked[0]()")
    ann.open_group("Surprise")
