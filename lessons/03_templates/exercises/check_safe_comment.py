"""No comment adds anything to the page, and each is shown as it was written."""

import html
import json
import re
from urllib.parse import quote, unquote, unquote_plus

from course.testing.http import ExerciseCase, Mismatch, Response
from course.testing.markup import Element, elements

ATTRIBUTE = 'PAGE, the input: value="{{ comment }}", with quotes around it'
TEXT = "PAGE, the <p>: {{ comment }} escapes by itself, {% raw comment %} does not"
SCRIPT = "PAGE, the <script>: {% raw json_encode(comment) %} is JSON that cannot end the script"
TWICE = "the text is escaped twice: {{ }} escapes by itself, so do not call a function in it"
REMOVED = "do not remove anything from the comment: escape it where it stands in the page"
JSON = (
    "the value in the script is no JSON: {{ }} escapes for HTML, which a script does not decode.\n"
    "Write {% raw json_encode(comment) %}, without quotes around it"
)
PAGE = "PAGE, or get(): the page must be sent"
PARTS = "PAGE: the page keeps its <input>, <p> and <script>; the script has the variable comment"
ASSIGNMENT = re.compile(r"\bcomment\s*=\s*((?:JSON\.parse\(|decodeURIComponent\(|\s)*)(?=\S)")
# How a script may get its value from the page instead: it is then the same for every comment.
FROM_PAGE = re.compile(r"dataset|getAttribute|textContent|innerText|\.value")


class SafeComment(ExerciseCase):
    harmless: tuple[str, ...] = ()

    def page(self, comment: str) -> tuple[Response, list[Element]]:
        answer = self.send("GET", f"/?comment={quote(comment)}").expect(status=200, advice=PAGE)
        return answer, elements(answer.text)

    def attack(self, comment: str, advice: str) -> None:
        """The page has the same elements, with the same attributes, as for a harmless comment."""
        self.harmless = self.harmless or _structure(self.page("Nice.")[1])
        harmless = self.harmless
        answer, page = self.page(comment)
        added = [each for each in _structure(page) if each not in harmless]
        if added or _structure(page) != harmless:
            raise Mismatch(
                sent=f"the comment  {comment}",
                received=answer.text.strip(),
                expected="the page's own elements and nothing else; now it has "
                + ", ".join(f"<{each}>" for each in added or _structure(page)),
                advice=advice,
            )

    def same(self, comment: str, received: str, where: str, advice: str) -> None:
        if received == comment:
            return
        if html.unescape(received) == comment or unquote_plus(received) == comment:
            advice = JSON if advice == SCRIPT else TWICE
        elif received.startswith("(no JSON)") and "&quot;" in received:
            advice = JSON
        elif advice == TEXT and 0 < len(received) < len(comment):
            advice = REMOVED
        raise Mismatch(
            sent=f"the comment  {comment}",
            received=f"{where}  {received!r}",
            expected=f"{where}  {comment!r}",
            advice=advice,
        )

    def test_a_comment_cannot_add_an_attribute(self) -> None:
        for comment in ("x onfocus=alert(1) autofocus", '" onfocus="alert(1)', "' onfocus='a(1)"):
            self.attack(comment, ATTRIBUTE)

    def test_a_comment_cannot_add_an_element(self) -> None:
        for comment in ("<img src=x onerror=alert(1)>", '"><img src=x onerror=alert(1)>'):
            self.attack(comment, f"{TEXT}\n{ATTRIBUTE}")

    def test_a_comment_cannot_end_the_script(self) -> None:
        for end in ("</script>", "</SCRIPT>", "</script >"):
            self.attack(f"{end}<img src=x onerror=alert(1)>", f"{SCRIPT}\n{TEXT}")

    def test_every_comment_is_shown_as_it_was_written(self) -> None:
        comments = ["Nice.", "1 < 2 & \"yes\" or 'no'", "<script>", "</script>", "&lt;b&gt;"]
        for comment in [*comments, "line\nline", "\\ ${1} é €", "50% off"]:
            answer, page = self.page(comment)
            first = {each.tag: each for each in reversed(page)}
            if not {"input", "p", "script"} <= set(first):
                answer.expect(contains="<script>", advice=PARTS)
            value = first["input"].attributes.get("value", "")
            self.same(comment, value, "the input", ATTRIBUTE)
            self.same(comment, first["p"].text.strip(), "the <p>", TEXT)
            self.same(comment, self.in_script(page, comment), "the script", SCRIPT)

    def in_script(self, page: list[Element], comment: str) -> str:
        """Return the value of the variable comment, as far as it can be read without a browser."""
        scripts = [each.text for each in page if each.tag == "script"]
        script = next((text for text in scripts if "comment" in text), "")
        found = ASSIGNMENT.search(script)
        if not found:
            return f"(no variable comment) {script.strip()}"
        rest = script[found.end() :]
        if FROM_PAGE.search(script) and not rest.startswith(('"', "'")):
            return comment  # no text of the comment is in the script
        if not rest.startswith('"') and rest.startswith(("'", "`")):
            rest = f'"{rest[1:].partition(rest[0])[0]}"'
        try:
            value = json.JSONDecoder().raw_decode(rest)[0]
            if "decodeURIComponent" in found[1]:
                value = unquote(value)
            if "JSON.parse" in found[1]:
                value = json.loads(value)
        except (TypeError, ValueError):
            return f"(no JSON) {rest.strip()}"
        return str(value)


def _structure(page: list[Element]) -> tuple[str, ...]:
    return tuple(" ".join([each.tag, *each.attributes]) for each in page)
