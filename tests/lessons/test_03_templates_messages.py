"""Lesson 03: the messages of TROUBLESHOOTING.md, provoked."""

from unittest import mock

import pytest
import tornado.template
import tornado.web

from tests.support.lesson_case import RoutesHTTPTestCase, import_script

mistakes = import_script("03_templates", "mistakes")

SAID = {
    "endif": "ParseError: unknown operator: 'endif' at <string>:1",
    "no end": "ParseError: Missing {% end %} block for for at <string>:1",
    "one end too many": "ParseError: Extra {% end %} block at <string>:1",
    "else with a condition": "SyntaxError: expected ':' (<string>.generated.py, line 7)",
    "misspelt": "ParseError: unknown operator: 'fro' at <string>:1",
    "not closed": "ParseError: Missing end expression }} at <string>:1",
    "braces at the end": "SyntaxError: '{' was never closed (<string>.generated.py, line 4)",
    "super": "ParseError: unknown operator: 'super()' at <string>:1",
    "unknown name": "NameError: name 'prise' is not defined",
    "None": "None",
}


@pytest.mark.parametrize("name", mistakes.MISTAKES)
def test_a_mistake_is_told(name: str) -> None:
    """C106, C107, C125: endif, else with a condition, }}}, super(), an unknown name, None."""
    assert mistakes.said(mistakes.MISTAKES[name]) == SAID[name]


class MistakesTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return mistakes.make_app()

    def test_the_page_lists_them_all(self) -> None:
        page = self.text("/")
        self.assertIn("{% endif %}", page)
        self.assertIn("unknown operator: &#x27;endif&#x27;", page)
        # The Python code of a template is logged for a SyntaxError in it.
        self.assertEqual(self.caplog.text.count("<string> code:"), 2)

    def test_an_unknown_name_is_a_500_and_the_log_has_the_template_s_line(self) -> None:
        """C106"""
        self.assertEqual(self.get("/page").code, 500)
        self.assertIn("NameError: name 'price' is not defined", self.caplog.text)
        self.assertIn("_tt_tmp = price  # mistake.html:3", self.caplog.text)


class AskHandler(tornado.web.RequestHandler):
    def initialize(self, template: str) -> None:
        self.template = template

    def get(self) -> None:
        self.render(self.template)


class BoxedModule(tornado.web.UIModule):
    def render(self) -> str:
        return "<p>boxed</p>"

    def embedded_css(self) -> str:
        return "p { border: 1px solid }"


class RenderedHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("text.html")
        self.render("text.html")


TEMPLATES = {
    "text.html": "text",
    "fragment.html": "{% module Boxed() %}",
    "unknown_module.html": "{% module Map() %}",
    "static.html": "{{ static_url('style.css') }}",
    "loop.html": "{% continue %}",
}
IN_THE_LOG = {
    "fragment.html": "ValueError: subsection not found",
    "unknown_module.html": "AttributeError: 'Map'",
    "static.html": "You must define the 'static_path' setting",
    "loop.html": "continue outside",
}


class PageMessagesTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.enterContext(mock.patch.dict(tornado.web.RequestHandler._template_loaders, clear=True))
        return tornado.web.Application(
            [
                *[(f"/{name}", AskHandler, {"template": name}) for name in IN_THE_LOG],
                ("/twice", RenderedHandler),
            ],
            ui_modules={"Boxed": BoxedModule},
            template_loader=tornado.template.DictLoader(TEMPLATES),
        )

    def test_a_page_that_fails_says_so_in_the_log(self) -> None:
        for name, message in IN_THE_LOG.items():
            with self.subTest(name):
                self.caplog.clear()
                self.assertEqual(self.get(f"/{name}").code, 500)
                self.assertIn(message, self.caplog.text)

    def test_a_page_can_be_rendered_once(self) -> None:
        """C104"""
        self.assertEqual(self.get("/twice").body, b"text")
        self.assertIn("Cannot render() after finish()", self.caplog.text)


class MissingTemplateTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.enterContext(mock.patch.dict(tornado.web.RequestHandler._template_loaders, clear=True))
        return tornado.web.Application([("/", AskHandler, {"template": "homes.html"})])

    def test_a_missing_template_is_named(self) -> None:
        """C102"""
        with self.assertLogs("tornado.application") as log:
            self.assertEqual(self.get("/").code, 500)
        self.assertIn("No such file or directory", log.output[0])
        self.assertIn("homes.html", log.output[0])


class NoCaptureTest(RoutesHTTPTestCase):
    routes = (("/rules", tornado.web.StaticFileHandler, {"path": "static"}),)

    def test_a_static_route_without_a_group_says_so(self) -> None:
        """C130"""
        with self.assertLogs("tornado.application") as log:
            self.assertEqual(self.get("/rules").code, 500)
        self.assertIn("missing 1 required positional argument: 'path'", log.output[0])
