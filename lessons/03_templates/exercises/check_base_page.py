"""Both pages have the layout of the base; one has its own title, the other that of the base."""

from course.testing.http import ExerciseCase, InvalidSubmission, Mismatch, Response
from course.testing.markup import Element, elements

LAYOUT = "base.html: <main>{% block main %}{% end %}</main>; each page: {% extends 'base.html' %}"
BLOCK = (
    "the page: its <h1> belongs between {% block main %} and {% end %};\n"
    "outside of a block it is lost, and so is a block whose name base.html does not have"
)
TITLE = "base.html: <title>{% block title %}Homes{% end %}</title>; the text in it is the default"
OWN = "about.html: fill the block title of the base; the name of the block must be the same"
FOOTER = "base.html: the footer stands below </main>, once, and in no other template"
ONCE = "TEMPLATES: what the pages share is only in base.html: doctype, title, main and footer"


class BasePage(ExerciseCase):
    def page(self, path: str, advice: str) -> tuple[Response, list[Element]]:
        answer = self.send("GET", path).expect(status=200, advice=advice)
        return answer, elements(answer.text)

    def expect_one(self, path: str, tag: str, text: str, advice: str) -> None:
        """The page has one element with this tag, and it has this text."""
        answer, page = self.page(path, advice)
        found = [each for each in page if each.tag == tag]
        if len(found) != 1 or found[0].text.strip() != text:
            self.differs(answer, f"<{tag}>{text}</{tag}>, once", advice)

    def differs(self, answer: Response, expected: str, advice: str) -> None:
        received = answer.text.strip() or "(an empty page)"
        raise Mismatch(sent=answer.sent, received=received, expected=expected, advice=advice)

    def test_each_page_has_its_heading_in_main(self) -> None:
        for path, text in (("/", "All homes"), ("/about", "About us")):
            with self.subTest(path):
                answer, page = self.page(path, f"{LAYOUT}\n{BLOCK}")
                if not any(each.tag == "main" for each in page):
                    self.differs(answer, "<main> around the heading", LAYOUT)
                self.expect_one(path, "h1", text, f"{LAYOUT}\n{BLOCK}")
                if not any(each.tag == "h1" and each.is_in("main") for each in page):
                    self.differs(answer, f"<h1>{text}</h1> inside of <main>", f"{LAYOUT}\n{BLOCK}")

    def test_about_has_a_title_of_its_own(self) -> None:
        self.expect_one("/about", "title", "About us", f"{TITLE}\n{OWN}")

    def test_home_keeps_the_title_of_the_base(self) -> None:
        self.expect_one("/", "title", "Homes", TITLE)

    def test_the_footer_is_below_the_main_part(self) -> None:
        for path in ("/", "/about"):
            with self.subTest(path):
                self.expect_one(path, "footer", "By the sea", FOOTER)
                answer, page = self.page(path, LAYOUT)
                tags = [each.tag for each in page if not each.is_in("main")]
                if "main" not in tags[: tags.index("footer")]:
                    self.differs(answer, "the footer below <main>", FOOTER)

    def test_what_they_share_is_written_once(self) -> None:
        templates = getattr(self.subject, "TEMPLATES", None)
        if not isinstance(templates, dict):
            raise InvalidSubmission(
                "The file has no TEMPLATES: the check reads the templates there."
            )
        for shared in ("<!doctype", "<footer"):
            names = [name for name, text in templates.items() if shared in text.lower()]
            if len(names) != 1:
                raise Mismatch(
                    sent="TEMPLATES",
                    received=f"{shared} in {', '.join(names) or 'no template'}",
                    expected=f"{shared} in one template",
                    advice=ONCE,
                )
