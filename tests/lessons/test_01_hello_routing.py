"""Lesson 01: from a path to a handler (C028-C034)."""

import tornado.routing
import tornado.template
import tornado.web
from tornado.testing import AsyncHTTPTestCase, ExpectLog

from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

routing = import_script("01_hello", "routing")
route_names = import_script("01_hello", "route_names")
route_arguments = import_script("01_hello", "route_arguments")


class RoutingTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return routing.make_app()

    def text(self, path: str) -> str:
        return self.fetch(path).body.decode()

    def test_a_route_matches_the_whole_path(self) -> None:
        """C028"""
        self.assertEqual(self.text("/sum/2/3"), "5\n")
        for path in ["/sum/2/3/", "/a/sum/2/3", "/sum/2"]:
            with self.subTest(path=path):
                self.assertEqual(self.fetch(path).code, 404)

    def test_a_route_is_case_sensitive(self) -> None:
        """C028"""
        self.assertEqual(self.fetch("/hello/Ada").code, 200)
        self.assertEqual(self.fetch("/Hello/Ada").code, 404)

    def test_named_groups_and_groups_by_position(self) -> None:
        """C032"""
        self.assertEqual(self.text("/hello/Ada"), "Hello, Ada!\n")
        self.assertEqual(self.text("/sum/20/3"), "23\n")


class RouteNamesTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return route_names.make_app()

    def test_a_plain_tuple_can_carry_a_name(self) -> None:
        """C030, C031: the link that reverse_url makes leads to the page."""
        link = json_of(self.fetch("/"))["link"]
        self.assertEqual(link, "/hello/Ada%20Lovelace")
        self.assertEqual(self.fetch(link).body, b"Hello, Ada Lovelace!\n")

    def test_the_application_reverses_names_too(self) -> None:
        """C031: any value that can be made text is accepted."""
        app = route_names.make_app()
        self.assertEqual(app.reverse_url("greet", 20), "/hello/20")
        with self.assertRaises(KeyError):
            app.reverse_url("no such name")


class RouteArgumentsTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return route_arguments.make_app()

    def test_one_handler_serves_two_routes_with_arguments_of_their_own(self) -> None:
        """C029: the third part of a route goes to initialize()."""
        self.assertEqual(self.fetch("/hello/Ada").body, b"Hello, Ada!\n")
        self.assertEqual(self.fetch("/hola/Ada").body, b"Hola, Ada!\n")

    def test_prepare_checks_the_captures(self) -> None:
        """C034: path_args has what get() receives."""
        self.assertEqual(self.fetch("/hello/" + 20 * "a").code, 200)
        self.assertEqual(self.fetch("/hello/" + 21 * "a").code, 400)


class WordHandler(tornado.web.RequestHandler):
    def get(self, word: str | None) -> None:
        self.write({"word": word})


class FirstHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("first")


class PreparedHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.finish({"args": self.path_args, "kwargs": self.path_kwargs})


class NoCaptureHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("never reached")


class ColourHandler(tornado.web.RequestHandler):
    def initialize(self, colour: str) -> None:
        self.colour = colour


class TemplateHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        template = tornado.template.Template("{{ reverse_url('named', 7) }}")
        self.write(template.generate(**self.get_template_namespace()))


class RouteDetailsTest(RoutesHTTPTestCase):
    routes = (
        (r"/word/first", FirstHandler),
        (r"/word/([^/]+)", WordHandler),
        (r"/optional(?:/(\w+))?", WordHandler),
        (r"/args/(\w+)/(\w+)", PreparedHandler),
        (r"/kwargs/(?P<left>\w+)/(?P<right>\w+)", PreparedHandler),
        (r"/mismatch/(\w+)", NoCaptureHandler),
        (r"/no-colour", ColourHandler),
        (r"/template", TemplateHandler),
        tornado.web.url(r"/named/(\d+)", WordHandler, name="named"),
    )

    def test_the_first_route_that_matches_wins(self) -> None:
        """C028"""
        self.assertEqual(self.text("/word/first"), "first")

    def test_an_unrouted_path_is_404(self) -> None:
        """C028: here without a default handler."""
        self.assertEqual(self.get("/nowhere").code, 404)

    def test_a_missing_key_of_initialize_drops_the_connection(self) -> None:
        """C029"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assert_dropped("/no-colour")

    def test_url_is_the_long_form_of_a_named_route(self) -> None:
        """C030"""
        self.assertEqual(self._app.reverse_url("named", 7), "/named/7")
        self.assertIs(tornado.web.url, tornado.routing.URLSpec)

    def test_reverse_url_is_a_function_of_templates(self) -> None:
        """C031"""
        self.assertEqual(self.text("/template"), "/named/7")

    def test_captures_are_percent_decoded(self) -> None:
        """C032"""
        self.assertEqual(json_of(self.get("/word/caf%C3%A9%2Fbar")), {"word": "café/bar"})

    def test_an_optional_group_that_is_absent_is_none(self) -> None:
        """C032"""
        self.assertEqual(json_of(self.get("/optional")), {"word": None})
        self.assertEqual(json_of(self.get("/optional/x")), {"word": "x"})

    def test_named_and_unnamed_groups_cannot_be_mixed(self) -> None:
        """C032: the mistake shows when the application is made, not at a request."""
        message = "groups in url regexes must either be all named or all positional"
        with self.assertRaisesRegex(AssertionError, message):
            tornado.web.Application([(r"/(\w+)/(?P<name>\w+)", WordHandler)])

    def test_a_method_that_does_not_take_the_captures_is_500(self) -> None:
        """C033"""
        with ExpectLog("tornado.application", "Uncaught exception GET /mismatch/x"):
            self.assertEqual(self.get("/mismatch/x").code, 500)

    def test_prepare_sees_the_captures(self) -> None:
        """C034: named groups are in path_kwargs."""
        self.assertEqual(json_of(self.get("/args/a/b")), {"args": ["a", "b"], "kwargs": {}})
        self.assertEqual(
            json_of(self.get("/kwargs/a/b")), {"args": [], "kwargs": {"left": "a", "right": "b"}}
        )
