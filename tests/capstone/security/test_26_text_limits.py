"""Rule 26: the length of every text is limited before anything else reads it.

`unicodedata.normalize` takes quadratic time on a run of combining marks and holds the interpreter,
so one text of 120 kB could stop the whole process for seconds. The tests below walk through all
routes and find the fields of each by watching which ones its handler reads: a new route or field
cannot be forgotten.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple
from unittest import mock
from urllib.parse import urlencode

import tornado.httpclient
import tornado.testing

from capstone_chat.accounts.password_resets import LIFETIME_MS, make_token
from capstone_chat.app import ROUTES
from capstone_chat.handlers import base
from capstone_chat.handlers.base import MAX_JSON_BYTES, MAX_TEXT_BYTES, BaseHandler
from capstone_chat.handlers.profile import MyPictureHandler
from capstone_chat.handlers.websocket import ChatSocketHandler
from capstone_chat.options import load_or_create_secret
from capstone_chat.storage.database import now_ms
from tests.capstone.chat_case import HASH, PASSWORD, ChatCase, Person
from tests.capstone.socket_case import SocketCase
from tests.capstone.unicode_data import Form

MARKS = "a" + "\u0301\u0316" * (MAX_TEXT_BYTES // 4 + 200)
"""A letter with more combining marks, of two classes in turn, than a text may have."""

VALID: dict[str, Any] = {
    "after": "0",
    "before": "5",
    "blocked": False,
    "captcha": "",  # answered from the database
    "captcha_id": "",
    "confirmation": PASSWORD,
    "days": 7,
    "description": "Who waters what",
    "language": "ru",
    "limit": "10",
    "name": "newcomer",
    "new": "another good password",
    "next": "/",
    "nickname": "New",
    "old": PASSWORD,
    "password": PASSWORD,
    "public": True,
    "query": "gar",
    "reason": "ended",
    "theme": "dark",
    "title": "Garden",
    "user": 0,  # a member of the group
    "_xsrf": "",
    "token": "x",  # for a form, that of a link for a new password
}
"""A value that a handler accepts, for each field of any route. A handler that reads a field that is
not here fails the test: give the new field a value."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Field(NamedTuple):
    """A field that a handler reads: from the query, a form, or a JSON object."""

    method: str
    path: str
    kind: str
    name: str


class WatchedObject(dict[str, Any]):
    """A JSON object that notes which of its fields are looked for."""

    def __init__(self, values: dict[str, Any], looked_for: set[tuple[str, str]]) -> None:
        super().__init__(values)
        self._looked_for = looked_for

    def get(self, name: str, default: Any = None) -> Any:
        self._looked_for.add(("json", name))
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self._looked_for.add(("json", str(name)))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> Any:
        self._looked_for.add(("json", name))
        return super().__getitem__(name)


@contextmanager
def watched_fields() -> Iterator[set[tuple[str, str]]]:
    """Yield the fields, as (kind, name), that handlers look for inside the block."""
    looked_for: set[tuple[str, str]] = set()
    sources = {"get_query_argument": "query", "get_body_argument": "form", "get_argument": "form"}
    patches = []
    for function, kind in sources.items():
        real = getattr(BaseHandler, function)

        def watch(
            self: BaseHandler, name: str, *more: Any, real: Any = real, kind: str = kind, **kw: Any
        ) -> Any:
            looked_for.add((kind, name))
            return real(self, name, *more, **kw)

        patches.append(mock.patch.object(BaseHandler, function, watch))

    def loads(body: bytes) -> WatchedObject:
        return WatchedObject(json.loads(body), looked_for)

    patches.append(mock.patch.object(base, "json", mock.Mock(wraps=json, loads=loads)))
    for patch in patches:
        patch.start()
    try:
        yield looked_for
    finally:
        for patch in patches:
            patch.stop()


@contextmanager
def normalized_lengths() -> Iterator[list[int]]:
    """Yield the lengths of all texts that are normalized inside the block."""
    lengths: list[int] = []
    real = unicodedata.normalize

    def normalize(form: Form, text: str) -> str:
        lengths.append(len(text))
        return real(form, text)

    with mock.patch("unicodedata.normalize", normalize):
        yield lengths


class World(NamedTuple):
    """A user, and another one in a group of the user's."""

    user: Person
    token: str
    other: Person
    group: int


class RouteCase(ChatCase):
    """Sends requests to every route."""

    options = {"request_burst": 100_000}  # noqa: RUF012
    known_fields: ClassVar[list[Field]] = []

    def setUp(self) -> None:
        super().setUp()
        self.number = 0
        self.world: World | None = None
        self.looked_for: set[tuple[str, str]] = set()

    async def make_world(self) -> World:
        self.number += 1
        user = await self.person(f"user{self.number}")
        other = await self.person(f"other{self.number}")
        group = await user.group()
        await other.join(group)
        line = await user.connect()
        await line.send(group, "hello")
        await line.receive("ack")
        line.socket.close()
        return World(user, await user.token(), other, group)

    def routes(self) -> list[tuple[str, str]]:
        """Every method of every route that reads fields, as (method, pattern)."""
        found = []
        for route in ROUTES:
            if issubclass(route.target, ChatSocketHandler | MyPictureHandler):
                continue  # frames have a test of their own; a picture is no text
            known = {
                name.upper()
                for parent in route.target.__mro__
                if parent.__module__.startswith("capstone_chat")
                for name in vars(parent)
            }
            found += [(method, route.regex.pattern) for method in METHODS if method in known]
        return found

    async def send(
        self, method: str, pattern: str, kind: str = "", name: str = "", value: Any = None
    ) -> tornado.httpclient.HTTPResponse:
        """Send a request whose fields are all valid, but for one if it is named."""
        form = pattern.strip("/$")
        if form in ("login", "register", "reset"):
            return await self.send_form(method, form, kind, name, value)
        self.world = self.world or await self.make_world()
        user, token, other, group = self.world
        values = {**VALID, "user": other.id, "name": other.name}
        query = dict(values) if method == "GET" else {}
        body: dict[str, Any] = dict(values)
        for target, target_kind in (query, "query"), (body, "json"):
            if kind == target_kind:
                target[name] = value
        path = self.path(pattern, group, other.id)
        more: dict[str, Any] = {}
        if method != "GET":
            text = json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")
            more = {"body": text, "allow_nonstandard_methods": True}
        if query:
            path += "?" + urlencode({k: v for k, v in query.items() if isinstance(v, str | bytes)})
        headers = {"X-XSRFToken": token, "Content-Type": "application/json"}
        self.looked_for.clear()
        response = await user.fetch(path, method=method, headers=headers, **more)
        if method != "GET" and response.code < 400:
            self.world = None  # it has changed
        return response

    async def send_form(
        self, method: str, form: str, kind: str, name: str, value: Any
    ) -> tornado.httpclient.HTTPResponse:
        self.number += 1
        visitor = Person(self, f"visitor{self.number}")
        address = await self.reset_link() if form == "reset" else f"/{form}"
        fields = await visitor.hidden_fields(address)
        self.looked_for.clear()
        if method == "GET" and kind == "query":
            return await visitor.fetch(f"/{form}?" + urlencode({name: value}))
        if method == "GET":  # a body that no browser sends, but a stranger may
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            sent = urlencode({name: value}) if kind == "form" else ""
            return await visitor.fetch(
                f"/{form}", headers=headers, body=sent, allow_nonstandard_methods=True
            )
        if form != "reset":
            fields["captcha"] = self.answer(fields["captcha_id"])
        fields |= {"name": visitor.name, "password": PASSWORD, "confirmation": PASSWORD}
        if kind == "form":
            fields[name] = value
        return await visitor.submit(f"/{form}", fields)

    async def reset_link(self) -> str:
        """Return the path and query of a link for a new password, of a new user."""
        person = await self.person(f"forgetful{self.number}")
        secret = load_or_create_secret(self.data)
        return f"/reset?token={make_token(secret, person.id, HASH, now_ms() + LIFETIME_MS)}"

    def path(self, pattern: str, conv: int, other: int) -> str:
        """Return a path that exists, for a route."""
        ids = iter([str(conv if "conversations" in pattern or "groups" in pattern else other)])
        path = pattern.rstrip("$").replace(r"\.", ".")
        path = re.sub(r"\(\[0-9a-f\]\{32\}\)", "0" * 32, path).replace("(png|wav)", "png")
        path = path.replace("([a-z]+)", "login")
        path = re.sub(r"\(\\d\{1,15\}\)", lambda _: next(ids, str(other)), path)
        assert "(" not in path, f"{pattern}: say here how to make a path of it"
        return path

    async def fields(self) -> list[Field]:
        """Return every field of every route."""
        found = self.known_fields
        if found:
            return found
        for method, pattern in self.routes():
            with watched_fields() as self.looked_for:
                await self.send(method, pattern)
            looked_for, self.looked_for = self.looked_for, set()
            wanted = {(kind, name) for kind, name in looked_for if name != "_xsrf"}
            unknown = {name for _, name in wanted} - VALID.keys()
            self.assertEqual(unknown, set(), f"{method} {pattern}: give them a value in VALID")
            found += [Field(method, pattern, kind, name) for kind, name in sorted(wanted)]
        return found


class RouteTest(RouteCase):
    @tornado.testing.gen_test(timeout=240)
    async def test_no_field_of_any_route_is_normalized_before_its_length_is_checked(self) -> None:
        fields = await self.fields()
        self.assertGreater(len(fields), 30)
        for field in fields:
            with self.subTest(field=field), normalized_lengths() as lengths:
                response = await self.send(*field, MARKS)
                self.assertLessEqual(max(lengths, default=0), MAX_TEXT_BYTES)
                self.assertEqual(response.code, 400, response.body)

    @tornado.testing.gen_test(timeout=240)
    async def test_no_value_of_any_field_is_a_mistake_of_the_server(self) -> None:
        as_text = ("", "\0", "\x01", "-1", "9" * 400, "\u0661", "1e5", b"\xff", "\U0010ffff", "0")
        as_json: tuple[object, ...] = (
            *("", "\0", "\x01", "\ud800", "\U0010ffff", 2**64, 2**53, -1, 1.5, None),
            *([], {}, True, float("inf"), float("nan"), 0),
        )
        with self.assertNoLogs("capstone_chat", "ERROR"), self.assertNoLogs("tornado", "ERROR"):
            for field in await self.fields():
                for value in as_json if field.kind == "json" else as_text:
                    with self.subTest(field=field, value=value):
                        response = await self.send(*field, value)
                        self.assertLess(response.code, 500, response.body)

    @tornado.testing.gen_test(timeout=240)
    async def test_control_characters_are_refused_in_forms_queries_and_json_alike(self) -> None:
        for field in await self.fields():
            if field.name in ("public", "blocked", "user", "days"):  # not texts
                continue
            for character in "\0", "\x01", "\x1b", "\x7f", "\x9f":
                with self.subTest(field=field, character=character):
                    response = await self.send(*field, f"some{character}thing")
                    self.assertEqual(response.code, 400, response.body)


class BodyTest(ChatCase):
    @tornado.testing.gen_test
    async def test_a_json_body_has_a_limit(self) -> None:
        anna = await self.person("anna")
        body = {"title": "Garden", "more": "x" * MAX_JSON_BYTES}
        code, answer = await anna.call("POST", "/api/groups", body)
        self.assertEqual((code, answer["error"]["code"]), (413, "too_large"))

    @tornado.testing.gen_test
    async def test_a_text_that_is_too_long_is_named(self) -> None:
        anna = await self.person("anna")
        for text in "x" * (MAX_TEXT_BYTES + 1), "\u0431" * (MAX_TEXT_BYTES // 2 + 1):
            code, answer = await anna.call("POST", "/api/groups", {"title": text})
            self.assertEqual(code, 400)
            self.assertEqual(answer["error"]["code"], "too_long")
            self.assertEqual(answer["error"]["field"], "title")


class FrameTest(SocketCase):
    @tornado.testing.gen_test
    async def test_no_text_of_a_frame_is_normalized_before_its_length_is_checked(self) -> None:
        line = await self.anna.connect()
        long = "a" + "\u0301\u0316" * 8000
        cid = "0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b11"
        frames: list[dict[str, Any]] = [
            {"type": "send", "cid": cid, "conv": self.conv, "text": long},
            {"type": "send", "cid": long, "conv": self.conv, "text": "x"},
            {"type": "send", "cid": cid, "conv": long, "text": "x"},
            {"type": "send", "cid": cid, "conv": self.conv, "text": "x", "reply": long},
            {"type": "edit", "cid": cid, "conv": self.conv, "seq": 3, "text": long},
            {"type": "edit", "cid": cid, "conv": self.conv, "seq": long, "text": "x"},
            {"type": "read", "conv": long, "seq": 1},
            {"type": "read", "conv": self.conv, "seq": long},
            {"type": "typing", "conv": long},
            {"type": long},
            {"type": "ping", long: long},
        ]
        with normalized_lengths() as lengths:
            for frame in frames:
                await line.socket.write_message(json.dumps(frame, ensure_ascii=False))
                await self.quiet(line)
        self.assertEqual(lengths, [])
