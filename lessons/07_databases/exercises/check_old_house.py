"""The page awaits the database, passes the id separately, and shows no error of the database."""

import asyncio

import tornado.web
from tornado.testing import gen_test

from course.testing.http import ExerciseCase

AWAIT = (
    'async def get(self, number), and in it: house = await self.settings["db"].get(sql, number).\n'
    "The application has no attribute db"
)
NONE = "get() returns None if there is no such house: raise tornado.web.HTTPError(404)"
BOUND = "Leave the %s in the SQL, and pass the id as the second argument of get()"
ERROR = (
    "No except: an error of the database must be a 500, and its text belongs into the log. It\n"
    "tells strangers the names of your tables"
)
WAITS = "The requests must not wait for each other: await the database, and block nothing"
CRASH = "Table 'houses' is marked as crashed"


class Database:
    """Keeps each query, and answers it after the event loop has done something else."""

    def __init__(self) -> None:
        self.queries: list[tuple[str, tuple[object, ...]]] = []
        self.twins = asyncio.Barrier(2)

    async def get(self, sql: str, *values: object) -> dict[str, str] | None:
        self.queries.append((sql, values))
        await asyncio.sleep(0)
        [value] = [str(value) for value in values] or [""]
        if value == "13":
            raise OSError(CRASH)
        if value == "2":
            await self.twins.wait()
        return {"title": "Windmill"} if value in ("2", "4") else None


class OldHouse(ExerciseCase):
    response_timeout = 1.0

    def get_app(self) -> tornado.web.Application:
        self.db = Database()
        return self.make_app(self.db)

    def test_a_house_is_found(self) -> None:
        answer = self.send("GET", "/house/4")
        advice = f"{AWAIT}.\n{BOUND}" if not self.db.queries else BOUND
        answer.expect(status=200, json={"houses": [{"title": "Windmill"}]}, advice=advice)

    def test_a_house_that_does_not_exist_is_a_404(self) -> None:
        self.send("GET", "/house/99").expect(status=404, advice=NONE)

    def test_the_id_is_no_part_of_the_sql(self) -> None:
        answer = self.send("GET", "/house/0%20OR%201=1").expect(status=404, advice=BOUND)
        for sql, _ in self.db.queries:
            self.expect(
                "OR 1=1" in sql, False, sent=f"{answer.sent}\nOR 1=1 in the SQL", advice=BOUND
            )

    def test_an_error_of_the_database_is_a_500_without_its_text(self) -> None:
        answer = self.send("GET", "/house/13").expect(status=500, advice=ERROR)
        answer.expect(lacks="crashed", advice=ERROR)

    @gen_test
    async def test_requests_do_not_wait_for_each_other(self) -> None:
        for answer in await asyncio.gather(*(self.request("GET", "/house/2") for _ in range(2))):
            answer.expect(status=200, advice=WAITS)
