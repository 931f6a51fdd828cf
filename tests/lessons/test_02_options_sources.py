"""Lesson 02: where settings come from: file, environment, module (C085-C087, C091-C093)."""

import importlib
import itertools
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import tornado.web
from tornado.options import Error, OptionParser
from tornado.testing import AsyncHTTPTestCase

from tests.lessons.test_02_options import FOLDER, run_script
from tests.support.lesson_case import import_script, json_of

config_file = import_script("02_options", "config_file")
environment = import_script("02_options", "environment")
settings_module = import_script("02_options", "settings_module")
lighthouse = importlib.import_module("settings.lighthouse")


class FileCase(unittest.TestCase):
    """Has a parser with the options of a script, and a file to write."""

    define_light = staticmethod(config_file.define_light)

    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = folder / "light.conf"
        self.parser = OptionParser()
        self.define_light(self.parser)

    def parse(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")
        self.parser.parse_config_file(str(self.file))


class ConfigFileTest(FileCase):
    def test_the_file_is_python(self) -> None:
        """C085: it is executed, and knows where it is."""
        self.parse('name = "Bell " + "Rock"\ncolours = [__file__]')
        self.assertEqual(self.parser.name, "Bell Rock")
        self.assertEqual(self.parser.colours, [str(self.file)])

    def test_text_is_parsed_as_on_the_command_line(self) -> None:
        """C085"""
        self.parser.define("port", default=8888)
        self.parse('port = "9000"\ncolours = "red,white"')
        self.assertEqual(self.parser.port, 9000)
        self.assertEqual(self.parser.colours, ["red", "white"])

    def test_a_tuple_is_no_list(self) -> None:
        """C085"""
        with self.assertRaises(Error) as caught:
            self.parse('colours = ("red", "white")')
        self.assertEqual(
            str(caught.exception),
            "Option 'colours' is required to be a list of str or a comma-separated string",
        )

    def test_learn_py_says_that_it_is_the_file(self) -> None:
        """C085"""
        self.file.write_text("name = 7", encoding="utf-8")
        done = run_script("config_file", f"--config={self.file}", launch=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("wrong option in the options file: Option 'name' is required", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_a_name_that_is_not_defined_is_skipped(self) -> None:
        """C087: the file of the lesson has one that is misspelled, and no error is reported."""
        self.parser.parse_config_file(config_file.LIGHTHOUSE)
        self.assertEqual(self.parser.name, "Skerryvore")
        self.assertIn("nmae", Path(config_file.LIGHTHOUSE).read_text(encoding="utf-8"))
        self.assertNotIn("nmae", self.parser)

    def test_a_dict_can_come_from_a_file(self) -> None:
        """C086: but not from the command line."""
        self.parse('keepers = {"day": "Ada"}')
        self.assertEqual(self.parser.keepers, {"day": "Ada"})
        with self.assertRaises(ValueError):
            self.parser.parse_command_line(["light.py", "--keepers={'day': 'Ada'}"])

    def test_the_last_to_set_an_option_wins(self) -> None:
        """C085: parsed once only, the file beats the command line; read() sees to it."""
        self.parser.parse_command_line(["light.py", "--name=Fastnet"], final=False)
        self.parse('name = "Skerryvore"')
        self.assertEqual(self.parser.name, "Skerryvore")

    def test_the_command_line_wins_wherever_config_stands(self) -> None:
        """C085"""
        self.file.write_text('name = "Skerryvore"\ncolours = ["red"]', encoding="utf-8")
        for arguments in itertools.permutations([f"--config={self.file}", "--name=Fastnet"]):
            with self.subTest(arguments):
                parser = OptionParser()
                config_file.define_light(parser)
                config_file.read(parser, ["light.py", *arguments])
                self.assertEqual((parser.name, parser.colours), ("Fastnet", ["red"]))

    def test_the_log_is_set_up_once_when_all_is_known(self) -> None:
        """C085: final=False puts the callbacks off."""
        calls: list[str] = []
        self.parser.add_parse_callback(lambda: calls.append(self.parser.name))
        config_file.read(self.parser, ["light.py", "--name=Fastnet"])
        self.assertEqual(calls, ["Fastnet"])


class ConfigFilePageTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        parser = OptionParser()
        config_file.define_light(parser)
        config_file.read(parser, ["light.py"])
        return config_file.make_app(parser.group_dict("light"))

    def test_the_page_tells_what_the_file_says(self) -> None:
        """C085, C086"""
        self.assertEqual(
            json_of(self.fetch("/")),
            {
                "name": "Skerryvore",
                "colours": ["white", "red"],
                "keepers": {"day": "Ada", "night": "Grace"},
            },
        )


class EnvironmentTest(FileCase):
    define_light = staticmethod(environment.define_light)

    def name(self, *, file: bool, variable: bool, argument: bool) -> str:
        """The name, with some of its sources."""
        parser = OptionParser()
        environment.define_light(parser)
        self.file.write_text('name = "file"' if file else "", encoding="utf-8")
        arguments = ["light.py", f"--config={self.file}", *["--name=line"] * argument]
        environment.read(parser, arguments, {"LIGHT_NAME": "variable"} if variable else {})
        name: str = parser.name
        return name

    def test_each_source_wins_over_those_before_it(self) -> None:
        """C092: default, file, environment, command line."""
        for file, variable, argument in itertools.product([False, True], repeat=3):
            with self.subTest(file=file, variable=variable, argument=argument):
                expected = (
                    "line"
                    if argument
                    else "variable"
                    if variable
                    else "file"
                    if file
                    else "Eddystone"
                )
                name = self.name(file=file, variable=variable, argument=argument)
                self.assertEqual(name, expected)

    def test_a_variable_is_text_and_parsed(self) -> None:
        """C092: through the same types as the command line."""
        environment.read(self.parser, ["light.py"], {"LIGHT_COLOURS": "red,green", "NAME": "no"})
        self.assertEqual(self.parser.colours, ["red", "green"])
        self.assertEqual(self.parser.name, "Skerryvore")


class PortTest(unittest.TestCase):
    def port(self, *arguments: str, **variables: str) -> object:
        """The port, with arguments of the command line and variables of the environment."""
        parser = OptionParser()
        parser.define("port", default=8888)
        environment.define_light(parser)
        environment.read(parser, ["light.py", *arguments], variables)
        return parser.port

    def test_the_environment_sets_the_port_and_the_command_line_wins(self) -> None:
        """C021"""
        self.assertEqual(self.port(), 8888)
        self.assertEqual(self.port(LIGHT_PORT="9000"), 9000)
        self.assertEqual(self.port("--port=9001", LIGHT_PORT="9000"), 9001)
        with self.assertRaises(ValueError):
            self.port(LIGHT_PORT="any")


class EnvironmentPageTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return environment.make_app({"name": "Fastnet"})

    def test_the_page_tells_the_options(self) -> None:
        """C092"""
        self.assertEqual(json_of(self.fetch("/")), {"name": "Fastnet"})


class ModuleTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return settings_module.make_app()

    def test_handlers_share_what_is_in_the_settings(self) -> None:
        """C091, C093: one object for all requests; self.settings is the application's."""
        self.assertEqual(json_of(self.fetch("/"))["log_book"], ["Visit 1"])
        self.assertEqual(json_of(self.fetch("/"))["log_book"], ["Visit 1", "Visit 2"])
        self.assertEqual(json_of(self.fetch("/"))["database"]["host"], "localhost")
        self.assertEqual(self._app.settings["login_url"], "/login")

    def test_no_secret_is_in_the_file(self) -> None:
        """C091: without COOKIE_SECRET each start makes up another."""
        first = lighthouse.application["cookie_secret"]
        self.addCleanup(importlib.reload, lighthouse)
        importlib.reload(lighthouse)
        self.assertNotEqual(lighthouse.application["cookie_secret"], first)
        source = (FOLDER / "settings" / "lighthouse.py").read_text(encoding="utf-8")
        self.assertNotIn(first, source)

    def test_the_environment_has_what_differs_between_machines(self) -> None:
        """C092"""
        self.addCleanup(importlib.reload, lighthouse)
        variables = {"COOKIE_SECRET": "known", "DATABASE_HOST": "db", "DATABASE_PORT": "5433"}
        with mock.patch.dict(os.environ, variables):
            importlib.reload(lighthouse)
        self.assertEqual(lighthouse.application["cookie_secret"], "known")
        self.assertEqual(lighthouse.database, {"host": "db", "port": 5433})

    def test_a_module_is_not_checked_as_options_are(self) -> None:
        """C091: a wrong number stops the import, a wrong name is simply another setting."""
        self.addCleanup(importlib.reload, lighthouse)
        wrong = mock.patch.dict(os.environ, {"DATABASE_PORT": "abc"})
        with wrong, self.assertRaises(ValueError):
            importlib.reload(lighthouse)
        settings = tornado.web.Application([], xsrf_cokies=True).settings
        self.assertEqual(settings["xsrf_cokies"], True)
        self.assertNotIn("xsrf_cookies", settings)
