"""With --debug the traceback is sent as text, without it the usual error page."""

from course.testing.command import CommandCase

SETTING = "make_app(): the application must get its argument: Application(routes, debug=debug)"
OPTION = 'main(): define("debug", default=False) makes an option that is off by default'
ARGUMENT = "main(): give the option to make_app(): make_app(debug=options.debug)"
EXCEPTION = "the client must not see the text of the exception unless the program has --debug"


class DebugSwitch(CommandCase):
    def test_with_debug_the_traceback_is_sent_as_text(self) -> None:
        self.start("--debug", advice=OPTION)
        self.send("GET", "/boom").expect(
            status=500,
            content_type="text/plain",
            contains="Traceback",
            advice=f"{SETTING}\n{ARGUMENT}",
        ).expect(contains="db.internal", advice=SETTING)

    def test_without_debug_the_page_shows_nothing(self) -> None:
        self.start(advice=OPTION)
        answer = self.send("GET", "/boom")
        answer.expect(status=500, lacks="Traceback", advice=f"{ARGUMENT}\n{OPTION}")
        answer.expect(lacks="db.internal", advice=EXCEPTION)
        answer.expect(content_type="text/html", advice=f"{ARGUMENT}\n{OPTION}")
