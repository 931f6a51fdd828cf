"""The page is made again, each text in it is escaped once, and the obsolete header is gone."""

from urllib.parse import quote

from course.testing.http import ExerciseCase

WORKS = (
    "{% end %} ends if and for; {% else %} has no condition. The terminal of the server shows the\n"
    "line of the template that is wrong"
)
EMPTY = "{% else %} belongs to {% if len(houses) > 0 %}: it is used if the list is empty"
SAFE = "remove {% autoescape None %}: then each {{ }} escapes its value"
ONCE = "escape() and the automatic escaping are twice: write {{ word }} and {{ house }}"
HEADER = "remove the line with X-XSS-Protection: browsers ignore this header today"

ATTACK = '"><script>alert(1)</script>'


class OldPage(ExerciseCase):
    def test_the_houses_are_listed(self) -> None:
        answer = self.send("GET", "/houses").expect(status=200, advice=WORKS)
        answer.expect(contains="<li>Tower</li>", lacks="No houses", advice=EMPTY)

    def test_a_word_selects_houses(self) -> None:
        answer = self.send("GET", "/houses?word=Boat").expect(status=200, advice=WORKS)
        answer.expect(contains="<li>Boat</li>", lacks="<li>Tower</li>", advice=EMPTY)
        self.send("GET", "/houses?word=Castle").expect(contains="No houses", advice=EMPTY)

    def test_no_text_becomes_code(self) -> None:
        answer = self.send("GET", f"/houses?word={quote(ATTACK)}").expect(status=200, advice=WORKS)
        answer.expect(lacks="<script>", advice=SAFE)

    def test_each_text_is_escaped_once(self) -> None:
        answer = self.send("GET", "/houses?word=%26").expect(status=200, advice=WORKS)
        answer.expect(contains="<li>Mill &amp; barn</li>", lacks="&amp;amp;", advice=ONCE)
        answer.expect(contains="<title>&amp;</title>", advice=ONCE)

    def test_the_obsolete_header_is_gone(self) -> None:
        answer = self.send("GET", "/houses")
        answer.expect(headers={"X-XSS-Protection": None}, advice=HEADER)
