"""The cost of a request does not grow with the history, nor that of a message with the members.

Every query uses an index.
"""

from typing import Any

import sqlalchemy as sa
from tornado.testing import gen_test

from capstone_chat.storage import tables
from tests.capstone.chat_case import PASSWORD, ChatCase, noted_statements

GROWING = ("events", "members", "users", "conversations", "sessions", "contacts", "pictures")


class GrowthTest(ChatCase):
    only_sqlite = True  # asks it for its plans

    @gen_test
    async def test_no_table_that_grows_is_read_as_a_whole(self) -> None:
        anna, ben = await self.person("anna"), await self.person("ben")
        group = await anna.group()
        await ben.join(group)
        await anna.call("POST", "/api/contacts", {"name": "ben"})
        opened = await anna.call("POST", "/api/private/2")
        private = opened[1]["conversation"]["id"]
        said = self.enterContext(noted_statements(self.chat.database.engine))

        line = await anna.connect()
        for conv in group, private:
            await line.send(conv, "Hello")
            seq = (await line.receive("ack"))["seq"]
            await line.say(type="read", conv=conv, seq=seq)
            await line.say(type="typing", conv=conv)
            await line.receive("typing")
            await anna.call("GET", f"/api/conversations/{conv}/events")
            await anna.call("GET", f"/api/conversations/{conv}/events?before=2")
            await anna.call("GET", f"/api/conversations/{conv}/events?after=1&limit=50")
            for query in "query=hello", "query=hello&before=9":
                _, found = await anna.call("GET", f"/api/conversations/{conv}/search?{query}")
                self.assertEqual([one["seq"] for one in found["events"]], [seq])
            await anna.call("GET", f"/api/conversations/{conv}")
            for query in "", "?after=2", "?query=be", "?query=be&after=1":
                await anna.call("GET", f"/api/conversations/{conv}/members{query}")
            await anna.call("DELETE", f"/api/conversations/{conv}/events/{seq}")
        for path in (
            *("state", "contacts", "contacts?after=1", "me/sessions"),
            *(f"conversations{query}" for query in ("", "?before=9-9", "?query=be")),
            *(f"groups{query}" for query in ("", "?query=den", "?query=den&after=1")),
        ):
            await anna.call("GET", f"/api/{path}")
        await anna.call("POST", "/api/private/2")

        self.assertGreater(len(said), 30)
        self.assertEqual(self.read_whole(said), [])

    def read_whole(self, said: list[tuple[str, Any]]) -> list[str]:
        """Return those statements for which SQLite reads a whole table that grows."""
        found = []
        with self.chat.database.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            for statement, given in said:
                if not statement.startswith(("SELECT", "UPDATE", "DELETE")):
                    continue
                plan = raw.execute(f"EXPLAIN QUERY PLAN {statement}", given).fetchall()
                read = [row[3] for row in plan if row[3].startswith("SCAN ")]
                if any(step.split()[1] in GROWING for step in read):
                    found.append(f"{statement}: {read}")
        return found

    @gen_test
    async def test_a_purge_reads_by_keys_and_leaves_no_row_that_nobody_can_reach(self) -> None:
        anna, ben = await self.person("anna"), await self.person("ben")
        for conv in [await ben.group() for _ in range(3)]:
            await ben.call("DELETE", f"/api/groups/{conv}/members/{ben.id}")
        await anna.call("POST", "/api/contacts", {"name": "ben"})
        await ben.call("POST", "/api/contacts", {"name": "anna"})
        await anna.call("POST", f"/api/private/{ben.id}")
        for person in anna, ben:
            await person.call("DELETE", "/api/me", {"password": PASSWORD})
        await (await self.person("carl")).group()
        said = self.enterContext(noted_statements(self.chat.database.engine))
        await self.chat.purge.run()
        self.assertGreater(len(said), 30)
        self.assertEqual(self.read_whole(said), [])
        with self.chat.database.engine.connect() as connection:
            counts = {
                table.name: connection.scalar(sa.select(sa.func.count()).select_from(table))
                for table in tables.metadata.sorted_tables
            }
        found = {name: count for name, count in counts.items() if count}
        # Carl, his session and his group; and the rows of deleted users, which stay.
        expected = {"users": 3, "sessions": 1, "conversations": 1, "members": 1, "events": 1}
        self.assertEqual(found, expected)

    @gen_test
    async def test_a_message_costs_the_same_in_a_large_group_and_in_a_small_one(self) -> None:
        anna = await self.person("anna")
        group = await anna.group()
        line = await anna.connect()
        listening = []
        asked = {}
        for number in range(9):
            member = await self.person(f"member{number}")
            await member.join(group)
            listening.append(await member.connect())
            if number not in (0, 8):
                continue
            with noted_statements(self.chat.database.engine) as said:
                await line.send(group, f"to {number}")
                await line.receive("ack")
                for one in listening:
                    while (await one.receive("message"))["text"] != f"to {number}":
                        continue
            asked[number] = [statement for statement, _ in said]
        self.assertTrue(any(statement.startswith("INSERT INTO events") for statement in asked[0]))
        self.assertEqual(asked[0], asked[8])
