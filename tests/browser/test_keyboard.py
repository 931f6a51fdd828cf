"""Every dialog without a mouse, in every language; and axe looks at each of them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser_person import Person
from tests.support.chat_server import PASSWORD, ChatServer

pytestmark = pytest.mark.service("chromium")

MODULES = {"en-US": "en", "zh-CN": "zh_CN", "ru": "ru"}


class Keyboard:
    """Somebody who has nothing else. Places are named by the keys of the page's own texts."""

    def __init__(self, someone: Person, language: str) -> None:
        self.someone = someone
        self.page: Page = someone.page
        self.press, self.type = self.page.keyboard.press, self.page.keyboard.type
        path = f"/static/js/i18n/strings/{MODULES[language]}.js"
        # JSON leaves out what is no text.
        self.words: dict[str, str] = self.page.evaluate(
            "async path => JSON.parse(JSON.stringify((await import(path)).strings))", path
        )
        self.dialogs = self.page.locator("dialog[open]")
        self.colours = language == "en-US"  # they are the same in every language

    def tab_to(self, key: str = "", *, selector: str = "*") -> None:
        """Press Tab until something has the focus."""
        for _ in range(60):
            self.press("Tab")
            if self.page.evaluate(
                """([text, selector]) => {
                    const e = document.activeElement;
                    const name = e.ariaLabel ?? e.textContent.trim();
                    return e !== document.body && e.matches(selector) && (!text || name === text);
                }""",
                [self.words.get(key, ""), selector],
            ):
                return
        raise AssertionError(f"Tab does not reach {key or selector}")

    def open(self, key: str = "", *, selector: str = "*", level: int = 1) -> None:
        """Open a dialog from its button, and look at it."""
        self.tab_to(key, selector=selector)
        self.press("Enter")
        self.look(level)

    def look(self, level: int = 1) -> None:
        """The focus is in the topmost of so many dialogs, and axe finds nothing."""
        expect(self.dialogs).to_have_count(level)
        self.expect_focus("dialog[open]:last-of-type :focus")
        for theme in ("light", "dark") if self.colours else ("light",):
            self.page.emulate_media(color_scheme=theme)
            self.someone.expect_accessible(colours=self.colours)

    def escape(self, key: str, level: int = 0) -> None:
        """Close the dialog: the focus goes back to what opened it."""
        self.press("Escape")
        expect(self.dialogs).to_have_count(level)
        expect(self.page.locator(":focus")).to_have_accessible_name(self.words[key])

    def expect_focus(self, selector: str) -> None:
        expect(self.page.locator(selector)).to_have_count(1)


def add_contact(keys: Keyboard, mate: str) -> None:
    """Add somebody to the contacts, at the second attempt."""
    keys.open("addContact")
    keys.type("nobody-is-called-so")
    keys.press("Enter")
    expect(keys.dialogs).to_contain_text(keys.words["nobody"])
    keys.press("Control+a")
    keys.type(mate)
    keys.press("Enter")
    expect(keys.page.locator("#lists")).to_contain_text("Mate")
    expect(keys.dialogs).to_have_count(0)


def create_group(keys: Keyboard) -> None:
    """Make a group and write in it."""
    keys.open("createGroup")
    keys.type("Typists")
    keys.press("Tab")
    keys.type("No mouse")
    keys.press("Tab")
    keys.press("ArrowDown")
    expect(keys.page.locator("#field-public-false")).to_be_checked()
    keys.press("Enter")
    expect(keys.someone.heading("Typists")).to_be_visible()
    keys.expect_focus("#composer:focus")
    keys.type("a typed word")
    keys.press("Enter")
    keys.someone.sees("a typed word")


def look_at_own_message(keys: Keyboard) -> None:
    """Open the dialog that deletes one's own message, and close it."""
    keys.tab_to("messageMenu")
    keys.press("Enter")
    keys.press("End")
    keys.press("Enter")
    keys.look()
    keys.escape("messageMenu")


def manage_group(keys: Keyboard, mate: str) -> None:
    """Add a member, and open every dialog of a group and of a member."""
    keys.open("addMember")
    keys.type(mate)
    keys.press("Enter")
    expect(keys.page.locator("#members li")).to_have_count(2)
    expect(keys.dialogs).to_have_count(0)
    keys.open(selector="#members button")
    keys.open("block")
    keys.press("Escape")
    keys.expect_focus("#members button:focus")
    keys.open("editGroup")
    keys.escape("editGroup")
    keys.open("leave")
    keys.escape("leave")


def search_in_group(keys: Keyboard) -> None:
    """Find a word in the group and go to the message."""
    keys.tab_to(selector="#find-button")
    keys.press("Enter")
    keys.expect_focus("#find:focus")
    keys.type("typed word")
    expect(keys.page.locator("#found button")).to_have_count(1)
    keys.tab_to(selector="#found button")
    keys.press("Enter")
    keys.expect_focus("#log [data-seq]:focus")


def manage_account(keys: Keyboard) -> None:
    """End another session, and open the dialogs of the profile; delete the account."""
    keys.open("profile")
    expect(keys.page.locator(".sessions li")).to_have_count(2)
    keys.tab_to(selector=".sessions button")
    keys.press("Enter")
    expect(keys.page.locator(".sessions li")).to_have_count(1)
    keys.open("changePassword", level=2)
    keys.type("not my password")
    keys.press("Tab")
    keys.type("eight blue umbrellas")
    keys.press("Enter")
    expect(keys.page.locator("[aria-invalid=true]:focus")).to_have_count(1)
    keys.escape("changePassword", level=1)
    keys.open("deleteAccount", level=2)
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(keys.page.locator("form[data-form=login]")).to_be_visible()


@pytest.mark.parametrize("language", MODULES)
def test_every_dialog_works_by_keyboard_alone(
    person: Callable[..., Person], shared_server: ChatServer, language: str
) -> None:
    someone: Person = person("Kai", locale=language, network_errors=True)
    someone.arrive()
    mate = f"mate-of-{someone.name}"
    shared_server.add_user(mate, "Mate")
    shared_server.log_in(someone.name)  # in another browser
    shared_server.add_contact(mate, someone.name)  # or the mate would be invited, not added
    keys = Keyboard(someone, language)
    add_contact(keys, mate)
    create_group(keys)
    look_at_own_message(keys)
    manage_group(keys, mate)
    search_in_group(keys)
    manage_account(keys)
