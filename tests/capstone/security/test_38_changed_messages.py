"""Rule 38: who changes a message, and that an edit or a reply may do no more than a message."""

from typing import Any

import sqlalchemy as sa
import tornado.testing

from capstone_chat.realtime.protocol import MAX_TEXT_LENGTH
from capstone_chat.storage.tables import events
from tests.capstone.chat_case import Line
from tests.capstone.conversations.test_contacts import ContactsCase
from tests.capstone.socket_case import SocketCase

FORMS: tuple[dict[str, Any], ...] = ({"type": "edit", "seq": 3}, {"type": "send", "reply": 3})
CID = "0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b11"


async def refused(line: Line, **frame: Any) -> str:
    """Send a frame with a cid; return the code of its error."""
    await line.say(cid=CID, **{"text": "changed"} | frame)
    error = await line.receive("ack", "error")
    assert error.pop("cid") == CID
    return str(error.get("code", "stored"))


class ChangedCase(SocketCase):
    async def gather(self) -> None:
        await super().gather()
        self.annas, self.bobs = await self.anna.connect(), await self.bob.connect()
        await self.annas.send(self.conv, "a word of anna's")
        await self.annas.receive("ack")
        await self.bobs.receive("message")

    async def rows(self) -> list[Any]:
        return list(await self.chat.database.read(lambda c: c.execute(sa.select(events)).all()))


class AuthorTest(ChangedCase):
    @tornado.testing.gen_test
    async def test_only_the_author_edits_a_message_and_not_the_owner_either(self) -> None:
        await self.bobs.send(self.conv, "a word of bob's")
        await self.bobs.receive("ack")
        before = await self.rows()
        self.assertEqual(await refused(self.bobs, type="edit", conv=self.conv, seq=3), "not_yours")
        self.assertEqual(await refused(self.annas, type="edit", conv=self.conv, seq=4), "not_yours")
        self.assertEqual(await self.rows(), before)

    @tornado.testing.gen_test
    async def test_what_is_no_message_of_the_conversation_is_neither_edited_nor_answered(
        self,
    ) -> None:
        other = await self.bob.group("Elsewhere")
        before = await self.rows()
        for seq in 0, 1, 2, 4, 2**53 - 1:  # two changes of the group, and places without an event
            for name, type_ in ("seq", "edit"), ("reply", "send"):
                for conv in self.conv, other:
                    code = await refused(self.bobs, type=type_, conv=conv, **{name: seq})
                    self.assertEqual(code, "not_found")
        self.assertEqual(await self.rows(), before)

    @tornado.testing.gen_test
    async def test_a_deleted_message_is_not_edited(self) -> None:
        await self.anna.call("DELETE", f"/api/conversations/{self.conv}/events/3", {})
        code = await refused(self.annas, type="edit", conv=self.conv, seq=3)
        self.assertEqual(code, "message_deleted")
        self.assertNotIn("anna's", str(await self.rows()))

    @tornado.testing.gen_test
    async def test_no_earlier_text_is_left_in_the_database(self) -> None:
        for text in "second text", "third text":
            await self.annas.edit(self.conv, 3, text)
            await self.annas.receive("ack")
        rows = str(await self.rows())
        self.assertNotIn("anna's", rows)
        self.assertNotIn("second", rows)
        self.assertEqual(rows.count("third text"), 2)  # text and folded text of the message


class MemberTest(ChangedCase):
    @tornado.testing.gen_test
    async def test_a_former_member_edits_and_answers_nothing(self) -> None:
        await self.bobs.send(self.conv, "a word of bob's")
        await self.bobs.receive("ack")
        await self.anna.call("DELETE", f"/api/groups/{self.conv}/members/{self.bob.id}", {})
        for form in {"type": "edit", "seq": 4}, {"type": "send", "reply": 3}:
            answers = [await refused(self.bobs, conv=conv, **form) for conv in (self.conv, 999)]
            self.assertEqual(answers, ["not_found"] * 2)

    @tornado.testing.gen_test
    async def test_the_owner_deletes_only_in_the_own_group(self) -> None:
        self.mallorys = await self.mallory.connect()
        await self.mallory.group("Mallory's")
        path = f"/api/conversations/{self.conv}/events/3"
        code, _ = await self.mallory.call("DELETE", path, {})
        self.assertEqual(code, 404)
        code, answer = await self.bob.call("DELETE", path, {})
        self.assertEqual((code, answer["error"]["code"]), (403, "not_yours"))


class LimitTest(ChangedCase):
    options = {"send_burst": 4, "send_rate": 0.001}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_edits_and_replies_count_as_messages_against_the_limit(self) -> None:
        await self.annas.edit(self.conv, 3, "one")
        await self.annas.receive("ack")
        await self.annas.send(self.conv, "two", reply=3)
        await self.annas.receive("ack")
        await self.annas.edit(self.conv, 3, "three")
        await self.annas.receive("ack")
        for form in FORMS:
            self.assertEqual(await refused(self.annas, conv=self.conv, **form), "rate_limited")

    @tornado.testing.gen_test
    async def test_the_text_of_an_edit_has_the_rules_of_a_message(self) -> None:
        for text, code in (
            ("x" * (MAX_TEXT_LENGTH + 1), "text_too_long"),
            (" \u200b ", "text_empty"),
            ("a\0b", "text_invalid"),
            (None, "bad_frame"),
        ):
            for form in FORMS:
                answer = await refused(self.annas, conv=self.conv, **form | {"text": text})
                self.assertEqual(answer, code)
        for seq in -1, "3":
            answer = await refused(self.annas, type="edit", conv=self.conv, seq=seq)
            self.assertEqual(answer, "bad_frame")


class BlockedTest(ContactsCase):
    @tornado.testing.gen_test
    async def test_in_a_private_chat_with_a_block_nobody_edits_or_answers(self) -> None:
        await self.add(self.anna, self.bob)
        _, answer = await self.anna.call("POST", "/api/private/2")
        conv, annas = answer["conversation"]["id"], await self.anna.connect()
        await annas.send(conv, "before")
        await annas.receive("ack")
        for blocker, other in (self.anna, self.bob), (self.bob, self.anna):
            await self.block(blocker, other)
            for form in FORMS:
                self.assertEqual(await refused(annas, conv=conv, **form), "blocked")
            await self.block(blocker, other, blocked=False)
        code, _ = await self.bob.call("DELETE", f"/api/conversations/{conv}/events/3", {})
        self.assertEqual(code, 403)  # a private chat has no owner
