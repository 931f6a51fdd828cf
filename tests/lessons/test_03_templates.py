"""Lesson 03: from a template to an answer; what may stand in it; blocks; Jinja2."""

from pathlib import Path

import jinja2
import tornado.template
import tornado.web
from tornado.testing import ExpectLog

from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

app = import_script("03_templates", "app")
blocks = import_script("03_templates", "blocks")
directives = import_script("03_templates", "directives")
functions = import_script("03_templates", "functions")
hello = import_script("03_templates", "hello")
jinja_pages = import_script("03_templates", "jinja_pages")
rendering = import_script("03_templates", "rendering")
template_path = import_script("03_templates", "template_path")

TEMPLATES = Path(app.HERE) / "templates"


class SiteTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return app.make_app()

    def test_the_page_has_a_card_for_each_home(self) -> None:
        """C108, C111: the loop over the homes includes the card's template each time."""
        page = self.text("/")
        self.assertEqual(page.count('<li class="card">'), len(app.HOMES))
        for key, home in app.HOMES.items():
            self.assertIn(f'<a href="/home/{key}">{home["title"]}</a>', page)
            self.assertIn(f"{home['price']} €", page)

    def test_a_search_leaves_the_others_out(self) -> None:
        """C107, C111"""
        page = self.text("/?q=SEA")
        self.assertEqual(page.count('<li class="card">'), 1)
        self.assertIn("Lamp room of a lighthouse", page)

    def test_an_empty_list_has_a_message(self) -> None:
        """C107, C111: what was searched for is shown as text."""
        page = self.text("/?q=%3Cb%3Ecastle")
        self.assertNotIn('<li class="card">', page)
        self.assertIn("Sorry, no home for “&lt;b&gt;castle”.", page)
        self.assertNotIn("<b>", page)

    def test_a_home_has_a_page_with_expressions_filled_in(self) -> None:
        """C106"""
        page = self.text("/home/cabin")
        self.assertIn("<title>Cabin above the tree line</title>", page)
        self.assertIn("Fireplace, Sledge, Snow until May. For 6 guests.", page)
        self.assertIn('<span class="price">770 €</span> a week', page)

    def test_a_home_that_does_not_exist_is_404(self) -> None:
        response = self.get("/home/castle")
        self.assertEqual((response.code, response.reason), (404, "No such home"))


class TemplatePathTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return template_path.make_app()

    def test_the_setting_names_the_folder(self) -> None:
        """C102"""
        self.assertIn("This page was found in the folder of the setting.", self.text("/"))

    def test_a_handler_may_have_a_folder_of_its_own(self) -> None:
        """C103"""
        self.assertIn("TICKET\nfound in the handler&#x27;s own folder", self.text("/print"))

    def test_without_a_folder_it_is_the_one_of_the_handler_s_file(self) -> None:
        """C102"""
        page = self.text("/beside")
        self.assertIn("This page was found by a path from the folder of the script.", page)


class LateWriteHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render(str(TEMPLATES / "ticket.html"), where="first")
        self.write("and more")


class RenderStringHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        page = self.render_string(str(TEMPLATES / "ticket.html"), where="here")
        self.write({"type": type(page).__name__})


class HelloTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return hello.make_app()

    def test_an_expression_is_evaluated_and_escaped(self) -> None:
        """C104, C106: the keyword arguments of render() are the names in the template."""
        self.assertIn("Hello, you! Your name has 3 letters.", self.text("/"))
        self.assertIn("Hello, &lt;i&gt;! Your name has 3 letters.", self.text("/?name=%3Ci%3E"))


class RenderTest(RoutesHTTPTestCase):
    routes = (("/late", LateWriteHandler), ("/string", RenderStringHandler))

    def test_render_finishes_the_answer(self) -> None:
        """C104: what is written afterwards only reaches the log."""
        with ExpectLog("tornado.application", "Uncaught exception GET /late"):
            response = self.get("/late")
        self.assertEqual(response.code, 200)
        self.assertIn(b"found first", response.body)
        self.assertNotIn(b"and more", response.body)

    def test_render_string_returns_bytes(self) -> None:
        """C104"""
        self.assertEqual(self.text("/string"), '{"type": "bytes"}')


class RenderingTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return rendering.make_app()

    def test_render_sends_a_filled_template(self) -> None:
        """C104"""
        self.assertIn("This page was found by render().", self.text("/"))

    def test_render_string_makes_parts_that_write_sends(self) -> None:
        """C104"""
        page = self.text("/twice")
        self.assertLess(page.index("found first"), page.index("found second"))

    def test_another_engine_has_to_escape_for_itself(self) -> None:
        """C105"""
        self.assertEqual(
            self.text("/other?guest=%3CAda%3E"), "<p>For &lt;Ada&gt;, <a href='/'>home</a></p>\n"
        )


class JinjaTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return jinja_pages.make_app()

    def test_the_page_has_tornado_s_functions_and_escapes(self) -> None:
        """C593: static_url, the language of the visitor, and autoescape."""
        response = self.get("/?q=%3Cb%3Ecastle", headers={"Accept-Language": "es"})
        page = response.body.decode()
        self.assertIn('href="/static/style.css?v=', page)
        self.assertIn("<h1>¿Dónde te gustaría despertar?</h1>", page)
        self.assertIn("no home for “&lt;b&gt;castle”", page)

    def test_a_loop_with_a_condition_and_a_filter(self) -> None:
        page = self.text("/?q=house")
        self.assertEqual(page.count("<li>"), 2)
        self.assertIn("LAMP ROOM OF A LIGHTHOUSE", page)

    def test_a_name_that_was_not_passed_is_an_error(self) -> None:
        page = jinja_pages.ENVIRONMENT.from_string("{{ price }}")
        with self.assertRaisesRegex(jinja2.UndefinedError, "'price' is undefined"):
            page.render()


GIVES = {
    "expression": "180 for Hill, Moor",
    "if": "days",
    "for": "[hill][moor]",
    "for_else": "no sea",
    "while": "3 2 1",
    "try": "nobody",
    "import": "1 week",
    "from": "17/05",
    "include": "A note for 3 nights",
    "module": "A note for 9 nights",
    "apply": 'see <a href="http://example.com">http://example.com</a>',
    "raw": "<b>bold</b>, &lt;b&gt;not&lt;/b&gt;",
    "comment": "abc",
    "whitespace": "one line",
    "literal": "{{this}} {%that%} and {&#x27;a&#x27;: {&#x27;b&#x27;: 1}}",
}


class DirectivesTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return directives.make_app()

    def test_each_snippet_gives_what_the_lesson_says(self) -> None:
        """C106, C107, C108, C109, C110"""
        self.assertEqual(set(GIVES), set(directives.SNIPPETS))
        for name, text in GIVES.items():
            with self.subTest(name):
                self.assertEqual(self.text(f"/{name}"), text + "\n")

    def test_the_page_shows_source_and_result(self) -> None:
        """C110"""
        page = self.text("/")
        self.assertIn("{% while n &gt; 0 %}", page)
        self.assertIn("<pre>3 2 1 </pre>", page)


def filled(text: str, **names: object) -> str:
    return tornado.template.Template(text).generate(**names).decode()


def test_none_is_printed_as_a_word() -> None:
    """C106"""
    assert filled("{{ None }}") == "None"


def test_if_elif_and_a_bare_else() -> None:
    """C107"""
    text = "{% if price < 100 %}cheap{% elif price < 150 %}fair{% else %}dear{% end %}"
    assert [filled(text, price=price) for price in (90, 120, 200)] == ["cheap", "fair", "dear"]


def test_a_loop_may_break_continue_and_have_an_else() -> None:
    """C108"""
    text = (
        "{% for n in numbers %}{% if n == 2 %}{% continue %}{% elif n == 4 %}{% break %}{% end %}"
        "{{ n }}{% else %} to the end{% end %}"
    )
    assert filled(text, numbers=[1, 2, 3, 4, 5]) == "13"
    assert filled(text, numbers=[1, 2, 3]) == "13 to the end"


def test_while_needs_a_set_that_comes_to_an_end() -> None:
    """C109"""
    assert filled("{% set n = 1 %}{% while n < 4 %}{{ n }}{% set n += 1 %}{% end %}") == "123"


class FunctionsTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return functions.make_app()

    def test_every_template_knows_these_names(self) -> None:
        """C112"""
        names = json_of(self.get("/names"))["always there"]
        for name in (
            *("handler", "request", "current_user", "locale", "_", "pgettext"),
            *("static_url", "reverse_url", "xsrf_form_html"),
        ):
            with self.subTest(name):
                self.assertIn(name, names)

    def test_they_have_the_values_of_the_handler(self) -> None:
        """C112"""
        page = self.text("/")
        self.assertIn("Ada asked / of HomeHandler.", page)
        self.assertIn("It is called /; its style is /static/style.css.", page)

    def test_what_a_function_returns_is_escaped(self) -> None:
        """C113: a function that came as an argument."""
        self.assertIn("<h1>Lighthouse + boat + &lt;b&gt;breakfast&lt;/b&gt;</h1>", self.text("/"))

    def test_functions_for_all_pages(self) -> None:
        """C113: a UI method, and the namespace of a base handler."""
        self.assertIn("<p>★★★★☆ 1,400 €</p>", self.text("/"))


class BlocksTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return blocks.make_app()

    def test_a_child_fills_holes_and_leaves_the_rest(self) -> None:
        """C125, C126"""
        page = self.text("/about")
        self.assertIn("<title>About us</title>", page)
        self.assertIn("Six homes that nobody can rent.", page)

    def test_text_outside_of_the_base_s_blocks_is_dropped(self) -> None:
        """C125"""
        page = self.text("/bare")
        self.assertIn("<title>Homes with a view</title>", page)
        self.assertNotIn("nobody gets to see it", page)
        self.assertNotIn("Nor this one", page)

    def test_every_hole_can_be_filled(self) -> None:
        """C126: title, css, header, main, footer, js."""
        page = self.text("/festive")
        order = [
            "<title>Ten years!</title>",
            "/static/festive.css?v=",
            "★ Homes with a view ★",
            "<h1>Ten years of homes</h1>",
            "Thank you all.",
            "/static/festive.js?v=",
        ]
        places = [page.index(text) for text in order]
        self.assertEqual(places, sorted(places))
        self.assertNotIn("Six homes", page)

    def test_a_child_may_have_children(self) -> None:
        """C125"""
        page = self.text("/grandchild")
        self.assertIn("<h1>About us, once more</h1>", page)
        self.assertIn("<title>About us</title>", page)

    def test_an_unknown_page_is_404(self) -> None:
        self.assertEqual(self.get("/passwd").code, 404)


def test_a_template_becomes_a_python_function() -> None:
    code = tornado.template.Loader(str(TEMPLATES)).load("homes.html").code
    assert "def _tt_execute():" in code
    assert "for key, home in homes.items():" in code
    assert "_tt_utf8(xhtml_escape(_tt_tmp))" in code
    compile(code, "homes.html", "exec")
