"""A list in JSON, no secret in the code, debug mode only on request, the command line wins."""

import inspect

from course.testing.command import CommandCase
from course.testing.http import Mismatch

SECRET = "bZJc2sWbQLKos6GkHn/VB9oXwQt8S0R0kRvJ5/xJ89E="  # noqa: S105, the one of the tutorial

STARTS = "main(): the program must start as before; define() comes before parse_command_line()"
JSON = 'a dictionary is sent as JSON: self.write({"subjects": [...]}), without str()'
COOKIE = "the application needs a cookie_secret: from the environment, or a random one"
IN_CODE = 'os.environ.get("COOKIE_SECRET") or secrets.token_hex(32), and no secret in the file'
DEBUG = 'define("debug", default=False, ...), and Application(..., debug=options.debug)'
WINS = "read the command line again after the file: the source that sets an option last wins"
LOG = "options.logging = None keeps Tornado from setting up the log: remove the line"
DEBUG_OPTION = {"debug": DEBUG}


class OldConfig(CommandCase):
    def test_the_subjects_are_json(self) -> None:
        self.start("--subjects=python,c++", advice=STARTS)
        answer = self.send("GET", "/").expect(
            status=200, json={"subjects": ["python", "c++"]}, advice=JSON
        )
        if "seen=" not in answer.headers.get("Set-Cookie", ""):
            answer.expect(headers={"Set-Cookie": "seen=..."}, advice=COOKIE)

    def test_the_secret_is_not_in_the_file(self) -> None:
        if SECRET in inspect.getsource(self.subject):
            raise Mismatch(
                sent="your file",
                received=f"it contains {SECRET[:12]}...",
                expected="no secret",
                advice=IN_CODE,
            )

    def test_tracebacks_are_sent_only_in_debug_mode(self) -> None:
        self.start(advice=STARTS)
        self.send("GET", "/?first=x").expect(status=500, lacks="Traceback", advice=DEBUG)
        self.start("--debug", advice=DEBUG, advice_by_error=DEBUG_OPTION)
        self.send("GET", "/?first=x").expect(status=500, contains="Traceback", advice=DEBUG)

    def test_the_command_line_overrides_the_file(self) -> None:
        self.write("school.conf", 'subjects = ["java", "php"]\n')
        self.start("--config=school.conf", advice=STARTS)
        self.send("GET", "/").expect(json={"subjects": ["java", "php"]}, advice=JSON)
        self.start("--subjects=go", "--config=school.conf", advice=STARTS)
        self.send("GET", "/").expect(json={"subjects": ["go"]}, advice=WINS)

    def test_requests_are_logged(self) -> None:
        self.start(advice=STARTS)
        self.send("GET", "/?first=1").expect(status=200, advice=JSON)
        self.stop_program().expect(contains="200 GET /?first=1", advice=LOG)
