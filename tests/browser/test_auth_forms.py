"""The pages outside the chat: login, register, and what is not there."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser_person import DESKTOP, PHONE, Person
from tests.support.chat_server import PASSWORD

pytestmark = pytest.mark.service("chromium")

LOOKS = [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")]
LOOK_NAMES = ["desktop-light", "desktop-dark", "phone-light", "phone-dark"]


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=LOOK_NAMES)
def test_every_page_and_its_errors_are_accessible(
    person: Callable[..., Person],
    size: dict[str, int],
    scheme: str,
    request: pytest.FixtureRequest,
) -> None:
    look = request.node.callspec.id
    ann: Person = person("Ann", size=size, scheme=scheme, network_errors=True)
    for path in "/login", "/register", "/no-such-page":
        ann.page.goto(path)
        name = path.strip("/")
        ann.picture(f"{name}-{look}")
        ann.expect_accessible()
        submit = ann.page.locator("button[type=submit]")
        if submit.count():
            submit.click()
            expect(ann.page.locator("[aria-invalid=true]").first).to_be_focused()
            ann.picture(f"{name}-errors-{look}")
            ann.expect_accessible()


def test_a_form_that_the_server_refuses_says_why_beside_the_field(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann", network_errors=True)
    page = ann.page
    page.goto("/register")
    page.get_by_label("User name").fill(ann.name)
    page.get_by_label("Nickname").fill("Ann of the <b>hills</b>")
    page.get_by_label("Password", exact=True).fill("password")
    page.get_by_label("Password once more").fill("password")
    page.get_by_label("Characters in the picture").fill("WRONG")
    page.get_by_role("button", name="Create account").click()

    expect(page).to_have_title(re.compile("^Error: "))
    for label in "Password", "Characters in the picture":
        field = page.get_by_label(label, exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(".+"))
        expect(field).to_have_value("")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    expect(page.get_by_label("User name")).to_have_value(ann.name)
    expect(page.get_by_label("Nickname")).to_have_value("Ann of the <b>hills</b>")
    ann.picture("register-refused")
    ann.expect_accessible()


def test_a_wrong_password_is_told_and_the_name_is_kept(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann", network_errors=True)
    ann.register().log_out()
    ann.log_in("not the umbrellas")
    expect(ann.page.get_by_role("alert")).to_be_visible()
    expect(ann.page.get_by_label("User name")).to_have_value(ann.name)
    expect(ann.page.get_by_label("Password", exact=True)).to_be_focused()
    ann.picture("login-refused")
    ann.expect_accessible()
    ann.page.get_by_label("Password", exact=True).fill(PASSWORD)
    ann.fill_captcha()
    ann.page.keyboard.press("Enter")
    ann.wait_until_live()


def test_a_wrong_captcha_says_that_the_passwords_must_be_typed_again(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann", network_errors=True)
    page = ann.page
    password, again = (
        page.get_by_label("Password", exact=True),
        page.get_by_label("Password once more"),
    )
    captcha = page.get_by_label("Characters in the picture")
    page.goto("/register")
    page.get_by_label("User name").fill(ann.name)
    password.fill(PASSWORD)
    again.fill(PASSWORD)
    page.get_by_label("Nickname").fill("Ann")
    captcha.fill("?????")
    page.get_by_role("button", name="Create account").click()
    notice = page.get_by_role("alert")
    expect(notice).to_have_text("Type both passwords again. They are not sent back with the form.")
    expect(password).to_be_focused()
    ann.picture("register-wrong-captcha")
    ann.expect_accessible()
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    ann.picture("register-wrong-captcha-phone-dark")
    page.set_viewport_size(DESKTOP)
    password.fill(PASSWORD)
    again.fill(PASSWORD)
    ann.fill_captcha()
    page.get_by_role("button", name="Create account").click()
    ann.wait_until_live()
    ann.log_out()
    page.get_by_label("User name").fill(ann.name)
    password.fill(PASSWORD)
    captcha.fill("?????")
    page.get_by_role("button", name="Log in").click()
    expect(notice).to_have_text("Type your password again. It is not sent back with the form.")
    expect(password).to_be_focused()
    ann.expect_accessible()


def test_a_taken_name_is_told_while_it_is_typed(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann")
    ann.register()
    bob: Person = person("Bob")
    bob.page.goto("/register")
    name = bob.page.get_by_label("User name")
    name.fill(ann.name.upper())
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(bob.page.locator("#name-error")).not_to_be_empty()
    name.fill(bob.name)
    expect(bob.page.locator("#name-error")).to_have_text("This user name is free.")
    expect(name).not_to_have_attribute("aria-invalid", "true")


def test_passwords_that_differ_or_are_short_are_told_before_the_form_goes(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann")
    ann.page.goto("/register")
    ann.page.get_by_label("Password", exact=True).fill("short")
    ann.page.get_by_label("Password once more").fill("shore")
    ann.page.get_by_role("button", name="Create account").click()
    expect(ann.page.locator("#password-error")).to_have_text("Use 8 characters or more.")
    expect(ann.page.locator("#confirmation-error")).to_have_text(
        "The two passwords are not the same."
    )


def test_a_password_can_be_shown(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann")
    ann.page.goto("/login")
    field = ann.page.get_by_label("Password", exact=True)
    field.fill(PASSWORD)
    reveal = ann.page.get_by_role("button", name="Show password")
    reveal.click()
    expect(field).to_have_attribute("type", "text")
    expect(reveal).to_have_attribute("aria-pressed", "true")
    reveal.click()
    expect(field).to_have_attribute("type", "password")


def test_another_captcha_can_be_asked_for_and_heard(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann")
    ann.page.goto("/register")
    challenge = ann.page.locator("input[name=captcha_id]")
    first = challenge.input_value()
    ann.page.get_by_role("button", name="Another picture").click()
    expect(challenge).not_to_have_value(first)
    second = challenge.input_value()
    expect(ann.page.locator(".captcha img")).to_have_attribute("src", f"/captcha/{second}.png")
    with ann.page.expect_response(f"**/captcha/{second}.wav") as sound:
        ann.page.get_by_role("button", name="Play sound").click()
    assert sound.value.ok
    ann.register()  # the forms work with the buttons' help or without


def test_who_is_not_logged_in_comes_back_to_where_they_wanted(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann")
    ann.page.goto("/")
    expect(ann.page).to_have_url(re.compile(r"/login\?next=%2F$"))
    ann.page.get_by_role("link", name="Create an account").click()
    expect(ann.page).to_have_url(re.compile(r"/register\?next=%2F$"))


def test_the_forms_work_without_javascript(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann", network_errors=True, java_script_enabled=False)
    page = ann.page
    page.goto("/register")
    page.get_by_label("User name").fill(ann.name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password once more").fill(PASSWORD)
    page.get_by_label("Nickname").fill("Ann")
    ann.fill_captcha()
    page.get_by_role("button", name="Create account").click()
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.get_by_role("navigation")).to_contain_text(f"@{ann.name}")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_after_a_logout_of_ones_own_no_notice_is_shown(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann").arrive()
    ann.log_out()
    expect(ann.page.locator(".notice")).to_have_count(0)
