"""Both pages stand in the frame; the title of one is its own, of the other the base's."""

import re

from course.exercise_case import Answer, ExerciseCase, Mismatch

FRAME = "base.html: <main>{% block main %}{% end %}</main>; a page: {% extends 'base.html' %} first"
TITLE = "base.html: <title>{% block title %}Homes{% end %}</title>; what is inside is the default"
HOLE = "the page: its <h1> goes into {% block main %} ... {% end %}; outside of a block it is lost"
ONCE = "the pages have only what differs; doctype, title tags and footer stay in base.html"


class BasePage(ExerciseCase):
    def page(self, path: str) -> Answer:
        return self.send("GET", path)

    def expect_inside(self, path: str, tag: str, text: str, look: str) -> None:
        answer = self.page(path).expect(status=200, look=look)
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.S)
        if [each.strip() for each in found] != [text]:
            raise Mismatch(
                sent=answer.sent,
                came=answer.text.strip() or "(an empty page)",
                expected=f"<{tag}>{text}</{tag}>, once",
                look=look,
            )

    def test_each_page_fills_the_main_part(self) -> None:
        self.expect_inside("/", "main", "<h1>All homes</h1>", f"{FRAME}\n{HOLE}")
        self.expect_inside("/about", "main", "<h1>About us</h1>", f"{FRAME}\n{HOLE}")

    def test_about_has_a_title_of_its_own(self) -> None:
        self.expect_inside("/about", "title", "About us", f"{TITLE}\nabout.html fills it")

    def test_home_keeps_the_title_of_the_base(self) -> None:
        self.expect_inside("/", "title", "Homes", TITLE)

    def test_the_frame_is_around_each_page_once(self) -> None:
        for path in ("/", "/about"):
            with self.subTest(path):
                self.expect_inside(path, "footer", "By the sea", f"{FRAME}\n{ONCE}")

    def test_what_they_share_is_written_once(self) -> None:
        templates = self.subject.TEMPLATES
        for name in ("home.html", "about.html"):
            with self.subTest(name):
                if "footer" in templates[name] or "doctype" in templates[name]:
                    raise Mismatch(
                        sent=f"TEMPLATES[{name!r}]",
                        came=templates[name],
                        expected="a page without the doctype and the footer of its own",
                        look=ONCE,
                    )
