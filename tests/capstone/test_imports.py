"""A start loads no library that it does not need: together they would take as long as the rest."""

import re
from typing import ClassVar

import tornado.testing

from tests.capstone import databases
from tests.capstone.test_start import ProcessCase

UNNEEDED = {"PIL", "alembic", "captcha", "mako", "psycopg", "pymysql", "redis", "rich", "click"}


class ImportsTest(ProcessCase):
    only_sqlite = True
    program: ClassVar[tuple[str, ...]] = ("-X", "importtime", "-m", "capstone_chat")

    async def loaded(self) -> set[str]:
        """Start and stop the chat; return the packages that it has loaded."""
        said = await self.shut_down(await self.start())
        return set(re.findall(r"^import time: .*\| +([A-Za-z]\w*)", said, re.M))

    @tornado.testing.gen_test
    async def test_a_chat_that_is_up_to_date_starts_without_what_it_does_not_need(self) -> None:
        self.data.mkdir(mode=0o700)
        databases.make_file(self.data / "chat.db")
        found = await self.loaded()
        self.assertLessEqual({"tornado", "sqlalchemy", "capstone_chat"}, found)
        self.assertEqual(found & UNNEEDED, set())

    @tornado.testing.gen_test
    async def test_a_new_one_loads_what_makes_its_tables(self) -> None:
        found = await self.loaded()
        self.assertIn("alembic", found)
        self.assertEqual(found & UNNEEDED, {"alembic", "mako"})
