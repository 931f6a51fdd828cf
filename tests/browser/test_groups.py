"""Groups: what owners do, and how everybody sees it happen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser_person import PHONE, Person
from tests.support.chat_server import PASSWORD

pytestmark = pytest.mark.service("chromium")

GROUP = "Choir"


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
    expect(ann.log).to_contain_text("Only its members can read it.")
    expect(ann.page.locator("#about")).to_contain_text("Private group")

    bob.search.fill(group)
    expect(bob.page.get_by_text("Nothing found for")).to_be_visible()
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
    expect(bob.page.get_by_text("Start a conversation")).to_be_visible()
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


def test_several_members_are_added_at_once(
    ann: Person, bob: Person, person: Callable[..., Person]
) -> None:
    carol: Person = person("Carol Reed").arrive()
    dora: Person = person("Dora Finch").arrive()
    for other in bob, carol, dora:
        other.add_contact(ann)
    ann.add_contact(bob)
    ann.add_contact(carol)
    ann.make_group(f"{GROUP} of many")
    about(ann, "Add a member").click()
    dialog = ann.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_contain_text("Fill this in.")
    dialog.get_by_label("Bob Marsh").check()
    dialog.get_by_label("Carol Reed").check()
    names = dialog.get_by_label("User name")
    names.fill(f"@{dora.name}, nobody-is-called-so")
    ann.picture("group-add-several")
    ann.expect_accessible()
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_contain_text("@nobody-is-called-so: Nobody has this user name.")
    names.fill(dora.name)
    ann.answer_dialog("Add")
    for other in bob, carol, dora:
        expect(member(ann, other)).to_be_visible()
        expect(other.entry(f"{GROUP} of many")).to_be_visible()
    about(ann, "Add a member").click()
    expect(dialog.get_by_role("checkbox")).to_have_count(0)


def test_a_group_that_is_made_later_is_suggested(ann: Person, bob: Person) -> None:
    group = f"Later than {bob.name}"
    bob.page.reload()
    bob.wait_until_live()
    ann.make_group(group)
    join = bob.page.get_by_role("button", name=f"Join {group}")
    expect(join).to_have_count(0)
    bob.search.focus()
    expect(join).to_be_visible()


def test_the_address_of_a_public_group_offers_to_join_it_also_after_the_login(
    ann: Person, bob: Person
) -> None:
    group = f"Known by its address to {bob.name}"
    ann.make_group(group, "Open to all")
    route = "#/" + ann.page.url.rpartition("/")[2]
    for logged_in in True, False:
        if logged_in:
            bob.page.goto("/" + route)
        else:
            bob.log_out()
            bob.page.goto("/" + route)
            bob.page.get_by_role("link", name="Create an account").click()
            bob.page.get_by_role("link", name="Log in").click()
            bob.page.get_by_label("User name").fill(bob.name)
            bob.page.get_by_label("Password", exact=True).fill(PASSWORD)
            bob.fill_captcha()
            bob.page.get_by_role("button", name="Log in").click()
        dialog = bob.page.get_by_role("dialog", name=f"Join “{group}”?")
        expect(dialog).to_contain_text("1 member · Open to all")
        bob.picture(f"group-by-address-{logged_in}")
        bob.expect_accessible()
        if logged_in:
            bob.answer_dialog("Cancel")
    bob.answer_dialog("Join")
    expect(bob.heading(group)).to_be_visible()

    bob.page.goto("/#/999999999")
    told = bob.page.get_by_role("status").filter(has_text="does not exist, or you are not a member")
    expect(told).to_be_visible()
    expect(bob.page.get_by_role("dialog")).to_have_count(0)


def test_an_invite_link_leads_a_new_user_through_registration_into_a_private_group(
    ann: Person, person: Callable[..., Person]
) -> None:
    carl: Person = person("Carl Reed", size=PHONE, scheme="dark", network_errors=True)
    group = f"{GROUP} behind a link"
    ann.make_group(group, "Sings on Mondays", private=True)
    about(ann, "Invite link").click()
    dialog = ann.page.get_by_role("dialog", name="Invite link")
    dialog.get_by_label("30 days").check()
    ann.picture("invite-link-new")
    ann.expect_accessible()
    dialog.get_by_role("button", name="Create link").click()
    expect(dialog).to_contain_text("Valid until")
    link = dialog.get_by_label("Invite link").input_value()
    dialog.get_by_role("button", name="Copy link").click()
    expect(ann.page.locator("#notice")).to_have_text("Copied.")
    ann.picture("invite-link")
    ann.expect_accessible()
    ann.page.keyboard.press("Escape")

    carl.page.goto(link)
    carl.page.get_by_role("link", name="Create an account").click()
    carl.send_registration()
    question = carl.page.get_by_role("dialog", name=f"Join “{group}”?")
    expect(question).to_contain_text("1 member · Sings on Mondays")
    carl.picture("invite-link-join")
    carl.expect_accessible()
    carl.answer_dialog("Join")
    expect(carl.heading(group)).to_be_visible()
    expect(ann.log).to_contain_text("Carl Reed joined")

    about(ann, "Invite link").click()
    expect(dialog.get_by_label("Invite link")).to_have_value(link)
    dialog.get_by_role("button", name="Revoke link").click()
    expect(ann.page.get_by_role("dialog")).to_have_count(0)
    carl.page.goto(link)
    ended = carl.page.get_by_role("status").filter(has_text="This invite link has ended.")
    expect(ended).to_be_visible()
    carl.picture("invite-link-ended")


def test_a_new_user_browses_the_public_groups_with_the_keyboard(
    ann: Person, person: Callable[..., Person]
) -> None:
    carl: Person = person("Carl Reed", size=PHONE, scheme="dark").arrive()
    ann.page.evaluate(
        """async () => {
            const { post } = await import("/static/js/api.js");
            for (let number = 10; number < 31; number++) {  // a page has 20
                const title = `0 group ${number}`;
                await post("/api/groups", { title, description: `About ${title}. `.repeat(9) });
            }
        }"""
    )
    carl.page.get_by_role("button", name="Find public groups").last.press("Enter")
    dialog = carl.page.get_by_role("dialog", name="Public groups")
    entries = dialog.get_by_role("listitem")
    expect(entries).to_have_count(20)
    expect(entries.first).to_contain_text("1 member · About 0 group 10.")
    expect(entries.first.get_by_role("button")).to_be_focused()
    carl.picture("browse-groups-dark")
    carl.expect_accessible()
    dialog.get_by_role("button", name="Show more").press("Enter")
    expect(dialog.get_by_role("button", name="Join 0 group 30")).to_be_visible()
    expect(entries.nth(20).get_by_role("button")).to_be_focused()
    dialog.get_by_role("button", name="Join 0 group 30").press("Enter")
    expect(carl.heading("0 group 30")).to_be_visible()
    ann.page.get_by_role("button", name="Browse public groups").click()
    ann.picture("browse-groups")
    ann.page.get_by_role("button", name="Open 0 group 10").click()
    expect(ann.heading("0 group 10")).to_be_visible()
