"""The page in each language: every word of it, on every size, and in the right places."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser_person import DESKTOP, PHONE, Person

pytestmark = pytest.mark.service("chromium")

LANGUAGES = {
    "zh-CN": ("写消息", "今天", "你创建了群组", "1 位成员", "个人资料"),
    "ru": ("Напишите сообщение", "Сегодня", "Вы создали группу", "1 участник", "Ваш профиль"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_speaks_the_language_of_the_browser(
    person: Callable[..., Person], language: str, size: dict[str, int]
) -> None:
    placeholder, today, created, members, profile = LANGUAGES[language]
    where = f"{language}-{'phone' if size == PHONE else 'desktop'}"
    someone: Person = person("Anna", locale=language, size=size, scheme="dark")
    page = someone.page

    def looks_good(state: str) -> None:
        someone.picture(f"{state}-{where}")
        someone.expect_accessible(colours=False)  # they are the same in every language
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert cut_off() == []

    def cut_off() -> list[str]:
        """Return the buttons and headings whose words do not fit."""
        found: list[str] = page.evaluate(
            """() => [...document.querySelectorAll("button, h2, h3, label, .tag")]
                .filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1
                    && getComputedStyle(e).display !== "inline" && !e.closest(".one-line, .entry"))
                .map(e => e.outerHTML)"""
        )
        return found

    for path in "/login", "/register":
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", language)
        looks_good(path.strip("/"))
        page.locator("button[type=submit]").click()
        expect(page.locator("[aria-invalid=true]").first).to_be_focused()
        looks_good(f"{path.strip('/')}-errors")

    someone.arrive()
    looks_good("list")
    page.locator("#create").click()
    page.locator("#field-title").fill("Anna & friends")
    looks_good("create")
    page.locator("dialog [type=submit]").click()
    expect(someone.page.locator("#talk-title")).to_have_text("Anna & friends")
    expect(page.locator("#composer")).to_have_attribute("placeholder", placeholder)
    expect(page.locator("#talk-subtitle")).to_have_text(members)
    expect(page.locator("#log .day")).to_have_text(today)
    expect(page.locator("#log .event")).to_have_text(created)
    page.locator("#composer").fill("Привет! 你好!")
    page.keyboard.press("Enter")
    expect(page.locator("#log [data-seq] .text")).to_have_text("Привет! 你好!")
    looks_good("talk")
    if size == PHONE:
        page.locator("#people").click()
        looks_good("panel")
        page.go_back()
        page.go_back()
    page.locator("#profile").click()
    expect(page.get_by_role("dialog")).to_have_accessible_name(profile)
    expect(page.locator(".sessions li")).to_have_count(1)
    looks_good("profile")


def test_the_language_is_chosen_in_the_profile(person: Callable[..., Person]) -> None:
    ann: Person = person("Ann")
    ann.arrive()
    ann.page.get_by_role("button", name="Your profile").click()
    ann.page.get_by_role("dialog").get_by_label("Language").select_option("Русский")
    dialog = ann.page.get_by_role("dialog")
    expect(dialog.get_by_label("Язык")).to_be_focused()  # the dialog stays open
    dialog.get_by_label("Язык").select_option("简体中文")
    expect(dialog.get_by_label("语言")).to_be_focused()
    dialog.get_by_label("语言").select_option("跟随浏览器")
    expect(dialog.get_by_label("Language")).to_be_focused()
    ann.page.reload()
    ann.wait_until_live()
    expect(dialog).to_have_count(0)
