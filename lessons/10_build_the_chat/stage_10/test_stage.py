"""The tests of stage 10: limits, hostile input, forged requests, the proxy."""

import socket
import struct
from unittest import mock

import tornado.web
from tornado.httpclient import HTTPClientError

from course.testing.chat_stage import LOBBY, PASSWORD, Person, StageCase

BIG = 10**30
HALF = "half a pair: \ud83c"


class ForgedRequestTest(StageCase):
    def test_a_form_of_another_site_is_refused(self) -> None:
        ada = self.person("Ada")
        del ada.cookies["_xsrf"]  # what a page of another site cannot read
        for path in ("/logout", "/login", "/register"):
            response = ada.request("POST", path, form={"name": ada.name, "password": PASSWORD})
            self.assertEqual(response.code, 403, path)
        self.assertIn("Ada", ada.page())

    def test_a_call_of_another_site_is_refused(self) -> None:
        ada = self.person("Ada")
        del ada.cookies["_xsrf"]
        for method, path in (
            ("POST", "/api/groups"),
            ("POST", f"/api/groups/{LOBBY}/join"),
            ("POST", "/api/contacts"),
            ("POST", "/api/private/1"),
            ("PUT", "/api/me/picture"),
        ):
            response = ada.try_call(method, path, {"title": "Garden", "name": "ada"})
            self.assertEqual(response.code, 403, path)

    def test_a_socket_of_another_site_is_refused(self) -> None:
        ada = self.person("Ada")
        ada.connect({"Origin": self.get_url("")}).expect("hello")
        with self.assertRaises(HTTPClientError) as refused:
            ada.connect({"Origin": "https://evil.example"})
        self.assertEqual(refused.exception.code, 403)
        self.assertIn("Content-Security-Policy", ada.request("GET", "/").headers)

    def test_pages_forbid_what_they_do_not_need(self) -> None:
        for path in ("/login", "/register", "/api/state"):
            headers = self.fetch(path).headers
            policy = headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")


class HostileInputTest(StageCase):
    def test_hostile_frames_are_answered_with_an_error(self) -> None:
        ada = self.connect("Ada")
        cid = "0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b11"
        for frame, code in (
            ({"type": "send", "cid": cid, "conv": BIG, "text": "hello"}, "not_found"),
            ({"type": "send", "cid": cid, "conv": -1, "text": "hello"}, "not_found"),
            ({"type": "send", "cid": cid, "conv": LOBBY, "text": HALF}, "text_invalid"),
            ({"type": "send", "cid": cid, "conv": LOBBY, "text": "\u200b\u2060"}, "text_empty"),
            ({"type": "typing", "conv": BIG}, "not_found"),
            ({"type": "read", "conv": BIG, "seq": 1}, "not_found"),
        ):
            ada.write(frame)
            ada.expect("error", code=code)
        ada.write({"type": "read", "conv": LOBBY, "seq": BIG})
        ada.expect("read", seq=0)

    def test_hostile_calls_are_answered_with_an_error(self) -> None:
        ada = self.person("Ada")
        events = f"/api/conversations/{LOBBY}/events"
        for query in ("after=x", f"after={BIG}", "after=-1", "before=%F0%9F%8D%85"):
            self.assertEqual(ada.try_call("GET", f"{events}?{query}").code, 400, query)
        for body in ({"name": HALF}, {"name": 7}, {}, [], None):
            self.assertEqual(ada.try_call("POST", "/api/contacts", body or {}).code, 400, body)
        large = ada.try_call("POST", "/api/contacts", {"name": "a" * 20_000})
        self.assertEqual(large.code, 413)

    def test_five_bad_frames_in_a_row_close_the_connection(self) -> None:
        ada = self.connect("Ada")
        for _ in range(4):
            ada.write("no JSON")
            ada.expect("error", code="bad_frame")
        ada.settle()  # a good one
        for _ in range(5):
            ada.write("no JSON")
        ada.expect_close(3501)

    def test_a_large_frame_closes_the_connection(self) -> None:
        ada = self.connect("Ada")
        ada.write("a" * (64 * 1024 + 1))
        ada.read_to_end()
        # The server closes while a part of the frame is unread. TCP may then drop the close frame.
        self.assertIn(ada.connection.close_code, (1009, None))


class LimitTest(StageCase):
    def test_messages_have_a_limit(self) -> None:
        ada, bob = self.connect("Ada"), self.connect("Bob")
        for number in range(380):  # some more are allowed with each second
            ada.send(f"number {number}")
        ada.expect("error", code="rate_limited")
        bob.expect("ack", cid=bob.send("not I"))

    def test_too_many_frames_close_the_connection(self) -> None:
        ada = self.connect("Ada")
        for _ in range(800):
            ada.connection.write_message('{"type": "ping"}')
        ada.expect_close(3009)

    def test_a_user_has_twenty_connections(self) -> None:
        ada = self.person("Ada")
        for _ in range(20):
            ada.connect().expect("hello")
        ada.connect().expect_close(3502)

    def test_wrong_passwords_have_a_limit(self) -> None:
        ada, bob = self.person("Ada"), self.person("Bob")
        for _ in range(10):
            self.assertEqual(ada.login(password=PASSWORD.upper()).code, 400)
        self.assertEqual(ada.login().code, 429)  # even with the right one
        self.assertEqual(bob.login().code, 303)

    def test_checks_of_names_have_a_limit(self) -> None:
        codes = {self.fetch(f"/api/names?name=name{number}").code for number in range(60)}
        self.assertEqual(codes, {200, 429})

    def test_registrations_have_a_limit(self) -> None:
        codes = [Person(self, "Ada").register(confirmation="x").code for _ in range(21)]
        self.assertEqual(codes, [400] * 20 + [429])

    def test_forms_have_a_limit(self) -> None:
        with mock.patch.object(self.modules["captchas"], "draw_captcha", return_value=""):
            codes = {self.fetch("/login").code for _ in range(160)}
        self.assertEqual(codes, {200, 429})

    def test_an_unknown_name_costs_as_much_as_a_wrong_password(self) -> None:
        hasher = mock.Mock(wraps=self.modules["accounts"].HASHER)
        with mock.patch.object(self.modules["accounts"], "HASHER", hasher):
            Person(self, "Eve").login(name="nobody")
        self.assertEqual(hasher.verify.call_count, 1)

    def test_who_does_not_read_is_disconnected_and_nobody_waits(self) -> None:
        ada, bob = self.connect("Ada"), self.person("Bob")
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # bytes
            slow.connect(("127.0.0.1", self.get_http_port()))
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            lines = (
                "GET /ws HTTP/1.1",
                "Host: 127.0.0.1",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                f"Cookie: {bob.cookie_header}",
            )
            slow.sendall("\r\n".join([*lines, "", ""]).encode())
            user = ada.expect("presence", online=True)["user"]
            for _ in range(190):
                ada.send("你" * 4000)  # 24 KB in JSON
            ada.expect("presence", user=user, online=False)
        ada.expect("ack", cid=ada.send("still here"))


class ProxyTest(StageCase):
    def get_app(self) -> tornado.web.Application:
        super().get_app()
        app: tornado.web.Application = self.modules["app"].make_app(self.file, behind_tls=True)
        return app

    def get_httpserver_options(self) -> dict[str, object]:
        return super().get_httpserver_options() | {"xheaders": True}

    def test_cookies_are_sent_over_tls_only(self) -> None:
        headers = {"X-Scheme": "https", "X-Real-IP": "203.0.113.7"}
        ada = Person(self, "Ada")
        form = ada.request("GET", "/register", headers=headers)
        self.assertIn("secure", form.headers["Set-Cookie"].lower())
        response = ada.register()
        self.assertIn("secure", response.headers["Set-Cookie"].lower())

    def test_limits_count_for_the_address_of_the_visitor(self) -> None:
        def code(address: str) -> int:
            return self.fetch("/api/names?name=ada", headers={"X-Real-IP": address}).code

        for _ in range(60):
            last = code("203.0.113.7")
        self.assertEqual(last, 429)
        self.assertEqual(code("203.0.113.8"), 200)
