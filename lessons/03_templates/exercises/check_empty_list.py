"""A list element for each home; a sentence and no list without any; titles stay text."""

import re

import tornado.web

from course.exercise_case import Answer, ExerciseCase, Mismatch

LOOP = "PAGE: {% for title, price in homes.items() %} ... {% end %}, one <li> in it"
EMPTY = "PAGE: {% if homes %} the list {% else %} the sentence {% end %}"


class EmptyList(ExerciseCase):
    homes: dict[str, int]

    def get_app(self) -> tornado.web.Application:
        self.homes = {}
        return self.make_app(self.homes)

    def page(self, **homes: int) -> Answer:
        self.homes.clear()
        self.homes.update({title.replace("_", " "): price for title, price in homes.items()})
        return self.send("GET", "/")

    def expect_items(self, answer: Answer, items: list[str], look: str) -> None:
        answer.expect(status=200, look=look)
        came = [" ".join(item.split()) for item in re.findall(r"<li>(.*?)</li>", answer.text, re.S)]
        if came != items:
            raise Mismatch(
                sent=f"{answer.sent}, with the homes {self.homes}",
                came=answer.text.strip() or "(an empty page)",
                expected="\n".join(f"<li>{item}</li>" for item in items) or "no <li>",
                look=look,
            )

    def test_each_home_is_in_the_list(self) -> None:
        answer = self.page(Cabin=110, Windmill=95)
        self.expect_items(answer, ["Cabin: 110 €", "Windmill: 95 €"], LOOP)
        answer.expect(lacks="Nothing is free", look=EMPTY)

    def test_one_home_is_a_list_as_well(self) -> None:
        self.expect_items(self.page(Tree_house=60), ["Tree house: 60 €"], LOOP)

    def test_without_a_home_there_is_a_sentence_and_no_list(self) -> None:
        answer = self.page().expect(
            status=200, contains="<p>Nothing is free.</p>", look=f"{EMPTY}\nelse takes no condition"
        )
        self.expect_items(answer, [], EMPTY)
        answer.expect(lacks="<ul>", look=f"{EMPTY}\nthe <ul> itself is inside of the if")

    def test_a_title_stays_text(self) -> None:
        self.expect_items(
            self.page(**{"<b>Boat": 80}),
            ["&lt;b&gt;Boat: 80 €"],
            "PAGE: {{ title }} escapes by itself; no raw, no autoescape",
        )
