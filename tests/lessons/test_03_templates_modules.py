"""Lesson 03: UI modules (C127)."""

from unittest import mock

import tornado.template
import tornado.web
from tornado.testing import ExpectLog

from tests.support.lesson_case import RoutesHTTPTestCase, import_script

modules = import_script("03_templates", "modules")


class ModulesTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return modules.make_app()

    def test_a_module_renders_its_template_with_arguments(self) -> None:
        """C127"""
        page = self.text("/")
        for home in modules.HOMES.values():
            self.assertIn(home["title"], page)

    def test_the_output_of_a_module_is_not_escaped(self) -> None:
        """C127"""
        self.assertIn("<p class='note'>Click to <b>hide</b> this note.</p>", self.text("/"))

    def test_style_and_script_come_once_before_the_end_of_head_and_body(self) -> None:
        """C127"""
        page = self.text("/")
        self.assertEqual(page.count("/static/card.css?v="), 1)
        self.assertEqual(page.count("/static/note.js?v="), 1)
        self.assertLess(page.index("/static/card.css"), page.index("</head>"))
        self.assertLess(page.index(".note { padding"), page.index("</head>"))
        self.assertLess(page.index("</main>"), page.index("/static/note.js"))

    def test_a_card_leads_to_a_home(self) -> None:
        self.assertIn("<h1>Treehouse in an old oak</h1>", self.text("/home/treehouse"))


class FragmentHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.render("fragment.html")


class FragmentTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.enterContext(mock.patch.dict(tornado.web.RequestHandler._template_loaders, clear=True))
        fragment = {"fragment.html": "{% module Note('no head, no body') %}"}
        return tornado.web.Application(
            [("/", FragmentHandler)],
            ui_modules={"Note": modules.Note},
            template_loader=tornado.template.DictLoader(fragment),
            static_path=str(modules.HERE / "static"),
        )

    def test_style_and_script_need_a_head_and_a_body(self) -> None:
        """C127"""
        with ExpectLog("tornado.application", "Uncaught exception GET /"):
            self.assertEqual(self.get("/").code, 500)
