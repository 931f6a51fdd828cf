"""Signs of SQL, of headers and of log lines are only text."""

import json
import logging
import socket
from urllib.parse import urlencode

import tornado.httpclient
import tornado.iostream
import tornado.testing
import tornado.web

from tests.capstone.chat_case import ChatCase, Person
from tests.capstone.test_operator import LogCase


class FormTest(ChatCase):
    @tornado.testing.gen_test
    async def test_quotes_in_what_is_typed_are_only_text_to_the_database(self) -> None:
        await self.person("anna")
        for text in (
            "anna' OR '1'='1",
            "anna'; DROP TABLE users; --",
            'anna" OR ""="',
            "anna%",
            "_nna",
        ):
            with self.subTest(text=text):
                self.assertEqual((await Person(self, text).login()).code, 400)
        self.assertEqual((await Person(self, "anna").login()).code, 303)


class LineTest(LogCase):
    @tornado.testing.gen_test
    async def test_no_visitor_can_forge_a_line(self) -> None:
        forged = '{"level": "error", "message": "forged"}'
        with self.logged() as text:
            for path in (
                f"/x%0d%0a{forged}".replace(" ", "%20").replace('"', "%22"),
                "/x%e2%80%a8forged",
                "/login?next=%0d%0aforged",
            ):
                await Person(self, "x").fetch(path)
            stream = tornado.iostream.IOStream(socket.socket())
            await stream.connect(("127.0.0.1", self.get_http_port()))
            # No client library sends this: line ends of other alphabets, raw in the address.
            await stream.write(b"GET /\x85{forged}\xe2\x80\xa8\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.read_until(b"\r\n\r\n")
            stream.close()
            logging.getLogger("any").warning("two\nlines \u2028 and %s", "\r\nforged")
        for line in text.getvalue().split("\n")[:-1]:
            self.assertTrue(line.isascii() and line.isprintable(), line)
            json.loads(line)
        self.assertEqual(len(text.getvalue().splitlines()), text.getvalue().count("\n"))
        self.assertNotIn("forged", {line["message"] for line in self.parsed(text)})


class HeaderTest(ChatCase):
    @tornado.testing.gen_test
    async def test_line_ends_make_no_header_and_no_cookie(self) -> None:
        line_end = "\r\nSet-Cookie: forged=1\r\nX-Forged: 1"
        anna = Person(self, "anna")
        answers = [
            await anna.register(nickname=f"Anna{line_end}"),
            await anna.register(name=f"anna{line_end}"),
            await anna.register(next=f"/{line_end}"),
            await anna.fetch(f"/login?{urlencode({'next': '/' + line_end})}"),
            await Person(self, "x").fetch(f"/?{urlencode({'x': line_end})}"),
            await anna.fetch("/static/%0d%0aX-Forged:1"),
            await anna.fetch("/pictures/%0d%0aX-Forged:1.webp"),
        ]
        conv = await anna.group()
        patch = {"title": f"Garden{line_end}"}
        self.assertEqual((await anna.call("PATCH", f"/api/groups/{conv}", patch))[0], 400)
        for answer in answers:
            self.assertNotIn("X-Forged", answer.headers)
            self.assertNotIn("forged", str(answer.headers.get_list("Set-Cookie")))
        self.assertNotIn("forged", anna.cookies)


class SqlTest(ChatCase):
    """Every place of the API that takes text, with text that means something to SQL."""

    options = {"request_burst": 1000, "send_burst": 1000}  # noqa: RUF012
    TEXTS = (
        "' OR '1'='1",
        "'; DROP TABLE users; --",
        '" OR ""="',
        "x\\' UNION SELECT password FROM users --",
        "%' OR 1=1 --",
        "${1+1} {{1+1}} :id ?",
    )

    @tornado.testing.gen_test
    async def test_it_is_only_text(self) -> None:
        anna, bob = await self.person("anna"), await self.person("bob")
        conv = await anna.group()
        await bob.join(conv)
        line = await anna.connect()
        for text in self.TEXTS:
            with self.subTest(text=text):
                for path in (
                    f"/api/conversations/{conv}/search?{urlencode({'query': text})}",
                    f"/api/groups?{urlencode({'query': text})}",
                ):
                    _, answer = await bob.call("GET", path)
                    self.assertFalse(answer.get("events") or answer.get("groups"))
                name = f"/api/names?{urlencode({'name': text})}"
                self.assertFalse((await bob.call("GET", name))[1]["available"])
                body = {"name": text}
                self.assertEqual((await anna.call("POST", "/api/contacts", body))[0], 404)
                code, _ = await anna.call("POST", f"/api/groups/{conv}/members", body)
                self.assertEqual(code, 403)
                values = {"title": text, "description": text}
                _, answer = await anna.call("PATCH", f"/api/groups/{conv}", values)
                self.assertEqual(answer["conversation"]["title"], text)
                _, answer = await bob.call("PATCH", "/api/me", {"nickname": text[:40]})
                self.assertEqual(answer["user"]["nickname"], text[:40].strip())
                await line.send(conv, text)
                self.assertEqual((await line.receive("message"))["text"], text)
                for where in f"/api/conversations/{conv}/events?after={text}", "/api/private/1'":
                    code = (await anna.fetch(where.replace(" ", "%20").replace("'", "%27"))).code
                    self.assertIn(code, (400, 404))
        _, members = await bob.call("GET", f"/api/conversations/{conv}/members")
        self.assertEqual(len(members["members"]), 2)
