"""PROTOCOL.md says what the chat does: frames, events, codes and addresses."""

import ast
import json
import re
import unittest
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import tornado.testing
import tornado.web

import capstone_chat
from capstone_chat.accounts import sessions
from capstone_chat.app import ROUTES
from capstone_chat.conversations import contacts, conversations, event_log, groups, membership
from capstone_chat.conversations.errors import NotFound, blocked, no_such_conversation, not_yours
from capstone_chat.handlers.conversations import MAX_RESULTS
from capstone_chat.handlers.errors import reason_phrase
from capstone_chat.options import Options
from capstone_chat.realtime import protocol
from course.pages import blocks, excerpt
from tests.capstone.chat_case import ChatCase

HOUSE = Path(capstone_chat.__file__).parent
TEXT = (HOUSE / "PROTOCOL.md").read_text(encoding="utf-8")


def examples(who: str) -> list[str]:
    """The frames in the JSON blocks that are marked as a client's or a server's."""
    blocks = re.findall(rf"<!-- {who} -->\n```json\n(.*?)```", TEXT, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def table(head: str) -> list[list[str]]:
    """The rows of each table that begins with these columns, as cells."""
    found = re.findall(rf"^\| {re.escape(head)} .*\n\|[-|]+\n((?:\|.*\n?)+)", TEXT, re.MULTILINE)
    rows = "".join(found).splitlines()
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def codes(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


EVENTS: dict[str, list[Any]] = {}
"""The examples of each type of event."""
for _line in [*examples("server"), *examples("history")]:
    EVENTS.setdefault(json.loads(_line)["type"], []).append(json.loads(_line))


def people(value: Any) -> Iterator[dict[str, Any]]:
    """All objects with a picture in a value: users in one of their forms."""
    if isinstance(value, dict) and "picture" in value:
        yield value
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from people(one)


PEOPLE = list(people(list(EVENTS.values())))


def misfit(value: Any, shown: list[Any], path: str) -> str | None:
    """Return where a value has other keys or types than all of the examples, or None."""
    if type(value) not in set(map(type, shown)):
        return f"{path}: {value!r} is of no type of {shown}"
    same = [one for one in shown if type(one) is type(value)]
    if isinstance(value, list):
        return first(misfit(one, list(chain(*same)), f"{path}[]") for one in value)
    if not isinstance(value, dict):
        return None
    if all(map(str.isdecimal, chain(*same))):
        if not all(map(str.isdecimal, value)):
            return f"{path}: {value!r} is no object with ids as keys"
        inner = [number for one in same for number in one.values()]
        return first(misfit(one, inner, f"{path}[]") for one in value.values())
    known, needed = set[str]().union(*same), set(same[0]).intersection(*same)
    if not needed <= value.keys() <= known:
        return f"{path}: has the keys {sorted(value)} and not {sorted(known)}"
    if "picture" in value:
        same += [one for one in PEOPLE if one.keys() == value.keys()]
    return first(
        misfit(value[name], [one[name] for one in same if name in one], f"{path}.{name}")
        for name in value
    )


def first(problems: Iterator[str | None]) -> str | None:
    return next((problem for problem in problems if problem), None)


def misfit_of(event: dict[str, Any]) -> str | None:
    """Return where an event is not as in the examples, or None."""
    if event.get("type") not in EVENTS:
        return f"{event.get('type')!r} is no type of event"
    return misfit(event, EVENTS[event["type"]], event["type"])


def calls(name: str) -> list[ast.Call]:
    """All calls of a function or class by its name, anywhere in the chat."""
    found = []
    for path in HOUSE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and name in (
                getattr(node.func, "id", ""),
                getattr(node.func, "attr", ""),
            ):
                found.append(node)
    return found


def refusals_of_a_message() -> set[Any]:
    """The codes with which only a message is refused, in an error event."""
    path = HOUSE / "conversations" / "messages.py"
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and node.name in ("_rejections", "_insert_batch", "_refusal_by_original")
    ]
    return {
        constant(call, 0)
        for function in functions
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("NotAllowed", "Conflict")
    }


def constant(call: ast.Call, place: int) -> Any:
    node = call.args[place] if len(call.args) > place else None
    return node.value if isinstance(node, ast.Constant) else None


class ExampleTest(unittest.TestCase):
    def test_the_code_of_the_client_is_that_of_its_file(self) -> None:
        shown = [block for block in blocks(HOUSE / "PROTOCOL.md") if block.language == "python"]
        self.assertGreater(len(shown), 0)
        for block in shown:
            with self.subTest(block=str(block)):
                self.assertEqual(block.kind, "excerpt")
                file, _, names = block.source.partition("#")
                self.assertEqual(block.text, excerpt(HOUSE / file, names))

    def test_what_the_client_says_is_understood(self) -> None:
        frames = [type(protocol.decode(line)) for line in examples("client")]
        self.assertEqual(set(frames), set(get_args(protocol.ClientFrame)))

    def test_keys_that_the_server_does_not_know_are_ignored(self) -> None:
        for line in examples("client"):
            more = json.dumps(json.loads(line) | {"added_later": 1})
            self.assertEqual(protocol.decode(more), protocol.decode(line))

    def test_every_json_block_says_whose_it_is(self) -> None:
        self.assertEqual(
            TEXT.count("```json"), len(re.findall("<!-- (client|server|history) -->", TEXT))
        )

    def test_the_examples_of_a_conversation_have_no_gap(self) -> None:
        seqs = [
            event["seq"]
            for event in map(json.loads, examples("server"))
            if "seq" in event and "at" in event and event["type"] != "ack"
        ]
        self.assertEqual(seqs, list(range(seqs[0], seqs[0] + len(seqs))))

    def test_the_limits_are_those_of_the_code(self) -> None:
        self.assertIn(f"1 to {protocol.MAX_TEXT_LENGTH} characters", TEXT)
        self.assertIn(f"at most {event_log.MAX_QUOTE_LENGTH} characters of its first line", TEXT)
        self.assertIn(f"This is version {protocol.VERSION} of the protocol.", TEXT)
        page = (HOUSE / "static" / "js" / "realtime" / "sync.js").read_text(encoding="utf-8")
        self.assertIn(f"PROTOCOL_VERSION = {protocol.VERSION};", page)
        self.assertIn(f"at most {protocol.MAX_FRAME_BYTES // 1024} KiB", TEXT)

    def test_the_pages_and_limits_are_those_of_the_code(self) -> None:
        pages = [int(re.findall(r"\d+", row[1])[0]) for row in table("list")]
        self.assertEqual(
            pages,
            [
                conversations.MAX_PAGE_SIZE,
                contacts.MAX_PAGE_SIZE,
                conversations.MAX_MEMBERS_PAGE_SIZE,
                event_log.MAX_PAGE_SIZE,
                MAX_RESULTS,
                2 * groups.MAX_RESULTS,
                sessions.MAX_SESSIONS,
            ],
        )
        most = [int(number) for row in table("there is") for number in re.findall(r"\d+", row[0])]
        self.assertEqual(
            most,
            [
                membership.MAX_GROUPS,
                membership.MAX_PRIVATE_CHATS,
                *[contacts.MAX_CONTACTS] * 2,
                sessions.MAX_SESSIONS,
                membership.MAX_MEMBERS,
            ],
        )
        self.assertIn(f"next {event_log.MAX_EXAMINED}\nevents", TEXT)
        self.assertIn(f"next {groups.MAX_EXAMINED} titles", TEXT)
        options = Options()
        self.assertIn(f"{options.read_rate:g} a second and {options.read_burst}\nat once", TEXT)

    def test_the_judge_of_events_sees_what_is_wrong(self) -> None:
        good = EVENTS["hello"][0]
        self.assertIsNone(misfit_of(good))
        for wrong in (
            good | {"more": 1},
            {name: value for name, value in good.items() if name != "heads"},
            good | {"heads": {"12": "41"}},
            good | {"heads": {"x": 41}},
            good | {"online": [True]},
            good | {"user": good["user"] | {"id": 1.0}},
            good | {"user": {}},
            good | {"user": good["user"] | {"picture": 5}},
            good | {"type": "bye"},
        ):
            self.assertIsNotNone(misfit_of(wrong))
        self.assertIsNotNone(misfit_of(EVENTS["title"][0] | {"text": None}))


class CodesTest(unittest.TestCase):
    def test_every_error_of_the_socket_is_documented_and_every_documented_one_exists(self) -> None:
        raised = {constant(call, 0) for call in calls("ProtocolError")} - {None}
        raised |= {refusal.code for refusal in (no_such_conversation(), blocked(), not_yours())}
        raised |= refusals_of_a_message()
        self.assertGreater(len(raised), 8)
        self.assertEqual({code for row in table("code") for code in codes(row[0])}, raised)

    def test_the_codes_that_close_a_socket_are_those_of_the_code(self) -> None:
        row = next(row for row in table("code") if "five in a row" in row[1])
        self.assertEqual(codes(row[0]), protocol.MALFORMED)

    def test_the_volatile_events_are_those_of_the_code(self) -> None:
        (sentence,) = re.findall(r"network fails\. (.*?) are volatile:", TEXT)
        self.assertEqual(set(codes(sentence)), protocol.VOLATILE)

    def test_every_close_code_is_documented(self) -> None:
        documented = {int(row[0]) for row in table("code") if row[0].isdecimal()}
        used = {
            protocol.CloseCode[node.attr].value
            for path in HOUSE.rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "CloseCode"
        }
        self.assertEqual(used, set(protocol.CloseCode))
        tornados_own = {1000}  # a ping without an answer
        self.assertEqual(documented, used | tornados_own)

    def test_every_error_of_a_call_is_documented_and_every_documented_one_exists(self) -> None:
        raised = {(constant(call, 0), constant(call, 1)) for call in calls("ApiError")}
        raised |= {(403, constant(call, 0)) for call in calls("NotAllowed")}
        raised |= {(404, NotFound().code)}
        raised -= {(403, code) for code in refusals_of_a_message()}
        raised = {(status, code) for status, code in raised if isinstance(code, str)}
        for status in 400, 403, 405, 500:  # what Tornado refuses
            code = reason_phrase(HTTPStatus(status)).lower().replace(" ", "_")
            raised.add((status, code))
        documented = {(int(row[0]), code) for row in table("status") for code in codes(row[1])}
        self.assertEqual(documented, raised)


class SentencesTest(unittest.TestCase):
    def test_each_sentence_for_people_exists_once(self) -> None:
        found = Counter[str]()
        for path in HOUSE.rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            found.update(
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in docstrings
                and re.fullmatch(r"[A-Z][^\n]*[a-z]\.", node.value)
                and " " in node.value
            )
        self.assertGreater(len(found), 50)
        self.assertEqual([sentence for sentence, count in found.items() if count > 1], [])


class AddressesTest(unittest.TestCase):
    METHODS = ("get", "post", "put", "patch", "delete")

    def documented(self) -> set[tuple[str, str]]:
        rows = [*table("call"), *table("address")]
        cells = [cell for row in rows for cell in row]
        found = re.findall(r"`([A-Z]+) (/[^`?]*)[^`]*`", "\n".join(cells))
        also = [  # "`PUT /x` ...; `DELETE` does something else"
            (method, re.findall(r"`[A-Z]+ (/[^`?]*)", " ".join(row))[0])
            for row in rows
            for method in re.findall(r"`([A-Z]+)`", " ".join(row[1:]))
            if method.lower() in self.METHODS
        ]
        return {(method, address.split()[0]) for method, address in found + also}

    def test_every_route_and_method_is_documented_and_every_documented_one_exists(self) -> None:
        documented = self.documented()
        served = set()
        for route in ROUTES:
            own = vars(route.target) | {
                name: method
                for base in route.target.__mro__
                if base.__module__.startswith("capstone_chat")
                for name, method in vars(base).items()
            }
            for method in self.METHODS:
                if method in own or (method == "get" and "on_message" in own):
                    served.add((method.upper(), route.regex))
        unserved, missing = [], set(served)
        for method, address in documented:
            path = re.sub(r"\b(ID|USER|SEQ)\b", "7", address)
            path = path.replace("NAME", "0" * 32).replace("/captcha/7", "/captcha/" + "0" * 32)
            path = path.replace("FORM", "login")
            fitting = [one for one in served if one[0] == method and one[1].fullmatch(path)]
            if not fitting:
                unserved.append((method, address))
            missing.difference_update(fitting)
        self.assertEqual(unserved, [])
        left = {(method, regex.pattern) for method, regex in missing}
        self.assertEqual(left, set(), "these are in app.py and not in PROTOCOL.md")


class ConformTest(ChatCase):
    """A chat in full use says nothing that is not in the examples."""

    options = {"request_burst": 1000}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_all_events_of_a_running_chat_are_as_in_the_examples(self) -> None:
        anna, bob = await self.person("anna", "Anna"), await self.person("bob")
        await anna.call("POST", "/api/contacts", {"name": "bob"})
        _, answer = await anna.call("POST", "/api/private/2")
        private = answer["conversation"]["id"]
        annas, bobs = await anna.connect(), await bob.connect()
        conv = await anna.group()
        group = f"/api/groups/{conv}"
        await bob.call("POST", "/api/contacts", {"name": "anna"})
        await anna.call("POST", f"{group}/members", {"name": "bob"})
        for where in conv, private:
            await annas.send(where, "hi")
            await annas.send(where, "")
            await annas.say(type="typing", conv=where)
            await bobs.receive("typing")
            await bobs.say(type="read", conv=where, seq=3)
            await bobs.receive("read")
        await annas.say(type="shout")
        await annas.send(conv, "answered", reply=3)
        await annas.edit(conv, 3, "hello")
        await bobs.receive("edited")
        await bobs.send(conv, "rude")
        await bobs.receive("ack")
        await anna.call("DELETE", f"/api/conversations/{conv}/events/3")
        await anna.call("DELETE", f"/api/conversations/{conv}/events/6")
        body = {"title": "Orchard", "description": "Apples", "public": False}
        await anna.call("PATCH", group, body)
        await anna.call("PATCH", "/api/me", {"theme": "dark"})
        await annas.receive("user")
        await anna.call("DELETE", f"{group}/members/2")
        await anna.call("POST", f"{group}/members", {"name": "bob"})
        await bobs.receive("invited")
        await bob.join(conv)
        await bobs.receive("invitation_ended")
        await anna.call("PUT", f"{group}/owner", {"user": 2})
        await anna.call("DELETE", f"{group}/members/1")
        await bob.log_out()
        await bobs.closed()
        await annas.heard()
        seen = annas.seen + bobs.seen
        self.assertEqual([misfit_of(event) for event in seen if misfit_of(event)], [])
        self.assertEqual({event["type"] for event in seen}, set(EVENTS))
        changes = {event["change"] for event in seen if event["type"] == "member"}
        line = re.search(r"- `change` is (.*?)\(", TEXT)
        assert line is not None
        self.assertEqual(changes, codes(line[1]))
        _, history = await anna.call("GET", f"/api/conversations/{private}/events")
        self.assertEqual([misfit_of(event) for event in history["events"]], [None] * 3)
