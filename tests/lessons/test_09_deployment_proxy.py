"""Lesson 09: two processes of app.py behind nginx.conf, as proxy.py runs them."""

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import tornado.httpclient
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.testing import AsyncHTTPTestCase, gen_test
from tornado.websocket import WebSocketClientConnection, websocket_connect

from course.ports import free_port
from tests.support.lesson_case import import_script

pytestmark = pytest.mark.service("nginx")

LESSON = "09_deployment"
app, proxy, sockets = [import_script(LESSON, name) for name in ("app", "proxy", "sockets")]


running: Callable[[list[str], Path, int], AbstractContextManager[subprocess.Popen[bytes]]]
running = proxy.running


async def hang_up(line: WebSocketClientConnection) -> None:
    """Close a socket, and wait until it is: a loop that ends before leaves it open."""
    line.close()
    while await line.read_message() is not None:
        continue


class Release:
    """A folder as a server has it, with what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port(0)
        *self.apps, self.tls = proxy.release(folder, self.port)
        self.conf = folder / "nginx.conf"

    def change(self, old: str, new: str) -> None:
        text = self.conf.read_text(encoding="utf-8")
        assert old in text
        self.conf.write_text(text.replace(old, new), encoding="utf-8")

    def app(self, number: int) -> AbstractContextManager[subprocess.Popen[bytes]]:
        command = [".venv/bin/python", "app.py", f"--port={self.apps[number]}"]
        return running(command, self.folder, self.apps[number])

    def nginx(self) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return running(proxy.nginx(self.folder), self.folder, self.port)

    def control(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run nginx with these arguments on the same files."""
        command = [*proxy.nginx(self.folder)[:-2], *words]
        return subprocess.run(command, capture_output=True, encoding="utf-8")

    def get(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> "Answer":
        return Answer(self.port, path, body, headers or {})

    def who(self, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        answer = self.get("/who", headers=headers)
        assert answer.status == 200
        told: dict[str, Any] = json.loads(answer.body)
        return told


class Answer:
    def __init__(
        self, port: int, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        client.request("POST" if body else "GET", path, body=body, headers=headers)
        response = client.getresponse()
        self.status, self.headers = response.status, response.headers
        self.body = response.read().decode()
        client.close()


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """Both processes and nginx, for all tests that leave them as they were."""
    release = Release(tmp_path_factory.mktemp("release"))
    with release.app(0), release.app(1), release.nginx():
        yield release


@pytest.fixture
def other(tmp_path: Path) -> Release:
    """Files of one's own, of which nothing runs."""
    return Release(tmp_path)


class TestTwoProcesses:
    def test_requests_go_to_both_in_turn(self, release: Release) -> None:
        """C256, C262"""
        seen = Counter(release.who()["process"] for _ in range(10))
        assert sorted(seen.values()) == [5, 5]

    def test_the_visitor_is_seen_and_cannot_lie(self, release: Release) -> None:
        """C264"""
        lie = {"X-Real-IP": "6.6.6.6", "X-Forwarded-For": "6.6.6.6", "X-Scheme": "https"}
        told = release.who(lie)
        assert (told["address"], told["scheme"]) == ("127.0.0.1", "http")
        assert told["host"] == f"127.0.0.1:{release.port}"
        assert release.who({"Host": "chat.example"})["host"] == "chat.example"

    def test_over_tls_the_scheme_is_https_and_sockets_open(self, release: Release) -> None:
        """C264, C266"""

        async def ask() -> tuple[str, object]:
            trusted = str(release.folder / "certificate.pem")
            url = f"https://localhost:{release.tls}"
            answer = await AsyncHTTPClient().fetch(f"{url}/who", ca_certs=trusted)
            request = HTTPRequest(
                f"{url}/echo".replace("https", "wss"), ca_certs=trusted, headers={"Origin": url}
            )
            line = await websocket_connect(request)
            await line.write_message("Hello")
            said = await line.read_message()
            await hang_up(line)
            return json.loads(answer.body)["scheme"], said

        scheme, said = asyncio.run(ask())
        assert scheme == "https"
        assert "'Hello' heard by process" in str(said)

    def test_files_come_from_nginx_and_stay_for_years_with_their_hash(
        self, release: Release
    ) -> None:
        """C263"""
        [link] = re.findall(r'"(/static/style\.css\?v=\w+)"', release.get("/").body)
        hashed, plain = release.get(link), release.get("/static/style.css")
        assert hashed.headers["Cache-Control"] == "max-age=315360000"
        assert plain.headers["Cache-Control"] is None
        for answer in (hashed, plain):
            assert answer.headers["Content-Type"] == "text/css"
            assert answer.headers["Server"].startswith("nginx")
        assert release.get("/static/../app.py").status == 403
        assert release.get("/static/nothing.css").status == 404

    def test_a_reload_keeps_the_sockets_that_are_open(self, release: Release) -> None:
        """C268: the old workers stay until their connections have ended."""

        async def talk() -> list[object]:
            line = await websocket_connect(f"ws://127.0.0.1:{release.port}/echo")
            text = release.conf.read_text(encoding="utf-8")
            try:
                release.change("location / {", 'location /new { return 200 "new"; } location / {')
                done = await asyncio.to_thread(release.control, "-s", "reload")
                assert done.returncode == 0, done.stderr
                while (await asyncio.to_thread(release.get, "/new")).status != 200:
                    continue
            finally:
                release.conf.write_text(text, encoding="utf-8")
            await line.write_message("still there?")
            said = await line.read_message()
            await hang_up(line)
            return [said]

        [said] = asyncio.run(talk())
        assert "'still there?' heard by process" in str(said)

    @pytest.mark.parametrize("word", ["quit", "stop"])
    def test_quit_lets_connections_end_and_stop_does_not(self, other: Release, word: str) -> None:
        """C592"""

        async def talk(front: "subprocess.Popen[bytes]") -> object:
            line = await websocket_connect(f"ws://127.0.0.1:{other.port}/echo")
            assert (await asyncio.to_thread(other.control, "-s", word)).returncode == 0
            if word == "quit":
                while proxy.listens(other.port):
                    await asyncio.to_thread(bool)
                await line.write_message("still there?")
            said = await line.read_message()
            if word == "quit":
                assert front.poll() is None, "it waits for this connection"
                await hang_up(line)
            else:
                line.close()
            return said

        with other.app(0), other.nginx() as front:
            said = asyncio.run(talk(front))
            assert front.wait(20) == 0
        if word == "quit":
            assert "'still there?' heard by process" in str(said)
        else:
            assert said is None

    def test_the_files_are_checked_before_a_reload(self, release: Release, other: Release) -> None:
        """C268"""
        assert release.control("-t").returncode == 0
        other.change("proxy_pass http://app;", "proxy_pas http://app;")
        broken = other.control("-t")
        assert broken.returncode == 1
        assert "unknown directive" in broken.stderr

    def test_a_body_may_have_a_megabyte(self, release: Release) -> None:
        answer = release.get("/who", body=bytes(1_100_000))
        assert answer.status == 413
        assert "413 Request Entity Too Large" in answer.body

    def test_a_second_nginx_finds_the_port_taken(self, release: Release, other: Release) -> None:
        other.change(str(other.port), str(release.port))
        second = subprocess.run(
            proxy.nginx(other.folder), capture_output=True, encoding="utf-8", timeout=30
        )
        assert second.returncode == 1
        assert "failed (98: Address already in use)" in second.stderr


class TestRestart:
    def test_no_request_is_lost_while_one_process_restarts(self, other: Release) -> None:
        """C285: it answers what it has begun; what comes meanwhile the other one takes."""
        with other.app(1) as second, other.nginx():
            with other.app(0) as first:
                pids = {first.pid, second.pid}
                assert {other.who()["process"] for _ in range(4)} == pids
                begun = [http.client.HTTPConnection("127.0.0.1", other.port) for _ in range(2)]
                for client in begun:  # one for each process
                    client.request("GET", "/slow")
                assert {other.who()["process"] for _ in range(2)} == pids  # so /slow has begun
                first.send_signal(signal.SIGTERM)
                meanwhile = []
                while first.poll() is None:
                    meanwhile.append(other.who()["process"])
                assert meanwhile[-1] == second.pid
                answers = [client.getresponse() for client in begun]
                assert [answer.status for answer in answers] == [200, 200]
                assert {json.loads(answer.read())["process"] for answer in answers} == pids
                for client in begun:
                    client.close()
                assert first.returncode == 0
            with other.app(0) as third:
                # Asked again at once, because it is never shunned (max_fails=0).
                assert {other.who()["process"] for _ in range(2)} == {third.pid, second.pid}

    def test_a_process_that_was_away_is_shunned_unless_told_otherwise(self, other: Release) -> None:
        """C262: after one failure nginx leaves a process alone for ten seconds."""
        other.change(" max_fails=0", "")
        with other.app(1) as second, other.nginx():
            assert {other.who()["process"] for _ in range(2)} == {second.pid}
            with other.app(0):
                assert {other.who()["process"] for _ in range(6)} == {second.pid}


class TestNobodyBehindIt:
    def test_files_are_served_and_the_rest_is_502(self, other: Release) -> None:
        """C131, C263: nginx needs no application for what lies in a folder."""
        with other.nginx():
            assert other.get("/static/style.css").status == 200
            answer = other.get("/who")
            assert answer.status == 502
            assert "502 Bad Gateway" in answer.body
        assert "connect() failed (111: Connection refused)" in (
            other.folder / "logs" / "nginx-error.log"
        ).read_text(encoding="utf-8")

    def test_it_leaves_nothing_running(self, other: Release) -> None:
        """C268"""
        with other.nginx() as master:
            other.get("/static/style.css")  # its answer comes after the process id is written
            pid = int((other.folder / "nginx.pid").read_text())
            assert pid == master.pid
        assert master.returncode == 0
        assert not proxy.listens(other.port)
        assert not (other.folder / "nginx.pid").exists()


class FailingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        raise ValueError("a secret of ours")


class VariantTest(AsyncHTTPTestCase):
    """nginx.conf with a change, in front of the test's own server."""

    @pytest.fixture(autouse=True)
    def keep_files(self, tmp_path: Path) -> None:
        self.release = Release(tmp_path)

    def get_app(self) -> tornado.web.Application:
        return app.make_app()

    def setUp(self) -> None:
        super().setUp()
        for port in self.release.apps:
            self.http_server.listen(port, "127.0.0.1")

    async def get(self, path: str) -> HTTPResponse:
        with self.release.nginx():
            url = f"http://127.0.0.1:{self.release.port}{path}"
            return await self.http_client.fetch(url, raise_error=False)

    @gen_test
    async def test_the_application_says_that_it_is_tornado_if_nginx_lets_it(self) -> None:
        """C265"""
        self.assertTrue((await self.get("/who")).headers["Server"].startswith("nginx/"))
        self.release.change(
            "proxy_pass http://app;", "proxy_pass http://app; proxy_pass_header Server;"
        )
        self.assertTrue((await self.get("/who")).headers["Server"].startswith("TornadoServer/"))

    @gen_test
    async def test_nobody_waits_longer_than_proxy_read_timeout(self) -> None:
        self.release.change(
            "proxy_pass http://app;", "proxy_pass http://app; proxy_read_timeout 100ms;"
        )
        answer = await self.get("/slow")
        self.assertEqual(answer.code, 504)
        self.assertIn(b"504 Gateway Time-out", answer.body)

    @gen_test
    async def test_debug_shows_strangers_the_source(self) -> None:
        """C269"""
        self._app.add_handlers(".*", [("/fail", FailingHandler)])
        answer = await self.get("/fail")
        self.assertEqual(answer.code, 500)
        self.assertNotIn(b"a secret of ours", answer.body)
        self._app.settings["serve_traceback"] = True  # as debug=True sets it
        answer = await self.get("/fail")
        self.assertIn(b"a secret of ours", answer.body)
        self.assertIn(os.fsencode(Path(__file__).name), answer.body)

    @gen_test
    async def test_each_line_for_websockets_is_needed(self) -> None:
        """C266"""
        expected = {
            "Upgrade and Connection": '400 Can "Upgrade" only to "WebSocket".',
            "proxy_http_version 1.1": "101, then closed at once",
            "Host": "403 Cross origin websockets not allowed",
            "nothing": "101, then 'Hello' heard by process",
        }
        self.assertEqual(list(sockets.LEFT_OUT), list(expected))
        for what, without in sockets.LEFT_OUT.items():
            answer = await sockets.attempt(self.release.folder, self.release.port, without)
            self.assertTrue(answer.startswith(expected[what]), f"{what}: {answer}")

    @gen_test
    async def test_with_the_headers_the_browser_says_where_it_came_from(self) -> None:
        """C266: a page of another site gets no socket through nginx either."""
        with self.release.nginx():
            url = f"ws://127.0.0.1:{self.release.port}/echo"
            own = HTTPRequest(url, headers={"Origin": f"http://127.0.0.1:{self.release.port}"})
            line: WebSocketClientConnection = await websocket_connect(own)
            await hang_up(line)
            with self.assertRaisesRegex(tornado.httpclient.HTTPClientError, "403"):
                await websocket_connect(
                    HTTPRequest(url, headers={"Origin": "https://evil.example"})
                )
