"""No log line holds a query, a cookie, a token, a password or a message."""

import ast
import asyncio
import contextlib
import gc
import json
import logging
import re
import secrets
import signal
import sys
import threading
import unittest
import warnings
from pathlib import Path
from unittest import mock

import redis.exceptions
import sqlalchemy as sa
import tornado
import tornado.iostream
import tornado.tcpclient
import tornado.testing
import tornado.web

from capstone_chat import logs
from capstone_chat.app import ROUTES
from tests.capstone.chat_case import Person
from tests.capstone.test_operator import LogCase
from tests.capstone.test_start import ProcessCase
from tests.support.websocket_frames import client_frame

MARK = "5ecret" + secrets.token_hex(8)
"""Put into every place of a request; it must be in no line."""

RAW = [
    # Headers and cookies
    f"GET /?{MARK} HTTP/1.1\r\nHost: x\r\nCookie: session={MARK}\x01\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nCookie: {MARK}\x00\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\n{MARK} : y\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nX-{MARK}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n {MARK}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: {MARK} {MARK}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nHost: {MARK}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: user:{MARK}@x\r\nOrigin: {MARK}\r\nReferer: {MARK}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {MARK}\r\nAccept-Language: {MARK}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {MARK}\r\nX-Scheme: {MARK}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: {MARK}\r\nX-Real-Ip: {MARK}\r\n\r\n",
    # Start lines
    f"{MARK}\r\n\r\n",
    f"{MARK} / HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET / {MARK}\r\nHost: x\r\n\r\n",
    f"GET /{MARK} {MARK} HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET http://user:{MARK}@x/?{MARK} HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET http://[{MARK}/ HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET {MARK}:x@y HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET /login%3F{MARK} HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET /login;jsessionid={MARK} HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET /login#{MARK} HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET /static/%00?{MARK} HTTP/1.1\r\nHost: x\r\n\r\n",
    # Bodies
    f"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: {MARK}\r\n\r\n",
    f"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {MARK}\r\n\r\n",
    f"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{MARK}\r\nx\r\n0\r\n\r\n",
    f"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{MARK}\r\n",
    f"POST /login HTTP/1.1\r\nHost: x\r\nExpect: {MARK}\r\nContent-Length: 0\r\n\r\n",
    "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    f"Content-Encoding: {MARK}\r\nContent-Length: {len(MARK)}\r\n\r\n{MARK}",
    "POST /login HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
    f"Content-Length: {len(MARK)}\r\n\r\n{MARK}",
    # A handshake
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: {MARK}\r\nSec-WebSocket-Key: {MARK}\r\nOrigin: http://{MARK}\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Protocol: {MARK}\r\nSec-WebSocket-Extensions: {MARK}; ;{MARK}=\r\n\r\n",
]

BODIES = [
    ("application/x-www-form-urlencoded", f"password={MARK}&%ff={MARK}&name=%00{MARK}"),
    ("application/x-www-form-urlencoded", f"_xsrf={MARK}"),
    ("application/json", f'{{"password": "{MARK}'),
    ("application/json", f'["{MARK}"]'),
    ("application/json", f'{{"title": {{"x": "{MARK}"}}, "name": ["{MARK}"]}}'),
    (f"multipart/form-data; boundary={MARK}", f"--{MARK}\r\n{MARK}\r\n\r\n{MARK}"),
    ("multipart/form-data; boundary=x", f'--x\r\nContent-Disposition: form-data; name="{MARK}\r\n'),
    (
        "multipart/form-data; boundary=x",
        f"--x\r\nContent-Disposition: {MARK}\r\n\r\n{MARK}\r\n--x--",
    ),
    (f"text/{MARK}", MARK),
    (MARK, MARK),
]


def paths() -> list[str]:
    """Return a path for each route, and some that are none."""
    found = []
    for route in ROUTES:
        path = route.regex.pattern.rstrip("$")
        for pattern, text in (
            (r"(\d{1,15})", "1"),
            ("([a-z]+)", "login"),
            ("([0-9a-f]{32})", "0" * 32),
            (r"\.(png|wav)", ".png"),
            (r"\.", "."),
        ):
            path = path.replace(pattern, text)
        assert not re.search(r"[\\()\[\]]", path), path
        found.append(path)
    return [*found, "/static/js/api.js", "/static/none", "/static/%00", "/favicon.ico", "/nowhere"]


class RequestTest(LogCase):
    def cookies(self, person: Person) -> dict[str, str]:
        """Return cookies with a mark: none is signed, and each is refused in another way."""
        signed = person.cookies[self.cookie_name("session")]
        return {
            self.cookie_name("session"): f"{MARK}|1|{MARK}",
            self.cookie_name("browser"): signed.replace("2|", f"2|{MARK}", 1),
            self.cookie_name("xsrf"): f"2|{MARK}|{MARK}|{MARK}",
        }

    async def raw(self, text: str) -> None:
        """Send bytes, and read until the server closes or has answered."""
        stream = await tornado.tcpclient.TCPClient().connect("127.0.0.1", self.get_http_port())
        await stream.write(text.encode("latin-1"))
        stream.socket.shutdown(1)
        with contextlib.suppress(tornado.iostream.StreamClosedError):
            await stream.read_until_close()

    @tornado.testing.gen_test
    async def test_a_mark_in_every_place_of_a_request_is_in_no_line(self) -> None:
        anna = await self.person("anna")
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies(anna).items())
        headers = {"Origin": f"http://{MARK}", "Authorization": MARK, "User-Agent": MARK}
        headers |= {"X-XSRFToken": MARK, "Range": f"bytes={MARK}", "If-None-Match": MARK}
        headers |= {"If-Modified-Since": MARK, "Referer": MARK, "Sec-Fetch-Site": MARK}
        with self.logged() as text:
            for path in paths():
                for query in f"?q={MARK}", f"?next=//{MARK}&query=%ff{MARK}&after={MARK}":
                    for cookie in anna.cookie, cookies:
                        await anna.fetch(path + query, headers={**headers, "Cookie": cookie})
                        await anna.fetch(path + query, headers={"Cookie": cookie})
            for kind, body in BODIES:
                for path in "/login", "/register", "/api/groups", "/api/me/picture":
                    for cookie in anna.cookie, cookies:
                        sent = {"Content-Type": kind, "Cookie": cookie}
                        await anna.fetch(path, method="POST", body=body, headers=sent)
        self.assertNotIn(MARK, text.getvalue())
        self.assertGreater(len(self.parsed(text)), 300)

    @tornado.testing.gen_test
    async def test_a_mark_in_malformed_bytes_is_in_no_line(self) -> None:
        for number, request in enumerate(RAW):
            with self.subTest(request=number), self.logged() as text:
                await self.raw(request)
            self.assertNotIn(MARK, text.getvalue())
        self.assertGreater(len(RAW), 25)

    @tornado.testing.gen_test
    async def test_tornados_own_lines_say_what_happened_and_where(self) -> None:
        with self.logged() as text:
            await self.raw(RAW[0])
            await Person(self, "x").fetch("/", headers={"Cookie": "session=a|1|b"})
        lines = {line["logger"]: line for line in self.parsed(text)}
        malformed = [line for line in self.parsed(text) if line["logger"] == "tornado.general"]
        said = [line["message"] for line in malformed]
        self.assertEqual(
            said, ["Malformed HTTP message from %s: %s", "Invalid cookie signature %r"], lines
        )
        self.assertRegex(malformed[0]["source"], r"\Ahttp1connection:\d+\Z")

    @tornado.testing.gen_test
    async def test_a_mark_in_frames_and_broken_frames_is_in_no_line(self) -> None:
        anna = await self.person("anna")
        conv = await anna.group()
        with self.logged() as text:
            for payload in (
                MARK.encode(),
                json.dumps({"type": "send", "conv": conv, "text": MARK, "cid": MARK}).encode(),
                json.dumps({"type": MARK}).encode(),
                json.dumps({"type": "read", "conv": MARK, "seq": MARK}).encode(),
                MARK.encode() + b"\xff\xed\xa0\x80",
            ):
                for opcode in 0x1, 0x2, 0x0, 0x3, 0x8, 0x9, 0xA:
                    stream = await anna.open_stream()
                    await stream.read_until(b"\r\n\r\n")
                    await stream.write(client_frame(opcode, payload))
                    await stream.write(client_frame(0x8, b""))
                    stream.socket.shutdown(1)  # the server waits a while for this client to go
                    with self.assertRaises(tornado.iostream.StreamClosedError):
                        await stream.read_bytes(1 << 30)
        self.assertNotIn(MARK, text.getvalue())

    @tornado.testing.gen_test
    async def test_a_mark_in_the_text_of_a_mistake_is_in_no_line(self) -> None:
        """Whatever fails in a handler may quote what it was given."""
        anna = await self.person("anna")
        errors = (
            ValueError(f"invalid literal for int() with base 10: {MARK!r}"),
            KeyError(MARK),
            UnicodeDecodeError("utf-8", MARK.encode(), 0, 1, "x"),
            OSError(2, "No such file", MARK),
            tornado.web.HTTPError(500, "%s", MARK),
            sa.exc.OperationalError("SELECT :x", {"x": MARK}, Exception(1366, f"value {MARK}")),
            sa.exc.IntegrityError("SELECT 1", {}, Exception(f"Key (name)=({MARK})")),
            sa.exc.StatementError(MARK, "SELECT 1", {"x": MARK}, ValueError(MARK)),
            redis.exceptions.ResponseError(f"unknown command, with args beginning with: {MARK}"),
            ExceptionGroup(MARK, [ValueError(MARK), KeyError(MARK)]),
            SyntaxError(MARK, ("x", 1, 1, MARK)),
        )
        for error in errors:
            chained = RuntimeError(MARK)
            chained.__cause__ = error
            chained.add_note(MARK)
            for raised in error, chained:
                with (
                    self.subTest(error=type(error).__name__),
                    self.logged() as text,
                    mock.patch.object(
                        type(self.chat.conversations), "list_for", side_effect=raised
                    ),
                ):
                    code, _ = await anna.call("GET", "/api/state")
                    self.assertIn(code, (500, 503))
                self.assertNotIn(MARK, text.getvalue())
                self.assertGreaterEqual(len(self.parsed(text)), 1)

    @tornado.testing.gen_test
    async def test_a_mark_in_what_nobody_awaits_or_catches_is_in_no_line(self) -> None:
        async def fail() -> None:
            raise ValueError(MARK)

        class Fragile:
            def __del__(self) -> None:
                raise ValueError(MARK)

        def stop() -> None:
            raise ValueError(MARK)

        loop = asyncio.get_running_loop()
        gc.collect()  # what other tests have left must not be reported among what this one leaves
        with self.logged() as text:
            task = asyncio.ensure_future(fail())
            await asyncio.wait([task])
            del task
            future = loop.create_future()
            future.set_exception(ValueError(MARK))
            del future
            gc.collect()
            loop.call_soon(stop)
            self.io_loop.add_callback(fail)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            Fragile()
            thread = threading.Thread(target=stop)
            thread.start()
            thread.join()
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.showwarning = logs._log_warning
                warnings.warn(MARK, UserWarning, stacklevel=1)
            logging.getLogger("tornado.general").warning("%d %d", MARK)
            logging.getLogger("capstone_chat").error("%d", MARK)
            logging.getLogger("other").warning(f"{MARK} %s", MARK)
        self.assertNotIn(MARK, text.getvalue())
        said = [line["message"] for line in self.parsed(text)]
        for expected in (
            "Task exception was never retrieved",
            "Future exception was never retrieved",
        ):
            self.assertIn(expected, said)
        self.assertEqual(said.count("an exception was not caught"), 2)  # __del__ and the thread
        self.assertTrue([text for text in said if text.startswith("UserWarning at")], said)


class DescribeTest(unittest.TestCase):
    def described(self, error: Exception) -> str:
        try:
            raise error
        except Exception as caught:
            return logs.describe(caught)

    def test_what_helps_an_operator_is_kept(self) -> None:
        def closed() -> None:
            raise RuntimeError("the pool is closed")

        try:
            closed()
        except RuntimeError as error:
            self.assertEqual(logs.describe(error), "RuntimeError: the pool is closed")
        missing = FileNotFoundError(2, "x", "/secret/place")
        self.assertEqual(
            self.described(missing), "FileNotFoundError: ENOENT No such file or directory"
        )
        refused = redis.exceptions.ConnectionError("Error 111 connecting to 127.0.0.1:1")
        self.assertIn("127.0.0.1:1", self.described(refused))
        away = sa.exc.OperationalError("SELECT 1", {}, Exception(2003, "Can't connect to 'db'"))
        self.assertIn("Can't connect to 'db'", self.described(away))
        self.assertIn("[SQL: SELECT 1]", self.described(away))
        engine = sa.create_engine("sqlite://")
        with self.assertRaises(sa.exc.OperationalError) as caught, engine.connect() as connection:
            connection.execute(sa.text("SELECT * FROM nowhere"))
        engine.dispose()
        self.assertIn("SQLITE_ERROR", logs.describe(caught.exception))

    def test_a_path_ends_where_a_query_or_parameters_may_begin(self) -> None:
        for path, logged in (
            ("/api/groups", "/api/groups"),
            ("/login?x", "/login"),
            ("/login%3fx", "/login"),
            ("/login;x", "/login"),
            ("http://user:password@host/login?x", "/login"),
            ("http://[x/login", ""),
            ("*", "*"),
            ("secret:x@host", ""),
            ("/" + "x" * 5000, "/" + "x" * (logs.MAX_PATH - 1)),
        ):
            self.assertEqual(logs.loggable_path(path), logged)


class LibraryTest(unittest.TestCase):
    """Every message that Tornado's server may log is known, or withheld on purpose."""

    MODULES = (
        *("concurrent", "gen", "http1connection", "httpserver", "httputil", "ioloop", "iostream"),
        *("locale", "netutil", "routing", "tcpserver", "template", "web", "websocket"),
    )
    WITHHELD = frozenset(
        {
            "%d %s: %s",  # request_summary holds the query
            "%s: %s",
            "%s code:\n%s",  # the source of a template
            "Delegate for %s %s request not found",
            "Multiple handlers named %s; replacing previous value",
            "Unrecognized locale %r (path: %s)",
            "Unrecognized plural indicator %r in %s line %d",
            "pgettext is not supported by CSVLocale",
        }
    )

    def test_tornados_messages_are_decided_on(self) -> None:
        found = set()
        for name in self.MODULES:
            source = Path(tornado.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(source)):
                match node:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="gen_log" | "app_log")),
                        args=[ast.Constant(value=str(message)), *_],
                    ):
                        found.add(message)
        self.assertGreater(len(found), 30)
        undecided = {
            message
            for message in found - self.WITHHELD
            if message.partition("\n")[0] not in logs.LIBRARY_MESSAGES
        }
        self.assertEqual(undecided, set())


class StormTest(LogCase):
    def test_a_warning_that_repeats_itself_is_one_line_until_a_minute_later(self) -> None:
        log, clock = logging.getLogger("capstone_chat.test"), 1000.0
        with self.logged() as text, mock.patch("time.monotonic", side_effect=lambda: clock):
            for _ in range(100):
                log.error("a message was not stored: %s", RuntimeError("x"))
                log.error("a message was not stored: %s", KeyError("x"))
                log.info("not a warning")
            self.assertEqual(len(self.parsed(text)), 102)
            clock += logs.REPEAT_INTERVAL
            log.error("a message was not stored: %s", RuntimeError("x"))
            self.assertEqual(len(self.parsed(text)), 103)

    def test_no_more_lines_are_remembered_than_a_bound(self) -> None:
        log = logging.getLogger("capstone_chat.test")
        with self.logged() as text:
            (handler,) = logging.getLogger().handlers
            assert isinstance(handler, logs._StderrHandler)
            for number in (*range(logs.MAX_REMEMBERED_LINES + 1), logs.MAX_REMEMBERED_LINES):
                log.error("line %s", number)
            self.assertEqual(len(handler._seen), 1)
        self.assertEqual(len(self.parsed(text)), logs.MAX_REMEMBERED_LINES + 1)


class ProcessTest(ProcessCase):
    only_sqlite = True

    @tornado.testing.gen_test
    async def test_every_line_of_a_process_is_json_also_with_warnings_as_errors(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "error", "-m", "capstone_chat", f"--data={self.data}", "--port=0"),
            *("--logging=debug", "--drain=0.01"),
            cwd=Path(__file__).parents[3],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.processes.append(process)
        assert process.stdout is not None
        self.port = int((await process.stdout.readline()).decode().rpartition(":")[2])
        await Person(self, "x").fetch(f"/login?next={MARK}", headers={"Cookie": f"session={MARK}"})
        await Person(self, "x").fetch(f"/static/%00?v={MARK}")
        process.send_signal(signal.SIGTERM)
        _, said = await process.communicate()
        self.assertEqual(process.returncode, 0, said)
        lines = [json.loads(line) for line in said.decode().splitlines()]
        self.assertIn("/login", [line.get("path") for line in lines])
        self.assertNotIn(MARK, said.decode())
