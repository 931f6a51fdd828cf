"""The options: a file, the command line over it, and what is said when they are wrong."""

import dataclasses
import errno
import functools
import io
import os
import stat
import sys
import tempfile
import threading
import unittest
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

import sqlalchemy as sa

from capstone_chat.app import create_migration_engine
from capstone_chat.options import OptionError, Options, load_or_create_secret, parse


class FolderCase(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def file(self, text: str) -> Path:
        path = self.folder / "chat.conf"
        path.write_text(text, encoding="utf-8")
        return path


class ParseTest(FolderCase):
    def parse(self, *arguments: str) -> Options:
        return parse(["--logging=none", *arguments])

    def assert_refused(self, option: str, url: str, part: str) -> None:
        with self.subTest(url=url):
            problem = self.problem(f"--{option}={url}")
            self.assertIn(f"--{option}: ", problem)
            self.assertIn(part, problem)
            self.assertNotIn("hunter2", problem)

    def problem(self, *arguments: str) -> str:
        with self.assertRaises(OptionError) as caught:
            self.parse(*arguments)
        return str(caught.exception)

    def test_an_unknown_way_of_the_captcha_names_the_ways(self) -> None:
        self.assertEqual(
            self.problem("--login-captcha=never"),
            "--login-captcha=never: give one of always, needed",
        )

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
            ("--port=abc", "--port=abc: write a whole number with the digits 0 to 9"),
            ("--port=", "--port=: write a whole number"),
            ("--port=-1", "0 to 65535"),
            ("--port=65536", "0 to 65535"),
            ("--secure=maybe", "true or false"),
            ("--xheaders=no", "true or false"),
            ("--send-rate=0", "above 0"),
            ("--send-rate=nan", "above 0"),
            ("--session-idle=-5", "above 0"),
            ("--password-threads=0", "above 0"),
            ("--send-burst=1.5", "--send-burst=1.5: write a whole number"),
            ("--send-rate=fast", "--send-rate=fast: write a number"),
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

    def test_numbers_that_make_no_sense_are_named(self) -> None:
        for option in dataclasses.fields(Options):
            if type(option.default) not in (int, float):
                continue
            for value in (
                *(
                    "nan",
                    "inf",
                    "-inf",
                    "1e400",
                    "-1",
                    "0x10",
                    "1_000",
                    "８",
                    "٣",
                    " ",
                    "1,5",
                    "1;",
                ),
                *("9" * 30, "9" * 5000, "-" + "9" * 5000, "true", "None", "\0", "\ud800", "1\n2"),
            ):
                with self.subTest(option=option.name, value=value[:20]):
                    problem = self.problem(f"--{option.name}={value}")
                    self.assertIn(option.name, problem.replace("-", "_"))
                    self.assertNotIn("\n", problem)
                    self.assertLess(len(problem), 250)

    def test_texts_that_make_no_sense_are_named(self) -> None:
        for argument in (
            *(
                "--data=",
                "--data= ",
                "--data=\0",
                "--address=",
                "--address=..",
                "--address=\0",
                "--config=",
                "--config=\0",
            ),
            *("--address=" + "x" * 64, "--address=a b\n"),
            *("--logging=", "--logging=info,debug", "--secure=2", "--secure=nan", "--config"),
            *("--database", "--redis", "--", "-", "", " ", "=", "--=", "--=x", "port=9000"),
        ):
            with self.subTest(argument=argument):
                problem = self.problem(argument)
                self.assertIn(argument.partition("=")[0].strip(), problem)
                self.assertNotIn("\n", problem)

    def test_addresses_of_every_kind_are_taken(self) -> None:
        for address in "localhost", "::", "::1", "0.0.0.0", "fe80::1%eth0", "chat.example.org":
            self.assertEqual(self.parse(f"--address={address}").address, address)

    def test_a_database_may_have_several_hosts(self) -> None:
        hosts = "host=a:1&host=b:2&target_session_attrs=read-write"
        for user in "u", "u:hunter2":
            options = self.parse(f"--database=postgresql+psycopg://{user}@/db?{hosts}")
            _, arguments = options.database_url.get_dialect()().create_connect_args(
                options.database_url
            )
            self.assertEqual((arguments["host"], arguments["port"]), ("a,b", "1,2"))
            self.assertNotIn("hunter2", options.database_source)

    def test_a_password_in_a_parameter_is_not_shown(self) -> None:
        for parameter in (
            "mysql+pymysql://u@h/db?password=hunter2",
            "mysql+pymysql://u@h/db?passwd=hunter2&charset=utf8",
            "postgresql+psycopg://u@h/db?sslpassword=hunter2",
        ):
            source = self.parse(f"--database={parameter}").database_source
            self.assertNotIn("hunter2", source)
            self.assertIn("@h/db", source)

    def test_wrong_urls_are_named_without_their_passwords(self) -> None:
        server = "mysql+pymysql://u:hunter2@h"
        for url, part in (
            (f"{server}:notaport/db", "port"),
            (f"{server}:99999/db", "65535"),
            (f"{server}:0/db", "65535"),
            (f"{server}:-1/db", "65535"),
            (f"{server}/db?foo=bar", "'foo'"),
            (f"{server}/db?connect_timeout=soon", "'connect_timeout'"),
            (server, "names no database"),
            (f"{server}/", "names no database"),
            ("postgresql+psycopg://u:hunter2@h/db?foo=bar", "'foo'"),
            ("postgresql+psycopg://u:hunter2@a:1,b:2/db", "port"),
            ("postgresql+psycopg://u:hunter2@/db?host=a:1&host=b:x", "'host'"),
            ("postgresql+psycopg2://u:hunter2@h/db", "postgresql+psycopg2:// is not known"),
            ("mysql://u:hunter2@h/db", "mysql+pymysql://"),
            ("sqlite+aiosqlite:///hunter2", "sqlite:///FILE"),
            ("nothing://u:hunter2@h/db", "nothing:// is not known"),
            ("u:hunter2@h/db", "not the URL of a database"),
            ("mysql+pymysql://u:hunter2@hunter2@h/db", "%40"),
            ("mysql+pymysql://u:p@hunter2:3306@h/db", "%40"),
            ("mysql+pymysql://u:p@hunter2:hunter2/x@h/db", "%40"),
            ("sqlite://", "sqlite:///FILE"),
            ("sqlite:///", "sqlite:///FILE"),
            ("sqlite:///:memory:", "sqlite:///FILE"),
            ("sqlite:///file::memory:?cache=shared&uri=true", "sqlite:///FILE"),
            ("sqlite://folder/chat.db", "three slashes"),
            ("sqlite:///chat.db?timeout=1", "'timeout'"),
        ):
            self.assert_refused("database", url, part)
        for url, part in (
            ("redis://u:hunter2@h:notaport", "port"),
            ("redis://u:hunter2@h:99999", "65535"),
            ("redis://u:hunter2@h:0", "65535"),
            ("redis://u:hunter2@h/two", "DB is a number"),
            ("redis://u:hunter2@h/-1", "DB is a number"),
            ("redis://:p@hunter2@h", "%40"),
            ("redis://:hunter2/hunter2@h", "%2F"),
            ("redis://:p#hunter2@h", "%23"),
            ("http://u:hunter2@h", "not the URL of a Redis"),
            ("hunter2@h:6379", "not the URL of a Redis"),
            ("h:6379", "not the URL of a Redis"),
            ("redis://", "names no host"),
            ("redis+cluster://u:hunter2@h,", "names no host; give redis+cluster:"),
            ("redis+cluster://u:hunter2@h,g:0", "65535"),
            ("redis+cluster://u:hunter2@h,g/1", "no DB but 0"),
            ("redis://[::1", "port"),
            ("unix://", "unix:///FILE"),
        ):
            self.assert_refused("redis", url, part)

    def test_urls_that_are_right_are_taken(self) -> None:
        for url in (
            "sqlite:///chat.db",
            "sqlite:////srv/a b/chat.db",
            "mysql+pymysql://u:p%40ss%2Fword@[::1]:3306/db?ssl_disabled=true&charset=utf8mb4",
            "mariadb+pymysql://u@h/db?unix_socket=/run/mysqld.sock",
            "postgresql+psycopg://u:p@h:5432/db?sslmode=require&connect_timeout=3",
            "postgresql+psycopg:///db?host=/run/postgresql",
        ):
            self.assertEqual(self.parse(f"--database={url}").database, url)
        for url in (
            "redis://h",
            "redis://:p%40ss@h:6379/15",
            "rediss://u:p@[::1]:6380/0?ssl_cert_reqs=none",
            "unix:///run/redis.sock?db=1",
            "redis+cluster://h",
            "rediss+cluster://u:p%40ss@h:6379,[::1]:6380/0?ssl_cert_reqs=none",
        ):
            self.assertEqual(self.parse(f"--redis={url}").redis, url)

    def test_a_missing_driver_is_named_when_the_chat_connects(self) -> None:
        url = "postgresql+psycopg://anna@localhost/chat?connect_timeout=1"
        sa.make_url(url).get_dialect()  # SQLAlchemy's own part is there
        missing = {"psycopg": None, "psycopg.conninfo": None}
        with mock.patch.dict(sys.modules, missing):
            options = self.parse(f"--database={url}")
            with self.assertRaisesRegex(OptionError, "pip install psycopg"):
                create_migration_engine(options)

    def test_a_password_at_the_wrong_place_is_not_repeated(self) -> None:
        for arguments in (
            ["--databse=mysql+pymysql://u:hunter2@h/db"],
            ["--database", "mysql+pymysql://u:hunter2@h/db"],
            ["mysql+pymysql://u:hunter2@h/db"],
            ["mysql+pymysql://u:hunter2@hunter2/x@h/db"],
            ["--port=redis://:hunter2@h"],
            ["--logging=redis://:hunter2@h"],
        ):
            with self.subTest(arguments=arguments):
                self.assertNotIn("hunter2", self.problem(*arguments))
        url = "'mysql://u:hunter2@h/db'"
        for text in f"databse = {url}", f"database = {url}", f"raise ValueError({url})":
            with self.subTest(text=text):
                self.assertNotIn("hunter2", self.problem(f"--config={self.file(text)}"))

    def test_help_is_given_in_each_of_its_spellings_and_is_no_option_of_a_file(self) -> None:
        for argument in "--help", "-help", "-h", "--help=true", "--help=":
            with self.assertRaises(SystemExit), redirect_stdout(io.StringIO()) as said:
                self.parse(argument)
            self.assertIn("--port=8888", said.getvalue())
        self.assertIn("'help'", self.problem(f"--config={self.file('help = True')}"))

    def test_a_file_that_is_no_text_or_ends_the_program_is_named(self) -> None:
        path = self.folder / "binary.conf"
        for content in b"\xff\xfe\x00", b"\x7fELF\0\0", b"import sys\nsys.exit(0)\n", b"exit()":
            path.write_bytes(content)
            self.assertIn(f"--config={path}: ", self.problem(f"--config={path}"))

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
        self.assertEqual(
            data, sa.URL.create("sqlite", database=str(Path("var/chat.db").absolute()))
        )
        given = "mysql+pymysql://x/y"
        self.assertEqual(Options(database=given).database_url, sa.make_url(given))


class SecretTest(FolderCase):
    def test_it_is_made_once_long_and_readable_by_its_owner_only(self) -> None:
        secret = load_or_create_secret(self.folder)
        self.assertGreaterEqual(len(secret), 64)  # 256 bits in hexadecimal
        self.assertEqual(load_or_create_secret(self.folder), secret)
        path = self.folder / "secret"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(list(self.folder.iterdir()), [path])

    def test_it_is_made_where_there_are_no_hard_links(self) -> None:
        refused = OSError(errno.EPERM, os.strerror(errno.EPERM))
        with mock.patch.object(Path, "hardlink_to", side_effect=refused):
            secret = load_or_create_secret(self.folder)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["secret"])
        self.assertEqual(load_or_create_secret(self.folder), secret)

    def test_no_two_chats_share_one(self) -> None:
        other = self.folder / "other"
        other.mkdir()
        self.assertNotEqual(load_or_create_secret(self.folder), load_or_create_secret(other))

    def test_a_secret_that_is_none_is_refused_with_what_to_do(self) -> None:
        for text in "", "\n", "short", " " * 64, "x" * 31 + "\n":
            with self.subTest(text=text):
                (self.folder / "secret").write_text(text)
                with self.assertRaises(OptionError) as caught:
                    load_or_create_secret(self.folder)
                self.assertIn("remove the file", str(caught.exception))
                self.assertIn(str(self.folder / "secret"), str(caught.exception))

    def test_a_file_that_is_no_text_or_no_file_is_named(self) -> None:
        path = self.folder / "secret"
        for content in b"\xff" * 64, b"", b"\0" * 64, b"x" * 5000, b"x" * 32 + b"\x07" + b"x" * 32:
            path.write_bytes(content)
            with self.subTest(content=content[:5]):
                with self.assertRaisesRegex(OptionError, "remove the file") as caught:
                    load_or_create_secret(self.folder)
                self.assertIn(f"--data={self.folder}", str(caught.exception))
        path.unlink()
        for make in path.mkdir, functools.partial(os.mkfifo, path):
            make()
            with self.assertRaisesRegex(OptionError, "is not a file"):
                load_or_create_secret(self.folder)
            path.rmdir() if path.is_dir() else path.unlink()
        path.symlink_to(self.folder / "nowhere")
        with self.assertRaisesRegex(OptionError, "is not a file"):
            load_or_create_secret(self.folder)

    def test_on_a_full_disk_none_is_made(self) -> None:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with (
            mock.patch.object(Path, "write_text", side_effect=full),
            self.assertRaisesRegex(OptionError, os.strerror(errno.ENOSPC)),
        ):
            load_or_create_secret(self.folder)
        self.assertEqual(list(self.folder.iterdir()), [])
        load_or_create_secret(self.folder)

    def test_a_file_that_cannot_be_read_is_named(self) -> None:
        load_or_create_secret(self.folder)
        refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with (
            mock.patch.object(Path, "open", side_effect=refused),
            self.assertRaisesRegex(OptionError, "secret: Permission denied; give another folder"),
        ):
            load_or_create_secret(self.folder)

    def test_many_that_start_at_once_agree_on_one(self) -> None:
        ready, secrets = threading.Barrier(8), []

        def start() -> None:
            ready.wait()
            secrets.append(load_or_create_secret(self.folder))

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(secrets), 8)
        self.assertEqual(len(set(secrets)), 1)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["secret"])
