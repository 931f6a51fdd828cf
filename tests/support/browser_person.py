"""A person with a browser, who uses the page by the names of its controls."""

import itertools
import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import (
    ConsoleMessage,
    Error,
    Locator,
    Page,
    ViewportSize,
    WebSocketRoute,
    expect,
)

from tests.support.accessibility import violations
from tests.support.browser_profiles import Profiles
from tests.support.chat_server import PASSWORD, ROOT

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
PICTURES = ROOT / "test-output" / "browser"

# The browser reports a failed connection and an error status as errors.
NETWORK = re.compile(r"Failed to load resource|WebSocket connection to .* failed")
UNAUTHORIZED = re.compile("status of 401")

_numbers = itertools.count(1)


class Server(Protocol):
    """A running chat: `chat_server.ChatServer`, or one behind a proxy."""

    @property
    def url(self) -> str:
        """The address of its pages."""

    def add_user(self, name: str, nickname: str) -> str:
        """Insert a user and a session, and return the secret id of the session."""

    def cookie(self, name: str, value: str) -> tuple[str, str]:
        """Return the full name and the signed value of a cookie, as the chat sets it."""

    def captcha_answer(self, captcha_id: str) -> str:
        """Return the answer of a captcha."""


class Person:
    """One browser profile with one page.

    `Person(...).register()` uses the form, `Person(...).arrive()` does not; the password is
    `PASSWORD`. `Person(..., known=other)` is the same person in another browser profile, already
    logged in.

    `errors` holds all errors that the page reports, such as an exception or a refusal by the
    Content-Security-Policy. The fixture that makes the person fails the test for them.

    Args:
        profiles: the profiles of the browser.
        server: the chat.
        nickname: the nickname, and the beginning of the user name.
        size: size of the window in CSS pixels; `DESKTOP` by default.
        scheme: the preferred colour scheme, "light" or "dark".
        locale: the language of the browser.
        network_errors: whether the test makes the network or the server fail on purpose.
        own_profile: whether the test changes the browser, so that no other test may use it.
        known: the same person in another profile.
        more: further arguments of `Browser.new_context`.
    """

    def __init__(
        self,
        profiles: Profiles,
        server: Server,
        nickname: str = "Ann",
        *,
        size: ViewportSize | None = None,
        scheme: str = "light",
        locale: str = "en-US",
        network_errors: bool = False,
        own_profile: bool = False,
        known: "Person | None" = None,
        **more: Any,
    ) -> None:
        """Open a blank page in a profile."""
        self.server = server
        self.nickname = nickname
        self.name = f"{re.sub(r'[^a-z]', '', nickname.lower()) or 'person'}{next(_numbers)}"
        self.errors: list[str] = []
        self.network_errors = network_errors
        self.logging_out = False
        self._profiles = profiles
        self.context = (profiles.new if own_profile else profiles.take)(
            viewport=size or DESKTOP,
            color_scheme=scheme,
            base_url=server.url,
            locale=locale,
            reduced_motion="reduce",
            **more,
        )
        if known is not None:
            self.nickname, self.name = known.nickname, known.name
            self.context.add_cookies(known.context.cookies())  # type: ignore[arg-type]
        self.page: Page = self.context.pages[0]
        self.page.on("pageerror", self._failed)
        self.page.on("console", self._heard)

    def _failed(self, error: Error) -> None:
        self.errors.append(f"exception: {error}")

    def _heard(self, message: ConsoleMessage) -> None:
        expected = NETWORK if self.network_errors else UNAUTHORIZED if self.logging_out else None
        if message.type in ("error", "warning") and not (
            expected and expected.search(message.text)
        ):
            self.errors.append(f"{message.type}: {message.text} ({message.location['url']})")

    def close(self) -> None:
        """Return the profile for the next test."""
        self.page.remove_listener("pageerror", self._failed)
        self.page.remove_listener("console", self._heard)
        self._profiles.give_back(self.context)

    # The login and registration pages

    def fill_captcha(self) -> None:
        """Enter the answer of the captcha, which comes from the database."""
        challenge = self.page.locator("input[name=captcha_id]").input_value()
        self.page.get_by_label("Characters in the picture").fill(
            self.server.captcha_answer(challenge)
        )

    def register(self) -> "Person":
        """Register with the form, and wait until the chat is open."""
        self.page.goto("/register")
        self.send_registration()
        self.wait_until_live()
        return self

    def send_registration(self) -> None:
        """Fill in the open form for registration and send it."""
        page = self.page
        page.get_by_label("User name").fill(self.name)
        expect(page.locator("#name-error")).to_have_text("This user name is free.")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password once more").fill(PASSWORD)
        page.get_by_label("Nickname").fill(self.nickname)
        self.fill_captcha()
        page.get_by_role("button", name="Create account").click()

    def arrive(self) -> "Person":
        """Open the chat as a new user without the form, in tests of other pages."""
        # The form sets both cookies. Without the second, two tabs that log out at the same time
        # would each get a new one, and the captcha of the first tab would belong to no browser.
        session = self.server.add_user(self.name, self.nickname)
        for cookie in ("session", session), ("browser", secrets.token_urlsafe(16)):
            name, value = self.server.cookie(*cookie)
            self.context.add_cookies([{"name": name, "value": value, "url": self.server.url}])
        return self.enter()

    def enter(self) -> "Person":
        """Open the chat as a user who is logged in."""
        self.page.goto("/")
        self.wait_until_live()
        return self

    def log_in(self, password: str = PASSWORD) -> None:
        """Fill in the login form and send it."""
        self.page.goto("/login")
        self.page.get_by_label("User name").fill(self.name)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.fill_captcha()
        self.page.get_by_role("button", name="Log in").click()

    def log_out(self) -> None:
        """Log out, and wait for the login page."""
        self.logging_out = True  # the page's last requests may arrive after the logout
        self.page.get_by_role("button", name="Log out").click()
        expect(self.page.get_by_role("heading", name="Welcome back")).to_be_visible()
        self.logging_out = False

    # In the chat

    def wait_until_live(self) -> None:
        """Wait until the list is loaded and the connection is open."""
        expect(self.page.locator("body")).to_have_attribute("data-connection", "open")
        expect(self.page.locator("#lists")).to_have_attribute("aria-busy", "false")

    def wake(self) -> None:
        """Send the page the event `online`, so that it reconnects at once."""
        self.page.evaluate("dispatchEvent(new Event('online'))")

    def make_group(self, title: str, description: str = "", *, private: bool = False) -> None:
        """Create a group with the dialog, and wait until it is open."""
        self.page.get_by_role("button", name="Create a group").first.click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Name").fill(title)
        dialog.get_by_label("What is it about?").fill(description)
        if private:
            dialog.get_by_label("Invited people only").check()
        dialog.get_by_role("button", name="Create group").click()
        expect(self.heading(title)).to_be_visible()

    def join_group(self, title: str) -> None:
        """Find a group with the search, and join it."""
        self.search.fill(title)
        self.page.get_by_role("button", name=f"Join {title}", exact=True).click()
        expect(self.heading(title)).to_be_visible()
        expect(self.log.get_by_text("You joined")).to_be_visible()

    def add_to_new_group(self, title: str, other: "Person") -> None:
        """Create a group and add a member by the API, in tests of something else.

        The other person gets this one as a contact, since a stranger would only be invited.
        """
        other.page.evaluate(
            """async (name) => {
                const { post } = await import("/static/js/api.js");
                await post("/api/contacts", { name });
            }""",
            self.name,
        )
        self.page.evaluate(
            """async ([title, name]) => {
                const { post } = await import("/static/js/api.js");
                const group = { title, description: "", public: true };
                const { conversation } = await post("/api/groups", group);
                await post(`/api/groups/${conversation.id}/members`, { name });
            }""",
            [title, other.name],
        )

    def open_group(self, title: str) -> None:
        """Open a group of the list."""
        self.entry(title).click()
        expect(self.heading(title)).to_be_visible()

    def add_contact(self, other: "Person") -> None:
        """Add a contact with the dialog."""
        self.page.get_by_role("button", name="Add a contact").first.click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("User name").fill(other.name)
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(self.contact(other)).to_be_visible()

    def write_to(self, other: "Person") -> None:
        """Open the private chat with a contact."""
        self.contact(other).or_(self.entry(other.nickname)).first.click()
        expect(self.heading(other.nickname)).to_be_visible()

    def answer_dialog(self, button: str) -> None:
        """Press a button of the dialog, and wait until the dialog is closed."""
        self.page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def refuse_frames(self, kind: str) -> Callable[[], None]:
        """Answer frames of a type with `rate_limited`, from the next connection on.

        Returns:
            A function that lets these frames pass again.
        """
        refused = {kind}

        def between(route: WebSocketRoute) -> None:
            server = route.connect_to_server()

            def from_page(message: str | bytes) -> None:
                frame = json.loads(message)
                if frame["type"] in refused:
                    error = {"type": "error", "code": "rate_limited", "message": "Too fast."}
                    route.send(json.dumps(error | {"cid": frame["cid"]}))
                else:
                    server.send(message)

            route.on_message(from_page)

        self.page.route_web_socket("**/ws", between)
        return refused.clear

    def say(self, text: str) -> None:
        """Send a message with the composer."""
        self.composer.fill(text)
        self.composer.press("Enter")

    def say_many(self, texts: list[str]) -> None:
        """Send messages to the open conversation through another connection; wait for all acks."""
        self.page.evaluate(
            """texts => new Promise((resolve, reject) => {
                const socket = new WebSocket(`ws://${location.host}/ws`);
                const conv = Number(location.hash.slice(2));
                let acks = 0;
                socket.onclose = ({code}) => reject(`closed with ${code}`);
                socket.onmessage = ({data}) => {
                    const {type} = JSON.parse(data);
                    if (type === "hello") for (const text of texts) {
                        const cid = crypto.randomUUID();
                        socket.send(JSON.stringify({type: "send", cid, conv, text}));
                    }
                    if (type === "error") reject(data);
                    if (type === "ack" && ++acks === texts.length) { resolve(); socket.close(); }
                };
            })""",
            texts,
        )

    def act_on(self, text: str, entry: str) -> None:
        """Choose an entry of the menu of a message that contains a text."""
        row = self.log.locator("[data-seq]", has=self.page.locator(".text", has_text=text)).last
        row.hover()
        row.get_by_role("button", name="Message menu").click()
        self.page.get_by_role("menuitem", name=entry).click()

    def scroll_until(self, text: str, *, up: bool) -> None:
        """Scroll to an end of the loaded messages, again and again, until a message is there."""
        # No wait for one more page of them: it may have come before that wait begins.
        end = "0" if up else "log.scrollHeight"
        while self.message(text).count() == 0:
            self.log.evaluate(f"log => log.scrollTo(0, {end})")

    def sees(self, text: str) -> None:
        """Check that the conversation shows a message exactly once, as a stored one."""
        expect(self.message(text)).to_have_count(1)

    @property
    def search(self) -> Locator:
        """The search box of the list."""
        return self.page.get_by_role("searchbox", name="Find people and groups")

    @property
    def composer(self) -> Locator:
        """The text box for a message."""
        return self.page.get_by_role("textbox", name="Message")

    @property
    def log(self) -> Locator:
        """The messages of the open conversation."""
        return self.page.get_by_role("log")

    def heading(self, title: str) -> Locator:
        """Return the heading of the open conversation, if it has this title."""
        return self.page.locator("#talk-title", has_text=title)

    def entry(self, title: str) -> Locator:
        """Return the line of a conversation in the list."""
        # The text of a whole line joins title and time: "Group 29" at 9:34 contains "Group 299".
        name = self.page.locator(".name", has_text=title)
        return self.page.get_by_role("navigation").get_by_role("link").filter(has=name)

    def contact(self, other: "Person") -> Locator:
        """Return the line of a contact without a private chat."""
        contacts = self.page.get_by_role("list", name="Contacts")
        return contacts.get_by_role("button").filter(has_text=other.nickname)

    def message(self, text: str) -> Locator:
        """Return the stored message with exactly this text."""
        exactly = self.page.get_by_text(text, exact=True)
        return self.log.locator("[data-seq] .text").and_(exactly)

    def draft(self, text: str) -> Locator:
        """Return a pending message that contains a text."""
        return self.log.locator("[data-cid]").filter(has_text=text)

    # Checks

    def picture(self, name: str) -> Path:
        """Save a screenshot as test output, and return its path."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def expect_accessible(self, *, colours: bool = True) -> None:
        """Check the page with axe.

        Args:
            colours: whether to check contrast, see `violations`.
        """
        found = violations(self.page, colours=colours)
        assert not found, "\n".join([f"axe found, on {self.page.url}:", *found])


def close_without_errors(people: list[Person]) -> None:
    """Close the pages of people. An error that a page has reported fails the test."""
    errors = [f"{someone.nickname}: {error}" for someone in people for error in someone.errors]
    for someone in people:
        someone.close()
    assert not errors, "\n".join(errors)
