"""The page on machines unlike the developer's: browsers that refuse, keyboards, clocks, languages.

Each condition is simulated. The fixture `person` fails a test whose pages say anything on the
console.
"""

import datetime
import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.support.browser_person import PHONE, Person
from tests.support.chat_server import ChatServer

pytestmark = pytest.mark.service("chromium")

DAY = 86_400_000  # milliseconds
LANGUAGES = {
    "en-US": ("Today", "Yesterday", "Last used 1 minute ago", "Last used 11 minutes ago"),
    "zh-CN": ("今天", "昨天", "1分钟前", "11分钟前"),
    "ru-RU": ("Сегодня", "Вчера", "1 минуту назад", "11 минут назад"),
}


def prepare(someone: Person, script: str) -> Person:
    """Change a browser before the page's own scripts run."""
    someone.page.add_init_script(f'if (location.protocol === "http:") {{ {script} }}')
    return someone


def meet(ann: Person, bob: Person, title: str) -> None:
    """Let both open a group."""
    ann.arrive().make_group(title)
    bob.arrive().join_group(title)


# Optional features that refuse

NOTIFICATIONS = {
    "illegal constructor": "constructor() { throw new TypeError('Illegal constructor.'); }",
    "no permission to ask": "static get permission() { throw new Error('no'); }",
}


@pytest.mark.parametrize("refusal", NOTIFICATIONS)
def test_a_message_is_shown_where_notifications_throw(
    person: Callable[..., Person], refusal: str
) -> None:
    ann, bob = person("Ann"), person("Bob", own_profile=True)
    body = NOTIFICATIONS[refusal]
    if "permission" not in body:
        body = f"static permission = 'granted'; {body}"
    prepare(
        bob,
        f"""localStorage.setItem("notifications", "on");
        window.Notification = class {{ {body} }};
        for (const [name, value] of [["visibilityState", "hidden"], ["hidden", true]])
            Object.defineProperty(document, name, {{ get: () => value }});""",
    )
    meet(ann, bob, f"Notified of {ann.name}")
    ann.say("first")
    bob.sees("first")
    ann.say("second")
    bob.sees("second")
    expect(bob.entry(f"Notified of {ann.name}")).to_contain_text("second")
    bob.page.get_by_role("button", name="Your profile").click()
    expect(bob.page.get_by_role("dialog")).to_contain_text(
        "This browser cannot show notifications here."
    )


def test_turning_notifications_on_works_with_the_old_callback(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann", own_profile=True)
    prepare(
        ann,
        """window.Notification = class {
            static permission = "default";
            static requestPermission(answered) {
                setTimeout(() => answered(Notification.permission = "granted"));
            }
        };""",
    )
    ann.arrive()
    ann.page.get_by_role("button", name="Your profile").click()
    ann.page.get_by_role("button", name="Turn on").click()
    expect(ann.page.get_by_role("button", name="Turn off")).to_be_visible()


STORAGE = {
    "forbidden": """for (const name of ["localStorage", "sessionStorage"])
        Object.defineProperty(window, name, { get() {
            throw new DOMException("Access is denied for this document.", "SecurityError");
        } });""",
    "absent": """for (const name of ["localStorage", "sessionStorage"])
        Object.defineProperty(window, name, { value: null });""",
    "full": """Storage.prototype.setItem = () => {
            throw new DOMException("Quota exceeded.", "QuotaExceededError");
        };""",
    "damaged": """Storage.prototype.getItem = (key) =>
        key.startsWith("outbox") ? '[null, 5, {"cid": {}, "conv": 1, "text": 7}]' : "null";""",
}


@pytest.mark.parametrize("state", STORAGE)
def test_the_chat_works_without_storage(person: Callable[..., Person], state: str) -> None:
    ann: Person = person("Ann", own_profile=True)
    prepare(ann, STORAGE[state])
    ann.arrive().make_group("First")
    ann.say("said without storage")
    ann.sees("said without storage")
    people = ann.page.get_by_role("button", name="Members")
    expect(people).to_have_attribute("aria-expanded", "true")
    people.click()
    if state != "damaged":  # where nothing that is written can be read again
        expect(people).to_have_attribute("aria-expanded", "false")
        ann.composer.fill("begun")
        ann.make_group("Second")
        ann.open_group("First")
        expect(ann.composer).to_have_value("begun")
    ann.log_out()


def test_the_chat_works_without_what_newer_browsers_have(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann Walker", own_profile=True)
    prepare(
        ann,
        """delete Intl.Segmenter; delete URL.canParse; delete Array.prototype.at;
        delete String.prototype.toWellFormed; delete HTMLFormElement.prototype.requestSubmit;
        delete window.structuredClone; delete window.Notification; delete crypto.randomUUID;
        delete Navigator.prototype.clipboard; delete Navigator.prototype.setAppBadge;""",
    )
    ann.arrive().make_group("Reading circle")
    ann.say("see https://example.org/a")
    expect(ann.log.get_by_role("link")).to_have_text("https://example.org/a")
    expect(ann.page.locator("#my-avatar .avatar")).to_have_text("AW")
    ann.page.get_by_role("button", name="Search in this conversation").click()
    ann.page.get_by_role("searchbox", name="Search in this conversation").fill("see")
    expect(ann.page.locator("#found button")).to_have_count(1)


# Keyboards

PRESS = """(field, keys) => {
    const {keyCode, ...init} = keys;
    const event = new KeyboardEvent("keydown", {bubbles: true, cancelable: true, ...init});
    Object.defineProperty(event, "keyCode", {get: () => keyCode ?? 0});
    field.dispatchEvent(event);
    return event.defaultPrevented;
}"""
CONFIRMS = {"key": "Enter", "code": "Enter", "keyCode": 229}  # isComposing is false, as in Safari


def test_enter_that_confirms_a_word_of_an_input_method_sends_nothing(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann")
    ann.arrive().make_group("拼音")
    ann.composer.fill("你好")
    for keys in (
        CONFIRMS,
        CONFIRMS | {"isComposing": True},
        CONFIRMS | {"keyCode": 13, "isComposing": True},
    ):
        assert ann.composer.evaluate(PRESS, keys) is False
    expect(ann.composer).to_have_value("你好")
    ann.composer.press("Enter")
    ann.sees("你好")
    # Arrows choose a word, and Escape drops it, in every field.
    ann.search.fill("拼")
    for key in "Enter", "ArrowDown", "Escape":
        assert ann.search.evaluate(PRESS, {"key": key, "keyCode": 229}) is False
    expect(ann.search).to_have_value("拼")
    expect(ann.search).to_be_focused()
    assert ann.search.evaluate(PRESS, {"key": "ArrowDown"}) is True


@pytest.mark.parametrize("key", ["k", "K", "л", "Л", "κ", "ל", "Unidentified"])
def test_the_shortcut_works_on_every_layout(person: Callable[..., Person], key: str) -> None:
    ann: Person = person("Ann")
    ann.arrive().make_group("Layouts")
    ann.composer.focus()
    pressed = {"key": key, "code": "KeyK", "ctrlKey": True}
    assert ann.composer.evaluate(PRESS, pressed) is True
    expect(ann.search).to_be_focused()


def test_events_without_a_key_do_nothing(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann")
    ann.arrive().make_group("Filled in")
    ann.say("mine")
    ann.sees("mine")
    ann.composer.fill("kept")
    ann.page.get_by_role("button", name="Search in this conversation").click()
    # As Chrome sends them when it fills in a form.
    ann.page.evaluate(
        """for (const field of document.querySelectorAll("input, textarea, button, a, [tabindex]"))
            for (const type of ["keydown", "keyup"])
                field.dispatchEvent(new Event(type, {bubbles: true, cancelable: true}))"""
    )
    expect(ann.composer).to_have_value("kept")


def test_on_a_touch_keyboard_enter_breaks_the_line_and_the_button_sends(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann", size=PHONE, has_touch=True, is_mobile=True)
    ann.arrive().make_group("On a phone")
    expect(ann.composer).to_have_attribute("enterkeyhint", "enter")
    ann.composer.tap()
    ann.page.keyboard.type("one")
    ann.page.keyboard.press("Enter")
    ann.page.keyboard.type("two")
    expect(ann.composer).to_have_value("one\ntwo")
    ann.picture("touch-keyboard")
    ann.page.get_by_role("button", name="Send").tap()
    expect(ann.log.locator("[data-seq] .text")).to_have_text("one\ntwo")
    ann.page.keyboard.type("a keyboard was attached")
    ann.page.keyboard.press("Control+Enter")
    ann.sees("a keyboard was attached")


def test_with_a_mouse_the_keyboard_has_a_send_key(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann")
    ann.arrive().make_group("On a desk")
    expect(ann.composer).to_have_attribute("enterkeyhint", "send")


# Clocks


class Clocks:
    """The clock of a page, and the server's as the page is told of it; both begin at noon."""

    def __init__(self, someone: Person, wrong: int = 0) -> None:
        self._page = someone.page
        self._later = 0  # milliseconds
        now = datetime.datetime.now(datetime.UTC)
        self._page.clock.install(time=now + datetime.timedelta(milliseconds=wrong))
        self._page.route_web_socket("**/ws", self._between)

    def _between(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def from_server(message: str | bytes) -> None:
            frame = json.loads(message)
            if frame["type"] in ("hello", "pong"):
                frame["at"] += self._later
            route.send(json.dumps(frame))

        server.on_message(from_server)

    def pass_(self, milliseconds: int) -> None:
        self._later += milliseconds
        self._page.clock.fast_forward(milliseconds)


def noon() -> str:
    """Return a time zone in which it is noon: no midnight comes while a test runs."""
    hour = datetime.datetime.now(datetime.UTC).hour
    return f"Etc/GMT{hour - 12:+d}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_today_becomes_yesterday_without_a_new_message(
    person: Callable[..., Person], language: str
) -> None:
    ann: Person = person("Ann", locale=language, timezone_id=noon(), own_profile=True)
    today, yesterday, *_ = LANGUAGES[language]
    clocks = Clocks(ann)
    ann.arrive()
    make_group(ann, "Midnight")
    day = ann.page.locator("#log .day")
    time = ann.page.locator("#lists .entry time")
    expect(day).to_have_text(today)
    expect(time).to_have_text(re.compile(r"\d:\d\d"))
    clocks.pass_(DAY)
    expect(day).to_have_text(yesterday)
    expect(time).not_to_have_text(re.compile(r"\d"))  # a day of the week
    ann.picture(f"yesterday-{language}")
    clocks.pass_(DAY)
    expect(day).not_to_have_text(yesterday)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_a_minute_ago_grows_old_in_an_open_dialog(
    person: Callable[..., Person], shared_server: ChatServer, language: str
) -> None:
    ann: Person = person("Ann", locale=language, own_profile=True)
    *_, one, eleven = LANGUAGES[language]
    clocks = Clocks(ann)
    ann.arrive()
    shared_server.log_in(ann.name)  # in another browser
    clocks.pass_(60_000)
    ann.page.locator("#profile").click()
    used = ann.page.locator(".sessions time")
    expect(used).to_contain_text(one)
    clocks.pass_(600_000)
    expect(used).to_contain_text(eleven)
    ann.picture(f"sessions-{language}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wrong", [-480_000, 3 * DAY, -400 * DAY], ids=["8min", "3days", "year"])
def test_a_readers_wrong_clock_puts_nothing_into_the_future_or_the_past(
    person: Callable[..., Person], shared_server: ChatServer, language: str, wrong: int
) -> None:
    ann: Person = person("Ann", locale=language, timezone_id=noon(), own_profile=True)
    today, *_ = LANGUAGES[language]
    Clocks(ann, wrong)
    ann.arrive()
    shared_server.log_in(ann.name)  # in another browser
    make_group(ann, "Wrong clock")
    expect(ann.page.locator("#log .day")).to_have_text(today)
    expect(ann.page.locator("#lists .entry time")).to_have_text(re.compile(r"\d:\d\d"))
    ann.page.locator("#profile").click()
    now = {"en-US": "this minute", "zh-CN": "此刻", "ru-RU": "в эту минуту"}[language]
    expect(ann.page.locator(".sessions time")).to_contain_text(now)


def test_a_reader_who_travels_sees_the_times_of_the_new_place(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann", own_profile=True)
    browser = ann.context.new_cdp_session(ann.page)
    browser.send("Emulation.setTimezoneOverride", {"timezoneId": "Etc/GMT"})
    ann.arrive().make_group("Travellers")
    time = ann.page.locator("#lists .entry time")
    before = time.text_content()
    browser.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kathmandu"})
    ann.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(time).not_to_have_text(before or "")


def make_group(someone: Person, title: str) -> None:
    """Make a group and open it, in any language."""
    page = someone.page
    page.locator("#create").click()
    page.locator("#field-title").fill(title)
    page.locator("dialog [type=submit]").click()
    expect(page.locator("#talk-title")).to_have_text(title)


# Texts


def test_links_end_where_people_end_them(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann")
    ann.arrive().make_group("Links")
    text = (
        "请看https://example.com/a，（www.example.com）和ann@example.com。"
        " «https://example.org/b_(c)», \u200fhttps://example.net/d\u200f! می\u200cخواهم 👨‍👩‍👧"
    )
    ann.say(text)
    links = ann.log.get_by_role("link")
    expect(links).to_have_text(
        [
            "https://example.com/a",
            "www.example.com",
            "ann@example.com",
            "https://example.org/b_(c)",
            "https://example.net/d",
        ]
    )
    assert ann.log.locator("[data-seq] .text").text_content() == text
    hrefs = [link.get_attribute("href") for link in links.all()]
    assert hrefs[1:3] == ["https://www.example.com/", "mailto:ann@example.com"]
    assert hrefs[4] == "https://example.net/d"
    targets = [link.get_attribute("target") for link in links.all()]
    assert targets == ["_blank", "_blank", None, "_blank", "_blank"]
    ann.picture("links")
    ann.expect_accessible()


@pytest.mark.parametrize(
    ("written", "sought", "marked"),
    [
        ("Наша ёлка!", "елка", "ёлка"),
        ("Наша елка!", "Ёлка", "елка"),
        ("I don’t know", "don't", "don’t"),
        ("你好，ｗｏｒｌｄ", "world", "ｗｏｒｌｄ"),
    ],
)
def test_search_finds_and_marks_equal_letters(
    person: Callable[..., Person], written: str, sought: str, marked: str
) -> None:
    ann: Person = person("Ann")
    ann.arrive().make_group(f"Group of {written}")
    ann.say(written)
    ann.sees(written)
    ann.page.get_by_role("button", name="Search in this conversation").click()
    ann.page.get_by_role("searchbox", name="Search in this conversation").fill(sought)
    expect(ann.page.locator("#found mark")).to_have_text(marked)
    ann.picture("search-folded")
    ann.search.fill(sought)
    expect(ann.entry(written)).to_be_visible()


def test_what_cannot_be_seen_is_not_sent_and_indentation_is_kept(
    person: Callable[..., Person],
) -> None:
    ann: Person = person("Ann")
    ann.arrive().make_group("Blank")
    send = ann.page.get_by_role("button", name="Send")
    for unseen in ("\u200b", "\u3164", "\u2800", "\u200e", "\ufeff \u2066\u2069", " \n\u3000"):
        ann.composer.fill(unseen)
        expect(send).to_have_attribute("aria-disabled", "true")
        ann.composer.press("Enter")
        expect(ann.composer).to_have_value(unseen)
    ann.composer.fill("\n    if True:\n        pass\n")
    expect(send).to_have_attribute("aria-disabled", "false")
    ann.composer.press("Enter")
    said = ann.log.locator("[data-seq] .text")
    expect(said).to_have_count(1)
    assert said.text_content() == "    if True:\n        pass"
    ann.picture("indentation")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-Hant-TW", "zh-CN"),
        ("zh-HK", "zh-CN"),
        ("zh-Hans-SG", "zh-CN"),
        ("ru-UA", "ru"),
        ("en-GB", "en"),
    ],
)
def test_every_form_of_a_language_finds_its_texts(
    person: Callable[..., Person], accepted: str, language: str
) -> None:
    ann: Person = person("Ann", locale=accepted)
    ann.arrive()
    expect(ann.page.locator("html")).to_have_attribute("lang", language)
