"""HTML parser for checks: quotes, the order of attributes and letter case do not matter.

page = elements(answer.text)
[item.text for item in page if item.tag == "li"]
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"])
# Elements whose end tag is optional: the next start tag of the same name ends them.
ENDS_ITSELF = frozenset(["li", "p", "option", "tr", "td", "th", "dt", "dd"])


@dataclass
class Element:
    """An element of a page.

    Attributes:
        tag: the name in lower case.
        attributes: the attributes' values by their names, which are in lower case.
        inside: the ancestors of the element, the outermost first.
        text: the text of the element and its descendants, with character references replaced.
    """

    tag: str
    attributes: dict[str, str]
    inside: list["Element"] = field(default_factory=list, repr=False)
    text: str = ""

    def is_in(self, tag: str) -> bool:
        """Return whether one of the ancestors has this tag."""
        return any(each.tag == tag for each in self.inside)


def elements(text: str) -> list[Element]:
    """Return the elements of a page, in the order of their start tags."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    return parser.found


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ENDS_ITSELF and self._open and self._open[-1].tag == tag:
            self._open.pop()
        element = Element(tag, {name: value or "" for name, value in attrs}, list(self._open))
        self.found.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # <main/> is a start tag: HTML ignores the slash

    def handle_endtag(self, tag: str) -> None:
        if tag in (each.tag for each in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data
