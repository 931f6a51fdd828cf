"""Accessibility checks of a page with axe."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# Only violations are returned: axe's full report, with every rule that the page passes, is longer
# than the page. The script of half a megabyte is loaded once by each document, and not by the
# frames in it: axe would only report on the console that it cannot reach them.
RUN = """async colours => {
    const rules = {"color-contrast": {enabled: colours}};
    const {violations} = await axe.run({resultTypes: ["violations"], iframes: false, rules});
    return violations.map(rule =>
        `${rule.id}: ${rule.help}\\n  ${rule.nodes.map(node => node.html).join("\\n  ")}`);
}"""


def violations(page: Page, *, colours: bool = True) -> list[str]:
    """Return each rule that the page breaks now, with the elements that break it.

    Args:
        page: the page.
        colours: whether to check contrast, which takes most of the time. False in a test of a page
            whose colours another test checks.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(RUN, colours)
    return found
