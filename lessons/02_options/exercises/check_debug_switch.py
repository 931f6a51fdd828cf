"""With --debug the traceback is sent as text, without it the usual error page."""

import re

from course.testing.command import ADVICE_BY_EXCEPTION, CommandCase

SETTING = "make_app(): pass its argument to the application: Application(routes, debug=debug)."
OPTION = 'main(): define("debug", default=False) makes an option that is off by default'
ARGUMENT = "main(): pass the option to make_app(): make_app(debug=options.debug)"
ALWAYS_ON = f"debug mode is on without --debug.\n{SETTING}\n{ARGUMENT}"
ON_BY_DEFAULT = 'main(): the option is on by default: write define("debug", default=False)'
ORDER = (
    "main(): define the option before parse_command_line():\n"
    'define("debug", default=False) makes an option that is off by default'
)
QUOTES = 'main(): the name of the option is a text, in quotes: define("debug", default=False)'
TEXT = (
    'main(): write define("debug", default=False). The option is then boolean:\n'
    "--debug alone means true"
)
FALSE = "Python writes the boolean values as False and True, with a capital letter"
RETURN = "make_app() must return the application"
PARAMETER = f"make_app(): leave its argument debug as it is.\n{ARGUMENT}"
# The first of these texts that the program has written decides.
ENDED = {
    "define(debug": QUOTES,
    "name 'debug'": ARGUMENT,
    "name 'false'": FALSE,
    "name 'true'": FALSE,
    "Unrecognized": ORDER,
    "requires a value": TEXT,
    "has no attribute 'listen'": RETURN,
    "make_app()": PARAMETER,
} | ADVICE_BY_EXCEPTION
EXCEPTION = "the client must not see the text of the exception unless the program has --debug"


class DebugSwitch(CommandCase):
    def test_with_debug_the_response_is_the_traceback(self) -> None:
        self.start("--debug", advice=OPTION, advice_by_error=ENDED)
        self.send("GET", "/boom").expect(
            status=500,
            content_type="text/plain",
            contains="Traceback",
            advice=f"{SETTING}\n{ARGUMENT}",
        ).expect(contains="db.internal", advice=SETTING)

    def test_without_debug_the_response_has_no_traceback(self) -> None:
        self.start(advice=OPTION, advice_by_error=ENDED)
        answer = self.send("GET", "/boom")
        if "Traceback" in answer.text:
            answer.expect(status=500, lacks="Traceback", advice=self.advice_by_default())
        answer.expect(status=500, advice=SETTING)
        answer.expect(lacks="db.internal", advice=EXCEPTION)
        answer.expect(content_type="text/html", advice=f"{SETTING}\n{ARGUMENT}")

    def advice_by_default(self) -> str:
        """Return the advice for a program that is in debug mode without --debug."""
        described = re.search(
            r"--debug\b.*?\(default (\w+)\)", self.run_program("--help").log, re.S
        )
        return ON_BY_DEFAULT if described and described[1] == "True" else ALWAYS_ON
