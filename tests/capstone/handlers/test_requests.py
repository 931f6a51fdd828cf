"""What every request has to keep to, and what every answer carries."""

import gc
import json
from typing import Any

import tornado.tcpclient
import tornado.testing

from capstone_chat.handlers.base import MAX_BODY_BYTES
from capstone_chat.handlers.conversations import EventsHandler
from tests.capstone.chat_case import ChatCase, Person


class JsonTest(ChatCase):
    @tornado.testing.gen_test
    async def test_a_body_that_is_no_json_object_says_so(self) -> None:
        anna = await self.person("anna")
        wrong = b"", b"{", b"[]", b"7", b"null", b'"x"', b"[" * 10_000, b"\xff\xfe{", b"9" * 9999
        for body in wrong:
            with self.subTest(body=body[:20]):
                response = await anna.send_json("POST", "/api/groups", body)
                self.assertEqual(response.code, 400)
                self.assertEqual(json.loads(response.body)["error"]["code"], "bad_json")

    @tornado.testing.gen_test
    async def test_without_a_session_every_call_says_that_it_has_ended(self) -> None:
        anna = Person(self, "anna")
        token = (await anna.hidden_fields("/login"))["_xsrf"]
        headers = {"X-XSRFToken": token, "Content-Type": "application/json"}
        for path in (
            "/api/state",
            "/api/groups",
            "/api/conversations/1/events",
            "/api/conversations/1/members",
        ):
            response = await anna.fetch(path)
            self.assertEqual(response.code, 401)
            self.assertEqual(json.loads(response.body)["error"]["code"], "session_ended")
        for path in "/api/groups", "/api/groups/1/join":
            response = await anna.fetch(path, method="POST", body="{}", headers=headers)
            self.assertEqual(response.code, 401)
            self.assertEqual(json.loads(response.body)["error"]["code"], "session_ended")

    @tornado.testing.gen_test
    async def test_errors_of_calls_are_json_whatever_their_cause(self) -> None:
        anna = await self.person("anna")
        headers = {"X-XSRFToken": await anna.token(), "Content-Type": "application/json"}
        cases: list[tuple[dict[str, Any], str, int, str]] = [
            ({}, "/api/conversations/99/events", 404, "not_found"),
            ({}, "/api/conversations/1/events?before=x", 400, "bad_field"),
            ({}, "/api/groups?query=%ff", 400, "bad_request"),
            ({"method": "DELETE"}, "/api/state", 403, "forbidden"),
            ({"method": "DELETE", "headers": headers}, "/api/state", 405, "method_not_allowed"),
            ({"method": "POST", "body": "{}"}, "/api/groups", 403, "forbidden"),
        ]
        for how, path, status, code in cases:
            with self.subTest(path=path, **how):
                response = await anna.fetch(path, **how)
                self.assertEqual(response.code, status)
                self.assertEqual(
                    response.headers["Content-Type"], "application/json; charset=UTF-8"
                )
                error = json.loads(response.body)["error"]
                self.assertEqual(error["code"], code)
                self.assertTrue(error["message"])

    @tornado.testing.gen_test
    async def test_errors_of_the_calls_of_a_form_are_json_too(self) -> None:
        anna = Person(self, "anna")
        headers = {"X-XSRFToken": (await anna.hidden_fields("/login"))["_xsrf"]}
        self.chat.request_limiter.rate, self.chat.request_limiter.burst = 0.001, 2
        self.chat.request_limiter._buckets.clear()
        cases: list[tuple[str, dict[str, Any], int, str]] = [
            ("/api/names?name=%ff", {}, 400, "bad_request"),
            ("/captcha/profile", {"method": "POST", "body": "", "headers": headers}, 404, ""),
            ("/captcha/login", {"method": "POST", "body": ""}, 403, "forbidden"),
            ("/captcha/login", {"method": "POST", "body": "", "headers": headers}, 429, ""),
            ("/api/names?name=anna", {}, 429, "rate_limited"),
        ]
        for path, how, status, code in cases:
            with self.subTest(path=path, status=status):
                response = await anna.fetch(path, **how)
                self.assertEqual(response.code, status)
                error = json.loads(response.body)["error"]
                self.assertIn(code, error["code"])
                self.assertTrue(error["message"])

    @tornado.testing.gen_test
    async def test_too_many_calls_are_refused_with_when_to_come_back(self) -> None:
        anna = await self.person("anna")
        self.chat.request_limiter.rate, self.chat.request_limiter.burst = 0.001, 1
        self.chat.request_limiter._buckets.clear()
        await anna.group()
        for method, path in ("POST", "/api/groups"), ("DELETE", "/api/contacts/2"):
            code, answer = await anna.call(method, path, {"title": "Second"})
            self.assertEqual((code, answer["error"]["code"]), (429, "rate_limited"))
        self.chat.read_limiter.burst = 0
        response = await anna.fetch("/api/contacts", method="HEAD")
        self.assertEqual((response.code, response.headers["Retry-After"]), (429, "5"))


class ErrorPageTest(ChatCase):
    @tornado.testing.gen_test
    async def test_an_unknown_address_is_a_page_that_leads_back(self) -> None:
        anna = await self.person("anna")
        for path in (
            "/nowhere",
            "/login/",
            "/static",
            "/api/conversations/x/events",
            "/%00",
            "/\u00e9",
        ):
            with self.subTest(path=path):
                response = await anna.fetch(path)
                self.assertEqual(response.code, 404)
                self.assertIn("Not Found", response.body.decode())
                self.assertIn('href="/"', response.body.decode())

    @tornado.testing.gen_test
    async def test_the_same_error_twenty_times_takes_no_memory(self) -> None:
        # An exception object that is raised again keeps the frames of every time before.
        anna = await self.person("anna")
        for _ in range(20):
            await anna.fetch("/api/conversations/99/events")
        gc.collect()
        kept = [one for one in gc.get_objects() if isinstance(one, EventsHandler)]
        self.assertLess(len(kept), 3)

    @tornado.testing.gen_test
    async def test_every_error_code_has_a_page(self) -> None:
        anna = await self.person("anna")
        for response in (
            await anna.fetch("/logout"),
            await anna.submit("/logout", {}),
            await anna.fetch("/login?next=%ff"),
        ):
            self.assertIn(response.code, (400, 403, 405, 302))
            if response.code != 302:
                self.assertIn("text/html", response.headers["Content-Type"])
                self.assertIn(str(response.code), response.body.decode())

    @tornado.testing.gen_test
    async def test_bytes_that_are_no_text_in_a_form_are_a_bad_request(self) -> None:
        anna = Person(self, "anna")
        token = (await anna.hidden_fields("/login"))["_xsrf"]
        response = await anna.fetch("/login", method="POST", body=f"_xsrf={token}&name=%ff")
        self.assertEqual(response.code, 400)
        self.assertIn("Bad Request", response.body.decode())


class BodyLimitTest(ChatCase):
    @tornado.testing.gen_test
    async def test_a_body_over_the_limit_is_refused_before_it_is_read(self) -> None:
        anna = await self.person("anna")
        headers = {"X-XSRFToken": await anna.token(), "Content-Type": "application/json"}
        stream = await tornado.tcpclient.TCPClient().connect("127.0.0.1", self.get_http_port())
        head = f"POST /api/groups HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n"
        head += f"Cookie: {anna.cookie}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await stream.write(head.encode() + b"\r\n" + b"x" * 1000)
        answer = await stream.read_until_close()
        self.assertRegex(answer, rb"\AHTTP/1\.1 4(00|13) ")
        self.assertEqual((await anna.call("GET", "/api/state"))[0], 200)
