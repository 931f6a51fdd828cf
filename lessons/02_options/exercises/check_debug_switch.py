"""With --debug an exception is shown as text, without it the page tells nothing."""

import unittest.mock

from course.command_case import CommandCase

SETTING = "make_app(): tornado.web.Application(routes, debug=debug); it sets all four parts"
OPTION = 'main(): define("debug", default=False), then make_app(debug=options.debug)'
PLAIN = {"Content-Type": "text/plain"}
PAGE = {"Content-Type": "text/html; charset=UTF-8"}


class DebugSwitch(CommandCase):
    def test_debug_shows_the_traceback_as_text(self) -> None:
        self.start("--debug", look=OPTION)
        answer = self.send("GET", "/boom")
        answer.expect(status=500, headers=PLAIN, contains="Traceback", look=SETTING)
        answer.expect(contains="db.internal", look=SETTING)

    def test_without_debug_the_page_tells_nothing(self) -> None:
        self.start(look=OPTION)
        answer = self.send("GET", "/boom")
        answer.expect(status=500, headers=PAGE, lacks="Traceback", look=OPTION)
        answer.expect(lacks="db.internal", look=OPTION)

    def test_debug_can_be_refused(self) -> None:
        self.start("--debug=false", look=OPTION)
        self.send("GET", "/boom").expect(status=500, headers=PAGE, look=OPTION)

    def test_only_debug_restarts_on_a_change(self) -> None:
        with unittest.mock.patch("tornado.autoreload.start") as start:
            for debug in (True, False):
                start.reset_mock()
                self.make_app(debug=debug)
                self.expect(start.called, debug, sent=f"make_app(debug={debug})", look=SETTING)
