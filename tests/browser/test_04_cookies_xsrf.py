"""Lesson 04 in a real browser: cookies, the forged request, and what stops it."""

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.support.accessibility import violations
from tests.support.lesson_case import import_script
from tests.support.script_server import ROOT, serving

pytestmark = pytest.mark.service("chromium")

plain_cookies = import_script("04_cookies_xsrf", "plain_cookies")
LESSON = ROOT / "lessons" / "04_cookies_xsrf"
PICTURES = ROOT / "test-output" / "browser"
PHONE: ViewportSize = {"width": 390, "height": 844}

NONE, TOKEN, ORIGIN = "--xsrf_cookies=false", "--xsrf_cookies", "--cross_origin_protection"
NEIGHBOUR, STRANGER = "localhost", "127.0.0.1"  # seen from a bank at localhost
FORM, PICTURE = "100 coins to Eve, by a form, by POST", "100 coins to Eve, by a picture, by GET"

# The table of the README: where the attacker's page is, what Ada's cookie says of SameSite, and
# the status of the forged form without protection. 303 is paid, 401 is for want of a cookie.
TABLE = [
    (NEIGHBOUR, "Lax", 303),
    (NEIGHBOUR, "Strict", 303),
    (STRANGER, "Lax", 401),
    (STRANGER, "Strict", 401),
    (STRANGER, "", 303),
    (STRANGER, "None", 303),
]


@pytest.fixture
def page(fresh_page: Page) -> Page:
    return fresh_page


def paid(page: Page, bank: str) -> list[str]:
    """What Ada's account says."""
    page.goto(bank)
    return page.get_by_role("listitem").all_inner_texts()


def fall_for(page: Page, address: str, bank: str) -> tuple[int, str, list[str]]:
    """Open the bank, then the attacker's page, and press its button.

    Returns the status of the forged POST, the browser's word for where it came from, and the
    payments of the account.
    """
    assert paid(page, bank) == []
    page.goto(address)
    page.wait_for_function("document.images[0].complete")  # asked for, and not a picture
    with page.expect_response(lambda response: response.request.method == "POST") as answer:
        page.get_by_role("button", name="Claim my kitten").click()
    page.wait_for_load_state()
    said = answer.value.request.all_headers()
    return answer.value.status, said.get("sec-fetch-site", ""), paid(page, bank)


def attack(page: Page, host: str, *arguments: str) -> tuple[int, str, list[str]]:
    with serving(LESSON / "attacker.py", *arguments) as server:
        waits = re.search(r"^The attacker waits at http://localhost:(\d+)$", server.output, re.M)
        assert waits, server.output
        return fall_for(page, f"http://{host}:{waits[1]}/", server.url)


@pytest.mark.parametrize(("host", "samesite", "status"), TABLE)
@pytest.mark.parametrize("protection", [NONE, TOKEN, ORIGIN])
def test_the_forged_form(
    page: Page, host: str, samesite: str, status: int, protection: str
) -> None:
    """C157, C159, C160, C171: either protection stops it, from the same site and from another."""
    expected = status if protection == NONE else 403
    came, site, account = attack(page, host, f"--samesite={samesite}", protection)
    assert came == expected
    assert (FORM in account) == (expected == 303)
    assert site == ("same-site" if host == NEIGHBOUR else "cross-site")
    # The picture is a GET, which no protection looks at: there, only the cookie decides. (And with
    # None the browser's own settings: a private window sends no cookie with a stranger's picture.)
    if samesite != "None":
        assert (PICTURE in account) == (host == NEIGHBOUR)


@pytest.mark.parametrize("protection", [TOKEN, ORIGIN])
def test_the_bank_itself_may_still_pay(page: Page, protection: str) -> None:
    with serving(LESSON / "attacker.py", protection) as server:
        page.goto(server.url)
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_role("listitem")).to_have_text("100 coins to Alan, by POST")
        expect(page.locator(".amount")).to_have_text("900")


def names(page: Page, address: str) -> set[str]:
    """The cookies that came with a request for that page."""
    page.goto(address)
    return {line.partition(" = ")[0] for line in page.locator("#sent li").all_inner_texts()}


def test_cookies_go_where_they_belong(page: Page) -> None:
    """C136, C137, C159: to the host and path, whatever the port."""
    script = LESSON / "plain_cookies.py"
    with serving(script) as server, serving(script) as neighbour:
        page.goto(server.url)
        for kind in plain_cookies.KINDS:
            page.get_by_role("button", name=f"Set {kind}", exact=True).click()
        everywhere = {"session", "days", "date", "seconds", "hidden", "tls", "strict"}
        assert names(page, server.url) == everywhere  # foreign was refused
        assert names(page, f"{server.url}/shop") == everywhere | {"shop"}
        assert names(page, neighbour.url) == everywhere
        assert names(page, f"http://127.0.0.1:{neighbour.port}") == set()

        page.goto(server.url)
        seen = page.evaluate("document.cookie")
        assert "days=tasty" in seen
        assert "hidden" not in seen

        page.get_by_role("button", name="Clear days").click()
        assert names(page, server.url) == everywhere - {"days"}
        page.goto(server.url)
        page.get_by_role("button", name="Clear shop").click()
        assert names(page, f"{server.url}/shop") == everywhere - {"days"}


def test_a_strict_cookie_stays_away_when_another_site_leads_here(page: Page) -> None:
    """C137"""
    with serving(LESSON / "plain_cookies.py") as server:
        page.goto(server.url)
        for kind in ("strict", "session"):
            page.get_by_role("button", name=f"Set {kind}", exact=True).click()
        page.goto(f"http://127.0.0.1:{server.port}")
        page.evaluate("address => { location.href = address }", server.url)
        page.wait_for_url(f"{server.url}/")
        came = page.locator("#sent li").all_inner_texts()
        assert came == ["session = tasty"]


def test_the_guest_book_takes_its_own_form_only(page: Page) -> None:
    """C163, C164"""
    with serving(LESSON / "xsrf_form.py") as server:
        page.goto(server.url)
        page.locator("#with input[name=guest]").fill("Ada <b>")
        page.locator("#with button").click()
        expect(page.locator("#guests")).to_have_text("Ada <b>")
        page.locator("#without input[name=guest]").fill("Eve")
        page.locator("#without button").click()
        expect(page.locator("body")).to_have_text("403: Forbidden")


def test_fetch_sends_the_token_as_a_header(page: Page) -> None:
    """C169, C170"""
    with serving(LESSON / "xsrf_fetch.py") as server:
        page.goto(server.url)
        page.get_by_label("A note").fill("<i>milk</i>")
        page.get_by_role("button", name="Send without it").click()
        expect(page.get_by_role("status")).to_have_text("403 Forbidden")
        page.get_by_role("button", name="Send with the header").click()
        expect(page.get_by_role("status")).to_have_text("200 OK")
        expect(page.get_by_role("listitem")).to_have_text("<i>milk</i>")


def test_a_member_comes_back_to_where_they_were_going(page: Page) -> None:
    """C173, C180"""
    with serving(LESSON / "login.py") as server:
        page.goto(f"{server.url}/?tab=2")
        page.get_by_label("Name").fill("ada")
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url(f"{server.url}/?tab=2")
        expect(page.get_by_role("heading")).to_have_text("Welcome, Ada Lovelace")
        page.get_by_role("button", name="Log out").click()
        page.goto(server.url)
        expect(page.get_by_role("heading")).to_have_text("Members only")


def test_the_login_leads_nowhere_else(page: Page) -> None:
    """C180: the browser itself would follow each of these to another host."""
    with serving(LESSON / "login.py") as server:
        for target in ("//127.0.0.1:1/", "/%5C127.0.0.1:1/", "/%09/127.0.0.1:1/"):
            page.goto(f"{server.url}/login?next={target}")
            leaves = page.evaluate(
                "next => new URL(decodeURIComponent(next), location).host !== location.host", target
            )
            assert leaves, target
            page.get_by_label("Name").fill("ada")
            page.get_by_role("button", name="Log in").click()
            expect(page).to_have_url(f"{server.url}/")


SCRIPTS = ["plain_cookies", "xsrf_form", "xsrf_fetch", "login", "attacker"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_pages_fit_a_phone_and_axe_finds_nothing(page: Page, script: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size(PHONE)
    with serving(LESSON / f"{script}.py") as server:
        addresses = {script: server.url}
        if found := re.search(r"waits at (\S+)", server.output):
            addresses["attackers_page"] = found[1]
        for name, address in addresses.items():
            page.goto(address)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                width = page.evaluate("document.documentElement.scrollWidth")
                assert width <= PHONE["width"], f"{name} is {width} pixels wide"
                page.screenshot(path=PICTURES / f"04-{name}-{scheme}.png", full_page=True)
                assert violations(page) == []
