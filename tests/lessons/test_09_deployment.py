"""Lesson 09: the application that is deployed, whose word it takes, how it ends, TLS, systemd."""

import asyncio
import configparser
import http.client
import os
import re
import select
import signal
import socket
import ssl
import stat
import sys
import threading
from pathlib import Path
from unittest import mock

import pytest
import tornado.httpserver
import tornado.web
from tornado.testing import AsyncHTTPTestCase, bind_unused_port, gen_test
from tornado.websocket import websocket_connect

from course.ports import free_port
from course.testing import services
from course.testing.http import InvalidSubmission
from tests.support.lesson_case import import_script, json_of
from tests.support.script_server import serving

LESSON = "09_deployment"
FOLDER = Path(__file__).parents[2] / "lessons" / LESSON
VISITOR, PROXY = "203.0.113.7", "10.0.0.5"

app, forwarded, proxy, tls = [
    import_script(LESSON, name) for name in ("app", "forwarded", "proxy", "tls")
]
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


class WhoTest(AsyncHTTPTestCase):
    """Believes the proxy, as main() makes the server."""

    def get_app(self) -> tornado.web.Application:
        return app.make_app()

    def get_http_server(self) -> tornado.httpserver.HTTPServer:
        return tornado.httpserver.HTTPServer(
            self._app, xheaders=True, trusted_downstream=app.PROXIES
        )

    def who(self, **headers: str) -> tuple[str, str]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        told = json_of(self.fetch("/who", headers=sent))
        return told["address"], told["scheme"]

    def test_a_direct_request_keeps_its_own(self) -> None:
        """C264"""
        self.assertEqual(self.who(), ("127.0.0.1", "http"))

    def test_the_visitor_is_the_one_that_the_proxy_tells_of(self) -> None:
        """C264"""
        self.assertEqual(self.who(X_Real_IP=VISITOR, X_Scheme="https"), (VISITOR, "https"))
        self.assertEqual(
            self.who(X_Forwarded_For=f"6.6.6.6, {VISITOR}, 127.0.0.1", X_Forwarded_Proto="https"),
            (VISITOR, "https"),
        )

    def test_what_is_no_address_is_not_believed(self) -> None:
        """C264"""
        self.assertEqual(self.who(X_Real_IP="nobody", X_Scheme="gopher"), ("127.0.0.1", "http"))

    def test_the_page_shows_it_and_links_its_files_by_their_hash(self) -> None:
        page = self.fetch("/", headers={"X-Real-IP": VISITOR}).body.decode()
        self.assertIn(VISITOR, page)
        self.assertIn(f"Process {os.getpid()}", page)
        for file in ("style.css", "who.js"):
            [link] = re.findall(rf'"(/static/{file}\?v=\w+)"', page)
            self.assertEqual(self.fetch(link).code, 200)

    def test_nobody_is_shown_a_traceback(self) -> None:
        """C269"""
        self.assertFalse(self._app.settings.get("debug"))
        self.assertFalse(self._app.settings.get("serve_traceback"))

    @gen_test
    async def test_it_ends_when_nothing_is_left_to_do(self) -> None:
        """Sockets are sent elsewhere, what was begun is answered, what is new is refused."""
        url = self.get_url("/").replace("http", "ws", 1)
        line = await websocket_connect(f"{url}echo")
        await line.write_message("Hello")
        self.assertIn("'Hello' heard by process", str(await line.read_message()))
        arrived = asyncio.Event()
        count = app.SlowHandler.prepare

        def prepare(handler: tornado.web.RequestHandler) -> None:
            count(handler)
            arrived.set()

        with mock.patch.object(app.SlowHandler, "prepare", prepare):
            begun = self.http_client.fetch(self.get_url("/slow"))
            await arrived.wait()
        await app.leave(self.http_server, self._app.settings["work"])
        self.assertTrue(begun.done() or (await begun).code == 200)
        self.assertIsNone(await line.read_message())
        line.close()
        self.assertEqual((line.close_code, line.close_reason), (1001, "restarting"))
        with self.assertRaises(ConnectionRefusedError):
            await self.http_client.fetch(self.get_url("/who"))


class ForwardedTest(AsyncHTTPTestCase):
    """The three servers of forwarded.py, one after the other."""

    def get_app(self) -> tornado.web.Application:
        return forwarded.make_app()

    @gen_test
    async def test_xheaders_decides_and_trusted_downstream_only_skips(self) -> None:
        """C264: trusted_downstream is no list of those who are believed."""
        expected = {
            "X-Real-IP, X-Scheme": ["http 127.0.0.1", f"https {VISITOR}", f"https {VISITOR}"],
            "X-Forwarded-For": ["http 127.0.0.1", f"http {PROXY}", f"http {VISITOR}"],
            "both, X-Real-IP forged": ["http 127.0.0.1", "http 6.6.6.6", "http 6.6.6.6"],
        }
        servers, ports = [], []
        for settings in forwarded.SERVERS.values():
            server = tornado.httpserver.HTTPServer(forwarded.make_app(), **settings)
            sock, port = bind_unused_port()
            server.add_socket(sock)
            servers.append(server)
            ports.append(port)
        for sent, headers in forwarded.REQUESTS.items():
            seen = [await forwarded.told(port, headers) for port in ports]
            self.assertEqual(seen, expected[sent], sent)
        for server in servers:
            server.stop()


class TlsTest(AsyncHTTPTestCase):
    """tls.py's application behind tls.py's certificate."""

    @pytest.fixture(autouse=True)
    def keep_a_folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        tls.make_certificate(tmp_path)

    def get_app(self) -> tornado.web.Application:
        return tls.make_app()

    def get_httpserver_options(self) -> dict[str, object]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.folder / "certificate.pem", self.folder / "key.pem")
        return {"ssl_options": context}

    @gen_test
    async def test_only_who_trusts_the_certificate_connects(self) -> None:
        """C284"""
        refused = await tls.ask(self.get_http_port(), None)
        self.assertEqual(refused, "refused: self-signed certificate")
        trusting = await tls.ask(self.get_http_port(), str(self.folder / "certificate.pem"))
        self.assertEqual(trusting, "200 https")

    @posix_only
    def test_the_key_is_for_its_owner_only(self) -> None:
        mode = stat.S_IMODE((self.folder / "key.pem").stat().st_mode)
        self.assertEqual(mode & 0o077, 0)


@posix_only
def test_a_request_in_the_middle_is_answered_before_the_process_ends() -> None:
    """C285"""
    with serving(FOLDER / "app.py") as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        client.request("GET", "/slow")
        # Answered in turn: once this one is, the one before it has been begun.
        other = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        other.request("GET", "/who")
        assert other.getresponse().status == 200
        other.close()
        code: list[int] = []
        stopping = threading.Thread(target=lambda: code.append(server.stop(signal.SIGTERM)))
        stopping.start()
        assert client.getresponse().status == 200
        client.close()
        stopping.join()
        assert code == [0]


def test_only_this_machine_gets_in() -> None:
    """C264: whoever reaches the port is believed, so nobody else may."""
    source = (FOLDER / "app.py").read_text(encoding="utf-8")
    assert 'define("address", default="127.0.0.1"' in source
    assert "server.listen(options.port, address=options.address)" in source


@posix_only
def test_the_systemd_unit_starts_the_application_and_stops_it(tmp_path: Path) -> None:
    """C287"""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(FOLDER / "app@.service", encoding="utf-8")
    service = unit["Service"]
    assert service["Restart"] == "always"
    proxy.release(tmp_path, 8000)
    port = free_port(0)
    command = service["ExecStart"].replace("%i", str(port)).replace("/srv/app", str(tmp_path))
    folder = service["WorkingDirectory"].replace("/srv/app", str(tmp_path))
    with proxy.running(command.split(), Path(folder), port) as process:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        client.request("GET", "/who")
        assert client.getresponse().status == 200
        client.close()
        process.send_signal(signal.SIGTERM)  # as systemd stops it
        assert process.wait(20) == 0


@posix_only
def test_a_program_that_ends_instead_of_listening_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    port = free_port(0)
    command = [sys.executable, "-c", "raise SystemExit('the last words')"]
    with (
        pytest.raises(SystemExit, match="has ended:\nthe last words"),
        proxy.running(command, tmp_path, port),
    ):
        raise AssertionError("it does not run")


def test_a_missing_program_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proxy, "PLACES", "")
    with pytest.raises(SystemExit) as ended:
        proxy.program("nginx", "nginx")
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("nginx is missing:")
    assert "sudo apt install nginx" in line
    assert "docker run" in line


@posix_only
def test_autoreload_drops_what_is_being_answered(tmp_path: Path) -> None:
    """C269: in production nothing may restart by itself in the middle of a request."""
    script = tmp_path / "reloading.py"
    source = (FOLDER / "app.py").read_text(encoding="utf-8")
    script.write_text(
        source.replace("sleep(0.5)", "sleep(60)").replace(
            "        work=Work(),\n", "        work=Work(),\n        autoreload=True,\n"
        ),
        encoding="utf-8",
    )
    with (
        serving(script) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as client,
    ):
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        # What changed before autoreload looked for the first time, it takes for old.
        for minute in range(60):
            os.utime(script, (2_000_000_000 + 60 * minute,) * 2)
            if select.select([client], [], [], 1)[0]:
                break
        try:
            answer = client.recv(1000)
        except ConnectionResetError:
            answer = b""
        assert answer == b""


def test_a_check_without_its_program_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SEARCH_PATH", "")
    with pytest.raises(InvalidSubmission, match=r"This check needs nginx.* sudo apt install nginx"):
        services.ServiceCase().find_program("nginx", "nginx")
