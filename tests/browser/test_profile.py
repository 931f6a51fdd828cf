"""What people change about themselves, and how others see it."""

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import APIResponse, FilePayload, Locator, Route, expect

from tests.support.browser_person import PHONE, Person

pytestmark = pytest.mark.service("chromium")


def profile(someone: Person) -> Locator:
    someone.page.get_by_role("button", name="Your profile").click()
    dialog = someone.page.get_by_role("dialog", name="Your profile")
    expect(dialog).to_be_visible()
    return dialog


def png() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(out, "PNG")
    return out.getvalue()


def choose_picture(dialog: Locator, data: bytes, name: str = "me.png") -> None:
    with dialog.page.expect_file_chooser() as chooser:
        dialog.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files(FilePayload(name=name, mimeType="image/png", buffer=data))


def test_a_picture_and_a_nickname_are_shown_to_everybody(
    ann: Person, person: Callable[..., Person]
) -> None:
    bob: Person = person("Bob Marsh")
    bob.arrive()
    group = f"Group of {ann.name}"
    ann.make_group(group)
    ann.say("still with initials")
    bob.join_group(group)
    bob.sees("still with initials")
    elsewhere: Person = person(known=ann)
    elsewhere.enter()

    dialog = profile(ann)
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    ann.picture("profile")
    ann.expect_accessible()
    choose_picture(dialog, b"this is no picture")
    expect(dialog.get_by_role("alert").filter(has_text="PNG, JPEG, WebP or GIF")).to_be_visible()
    choose_picture(dialog, bytes((5 << 20) + 1))
    expect(dialog.get_by_role("alert").filter(has_text="larger than 5 MB")).to_be_visible()
    choose_picture(dialog, png())
    image = dialog.locator(".avatar img")
    expect(image).to_be_visible()
    assert image.evaluate("async image => (await image.decode(), image.naturalWidth)") == 256
    dialog.get_by_label("Nickname").fill("x" * 41)
    expect(dialog.get_by_label("Nickname")).to_have_value("x" * 40)
    dialog.get_by_label("Nickname").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Nickname")).to_have_accessible_description(
        "The name that others see beside your messages. Fill this in."
    )
    dialog.get_by_label("Nickname").fill("Ann of the Hills")
    dialog.get_by_role("button", name="Save").click()
    expect(ann.page.locator("#my-nickname")).to_have_text("Ann of the Hills")
    expect(ann.page.locator("#my-avatar img")).to_be_visible()
    expect(elsewhere.page.locator("#my-nickname")).to_have_text("Ann of the Hills")
    expect(elsewhere.page.locator("#my-avatar img")).to_be_visible()
    ann.picture("profile-picture")
    ann.page.keyboard.press("Escape")

    # Bob's page learns of it with the next message; what stands there already follows.
    ann.say("and now with a picture")
    bob.sees("and now with a picture")
    expect(bob.log.locator(".sender").first).to_have_text("Ann of the Hills")
    expect(bob.log.locator(".avatar img").first).to_be_visible()
    bob.picture("picture-of-another")
    bob.expect_accessible()

    dialog = profile(ann)
    dialog.get_by_role("button", name="Remove picture").click()
    expect(ann.page.locator("#my-avatar img")).to_have_count(0)
    expect(dialog.get_by_role("button", name="Remove picture")).to_be_hidden()


def test_the_theme_is_chosen_and_stays(ann: Person) -> None:
    root = ann.page.locator("html")

    def background() -> str:
        return str(root.evaluate("root => getComputedStyle(root).backgroundColor"))

    light = background()
    dialog = profile(ann)
    dialog.get_by_label("Appearance").select_option("Dark")
    expect(root).to_have_attribute("data-theme", "dark")
    dark = background()
    assert light != dark
    ann.picture("profile-dark")
    ann.expect_accessible()
    ann.page.reload()
    ann.wait_until_live()
    assert background() == dark
    ann.page.emulate_media(color_scheme="dark")
    profile(ann).get_by_label("Appearance").select_option("Light")
    expect(root).to_have_attribute("data-theme", "light")
    assert background() == light
    ann.page.get_by_role("dialog").get_by_label("Appearance").select_option("Same as the system")
    expect(root).to_have_attribute("data-theme", "")
    assert background() == dark


def test_sessions_are_listed_and_ended_one_by_one(
    ann: Person, person: Callable[..., Person]
) -> None:
    elsewhere: Person = person(
        "Elsewhere", user_agent="Mozilla/5.0 (iPhone) Version Safari/604.1", network_errors=True
    )
    elsewhere.name = ann.name
    elsewhere.log_in()
    elsewhere.wait_until_live()
    dialog = profile(ann)
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    expect(dialog.get_by_role("listitem").filter(has_text="This browser")).to_have_count(1)
    ann.picture("sessions")
    dialog.get_by_role("button", name="Log out: Safari on iPhone").click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    expect(elsewhere.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    told = elsewhere.page.get_by_role("status").filter(has_text="your session was ended")
    expect(told).to_be_visible()
    elsewhere.picture("session-ended")
    elsewhere.expect_accessible()


def test_a_password_is_changed_and_other_sessions_end(
    ann: Person, person: Callable[..., Person]
) -> None:
    elsewhere: Person = person("Elsewhere", network_errors=True)
    elsewhere.name = ann.name
    elsewhere.log_in()
    elsewhere.wait_until_live()
    profile(ann).get_by_role("button", name="Change password").click()
    dialog = ann.page.get_by_role("dialog", name="Change password")
    save = dialog.get_by_role("button", name="Change password")
    dialog.get_by_label("Current password").fill("wrong wrong wrong")
    dialog.get_by_label("New password").fill("short")
    save.click()
    expect(dialog.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("New password").fill("eight blue umbrellas")
    save.click()
    expect(dialog.get_by_label("Current password")).to_have_accessible_description(
        "The password is wrong."
    )
    ann.picture("password")
    ann.expect_accessible()
    dialog.get_by_label("Current password").fill("seven green umbrellas")
    save.click()
    expect(dialog).to_have_count(0)
    expect(ann.page.locator("#notice")).to_have_text("Your password has been changed.")
    expect(elsewhere.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    elsewhere.log_in("eight blue umbrellas")
    elsewhere.wait_until_live()


def test_an_account_is_deleted_and_its_messages_stay(
    ann: Person, person: Callable[..., Person]
) -> None:
    bob: Person = person("Bob Marsh")
    bob.arrive()
    bob.add_contact(ann)
    bob.write_to(ann)
    bob.say("Between us")
    bob.sees("Between us")
    private = bob.page.url
    group = f"Group of {ann.name}"
    ann.make_group(group)
    bob.join_group(group)
    ann.say("I was here")
    bob.sees("I was here")
    profile(ann).get_by_role("button", name="Delete account").click()
    dialog = ann.page.get_by_role("dialog", name="Delete your account?")
    dialog.get_by_label("Password").fill("not mine")
    dialog.get_by_role("button", name="Delete account").click()
    expect(dialog).to_contain_text("The password is wrong.")
    ann.picture("delete-account")
    ann.expect_accessible()
    dialog.get_by_label("Password").fill("seven green umbrellas")
    late: list[tuple[Route, APIResponse]] = []
    ann.page.route("**/api/me", lambda route: late.append((route, route.fetch())))
    dialog.get_by_role("button", name="Delete account").click()
    # The server closes the connection before the page has the answer.
    expect(ann.page.locator("body")).to_have_attribute("data-connection", "lost")
    while not late:
        ann.page.evaluate("0")
    late[0][0].fulfill(response=late[0][1])
    expect(ann.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    expect(ann.page.get_by_text("Your account has been deleted.")).to_be_visible()
    expect(bob.log).to_contain_text("Deleted user left")
    bob.sees("I was here")
    expect(bob.log.locator(".sender")).to_have_text("Deleted user")
    # Bob's page does not know yet that the private chat has ended; the server tells it.
    bob.page.goto(private)
    bob.say("Are you still there?")
    expect(bob.draft("Are you still there?")).to_contain_text("This account has been deleted.")
    expect(bob.page.locator("#barred")).to_have_text(
        "This account has been deleted. The messages stay."
    )
    expect(bob.composer).to_be_hidden()
    bob.sees("Between us")
    expect(bob.page.locator("#about").get_by_role("button")).to_have_count(0)
    bob.picture("peer-deleted")
    bob.expect_accessible()
    ann.log_in()
    expect(ann.page.get_by_role("alert")).to_be_visible()


def test_the_profile_fits_a_phone(ann: Person, person: Callable[..., Person]) -> None:
    phone: Person = person(known=ann, size=PHONE, scheme="dark")
    phone.enter()
    dialog = profile(phone)
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    phone.picture("profile-phone-dark")
    phone.expect_accessible()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
