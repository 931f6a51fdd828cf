"""Whatever the comment is, the page has the same elements, and shows it as it was written."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import quote

from course.exercise_case import Answer, ExerciseCase, Mismatch

ATTRIBUTE = 'PAGE, the input: value="{{ comment }}", in double quotes'
TEXT = "PAGE, the <p>: {{ comment }} escapes by itself, {% raw comment %} does not"
SCRIPT = "PAGE, the <script>: {% raw json_encode(comment) %} is JSON that cannot end the script"
STRUCTURE = [
    ("form", []),
    ("input", ["name", "value"]),
    ("button", []),
    ("p", []),
    ("script", []),
]


class Page(HTMLParser):
    """The elements of a page with the names of their attributes, and what the comment became."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, list[str]]] = []
        self.value = self.shown = self.script = ""
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, [name for name, _ in attrs]))
        self._inside = tag
        if tag == "input":
            self.value = dict(attrs).get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "p":
            self.shown += data
        elif self._inside == "script":
            self.script += data


class SafeComment(ExerciseCase):
    def page(self, comment: str) -> tuple[Answer, Page]:
        answer = self.send("GET", f"/?comment={quote(comment)}")
        return answer, Page(answer.expect(status=200, look="PAGE, or get()").text)

    def attack(self, comment: str, look: str) -> None:
        """The comment must not add an element or an attribute to the page."""
        answer, page = self.page(comment)
        if page.elements != STRUCTURE:
            added = [each for each in page.elements if each not in STRUCTURE]
            raise Mismatch(
                sent=f"the comment  {comment}",
                came=answer.text.strip(),
                expected="the page's own elements and nothing else; now it has "
                + ", ".join(" ".join([tag, *names]) for tag, names in added or page.elements),
                look=look,
            )

    def same(self, comment: str, came: str, where: str, look: str) -> None:
        if came != comment:
            raise Mismatch(
                sent=f"the comment  {comment}",
                came=f"{where}  {came!r}",
                expected=f"{where}  {comment!r}",
                look=look,
            )

    def test_a_comment_cannot_add_an_attribute(self) -> None:
        for comment in ("x onfocus=alert(1) autofocus", '" onfocus="alert(1)', "' onfocus='a(1)"):
            with self.subTest(comment):
                self.attack(comment, ATTRIBUTE)

    def test_a_comment_cannot_add_an_element(self) -> None:
        for comment in ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'):
            with self.subTest(comment):
                self.attack(comment, f"{TEXT}\n{ATTRIBUTE}\n{SCRIPT}")

    def test_a_comment_cannot_end_the_script(self) -> None:
        self.attack("</script><img src=x onerror=alert(1)>", f"{SCRIPT}\n{TEXT}")

    def test_every_comment_is_shown_as_it_was_written(self) -> None:
        for comment in ("Nice.", "1 < 2 & \"yes\" or 'no'", "</script>", "line\nline", "\\\\ é €"):
            with self.subTest(comment):
                _, page = self.page(comment)
                self.same(comment, page.value, "the input", f"{ATTRIBUTE}\nno escape() on top")
                self.same(comment, page.shown, "the <p>", f"{TEXT}\nno escape() on top of it")
                found = re.search(r"let comment = (.*);", page.script, re.S)
                try:
                    value = json.loads(found[1] if found else "")
                except ValueError:
                    value = f"(no JSON) {page.script}"
                self.same(comment, value, "the script", SCRIPT)
