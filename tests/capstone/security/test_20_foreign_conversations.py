"""What is not yours looks like what does not exist."""

import tornado.httpclient
import tornado.iostream
import tornado.testing

from capstone_chat.storage.tables import conversations
from tests.capstone.chat_case import Person
from tests.capstone.conversations.test_conversations import ConversationsCase
from tests.capstone.socket_case import SocketCase


class AccessTest(ConversationsCase):
    async def private(self, person: Person) -> int:
        """A conversation that nobody can find or join."""
        conv = await person.group("Secret plans")
        change = conversations.update().where(conversations.c.id == conv)
        hide = change.values(public=False, kind="private")
        await self.chat.database.write(lambda c: c.execute(hide))
        return conv

    @tornado.testing.gen_test
    async def test_what_is_not_yours_looks_like_what_does_not_exist(self) -> None:
        anna, mallory = await self.person("anna"), await self.person("mallory")
        foreign, private = await anna.group(), await self.private(anna)
        for path in "/api/conversations/{}/events", "/api/conversations/{}/members":
            with self.subTest(path=path):
                answers = [
                    await mallory.call("GET", path.format(conv))
                    for conv in (foreign, private, 999, 0, 10**15 - 1)
                ]
                self.assertEqual(answers[0][0], 404)
                self.assertEqual([a for a in answers if a != answers[0]], [])
        joins = [await mallory.call("POST", f"/api/groups/{conv}/join") for conv in (private, 999)]
        self.assertEqual(joins[0][0], 404)
        self.assertEqual(joins[0], joins[1])

    @tornado.testing.gen_test
    async def test_a_private_conversation_is_in_no_search_and_no_strangers_state(self) -> None:
        anna, mallory = await self.person("anna"), await self.person("mallory")
        private = await self.private(anna)
        _, found = await mallory.call("GET", "/api/groups?query=secret")
        self.assertEqual(found, {"groups": [], "next": None})
        public = await anna.group()
        _, answer = await mallory.call("GET", f"/api/groups/{public}")
        self.assertEqual(answer["group"]["id"], public)
        hidden = conversations.update().where(conversations.c.id == public).values(public=False)
        await self.chat.database.write(lambda connection: connection.execute(hidden))
        for conv in private, public, 999:
            answers = await mallory.call("GET", f"/api/groups/{conv}")
            self.assertEqual(answers, (200, {"group": None}))
        self.assertEqual(await self.state(mallory), {})
        self.assertEqual((await mallory.connect()).hello["heads"], {})

    @tornado.testing.gen_test
    async def test_the_404_tells_no_ids(self) -> None:
        mallory = await self.person("mallory")
        _, answer = await mallory.call("GET", "/api/conversations/123456/events")
        self.assertNotIn("123456", str(answer))


class SocketTest(SocketCase):
    @tornado.testing.gen_test
    async def test_to_a_stranger_a_group_looks_like_none(self) -> None:
        mallory, bob = await self.mallory.connect(), await self.bob.connect()
        answers = []
        for conv in self.conv, 999:
            cid = await mallory.send(conv, "let me in")
            error = await mallory.receive()
            self.assertEqual(error.pop("cid"), cid)
            answers.append(error)
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0]["code"], "not_found")
        await self.quiet(bob)
        self.assertEqual(await self.stored(), [])

    @tornado.testing.gen_test
    async def test_every_call_and_frame_of_a_stranger_is_answered_as_for_nothing(self) -> None:
        anna = await self.anna.connect()
        await anna.send(self.conv, "a secret")
        await anna.receive("message")
        stranger = await self.mallory.connect()
        calls: tuple[tuple[str, str, dict[str, object] | None], ...] = (
            ("GET", "/api/conversations/{}", None),
            ("GET", "/api/conversations/{}/events", None),
            ("GET", "/api/conversations/{}/events?before=9", None),
            ("GET", "/api/conversations/{}/events?after=0", None),
            ("DELETE", "/api/conversations/{}/events/3", {}),
            ("GET", "/api/conversations/{}/members", None),
            ("GET", "/api/conversations/{}/search?query=secret", None),
            ("PATCH", "/api/groups/{}", {"title": "Mine"}),
            ("POST", "/api/groups/{}/members", {"name": "mallory"}),
            ("DELETE", "/api/groups/{}/members/3", {}),
            ("DELETE", "/api/groups/{}/members/1", {}),
            ("PUT", "/api/groups/{}/owner", {"user": 3}),
        )
        for method, path, body in calls:
            with self.subTest(method=method, path=path):
                foreign = await self.mallory.call(method, path.format(self.conv), body)
                nothing = await self.mallory.call(method, path.format(999), body)
                self.assertEqual(foreign, nothing)
                self.assertEqual(foreign[0], 404)
        cid = "0b5f4a4e-4c37-4d0a-9d65-0c4d0e3a2b11"
        for frame in (
            {"type": "send", "cid": cid, "text": "let me in"},
            {"type": "send", "cid": cid, "text": "let me in", "reply": 3},
            {"type": "edit", "cid": cid, "text": "let me in", "seq": 3},
            {"type": "read", "seq": 3},
            {"type": "typing"},
        ):
            with self.subTest(frame=frame):
                answers = []
                for conv in self.conv, 999:
                    await stranger.say(**frame, conv=conv)
                    answers.append(await stranger.receive())
                self.assertEqual(answers[0], answers[1])
                self.assertEqual(answers[0]["code"], "not_found")
        self.assertEqual(stranger.hello["heads"], {})
        self.assertEqual(await anna.heard(), [])
