"""Posts messages as fast as it can and prints each acknowledgement, until it is killed.

python -m tests.capstone.message_writer FOLDER [DATABASE]

prints a line `conv seq cid` for each message that is stored.
"""

import asyncio
import sys
import uuid

import sqlalchemy as sa

from capstone_chat.app import prepare_database
from capstone_chat.conversations.event_log import Event
from capstone_chat.conversations.users import User
from capstone_chat.options import Options
from capstone_chat.realtime.protocol import Send
from capstone_chat.services import Services
from capstone_chat.storage.tables import users

CONVERSATIONS = 3
AT_ONCE = 50
"""Messages that wait for a commit at any time."""


async def main(folder: str, database: str = "") -> None:
    options = Options(data=folder, database=database)
    prepare_database(options)
    chat = Services(options, "x" * 32)
    user = User(1, "Anna", None, "anna", "", "")
    row = users.insert().values(
        id=1, name="anna", name_key="anna", nickname="Anna", password="x", created_at=0
    )
    if await chat.database.read(lambda c: c.scalar(sa.select(users.c.id))) is None:
        await chat.database.write(lambda c: c.execute(row))
    convs = [await chat.groups.create(user, "g", "", public=True) for _ in range(CONVERSATIONS)]

    def post(number: int) -> None:
        frame = Send(str(uuid.uuid4()), convs[number % CONVERSATIONS], f"message {number}")

        def done(stored: Event | Exception) -> None:
            assert isinstance(stored, Event), stored
            print(stored.conv, stored.seq, frame.cid, flush=True)
            post(number + AT_ONCE)

        chat.messages.post(user, frame, done)

    for number in range(AT_ONCE):
        post(number)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
