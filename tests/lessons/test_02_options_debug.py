"""Lesson 02: debug mode and its four parts (C094-C100)."""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar
from unittest import mock
from urllib.error import HTTPError
from urllib.request import urlopen

import tornado.web
from tornado.testing import AsyncHTTPTestCase, ExpectLog

from course.ports import free_port
from course.processes import wake
from tests.lessons.test_02_options import FOLDER
from tests.support.lesson_case import import_script

debug = import_script("02_options", "debug")

RAISED = '"no answer from db.internal:5432"'
PARTS = {
    "autoreload": True,
    "compiled_template_cache": False,
    "static_hash_cache": False,
    "serve_traceback": True,
}


class FolderCase(AsyncHTTPTestCase):
    """Serves debug.py from a copy of its templates and static files."""

    settings: ClassVar[dict[str, object]] = {}

    def get_app(self) -> tornado.web.Application:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in ("templates", "static"):
            shutil.copytree(FOLDER / name, self.folder / name)
        return debug.make_app(self.folder, **self.settings)

    def setUp(self) -> None:
        # What it remembers is a global of the process: each test begins with nothing.
        tornado.web.StaticFileHandler.reset()
        super().setUp()

    def page(self) -> str:
        response = self.fetch("/")
        self.assertEqual(response.code, 200)
        return response.body.decode()

    def change(self, name: str, text: str) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def version(self) -> str:
        found = re.search(r"style\.css\?v=(\w+)", self.page())
        assert found
        return found[1]


class ProductionTest(FolderCase):
    def test_all_four_parts_are_off(self) -> None:
        """C094"""
        cells = re.findall(r"<code>(\w+)</code></th>\s*<td>(\w+)</td>", self.page())
        self.assertEqual(cells, [(name, str(value)) for name, value in debug.PARTS.items()])

    def test_an_old_template_is_served(self) -> None:
        """C097"""
        self.page()
        self.change("templates/debug.html", "changed")
        self.assertNotIn("changed", self.page())

    def test_an_old_hash_is_served(self) -> None:
        """C098"""
        before = self.version()
        self.change("static/style.css", "/* changed */")
        self.assertEqual(self.version(), before)

    def test_the_client_learns_nothing_of_an_exception(self) -> None:
        """C099"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            response = self.fetch("/boom")
        self.assertEqual(
            (response.code, response.headers["Content-Type"]), (500, "text/html; charset=UTF-8")
        )
        self.assertNotIn(b"db.internal", response.body)


class DebugTest(FolderCase):
    settings: ClassVar = {"debug": True, "autoreload": False}

    def test_a_part_can_be_turned_off_again(self) -> None:
        """C094"""
        self.assertEqual(
            {name: self._app.settings[name] for name in PARTS}, PARTS | {"autoreload": False}
        )

    def test_a_changed_template_is_served(self) -> None:
        """C097"""
        self.page()
        self.change("templates/debug.html", "changed")
        self.assertIn("changed", self.page())

    def test_a_changed_file_gets_another_hash(self) -> None:
        """C098"""
        before = self.version()
        self.change("static/style.css", "/* changed */")
        self.assertNotEqual(self.version(), before)

    def test_the_traceback_is_served_as_text(self) -> None:
        """C099"""
        with ExpectLog("tornado.application", "Uncaught exception"):
            response = self.fetch("/boom")
        self.assertEqual((response.code, response.headers["Content-Type"]), (500, "text/plain"))
        self.assertIn(b"RuntimeError: no answer from db.internal:5432", response.body)


class OnePartTest(FolderCase):
    settings: ClassVar = {"serve_traceback": True}

    def test_each_part_is_a_setting_of_its_own(self) -> None:
        """C094"""
        self.page()
        self.change("templates/debug.html", "changed")
        self.assertNotIn("changed", self.page())
        with ExpectLog("tornado.application", "Uncaught exception"):
            self.assertIn(b"Traceback", self.fetch("/boom").body)


class SettingsTest(unittest.TestCase):
    def test_debug_sets_all_four(self) -> None:
        """C094"""
        with mock.patch("tornado.autoreload.start") as start:
            settings = tornado.web.Application([], debug=True).settings
            start.assert_called_once()
            self.assertEqual({name: settings[name] for name in PARTS}, PARTS)
            tornado.web.Application([])
            start.assert_called_once()


class Reloading:
    """A copy of debug.py in a process of its own, which says its address again at each restart."""

    def __init__(
        self, folder: Path, *before: str, option: str = "--debug", change: str = ""
    ) -> None:
        for name in ("templates", "static"):
            shutil.copytree(FOLDER / name, folder / name)
        self.script = folder / "debug.py"
        self.write(change)
        port = free_port(0)
        self.url = f"http://localhost:{port}"
        self.log = (folder / "log").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, *before, str(self.script), f"--port={port}", option],
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},  # a restart loses -u
        )
        assert self.process.stdout
        self.lines = self.process.stdout
        self.await_address()

    def write(self, change: str = "", *, broken: bool = False) -> None:
        """Save the script with another text for the exception of /boom, or with a syntax error."""
        text = (FOLDER / "debug.py").read_text(encoding="utf-8").replace(RAISED, change or RAISED)
        before = self.script.stat().st_mtime_ns if self.script.exists() else 0
        self.script.write_text(text + "\n)" * broken, encoding="utf-8")
        self.touch(before)

    def touch(self, after: int = 0) -> None:
        """Give the script a time of change that it has not had before."""
        later = max(self.script.stat().st_mtime_ns, after) + 1_000_000_000
        os.utime(self.script, ns=(later, later))

    def await_address(self) -> None:
        line = self.lines.readline().decode()
        assert line == f"Open {self.url}\n", self.read_log()

    def touch_until(self, came: Callable[[], bool]) -> None:
        """Touch the script until something comes: a change is seen only after the first look."""
        for _ in range(100):
            if came():
                return
            self.touch()
        raise AssertionError(self.read_log())

    def restarts(self) -> bool:
        """Whether its address comes within a third of a second."""
        if select.select([self.lines], [], [], 0.3)[0]:
            self.await_address()
            return True
        return False

    def logged(self, text: str) -> bool:
        """Whether this is in the log after at most a third of a second."""
        select.select([self.lines], [], [], 0.3)
        return text in self.read_log()

    def ends(self) -> bool:
        try:
            self.process.wait(0.3)
        except subprocess.TimeoutExpired:
            return False
        return True

    def boom(self) -> str:
        try:
            urlopen(self.url + "/boom", timeout=30).close()
        except HTTPError as error:
            with error:
                return error.read().decode()
        raise AssertionError("/boom has to fail")

    def read_log(self) -> str:
        return Path(self.log.name).read_text(encoding="utf-8")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.lines.close()
        self.log.close()


@unittest.skipIf(sys.platform == "win32", "Windows starts a new process, and cannot select a pipe")
class AutoreloadTest(unittest.TestCase):
    def start(self, *before: str, **options: str) -> Reloading:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        running = Reloading(folder, *before, **options)
        self.addCleanup(running.close)
        return running

    def test_a_change_restarts_the_program_in_its_process(self) -> None:
        """C095"""
        running = self.start()
        running.write('''f"process {__import__('os').getpid()}"''')
        running.touch_until(running.restarts)
        self.assertIn(f"RuntimeError: process {running.process.pid}\n", running.boom())
        self.assertIn("debug.py modified; restarting server", running.read_log())

    def test_a_broken_save_ends_the_program(self) -> None:
        """C096"""
        running = self.start()
        running.write(broken=True)
        running.touch_until(running.ends)
        self.assertEqual(running.process.returncode, 1)
        self.assertIn("SyntaxError: unmatched ')'", running.read_log())

    def test_tornado_autoreload_waits_until_the_file_is_fixed(self) -> None:
        """C096: python -m tornado.autoreload debug.py --debug"""
        running = self.start("-m", "tornado.autoreload")
        running.write(broken=True)
        running.touch_until(lambda: running.logged("SyntaxError: unmatched ')'"))
        self.assertIsNone(running.process.poll())
        running.write('"mended"')
        running.touch_until(running.restarts)
        self.assertIn("RuntimeError: mended\n", running.boom())

    def test_the_wrapper_ends_at_the_second_interrupt(self) -> None:
        """C096: the first one ends the program, whose port stays open without an answer."""
        running = self.start("-m", "tornado.autoreload")
        running.process.send_signal(signal.SIGINT)
        while not running.logged("Script exited normally"):
            self.assertIsNone(running.process.poll(), running.read_log())
            wake(running.process.send_signal)
        port = int(running.url.rpartition(":")[2])
        socket.create_connection(("localhost", port), timeout=30).close()
        self.assertIsNone(running.process.poll())
        running.process.send_signal(signal.SIGINT)
        running.process.wait(30)
        self.assertIn("KeyboardInterrupt", running.read_log())

    def test_the_wrapper_alone_does_not_watch_while_the_program_runs(self) -> None:
        """C096"""
        loops = "f'{len(__import__(\"tornado.autoreload\").autoreload._io_loops)} watched'"
        for option, watched in [("--debug=false", 0), ("--debug", 1)]:
            with self.subTest(option):
                running = self.start("-m", "tornado.autoreload", option=option, change=loops)
                running.boom()
                self.assertIn(f"RuntimeError: {watched} watched\n", running.read_log())


@unittest.skipIf(sys.platform == "win32", "Windows has no fork")
class SeveralProcessesTest(unittest.TestCase):
    def run_python(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        return done.stdout + done.stderr

    def serve(self, processes: int) -> str:
        return self.run_python(f"""
            import tornado.httpserver, tornado.netutil, tornado.process, tornado.web
            app = tornado.web.Application([], debug=True)
            sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
            if {processes} > 1:
                tornado.process.fork_processes({processes}, max_restarts=0)
            tornado.httpserver.HTTPServer(app).add_sockets(sockets)
            print("served\\n", end="", flush=True)
        """)

    def test_two_processes_crash(self) -> None:
        """C100: autoreload touches the loop before the fork. Python 3.12 forgets it in a child."""
        if sys.version_info >= (3, 12):
            self.assertEqual(self.serve(2), "served\nserved\n")
        else:
            self.assertIn("FileExistsError: [Errno 17] File exists", self.serve(2))

    def test_one_process_serves(self) -> None:
        """C100: the sentence of some guides is the wrong way round."""
        self.assertEqual(self.serve(1), "served\n")

    def test_a_child_does_not_restart(self) -> None:
        """C100: made after the fork the application serves, and autoreload does nothing."""
        told = self.run_python("""
            import tornado.autoreload, tornado.process
            tornado.process.fork_processes(2, max_restarts=0)
            times = {}
            tornado.autoreload._reload_on_update(times)
            print(f"{len(times)} watched\\n", end="", flush=True)
        """)
        self.assertEqual(told, "0 watched\n" * 2)
