"""HTML documents as tests read them: links, ids, headings and texts."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Element:
    """An element with the text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Document:
    """The elements of a document, in the order in which they begin.

    Attributes:
        elements: all elements.
        errors: tags that do not fit together.
    """

    elements: list[Element] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def find(self, tag: str = "", **attributes: str) -> list[Element]:
        """Return the elements with this tag whose attributes hold these words.

        A trailing underscore of a name is removed, and others become hyphens.
        """
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if (not tag or element.tag == tag)
            and all(
                value in element.attributes.get(name, "").split() for name, value in wanted.items()
            )
        ]

    def values(self, attribute: str) -> list[str]:
        """Return the values of an attribute, in order."""
        return [
            element.attributes[attribute]
            for element in self.elements
            if attribute in element.attributes
        ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.document = Document()
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.document.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            where = self._open[-1].tag if self._open else "nothing"
            self.document.errors.append(f"</{tag}> ends {where}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


def read_html(text: str) -> Document:
    """Return the elements of a document."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.document
