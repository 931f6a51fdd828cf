"""Lesson 02: the log (C088-C090)."""

import io
import json
import logging
import tempfile
import unittest
from pathlib import Path
from unittest import mock
from urllib.error import HTTPError
from urllib.request import urlopen

import tornado.log
import tornado.web
from tornado.options import OptionParser
from tornado.testing import AsyncHTTPTestCase, ExpectLog

from tests.lessons.test_02_options import FOLDER
from tests.support.lesson_case import import_script
from tests.support.script_server import Server, serving

logs = import_script("02_options", "logs")
own_logs = import_script("02_options", "own_logs")

LEVELS = ["debug", "info", "warning", "error"]


def log_of(server: Server, *paths: str) -> str:
    """What the server has written to standard error after these requests."""
    for path in paths:
        try:
            urlopen(server.url + path, timeout=30).close()
        except HTTPError as error:
            error.close()
    server.stop()
    return server.log


def levels_in(log: str) -> list[str]:
    return [level for level in LEVELS if f"the lamp reports {level}" in log]


class LogsTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return logs.make_app()

    def test_a_page_writes_a_line(self) -> None:
        """C088"""
        with ExpectLog("lighthouse", "the lamp reports warning", level=logging.WARNING):
            self.assertEqual(self.fetch("/warning").code, 200)
        self.assertIn("/debug", self.fetch("/").body.decode())


class LevelsTest(unittest.TestCase):
    def test_reading_an_options_file_turns_the_log_on_too(self) -> None:
        """C088: with final=False, as for the first of several sources, it does not."""
        parser = OptionParser()
        tornado.log.define_logging_options(parser)
        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch("tornado.log.enable_pretty_logging") as turned_on,
        ):
            file = Path(folder) / "light.conf"
            file.write_text('logging = "warning"', encoding="utf-8")
            parser.parse_config_file(str(file), final=False)
            turned_on.assert_not_called()
            parser.parse_config_file(str(file))
            turned_on.assert_called_once_with(parser)

    def test_parsing_the_options_turns_the_log_on(self) -> None:
        """C088: from level info, on standard error; standard output has the address alone."""
        with serving(FOLDER / "logs.py") as server:
            log = log_of(server, "/debug", "/info", "/error")
            self.assertEqual(levels_in(log), ["info", "error"])
            self.assertRegex(
                log, r"(?m)^\[E \d{6} \d\d:\d\d:\d\d logs:\d+\] the lamp reports error$"
            )
            self.assertRegex(log, r"(?m)^\[I .* web:\d+\] 200 GET /info ")
            self.assertEqual(server.output + server.rest(), f"Open {server.url}\n")

    def test_a_level_lets_through_what_is_as_bad_or_worse(self) -> None:
        """C088"""
        with serving(FOLDER / "logs.py", "--logging=warning") as server:
            log = log_of(server, *[f"/{level}" for level in LEVELS])
            self.assertEqual(levels_in(log), ["warning", "error"])
            self.assertNotIn("200 GET", log)

    def test_logging_none_leaves_warnings_to_python(self) -> None:
        """C089: it only stops Tornado's setup; Python's own last resort prints the bare text."""
        with serving(FOLDER / "logs.py", "--logging=none") as server:
            log = log_of(server, *[f"/{level}" for level in LEVELS], "/nowhere")
            self.assertEqual(levels_in(log), ["warning", "error"])
            self.assertRegex(log, r"(?m)^the lamp reports warning$")
            self.assertRegex(log, r"(?m)^404 GET /nowhere ")

    def test_status_decides_the_level_of_a_request(self) -> None:
        """C090"""
        with serving(FOLDER / "logs.py") as server:
            log = log_of(server, "/", "/nowhere")
            self.assertRegex(log, r"\[I .*\] 200 GET / ")
            self.assertRegex(log, r"\[W .*\] 404 GET /nowhere ")

    def test_a_file_takes_the_place_of_the_screen(self) -> None:
        """C090: unless --log-to-stderr asks for both."""
        with tempfile.TemporaryDirectory() as folder:
            for more, on_screen in [([], False), (["--log-to-stderr"], True)]:
                with self.subTest(more):
                    file = Path(folder) / f"light{len(more)}.log"
                    option = f"--log-file-prefix={file}"
                    with serving(FOLDER / "logs.py", option, *more) as server:
                        log = log_of(server, "/info")
                    self.assertEqual("the lamp reports info" in log, on_screen)
                    self.assertIn("the lamp reports info", file.read_text(encoding="utf-8"))


class SetupTest(unittest.TestCase):
    """What enable_pretty_logging() does to a logger that is not the program's."""

    def setUp(self) -> None:
        self.parser = OptionParser()
        tornado.log.define_logging_options(self.parser)
        self.logger = logging.Logger("apart")

    def tearDown(self) -> None:
        for handler in self.logger.handlers:
            handler.close()

    def set_up(self, *arguments: str) -> list[logging.Handler]:
        self.parser.parse_command_line(["light.py", *arguments], final=False)
        tornado.log.enable_pretty_logging(self.parser, self.logger)
        return self.logger.handlers

    def test_none_in_code_is_none_on_the_command_line(self) -> None:
        """C089: and the command line, parsed later, wins."""
        self.parser.logging = None
        self.assertEqual(self.set_up(), [])
        self.assertEqual(self.set_up("--logging=none"), [])
        self.assertEqual(self.logger.level, logging.NOTSET)
        self.assertEqual(len(self.set_up("--logging=info")), 1)

    def test_a_handler_that_is_there_already_is_enough(self) -> None:
        """C089: then Tornado sets the level, and adds none of its own."""
        own = logging.StreamHandler(io.StringIO())
        self.logger.addHandler(own)
        self.assertEqual(self.set_up("--logging=error"), [own])
        self.assertEqual(self.logger.level, logging.ERROR)

    def test_a_full_file_is_put_aside(self) -> None:
        """C090"""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "light.log"
            self.set_up(
                f"--log-file-prefix={file}", "--log-file-max-size=100", "--log-file-num-backups=2"
            )
            for number in range(20):
                self.logger.error("line %d of the log book of the lighthouse", number)
            for handler in self.logger.handlers:
                handler.close()
            names = sorted(path.name for path in Path(folder).iterdir())
            self.assertEqual(names, ["light.log", "light.log.1", "light.log.2"])

    def test_files_can_also_change_with_the_day(self) -> None:
        """C090"""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "light.log"
            [handler] = self.set_up(f"--log-file-prefix={file}", "--log-rotate-mode=time")
            self.assertEqual(handler.when, "MIDNIGHT")  # type: ignore[attr-defined]
            handler.close()

    def test_an_unknown_level_is_an_attribute_error(self) -> None:
        """C088"""
        with self.assertRaisesRegex(AttributeError, "has no attribute 'LOUD'"):
            self.set_up("--logging=loud")


class OwnLogsTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return own_logs.make_app()

    def test_log_function_gets_the_handler(self) -> None:
        """C090: in place of Tornado's line, not beside it."""
        with self.assertLogs("tornado.access", logging.INFO) as logged:
            self.fetch("/?lamp=1")
            self.fetch("/nowhere")
        lines = [json.loads(record.getMessage()) for record in logged.records]
        self.assertEqual(
            [(line["path"], line["status"]) for line in lines], [("/", 200), ("/nowhere", 404)]
        )
        self.assertGreaterEqual(lines[0]["ms"], 0)


class OwnHandlersTest(unittest.TestCase):
    def test_only_the_handlers_of_the_script_write(self) -> None:
        """C089: no line of Tornado's own form, and errors still come."""
        with serving(FOLDER / "own_logs.py") as server:
            log = log_of(server, "/", "/nowhere")
            lines = [json.loads(line) for line in log.splitlines()]
            self.assertEqual([line["status"] for line in lines], [200, 404])

    def test_tornado_sets_up_nothing(self) -> None:
        """C089: not even a file that the command line asks for."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "light.log"
            with serving(FOLDER / "own_logs.py", f"--log-file-prefix={file}") as server:
                self.assertIn('"status": 200', log_of(server, "/"))
            self.assertFalse(file.exists())

    def test_loggers_from_before_fall_silent_unless_told_otherwise(self) -> None:
        """C089: the default of disable_existing_loggers is True."""
        self.assertIs(own_logs.LOGGING["disable_existing_loggers"], False)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "own_logs.py"
            text = (FOLDER / "own_logs.py").read_text(encoding="utf-8")
            silent = text.replace(
                '"disable_existing_loggers": False', '"disable_existing_loggers": True'
            )
            silent = silent.replace('"loggers": {"tornado.access"', '"unused": {"tornado.access"')
            self.assertNotEqual(silent, text)
            copy.write_text(silent, encoding="utf-8")
            with serving(copy) as server:
                self.assertEqual(log_of(server, "/", "/nowhere"), "")
