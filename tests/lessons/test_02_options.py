"""Lesson 02: options, their types, and the command line (C076-C084)."""

import json
import subprocess
import sys
import unittest
from datetime import datetime, timedelta
from urllib.request import urlopen

import tornado.web
from tornado.options import Error, OptionParser
from tornado.testing import AsyncHTTPTestCase

from tests.support.lesson_case import import_script, json_of
from tests.support.lesson_pages import LESSONS_FOLDER, ROOT
from tests.support.script_server import serving

app = import_script("02_options", "app")
option_types = import_script("02_options", "option_types")

FOLDER = LESSONS_FOLDER / "02_options"


def run_script(
    name: str, *arguments: str, launch: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run a script that ends by itself; with launch as learn.py does it."""
    command = ["-m", "course", "run", f"02/{name}"] if launch else [str(FOLDER / f"{name}.py")]
    return subprocess.run(
        [sys.executable, *command, *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


class AppTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return app.make_app("Fastnet", ["red"])

    def test_a_handler_reads_settings(self) -> None:
        """C084: main() hands the options on, so that a test needs none."""
        self.assertEqual(json_of(self.fetch("/")), {"name": "Fastnet", "colours": ["red"]})


class DefineTest(unittest.TestCase):
    def setUp(self) -> None:
        self.parser = OptionParser()

    def test_a_name_exists_once(self) -> None:
        """C076: the error names the file that was first."""
        self.parser.define("port", default=8888)
        with self.assertRaises(Error) as caught:
            self.parser.define("port", default=9000)
        self.assertRegex(
            str(caught.exception), r"^Option 'port' already defined in .*test_02_options\.py$"
        )

    def test_the_type_is_that_of_the_default(self) -> None:
        """C077: of neither it is text, and of a list too, whatever is in it."""
        self.parser.define("keepers", default=3)
        self.parser.define("name")
        self.parser.define("sectors", default=[1], multiple=True)
        self.parse("--keepers=4", "--name=5", "--sectors=2")
        self.assertEqual(self.parser.keepers, 4)
        self.assertEqual(self.parser.name, "5")
        self.assertEqual(self.parser.sectors, ["2"])

    def test_without_a_default_the_value_is_none(self) -> None:
        """C077"""
        self.parser.define("name")
        self.parser.define("colours", multiple=True)
        self.assertIsNone(self.parser.name)
        self.assertEqual(self.parser.colours, [])

    def test_values_are_attributes(self) -> None:
        """C082: a dash is as good as an underscore, and a wrong name is an AttributeError."""
        self.parser.define("light-name", default="Eddystone")
        self.assertEqual(self.parser.light_name, "Eddystone")
        self.assertEqual(self.parser["light-name"], "Eddystone")
        self.parse("--light_name=Fastnet")
        self.assertEqual(self.parser.light_name, "Fastnet")
        with self.assertRaisesRegex(AttributeError, "Unrecognized option 'nmae'"):
            _ = self.parser.nmae

    def test_an_assignment_has_to_have_the_type(self) -> None:
        """C082"""
        self.parser.define("port", default=8888)
        self.parser.port = 9000
        self.assertEqual(self.parser.port, 9000)
        with self.assertRaises(Error) as caught:
            self.parser.port = "9000"
        self.assertIn("Option 'port' is required to be a int", str(caught.exception))

    def parse(self, *arguments: str) -> list[str]:
        return self.parser.parse_command_line(["light.py", *arguments])


class TypesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.parser = OptionParser()
        option_types.define_light(self.parser)

    def value(self, argument: str) -> object:
        """What becomes of the option, given like this."""
        self.parser.parse_command_line(["light.py", argument])
        name = argument.removeprefix("--").partition("=")[0]
        return self.parser[name]

    def test_text_becomes_a_value_of_the_type(self) -> None:
        """C078"""
        for argument, value in {
            "--name=Bell Rock": "Bell Rock",
            "--keepers=2": 2,
            "--miles=21.5": 21.5,
            "--lit": True,
            "--lit=0": False,
            "--lit=f": False,
            "--lit=False": False,
            "--lit=FALSE": False,
            "--lit=no": True,
            "--period=5s": timedelta(seconds=5),
            "--built=1882-05-18": datetime(1882, 5, 18),
        }.items():
            with self.subTest(argument):
                came = self.value(argument)
                self.assertEqual(came, value)
                self.assertIs(type(came), type(value))

    def test_what_is_no_number_is_a_value_error(self) -> None:
        """C078"""
        with self.assertRaises(ValueError) as caught:
            self.value("--keepers=abc")
        self.assertEqual(str(caught.exception), "invalid literal for int() with base 10: 'abc'")

    def test_a_time_has_units_between_blanks(self) -> None:
        """C079"""
        for text, seconds in {
            "90s": 90,
            "90": 90,
            "1h 30m": 5400,
            "1.5h": 5400,
            "250ms": 0.25,
        }.items():
            with self.subTest(text):
                self.assertEqual(self.value(f"--period={text}"), timedelta(seconds=seconds))
        with self.assertRaisesRegex(TypeError, "keyword argument 'h30m'|'h30m' is an invalid"):
            self.value("--period=1h30m")

    def test_a_date_has_many_forms(self) -> None:
        """C079"""
        for text in ("1882-05-18 20:30", "18820518 20:30", "1882-05-18T20:30"):
            with self.subTest(text):
                self.assertEqual(self.value(f"--built={text}"), datetime(1882, 5, 18, 20, 30))
        with self.assertRaisesRegex(Error, "Unrecognized date/time format: '18.05.1882'"):
            self.value("--built=18.05.1882")

    def test_multiple_makes_a_list(self) -> None:
        """C080: of whole numbers, a range takes both ends."""
        self.assertEqual(self.value("--colours=red,white"), ["red", "white"])
        self.assertEqual(self.value("--sectors=1:3"), [1, 2, 3])
        self.assertEqual(self.value("--sectors=1:3,7"), [1, 2, 3, 7])


class TypesPageTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        parser = OptionParser()
        option_types.define_light(parser)
        parser.parse_command_line(["light.py", "--name=<Fastnet>", "--period=2s", "--lit"])
        return option_types.make_app(parser.group_dict("light"))

    def test_the_page_shows_values_and_types(self) -> None:
        """C078"""
        page = self.fetch("/").body.decode()
        for text in ("&lt;Fastnet&gt;", "--period: 2.0s", "timedelta", "NoneType", "list"):
            self.assertIn(text, page)
        self.assertNotIn("<Fastnet>", page)
        self.assertEqual(self.fetch("/static/style.css").code, 200)


class CommandLineTest(unittest.TestCase):
    def test_help_lists_all_options_and_ends_well(self) -> None:
        """C081: grouped by the file that defines them, on standard error; also by learn.py."""
        for launch in (False, True):
            with self.subTest(launch=launch):
                done = run_script("app", "--help", launch=launch)
                self.assertEqual((done.returncode, done.stdout), (0, ""))
                own = done.stderr[done.stderr.rindex("app.py options:") :]
                self.assertIn("port to listen on (default 8888)", own)
                self.assertIn("name of the lighthouse (default Eddystone)", own)
                self.assertIn("log.py options:", done.stderr)

    def test_what_is_no_option_is_left_over(self) -> None:
        """C083"""
        parser = OptionParser()
        parser.define("name", default="")
        left = parser.parse_command_line(["light.py", "--name=Fastnet", "north", "--south"])
        self.assertEqual(left, ["north", "--south"])
        self.assertEqual(parser.name, "Fastnet")

    def test_an_option_that_does_not_exist_shows_the_usage(self) -> None:
        """C083"""
        done = run_script("app", "--prot=9000")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Usage: ", done.stderr)
        self.assertIn("Error: Unrecognized command line option: 'prot'", done.stderr)

    def test_an_option_without_its_value(self) -> None:
        """C083"""
        done = run_script("app", "--port")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Error: Option 'port' requires a value", done.stderr)

    def test_learn_py_says_it_in_a_line(self) -> None:
        """C083"""
        for argument, message in {
            "--prot=9000": "there is no option --prot. Did you mean --port?",
            "--port=abc": "wrong option in '--port=abc': invalid literal",
        }.items():
            with self.subTest(argument):
                done = run_script("app", argument, launch=True)
                self.assertEqual(done.returncode, 2)
                self.assertIn(message, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)

    def test_the_options_reach_the_page(self) -> None:
        """C084"""
        with serving(FOLDER / "app.py", "--name=Fastnet", "--colours=red,white") as server:
            self.assertIn(str(server.port), server.output)
            with urlopen(server.url, timeout=30) as response:
                page = json.load(response)
            self.assertEqual(page, {"name": "Fastnet", "colours": ["red", "white"]})
