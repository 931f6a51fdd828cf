"""The request console reaches the scripts of the tour only, and shows what they really answer."""

import base64
import json
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.testing import gen_test
from tornado.web import Application, RequestHandler

from tests.course.tour.tour_case import Page, TourCase

ROUTES = """[
        ("/", Handler), ("/echo", Echo), ("/redirect", tornado.web.RedirectHandler, {"url": "/"}),
        ("/long", Long), ("/stream", Stream), ("/ws", Socket)
    ]"""
MORE = """
class Echo(tornado.web.RequestHandler):
    def prepare(self):
        self.add_header("Set-Cookie", "a=1")
        self.add_header("Set-Cookie", "b=2")
        self.set_header("Seen", repr([
            self.request.method, self.request.headers.get_list("Host"),
            self.request.headers.get("Origin"), self.request.headers.get("Cookie")]))
        self.finish(self.request.body)
    def get(self):
        pass


class Long(tornado.web.RequestHandler):
    def get(self):
        self.write(b"x" * 3_000_000)


class Stream(tornado.web.RequestHandler):
    async def get(self):
        self.write("first")
        await self.flush()
        await asyncio.Event().wait()


class Socket(tornado.websocket.WebSocketHandler):
    def check_origin(self, origin):
        return "evil" not in origin
    def select_subprotocol(self, names):
        return names[0] if names else None
    def on_message(self, message):
        if message == "close":
            return self.close(4001, "as asked")
        self.write_message(message, isinstance(message, bytes))
"""


class ConsoleTest(TourCase):
    async def begin(self) -> tuple[Page, dict[str, Any]]:
        file = self.write_server("server", routes=ROUTES)
        path = self.lesson / "server.py"
        path.write_text(path.read_text().replace("async def main", MORE + "\n\nasync def main"))
        page = await self.open_page()
        return page, await page.start(file)

    def start_other(self, port: int = 0) -> tuple[HTTPServer, int]:
        """Start a server that is no script of the tour; `asked` gets the paths it is asked for."""
        self.asked = asked = list[str]()

        class Other(RequestHandler):
            def prepare(self) -> None:
                asked.append(self.request.uri or "")

        sockets = bind_sockets(port, "127.0.0.1")
        other = HTTPServer(Application([(".*", Other)]))
        other.add_sockets(sockets)
        return other, sockets[0].getsockname()[1]

    async def request(self, run: str, path: str = "/", **fields: Any) -> dict[str, Any]:
        response = await self.call("/api/request", {"run": run, "path": path, **fields})
        return {"code": response.code, **json.loads(response.body)}

    @gen_test
    async def test_an_answer_is_shown_whole(self) -> None:
        _, ready = await self.begin()
        answer = await self.request(
            ready["run"],
            "/echo",
            method="GET",
            headers=[["Host", "a.example"], ["Origin", "http://b.example"], ["Cookie", "c=d"]],
        )
        self.assertEqual((answer["status"], answer["reason"]), (200, "OK"))
        headers = answer["headers"]
        cookies = [value for name, value in headers if name == "Set-Cookie"]
        self.assertEqual(cookies, ["a=1", "b=2"])
        seen = dict(headers)["Seen"]
        self.assertEqual(seen, repr(["GET", ["a.example"], "http://b.example", "c=d"]))

    @gen_test
    async def test_methods_and_bodies_are_sent_as_given(self) -> None:
        _, ready = await self.begin()
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = await self.request(ready["run"], "/echo", method=method, body="ä=1")
            self.assertEqual((answer["body"], answer["base64"]), ("ä=1", False))
        data = base64.b64encode(b"\xff\x00").decode()
        answer = await self.request(ready["run"], "/echo", method="POST", body=data, base64=True)
        self.assertEqual((answer["body"], answer["base64"]), (data, True))
        self.assertEqual((await self.request(ready["run"], method="HEAD"))["body"], "")

    @gen_test
    async def test_a_redirect_is_shown_and_not_followed(self) -> None:
        _, ready = await self.begin()
        answer = await self.request(ready["run"], "/redirect")
        self.assertEqual((answer["status"], dict(answer["headers"])["Location"]), (301, "/"))

    @gen_test
    async def test_a_long_body_is_cut(self) -> None:
        _, ready = await self.begin()
        answer = await self.request(ready["run"], "/long")
        self.assertEqual((len(answer["body"]), answer["truncated"]), (1024 * 1024, True))

    @gen_test
    async def test_a_stream_without_end_is_shown_as_far_as_it_came(self) -> None:
        from course.tour import requests

        before, requests.TIMEOUT = requests.TIMEOUT, 0.5
        self.addCleanup(setattr, requests, "TIMEOUT", before)
        _, ready = await self.begin()
        answer = await self.request(ready["run"], "/stream")
        self.assertEqual((answer["body"], answer["truncated"]), ("first", True))

    @gen_test
    async def test_no_other_port_can_be_reached(self) -> None:
        other, port = self.start_other()
        page = await self.open_page()
        # The script prints the address of another program.
        file = self.write_server("server", more=f"print('Open http://localhost:{port}')")
        path = self.lesson / "server.py"
        path.write_text(path.read_text().replace('print(f"Open', 'print(f"No'))
        ready = await page.start(file)
        for target in (
            "/",
            f"@localhost:{port}/",
            f"http://localhost:{port}/",
            "//x",
            "/ b",
            "/\r\n",
        ):
            await self.request(ready["run"], target)
            await page.send(type="socket.open", id="1", run=ready["run"], path=target, headers=[])
            while (await page.receive())["type"] not in ("error", "socket.closed"):
                pass
        other.stop()
        self.assertEqual(self.asked, [])

    @gen_test
    async def test_a_script_that_has_ended_cannot_be_reached(self) -> None:
        page, ready = await self.begin()
        await page.send(type="stop", run=ready["run"])
        await page.until("ended")
        # Another program uses its port now.
        other, _ = self.start_other(self.tour.supervisor.runs[ready["run"]].port)
        self.assertEqual((await self.request(ready["run"]))["code"], 400)
        await page.send(type="socket.open", id="1", run=ready["run"], path="/", headers=[])
        await page.until("error")
        self.assertEqual((await self.request("99"))["code"], 404)
        other.stop()
        self.assertEqual(self.asked, [])

    @gen_test
    async def test_a_request_of_no_valid_form_is_refused(self) -> None:
        _, ready = await self.begin()
        wrong: list[dict[str, Any]] = [
            {"method": "GET / HTTP/1.1\r\nA: b"},
            {"method": ""},
            {"path": "no slash"},
            {"headers": [["A", "b\r\nC: d"]]},
            {"headers": [["A b", "c"]]},
            {"headers": [["A"]]},
            {"headers": {"A": "b"}},
            {"body": "no base64!", "base64": True},
        ]
        for fields in wrong:
            with self.subTest(fields=fields):
                self.assertEqual((await self.request(ready["run"], **fields))["code"], 400)

    @gen_test
    async def test_a_socket_is_opened_used_and_closed(self) -> None:
        page, ready = await self.begin()
        await page.send(
            type="socket.open", id="a", run=ready["run"], path="/ws", subprotocols=["one", "two"]
        )
        opened = await page.until("socket.opened")
        self.assertEqual((opened["id"], opened["protocol"]), ("a", "one"))
        await page.send(type="socket.send", id="a", text="hello")
        self.assertEqual((await page.until("socket.message"))["text"], "hello")
        await page.send(type="socket.send", id="a", base64="/wA=")
        message = await page.until("socket.message")
        self.assertEqual((message["base64"], message["bytes"]), ("/wA=", 2))
        await page.send(type="socket.send", id="a", text="close")
        closed = await page.until("socket.closed")
        self.assertEqual((closed["code"], closed["reason"]), (4001, "as asked"))
        await page.send(type="socket.send", id="a", text="late")
        self.assertIn("not open", (await page.until("error"))["error"])

    @gen_test
    async def test_a_socket_that_is_refused_says_why(self) -> None:
        page, ready = await self.begin()
        headers = [["Origin", "http://evil.example"]]
        await page.send(type="socket.open", id="a", run=ready["run"], path="/ws", headers=headers)
        closed = await page.until("socket.closed")
        self.assertIn("403", closed["reason"])

    @gen_test
    async def test_a_page_has_few_sockets(self) -> None:
        page, ready = await self.begin()
        for number in range(5):
            await page.send(type="socket.open", id=str(number), run=ready["run"], path="/ws")
            await page.until("socket.opened")
        await page.send(type="socket.open", id="5", run=ready["run"], path="/ws")
        self.assertIn("Close another", (await page.until("error"))["error"])
