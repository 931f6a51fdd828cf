"""What axe finds wrong with a page."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# Half a megabyte of script is read once by each document, and only what is wrong is told: the rest
# of axe's report, of all that is right, is longer than the page.
RUN = """async colours => {
    const rules = {"color-contrast": {enabled: colours}};
    const {violations} = await axe.run({resultTypes: ["violations"], rules});
    return violations.map(rule =>
        `${rule.id}: ${rule.help}\\n  ${rule.nodes.map(node => node.html).join("\\n  ")}`);
}"""


def violations(page: Page, *, colours: bool = True) -> list[str]:
    """Return each rule that the page breaks as it is now, with the elements that break it.

    Args:
        colours: False where the same colours are looked at elsewhere: contrast is most of the work.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(RUN, colours)
    return found
