"""What a request costs does not grow with the history: every question goes through an index."""

from typing import Any

import sqlalchemy as sa
from tornado.testing import gen_test

from tests.capstone.chat_case import ChatCase

GROWING = ("events", "members", "users", "conversations", "sessions", "contacts")


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
        asked: list[tuple[str, Any]] = []
        engine = self.chat.database.engine
        self.note(engine, asked)

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
            await anna.call("GET", f"/api/conversations/{conv}/members")
            await anna.call("DELETE", f"/api/conversations/{conv}/events/{seq}")
        for path in "state", "contacts", "me/sessions":
            await anna.call("GET", f"/api/{path}")
        await anna.call("POST", "/api/private/2")

        self.assertGreater(len(asked), 30)
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            for statement, parameters in asked:
                plan = raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
                read = [row[3] for row in plan if row[3].startswith("SCAN ")]
                whole = [step for step in read if step.split()[1] in GROWING]
                self.assertEqual(whole, [], statement)

    def note(self, engine: sa.Engine, asked: list[tuple[str, Any]]) -> None:
        """Keep every statement that is executed from here on."""

        @sa.event.listens_for(engine, "before_cursor_execute")
        def keep(
            _c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, many: bool
        ) -> None:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                asked.append((statement, parameters[0] if many else parameters))

        self.addCleanup(sa.event.remove, engine, "before_cursor_execute", keep)
