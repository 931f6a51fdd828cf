"""An item for each home; a sentence and no list without any; titles stay text."""

import tornado.web

from course.testing.http import ExerciseCase, Mismatch, Response
from course.testing.markup import Element, elements

SENTENCE = "Nothing is free."
LOOP = (
    "PAGE: {% for title, price in homes.items() %} ... {% end %} with one <li> in it.\n"
    "The handler passes homes to the template"
)
EMPTY = "PAGE: {% if homes %} the list {% else %} the sentence {% end %}. else takes no condition"
END = "PAGE: {% end %} ends an if and a for; there is no endif, and no endfor"
INSIDE = "PAGE: the list, with its <ul> and </ul>, belongs between {% if homes %} and {% else %}"
ESCAPE = "PAGE: {{ title }} escapes by itself; do not use raw or autoescape"


class EmptyList(ExerciseCase):
    homes: dict[str, int]

    def get_app(self) -> tornado.web.Application:
        self.homes = {}
        return self.make_app(self.homes)

    def page(self, homes: dict[str, int], advice: str) -> tuple[Response, list[Element]]:
        self.homes.clear()
        self.homes.update(homes)
        answer = self.send("GET", "/")
        answer.expect(status=200, advice=f"{EMPTY}\n{END}" if answer.status == 500 else advice)
        return answer, elements(answer.text)

    def expect_texts(self, homes: dict[str, int], tag: str, texts: list[str], advice: str) -> None:
        """The elements with this tag have these texts."""
        answer, page = self.page(homes, advice)
        received = [" ".join(each.text.split()) for each in page if each.tag == tag]
        # Beside the sentence there may be other paragraphs.
        if not (texts[0] in received if tag == "p" else received == texts):
            raise Mismatch(
                sent=f"{answer.sent}, with the homes {homes}",
                received=answer.text.strip() or "(an empty page)",
                expected="\n".join(f"<{tag}>{text}</{tag}>" for text in texts) or f"no <{tag}>",
                advice=advice,
            )

    def test_each_home_is_an_item(self) -> None:
        homes = {"Cabin": 110, "Windmill": 95}
        self.expect_texts(homes, "li", ["Cabin: 110 €", "Windmill: 95 €"], LOOP)
        answer, _ = self.page(homes, LOOP)
        answer.expect(lacks=SENTENCE, advice=EMPTY)

    def test_one_home_is_a_list_as_well(self) -> None:
        self.expect_texts({"Tree house": 60}, "li", ["Tree house: 60 €"], LOOP)

    def test_without_a_home_there_is_a_sentence_and_no_list(self) -> None:
        self.expect_texts({}, "p", [SENTENCE], EMPTY)
        for tag in ("li", "ul", "ol"):
            self.expect_texts({}, tag, [], INSIDE)

    def test_a_title_stays_text(self) -> None:
        self.expect_texts({"<b>Boat</b>": 80}, "li", ["<b>Boat</b>: 80 €"], ESCAPE)
