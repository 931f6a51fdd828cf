"""A list in JSON, no secret in the code, debug mode only on request, the command line wins."""

import ast
import inspect
import os
from http.cookies import SimpleCookie
from unittest import mock

from tornado.web import decode_signed_value

from course.testing.command import CommandCase
from course.testing.http import Mismatch

SECRET = "bZJc2sWbQLKos6GkHn/VB9oXwQt8S0R0kRvJ5/xJ89E="  # noqa: S105, the one of the tutorial

STARTS = "main(): the program must start as before; define() comes before parse_command_line()"
JSON = 'a dictionary is sent as JSON: self.write({"subjects": [...]}), without str()'
VARIABLE = 'the variable is COOKIE_SECRET: os.environ.get("COOKIE_SECRET")'
COOKIE = "the application needs a cookie_secret: from the environment, or a random one"
IN_CODE = 'os.environ.get("COOKIE_SECRET") or secrets.token_hex(32), and no secret in the file'
DEBUG = 'define("debug", default=False, ...), and Application(..., debug=options.debug)'
WINS = "read the command line again after the file: the source that sets an option last wins"
LOG = "options.logging = None keeps Tornado from setting up the log: remove the line"
DEBUG_OPTION = {"debug": DEBUG}


class OldConfig(CommandCase):
    def test_the_subjects_are_json(self) -> None:
        self.start("--subjects=python,c++", advice=STARTS)
        self.send("GET", "/").expect(status=200, json={"subjects": ["python", "c++"]}, advice=JSON)

    def signed_value(self, secret: str) -> str:
        """Return the cookie of a program that is started with COOKIE_SECRET; "" is no variable."""
        with mock.patch.dict(os.environ):
            os.environ.pop("COOKIE_SECRET", None)
            if secret:
                os.environ["COOKIE_SECRET"] = secret
            self.start(advice=STARTS)
        answer = self.send("GET", "/").expect(status=200, advice=COOKIE)
        cookies = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
        if "seen" not in cookies:
            answer.expect(headers={"Set-Cookie": "seen=..."}, advice=COOKIE)
        return cookies["seen"].value

    def test_the_secret_is_not_in_the_file(self) -> None:
        source = inspect.getsource(self.subject)
        value = self.signed_value("")
        texts = [SECRET] if SECRET in source else []
        for node in ast.walk(ast.parse(source)):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str | bytes) and text and decode_signed_value(text, "seen", value):
                texts.append(text if isinstance(text, str) else text.decode())
        if texts:
            raise Mismatch(
                sent="your file",
                received=f"it contains {texts[0][:12]}...",
                expected="no secret",
                advice=IN_CODE,
            )

    def test_the_variable_is_the_secret(self) -> None:
        secret = "from the environment"  # noqa: S105, of this check
        value = self.signed_value(secret)
        if decode_signed_value(secret, "seen", value) is None:
            raise Mismatch(
                sent=f"{self.sent}\nwith COOKIE_SECRET={secret!r} in the environment",
                received="a cookie that is signed with another secret",
                expected="a cookie that is signed with this secret",
                advice=VARIABLE,
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
