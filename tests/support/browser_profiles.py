"""Browser profiles that are used again.

A new profile costs Chromium a window, a process and every file of the page once more: several times
what most tests cost. One that is given back forgets who was logged in and what was stored; its one
page stays, with the browser's cache.
"""

from collections import defaultdict
from typing import Any

from playwright.sync_api import Browser, BrowserContext


class Profiles:
    """The profiles of one browser, each with one page."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[BrowserContext]] = defaultdict(list)
        self._looks: dict[BrowserContext, dict[str, Any]] = {}

    def new(self, **look: Any) -> BrowserContext:
        """Return a profile that nobody had and nobody will have."""
        context = self._browser.new_context(**look)
        context.new_page()
        return context

    def take(self, **look: Any) -> BrowserContext:
        """Return one that knows nothing, new or used before."""
        if free := self._free[repr(look)]:
            return free.pop()
        context = self.new(**look)
        self._looks[context] = look
        return context

    def give_back(self, context: BrowserContext) -> None:
        """Let the next test have it, or close one that `new` made."""
        if context not in self._looks:
            context.close()
            return
        look = self._looks[context]
        page, *others = context.pages
        for other in others:
            other.close()
        page.unroute_all()
        if page.url.startswith("http"):
            page.evaluate("localStorage.clear(); sessionStorage.clear()")
        # A still picture of the same server: at any other site the page's process would end.
        page.goto(f"{look['base_url']}/static/favicon.svg" if "base_url" in look else "about:blank")
        page.set_viewport_size(look["viewport"])
        page.emulate_media(color_scheme=look.get("color_scheme"))
        context.clear_cookies()
        self._free[repr(look)].append(context)
