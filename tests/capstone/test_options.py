"""The options: a file, the command line over it, and what is said when they are wrong."""

import dataclasses
import io
import stat
import tempfile
import threading
import unittest
from contextlib import redirect_stdout
from pathlib import Path

from capstone_chat.options import OptionError, Options, cookie_secret, parse


class FolderCase(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, text: str) -> Path:
        path = self.folder / "chat.conf"
        path.write_text(text, encoding="utf-8")
        return path


class ParseTest(FolderCase):
    def parse(self, *arguments: str) -> Options:
        return parse(["--logging=none", *arguments])

    def problem(self, *arguments: str) -> str:
        with self.assertRaises(OptionError) as caught:
            self.parse(*arguments)
        return str(caught.exception)

    def test_without_any_the_defaults_hold(self) -> None:
        self.assertEqual(parse([]), Options())

    def test_a_name_is_written_with_dashes_or_underscores(self) -> None:
        for argument in "--send-rate=3", "--send_rate=3", "-send-rate=3":
            self.assertEqual(parse([argument]), Options(send_rate=3.0))

    def test_every_option_has_its_type(self) -> None:
        options = self.parse(
            "--port=0", "--address=0.0.0.0", "--secure", "--send-rate=0.5", "--xheaders=false"
        )
        expected = Options(port=0, address="0.0.0.0", secure=True, send_rate=0.5, logging="none")
        self.assertEqual(options, expected)

    def test_a_file_is_read_and_the_command_line_wins(self) -> None:
        path = self.file('port = 9000\nsend_burst = 7\nsecure = True\ndata = "my data"\n')
        options = self.parse(f"--config={path}", "--port=9001", "--secure=false")
        self.assertEqual(options, Options(port=9001, send_burst=7, data="my data", logging="none"))

    def test_a_file_may_use_python(self) -> None:
        path = self.file(
            "import os\n_base = 9000\nport = _base + 1\ndata = os.path.join('a', 'b')\n"
        )
        options = self.parse(f"--config={path}")
        self.assertEqual((options.port, options.data), (9001, str(Path("a") / "b")))

    def test_what_is_wrong_is_named_on_one_line(self) -> None:
        for argument, part in (
            ("--prot=9000", "'prot'"),
            ("--port", "requires a value"),
            ("--port=abc", "'abc'"),
            ("--port=", "--port="),
            ("--port=-1", "0 to 65535"),
            ("--port=65536", "0 to 65535"),
            ("--secure=maybe", "true or false"),
            ("--xheaders=no", "true or false"),
            ("--send-rate=0", "above 0"),
            ("--send-rate=nan", "above 0"),
            ("--session-idle=-5", "above 0"),
            ("--password-threads=0", "above 0"),
            ("--send-burst=1.5", "'1.5'"),
            ("--logging=loud", "debug, info, warning, error, none"),
            ("stray", "'stray'"),
        ):
            with self.subTest(argument=argument):
                problem = self.problem(argument)
                self.assertIn(part, problem)
                self.assertIn(
                    argument.split("=")[0].lstrip("-").replace("-", "_"), problem.replace("-", "_")
                )
                self.assertNotIn("\n", problem)

    def test_what_is_wrong_in_a_file_is_named(self) -> None:
        for text, part in (
            ("prot = 9000", "'prot'"),
            ('port = "x"', "--port=x"),
            ("secure = 7", "--secure=7"),
            ("port = ", "invalid syntax"),
            ("port = 1 / 0", "division by zero"),
            ("port = nothing", "'nothing'"),
        ):
            with self.subTest(text=text):
                path = self.file(text)
                problem = self.problem(f"--config={path}")
                self.assertIn(part, problem)
                self.assertNotIn("\n", problem)

    def test_a_file_that_is_none_is_named(self) -> None:
        for path in self.folder / "none.conf", self.folder:
            self.assertIn(str(path), self.problem(f"--config={path}"))

    def test_help_names_every_option_with_its_default(self) -> None:
        said = io.StringIO()
        with self.assertRaises(SystemExit) as caught, redirect_stdout(said):
            self.parse("--help")
        self.assertEqual(caught.exception.code, 0)
        for option in dataclasses.fields(Options):
            self.assertIn(f"--{option.name.replace('_', '-')}={option.default}", said.getvalue())
            self.assertIn(option.metadata["help"], said.getvalue())
        for line in said.getvalue().splitlines():
            self.assertLess(len(line), 120)

    def test_the_database_is_a_file_in_the_data_folder_unless_another_one_is_given(self) -> None:
        data = Options(data="var").database_url
        self.assertTrue(data.startswith("sqlite:///"), data)
        self.assertTrue(data.endswith("chat.db"), data)
        self.assertEqual(
            Options(database="mysql+pymysql://x/y").database_url, "mysql+pymysql://x/y"
        )


class SecretTest(FolderCase):
    def test_it_is_made_once_long_and_readable_by_its_owner_only(self) -> None:
        secret = cookie_secret(self.folder)
        self.assertGreaterEqual(len(secret), 64)  # 256 bits in hexadecimal
        self.assertEqual(cookie_secret(self.folder), secret)
        path = self.folder / "secret"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(list(self.folder.iterdir()), [path])

    def test_no_two_chats_share_one(self) -> None:
        other = self.folder / "other"
        other.mkdir()
        self.assertNotEqual(cookie_secret(self.folder), cookie_secret(other))

    def test_a_secret_that_is_none_is_refused_with_what_to_do(self) -> None:
        for text in "", "\n", "short", " " * 64, "x" * 31 + "\n":
            with self.subTest(text=text):
                (self.folder / "secret").write_text(text)
                with self.assertRaises(OptionError) as caught:
                    cookie_secret(self.folder)
                self.assertIn("remove the file", str(caught.exception))
                self.assertIn(str(self.folder / "secret"), str(caught.exception))

    def test_many_that_start_at_once_agree_on_one(self) -> None:
        ready, secrets = threading.Barrier(8), []

        def start() -> None:
            ready.wait()
            secrets.append(cookie_secret(self.folder))

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(secrets), 8)
        self.assertEqual(len(set(secrets)), 1)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["secret"])
