"""MongoDB: JSON documents by name, with the asyncio client of PyMongo.

Run it:  python3 learn.py run 07/mongo_records
Needs a MongoDB server: MONGODB_URI in the environment, or --mongodb=..., says where
"""

import asyncio
import contextlib
import json
import os

import tornado.web
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from store.missing import give_up
from tornado.options import define, options, parse_command_line

PATIENCE = 2000  # milliseconds


class RecordHandler(tornado.web.RequestHandler):
    def initialize(self, records: AsyncCollection) -> None:
        self.records = records

    async def get(self, name: str) -> None:
        record = await self.records.find_one({"name": name})
        if record is None:
            raise tornado.web.HTTPError(404, reason="No such record")
        self.write({"name": name, "content": record["content"]})  # its _id is not JSON

    async def post(self, name: str) -> None:
        try:
            content = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise tornado.web.HTTPError(400, reason="The body is not JSON") from None
        record = {"name": name, "content": content}
        await self.records.replace_one({"name": name}, record, upsert=True)  # replace, or add
        self.set_status(204)


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("POST JSON to /record/NAME, then GET it.")


def make_app(records: AsyncCollection) -> tornado.web.Application:
    """POST /record/NAME stores a JSON body, GET returns it."""
    return tornado.web.Application(
        [(r"/", HomeHandler), (r"/record/([\w-]{1,40})", RecordHandler, {"records": records})],
        cross_origin_protection=True,
    )


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    uri = os.environ.get("MONGODB_URI", "mongodb://localhost:27017/learn_tornado")
    define("mongodb", default=uri, help="where the server is, and the name of the database")
    parse_command_line()
    async with AsyncMongoClient(options.mongodb, serverSelectionTimeoutMS=PATIENCE) as client:
        # A database has no truth value: compare it with None, or give a default name as here.
        database = client.get_default_database("learn_tornado")
        try:
            await database.command("ping")
        except PyMongoError as error:
            give_up(options.mongodb, "--mongodb=mongodb://... or MONGODB_URI", error)
        make_app(database["records"]).listen(options.port, "localhost")
        print(f"Open http://localhost:{options.port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
