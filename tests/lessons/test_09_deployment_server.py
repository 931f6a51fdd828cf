"""Lesson 09: containers, Unix sockets, readiness, the environment, open files, forks, packages."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any
from unittest import mock

import psutil  # type: ignore[import-untyped]
import pytest
import tornado.web
import yaml
from tornado.iostream import StreamClosedError
from tornado.testing import AsyncHTTPTestCase, AsyncTestCase, gen_test

from tests.support.lesson_case import import_script
from tests.support.lesson_pages import LESSONS_FOLDER
from tests.support.script_modules import load
from tests.support.script_server import serving, started

LESSON = "09_deployment"
FOLDER = LESSONS_FOLDER / LESSON
PACKAGE = FOLDER / "package"
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
from_environment, open_files, packaged, readiness, unix_socket = [
    import_script(LESSON, name)
    for name in ("from_environment", "open_files", "packaged", "readiness", "unix_socket")
]


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        return str(response.read().decode())


class TestContainer:
    """The Dockerfile without Docker: its files in a folder, its command with this Python."""

    steps: list[tuple[str, str]] = load("bare_system").instructions(
        (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    )

    def only(self, instruction: str) -> str:
        """Return the arguments of an instruction that comes once."""
        (arguments,) = [rest for name, rest in self.steps if name == instruction]
        return arguments

    @posix_only
    def test_the_image_runs_is_healthy_and_stops_without_a_kill(self, tmp_path: Path) -> None:
        """C586"""
        for name, rest in self.steps:
            if name == "COPY":
                source, target = shlex.split(rest)
                copy = shutil.copytree if (FOLDER / source).is_dir() else shutil.copyfile
                goal = tmp_path / (source if target.endswith("/") else target)
                copy(FOLDER / source, goal)
        _, *arguments = json.loads(self.only("CMD"))
        program, *options = arguments
        with serving(tmp_path / program, *[o for o in options if "port" not in o]) as server:
            command = json.loads(self.only("HEALTHCHECK").partition("CMD")[2])
            health = [sys.executable, *command[1:]]
            health[-1] = health[-1].replace(":8888", f":{server.port}")
            assert ":8888" not in health[-1]
            assert subprocess.run(health).returncode == 0
            page = read(server.url)
            assert "<title>" in page, "the templates are in the image"
            for link in re.findall(r'"(/static/[^"]+)"', page):
                assert read(server.url + link), "the static files are in the image"
            assert server.stop(signal.SIGTERM) == 0
            assert subprocess.run(health, capture_output=True).returncode != 0

    def test_it_listens_for_other_containers_as_a_user_without_rights(self) -> None:
        """C586"""
        assert "--address=0.0.0.0" in json.loads(self.only("CMD"))
        assert self.only("USER") == "app"
        names = [name for name, _ in self.steps]
        assert names.index("RUN") < names.index("COPY"), "packages are installed first"
        assert not any("install" in rest for name, rest in self.steps[names.index("COPY") :])

    def test_compose_names_what_is_there(self) -> None:
        """C586"""
        services = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]
        assert (FOLDER / services["app"]["build"] / "Dockerfile").exists()
        assert services["app"]["deploy"]["replicas"] == 2
        assert "ports" not in services["app"], "two containers cannot have one port of the host"
        assert services["nginx"]["ports"] == ["127.0.0.1:8888:80"]
        source = services["nginx"]["volumes"][0].partition(":")[0]
        conf = (FOLDER / source).read_text(encoding="utf-8")
        port = self.only("EXPOSE")
        assert "set $server app;" in conf
        assert f"proxy_pass http://$server:{port};" in conf
        for needed in ("Host $http_host", "X-Real-IP", "X-Scheme", "Upgrade", "Connection"):
            assert f"proxy_set_header {needed}" in conf

    @posix_only
    @pytest.mark.service("nginx")
    def test_nginx_accepts_the_file(self, tmp_path: Path) -> None:
        """C586"""
        conf = tmp_path / "nginx.conf"
        log = f"error_log {tmp_path}/log; pid {tmp_path}/pid;"
        text = (FOLDER / "container.conf").read_text(encoding="utf-8").replace("80;", "8080;")
        conf.write_text(f"{log} events {{}} http {{ access_log off; {text} }}")
        program = import_script(LESSON, "proxy").program("nginx", "nginx")
        command = [program, "-t", "-p", str(tmp_path), "-e", f"{tmp_path}/log", "-c", str(conf)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@posix_only
class UnixSocketTest(AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "app.sock")

    def tearDown(self) -> None:
        self.folder.cleanup()
        super().tearDown()

    @gen_test
    async def test_only_the_owner_can_open_it_and_the_headers_tell_the_client(self) -> None:
        """C587: a request through a Unix socket has no address of its own."""
        server = unix_socket.listen(self.path)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(await unix_socket.ask(self.path), "http 0.0.0.0")
        sent = ("X-Real-IP: 203.0.113.7", "X-Scheme: https")
        self.assertEqual(await unix_socket.ask(self.path, *sent), "https 203.0.113.7")
        server.stop()

    @gen_test
    async def test_a_socket_that_a_killed_server_has_left_is_replaced_and_a_file_is_not(
        self,
    ) -> None:
        """C587: "is not a socket" would be a mistake in the path."""
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(self.path))
        left.close()
        with self.assertRaises(StreamClosedError):
            await unix_socket.ask(self.path)
        server = unix_socket.listen(self.path)
        self.assertEqual(await unix_socket.ask(self.path), "http 0.0.0.0")
        server.stop()
        self.path.unlink()
        self.path.write_text("notes")
        made: list[socket.socket] = []  # Tornado leaves it open when it raises

        def make(*arguments: Any) -> socket.socket:
            made.append(new_socket(*arguments))
            return made[0]

        new_socket = socket.socket
        with (
            mock.patch("tornado.netutil.socket.socket", make),
            self.assertRaisesRegex(ValueError, "exists and is not a socket"),
        ):
            unix_socket.listen(self.path)
        made[0].close()


class ReadinessTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return readiness.make_app(work=0)

    async def status(self, path: str) -> int:
        answer = await self.http_client.fetch(self.get_url(path), raise_error=False)
        return int(answer.code)

    @gen_test
    async def test_it_is_not_ready_first_and_answers_until_the_drain_is_over(self) -> None:
        """C588"""
        state, drained = self._app.settings["state"], asyncio.Event()
        self.assertEqual(await self.status("/readyz"), 200)

        async def sleep(seconds: float) -> None:
            if seconds == 60:
                await drained.wait()

        with mock.patch("asyncio.sleep", sleep):
            stopping = asyncio.ensure_future(readiness.stop(self.http_server, state, drain=60))
            self.assertEqual(await self.status("/readyz"), 503)
            self.assertEqual(await self.status("/healthz"), 200)
            self.assertEqual(await self.status("/work"), 200, "a late request is answered")
            drained.set()
        await stopping
        with self.assertRaises(ConnectionRefusedError):
            await self.status("/readyz")

    @gen_test
    async def test_it_waits_for_what_is_in_flight(self) -> None:
        """C588"""
        self._app.settings["work"] = 60
        state, begun, finish = self._app.settings["state"], asyncio.Event(), asyncio.Event()

        async def sleep(seconds: float) -> None:
            if seconds == 60:
                begun.set()
                await finish.wait()

        with mock.patch("asyncio.sleep", sleep):
            work = asyncio.ensure_future(self.status("/work"))
            await begun.wait()
            stopping = asyncio.ensure_future(readiness.stop(self.http_server, state, drain=0))
            await asyncio.wait([stopping], timeout=0.05)
            self.assertFalse(stopping.done(), "it waits for /work")
            finish.set()
            self.assertEqual(await work, 200)
            await stopping
        self.assertEqual(state.in_flight, 0)


class EnvironmentTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        secret = {"COOKIE_SECRET": "of the environment"}
        return from_environment.make_app(from_environment.Settings.read(secret))

    def test_the_secret_of_the_environment_signs(self) -> None:
        """C589"""
        signed = tornado.web.create_signed_value("of the environment", "visits", "4").decode()
        answer = self.fetch("/", headers={"Cookie": f"visits={signed}"})
        self.assertEqual(answer.body, b"visit 5\n")

    def test_the_address_and_port_are_those_of_the_environment(self) -> None:
        """C021, C589"""
        settings = from_environment.Settings.read(
            {"SERVER_PORT": "8001", "SERVER_ADDRESS": "127.0.0.2"}
        )
        self.assertEqual((settings.port, settings.address), (8001, "127.0.0.2"))
        default = from_environment.Settings.read({})
        self.assertEqual((default.port, default.address), (8888, "localhost"))

    def test_without_a_secret_each_start_has_its_own_and_production_does_not_start(self) -> None:
        """C589"""
        first, second = (from_environment.Settings.read({}).secret for _ in range(2))
        self.assertNotEqual(first, second)
        with self.assertRaisesRegex(ValueError, "COOKIE_SECRET is not set"):
            from_environment.Settings.read({"ENVIRONMENT": "production"})

    def test_a_wrong_port_is_named(self) -> None:
        """C589"""
        for port in ("http", "-1", "65536", ""):
            with self.assertRaisesRegex(ValueError, "SERVER_PORT is .*: it must be a number"):
                from_environment.Settings.read({"SERVER_PORT": port})

    def test_a_secret_may_be_in_a_file_as_containers_have_it(self) -> None:
        """C589"""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "secret")
            file.write_text("in a file\n")
            environ = {"ENVIRONMENT": "production", "COOKIE_SECRET_FILE": str(file)}
            self.assertEqual(from_environment.Settings.read(environ).secret, "in a file")


def test_a_wrong_environment_is_one_line_and_exit_code_2() -> None:
    """C589"""
    with (
        mock.patch.dict(os.environ, {"ENVIRONMENT": "production"}),
        started(FOLDER / "from_environment.py", new_python=True) as server,
    ):
        assert server.wait() == 2
        assert server.log.startswith("COOKIE_SECRET is not set")
        assert "Traceback" not in server.log


@posix_only
class TestOpenFiles:
    def test_a_server_accepts_as_many_connections_as_it_may_open_files(self) -> None:
        """C590"""
        accepted, error = asyncio.run(open_files.count(20, wanted=30))
        assert 15 <= accepted <= 20
        assert "Too many open files" in error
        assert asyncio.run(open_files.count(100, wanted=30)) == (30, "")

    def test_a_process_may_raise_its_own_limit_to_the_hard_one(self) -> None:
        """C590"""
        import resource

        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        try:
            assert open_files.raise_limit() == before[1]
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


@posix_only
def test_forks_share_the_port_and_come_back_with_the_old_program(tmp_path: Path) -> None:
    """C027: the three reasons against start(n) and fork_processes()."""
    script = tmp_path / "processes.py"
    text = (LESSONS_FOLDER / "01_hello" / "processes.py").read_text(encoding="utf-8")
    assert 'f"child {' in text
    script.write_text(text, encoding="utf-8")
    with serving(script) as server:

        def answered() -> tuple[str, int]:
            found = re.fullmatch(r"(.+) \d+, process (\d+)\n", read(server.url))
            assert found
            return found[1], int(found[2])

        while len(pids := {answered()[1] for _ in range(20)}) < 2:
            continue
        # They share the port: all of them listen there, and on no port of their own, so that a
        # request for one of them, such as a health check, goes to any.
        ports = {
            connection.laddr.port
            for pid in pids
            for connection in psutil.Process(pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        assert ports == {server.port}
        # A new version cannot be rolled out process by process: the parent forks what it has.
        script.write_text(text.replace('f"child {', 'f"new {'), encoding="utf-8")
        os.kill(victim := min(pids), signal.SIGKILL)
        while (came := answered())[1] in pids:
            continue
        assert came[0] == "child", "the new process runs the old program"
        assert victim not in {answered()[1] for _ in range(5)}


class PackagedTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return packaged.make_app()

    def test_the_page_comes_from_the_folder_of_the_package(self) -> None:
        """C101: and says that the package is not installed."""
        page = self.fetch("/").body.decode()
        self.assertIn("Version: not installed", page)
        [link] = re.findall(r'"(/static/style.css\?v=\w+)"', page)
        self.assertEqual(self.fetch(link).code, 200)


def test_the_installed_command_serves_templates_and_static_files(tmp_path: Path) -> None:
    """C101: a wheel is built and installed into an empty folder, without network."""
    uv = Path(sys.executable).with_name("uv")
    offline = ("--offline", "--no-cache", "--no-config")
    subprocess.run(
        [uv, "build", "--wheel", *offline, "--out-dir", tmp_path, PACKAGE],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    subprocess.run(
        [uv, "pip", "install", *offline, "--no-deps", "--target", site, wheel],
        check=True,
        capture_output=True,
    )
    here = {name.removeprefix("lighthouse/") for name in packaged.files()}
    installed = {
        path.relative_to(site / "lighthouse").as_posix()
        for path in (site / "lighthouse").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert installed == here
    environ = os.environ | {"PYTHONPATH": str(site), "PYTHONUNBUFFERED": "1"}
    [command] = [path for path in (site / "bin").iterdir() if path.stem == "lighthouse"]
    with subprocess.Popen(
        [command, "--port=0"],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Open http://localhost:")
            [port] = [
                connection.laddr.port
                for connection in psutil.Process(process.pid).net_connections("tcp4")
                if connection.status == psutil.CONN_LISTEN
            ]
            assert "Version: 1.0.0" in read(f"http://127.0.0.1:{port}/")
        finally:
            process.kill()
