"""Requests go to the known servers only, with the right headers; answers come back as they are."""

import json

import tornado.httpserver
import tornado.httputil
import tornado.web
from tornado.testing import bind_unused_port

from course.testing.http import ExerciseCase, Mismatch, Response

NAME = 'settings["upstreams"][name] is the server. Look the name up; answer 404 if it is not there.'
HOST = "Never make a host from the request: the proxy would fetch any address inside your network."
REST = 'self.request.uri.removeprefix(f"/{name}") is the rest, with the query and as it was sent.'
STATUS = (
    "The status is that of the server behind: raise_error=False, self.set_status(answer.code).\n"
    "By default fetch() raises HTTPClientError for 404, which makes a 500 here."
)
TYPE = 'self.set_header("Content-Type", answer.headers["Content-Type"])'
EMPTY = (
    "An answer with 204 has no Content-Type: set the header only if the answer has it, and write\n"
    "the body only if it is not empty"
)
FOLLOW = "fetch(..., follow_redirects=False): a redirect is for the client, and may name any host."
AWAY = "A server that is not there raises OSError from fetch(): raise tornado.web.HTTPError(502)."
HUNG_UP = (
    "A server that closes the connection without an answer raises HTTPClientError from fetch(),\n"
    "also with raise_error=False: except (HTTPClientError, OSError), and HTTPError(502)"
)
PASSED = (
    "Pass on self.request.headers, without those of one connection: fetch(url, headers=headers)"
)
HOP = "Connection, Keep-Alive, TE and Upgrade belong to one connection: leave them out."
NAMED = (
    'Connection names further headers of this connection: split it at "," and leave them out too.'
)
REAL = 'headers["X-Real-IP"] = self.request.remote_ip replaces what the client has sent.'


class ServerHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.settings["asked"].append(self.request)
        path = self.request.path
        if path == "/away":
            self.redirect(f"http://{self.request.host}/elsewhere")
        elif path == "/hang_up":
            self.detach().close()
        elif path.startswith("/status/"):
            status = int(path.rpartition("/")[2])
            self.set_status(status)
            if status != 204:  # which has neither a body nor a Content-Type
                self.write("as it is")
        elif path == "/headers":
            self.write(dict(self.request.headers.get_all()))
        else:
            self.set_header("Content-Type", "text/csv; charset=UTF-8")
            self.write(f"{self.settings['name']},{self.request.uri}")


class SmallProxy(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tornado.httputil.HTTPServerRequest] = []
        self.servers = []
        upstreams = {}
        for name in ("shop", "blog"):
            app = tornado.web.Application([(".*", ServerHandler)], asked=self.asked, name=name)
            server = tornado.httpserver.HTTPServer(app)
            listener, port = bind_unused_port()
            server.add_socket(listener)
            self.servers.append(server)
            upstreams[name] = f"http://127.0.0.1:{port}"
        listener, port = bind_unused_port()
        listener.close()
        self._app.settings["upstreams"] = {**upstreams, "gone": f"http://127.0.0.1:{port}"}
        self.outside = upstreams["shop"].removeprefix("http://")

    def tearDown(self) -> None:
        for server in self.servers:
            server.stop()
            self.io_loop.run_sync(server.close_all_connections)
        super().tearDown()

    def test_each_name_has_its_server(self) -> None:
        for name in ("shop", "blog"):
            answer = self.send("GET", f"/{name}/a").expect(status=200, advice=NAME)
            answer.expect(body=f"{name},/a", advice=NAME)
        answer.expect(content_type="text/csv", advice=TYPE)

    def test_the_rest_of_the_address_is_passed_on_as_it_came(self) -> None:
        for rest in ("/a?b=1&c=2", "/a%2Fb"):
            answer = self.send("GET", f"/shop{rest}").expect(status=200, advice=REST)
            answer.expect(body=f"shop,{rest}", advice=REST)

    def test_other_servers_are_not_asked(self) -> None:
        self.send("GET", "/other/a").expect(status=404, advice=NAME)
        # 127.0.0.1:PORT of the shop, which is not a name
        for path in (f"/{self.outside}/a", "/127/a", "/localhost/a"):
            answer = self.send("GET", path).expect(status=404, advice=HOST)
        self.expect(len(self.asked), 0, sent=f"{answer.sent}\nwhich were asked?", advice=HOST)

    def test_answers_come_back_with_their_status(self) -> None:
        for status in (201, 404, 503):
            answer = self.send("GET", f"/shop/status/{status}").expect(status=status, advice=STATUS)
            answer.expect(body="as it is", advice=STATUS)
        answer = self.send("GET", "/shop/away").expect(status=302, advice=FOLLOW)
        self.expect(
            answer.headers.get("Location"),
            f"http://{self.asked[-1].host}/elsewhere",
            sent=f"{answer.sent}\nLocation",
            advice=FOLLOW,
        )
        self.send("GET", "/shop/status/204").expect(status=204, body="", advice=EMPTY)

    def test_a_server_that_is_not_there_is_502(self) -> None:
        self.send("GET", "/gone/a").expect(status=502, advice=AWAY)

    def test_a_server_that_closes_the_connection_is_502(self) -> None:
        self.send("GET", "/shop/hang_up").expect(status=502, advice=HUNG_UP)

    def headers(self, **sent: str) -> tuple[Response, dict[str, str]]:
        headers = {name.replace("_", "-"): value for name, value in sent.items()}
        answer = self.send("GET", "/shop/headers", headers=headers)
        answer.expect(status=200, advice=PASSED)
        received: dict[str, str] = {k.lower(): v for k, v in json.loads(answer.text).items()}
        return answer, received

    def test_headers_are_passed_on_except_those_of_one_connection(self) -> None:
        answer, received = self.headers(
            Cookie="a=1",
            X_Mine="2",
            Keep_Alive="timeout=5",
            TE="trailers",
            Upgrade="websocket",
            Connection="close, X-Hop",
            X_Hop="3",
        )
        for name, value in (("cookie", "a=1"), ("x-mine", "2")):
            sent = f"{answer.sent}\n{name} at the server behind"
            self.expect(received.get(name), value, sent=sent, advice=PASSED)
        for name in ("keep-alive", "te", "upgrade", "x-hop"):
            if name in received:
                raise Mismatch(
                    sent=f"{answer.sent}\n{name} at the server behind",
                    received=received[name],
                    expected="no such header",
                    advice=NAMED if name == "x-hop" else HOP,
                )

    def test_the_address_of_the_client_is_told(self) -> None:
        for headers in ({}, {"X_Real_IP": "6.6.6.6"}):
            answer, received = self.headers(**headers)
            sent = f"{answer.sent}\nx-real-ip at the server behind"
            self.expect(received.get("x-real-ip"), "127.0.0.1", sent=sent, advice=REAL)
