"""A person with a browser: what people do on the page, by the names that they see."""

import itertools
import re
import secrets
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, ViewportSize, expect

from tests.support.accessibility import violations
from tests.support.browser_profiles import Profiles
from tests.support.chat_server import PASSWORD, ROOT

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
PICTURES = ROOT / "test-output" / "browser"

# A server that is away, and answers with an error status, are reported by the browser as errors.
NETWORK = re.compile(r"Failed to load resource|WebSocket connection to .* failed")
UNAUTHORIZED = re.compile("status of 401")

_numbers = itertools.count(1)


class Server(Protocol):
    """A running chat, as the person needs it: `serving.ChatServer`, or one behind a proxy."""

    @property
    def url(self) -> str:
        """The address of its pages."""

    def let_in(self, name: str, nickname: str) -> str:
        """Make a user, and return the id of a session."""

    def cookie(self, name: str, value: str) -> tuple[str, str]:
        """Return the name and the content of a cookie as the chat would set it."""

    def captcha_answer(self, challenge: str) -> str:
        """Return what a captcha's picture shows."""


class Person:
    """One browser profile with one page.

    `Person(...).register()` goes through the form, `Person(...).arrive()` past it; both have the
    password `PASSWORD`. `Person(..., known=other)` is the same person in another browser profile,
    already logged in.

    Whatever the page reports as an error (an exception, a refusal by the Content-Security-Policy)
    is in `errors`; the fixture that made the person fails the test for it.

    Args:
        network_errors: whether the test makes the network or the server fail on purpose.
        own_profile: whether the test alters the browser (sockets that it holds up, scripts of its
            own) in ways that the next test must not meet.
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
        self.page.remove_listener("pageerror", self._failed)
        self.page.remove_listener("console", self._heard)
        self._profiles.give_back(self.context)

    # The login and registration pages

    def fill_captcha(self) -> None:
        challenge = self.page.locator("input[name=captcha_id]").input_value()
        self.page.get_by_label("Characters in the picture").fill(
            self.server.captcha_answer(challenge)
        )

    def register(self) -> "Person":
        page = self.page
        page.goto("/register")
        page.get_by_label("User name").fill(self.name)
        expect(page.locator("#name-error")).to_have_text("This name is free.")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password once more").fill(PASSWORD)
        page.get_by_label("Nickname").fill(self.nickname)
        self.fill_captcha()
        page.get_by_role("button", name="Create account").click()
        self.wait_until_live()
        return self

    def arrive(self) -> "Person":
        """Be a new user who is logged in, without the form, in tests of other pages."""
        # All that the form leaves behind. Without the second, two tabs that log out at once would
        # each be given one, and the captcha of the first would belong to no browser any more.
        session = self.server.let_in(self.name, self.nickname)
        for cookie in ("session", session), ("browser", secrets.token_urlsafe(16)):
            name, value = self.server.cookie(*cookie)
            self.context.add_cookies([{"name": name, "value": value, "url": self.server.url}])
        return self.enter()

    def enter(self) -> "Person":
        """Open the chat, for one who is logged in."""
        self.page.goto("/")
        self.wait_until_live()
        return self

    def log_in(self, password: str = PASSWORD) -> None:
        self.page.goto("/login")
        self.page.get_by_label("User name").fill(self.name)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.fill_captcha()
        self.page.get_by_role("button", name="Log in").click()

    def log_out(self) -> None:
        self.logging_out = True  # the server may get the page's last requests after the logout
        self.page.get_by_role("button", name="Log out").click()
        expect(self.page.get_by_role("heading", name="Welcome back")).to_be_visible()
        self.logging_out = False

    # In the chat

    def wait_until_live(self) -> None:
        """The list is there and the socket is open."""
        expect(self.page.locator("body")).to_have_attribute("data-connection", "open")
        expect(self.page.locator("#lists")).to_have_attribute("aria-busy", "false")

    def wake(self) -> None:
        """The network is back, says the browser: no need to wait for the next attempt."""
        self.page.evaluate("dispatchEvent(new Event('online'))")

    def make_group(self, title: str, description: str = "", *, private: bool = False) -> None:
        self.page.get_by_role("button", name="Create a group").first.click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Name").fill(title)
        dialog.get_by_label("What is it about?").fill(description)
        if private:
            dialog.get_by_label("Invited people only").check()
        dialog.get_by_role("button", name="Create group").click()
        expect(self.heading(title)).to_be_visible()

    def join_group(self, title: str) -> None:
        self.search.fill(title)
        self.page.get_by_role("button", name=f"Join {title}").click()
        expect(self.heading(title)).to_be_visible()
        expect(self.log.get_by_text("You joined")).to_be_visible()

    def add_to_new_group(self, title: str, other: "Person") -> None:
        """Make a group with somebody in it, by the API: nothing of this page is the subject.

        They have this person in their contact list from then on, or they would be invited only.
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
        self.entry(title).click()
        expect(self.heading(title)).to_be_visible()

    def add_contact(self, other: "Person") -> None:
        self.page.get_by_role("button", name="Add a contact").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("User name").fill(other.name)
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(self.contact(other)).to_be_visible()

    def write_to(self, other: "Person") -> None:
        """Open the private chat with a contact."""
        self.contact(other).or_(self.entry(other.nickname)).first.click()
        expect(self.heading(other.nickname)).to_be_visible()

    def answer_dialog(self, button: str) -> None:
        self.page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def say(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    def say_many(self, texts: list[str]) -> None:
        """Write into the open conversation through another socket; return when all are kept."""
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

    def sees(self, text: str) -> None:
        """The conversation holds this message, once, and not as one that is yet to be sent."""
        expect(self.message(text)).to_have_count(1)

    @property
    def search(self) -> Locator:
        return self.page.get_by_role("searchbox", name="Find people and groups")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    def heading(self, title: str) -> Locator:
        return self.page.locator("#talk-title", has_text=title)

    def entry(self, title: str) -> Locator:
        """The conversation's line in the list."""
        return self.page.get_by_role("navigation").get_by_role("link").filter(has_text=title)

    def contact(self, other: "Person") -> Locator:
        """The line of a contact with whom there is no chat yet."""
        contacts = self.page.get_by_role("list", name="Contacts")
        return contacts.get_by_role("button").filter(has_text=other.nickname)

    def message(self, text: str) -> Locator:
        exactly = self.page.get_by_text(text, exact=True)
        return self.log.locator("[data-seq] .text").and_(exactly)

    def draft(self, text: str) -> Locator:
        """A message that is not yet part of the history."""
        return self.log.locator("[data-cid]").filter(has_text=text)

    # What is looked at

    def picture(self, name: str) -> Path:
        """Keep a picture of the page as test output."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def expect_accessible(self, *, colours: bool = True) -> None:
        """Let axe look at the page as it is now; at its colours unless another test does."""
        found = violations(self.page, colours=colours)
        assert not found, "\n".join([f"axe found, on {self.page.url}:", *found])
