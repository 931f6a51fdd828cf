"""The chat in a folder of its own, and persons who use it, for the notebook of the chat."""

import html
import json
import re
import uuid
from typing import Any

import sqlalchemy as sa
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.web import Application, create_signed_value
from tornado.websocket import WebSocketClientConnection, websocket_connect

from capstone_chat.app import make_app
from capstone_chat.conversations.users import User
from capstone_chat.handlers.cookies import cookie_name
from capstone_chat.options import Options
from capstone_chat.server import Server
from capstone_chat.storage import tables
from notebooks import kit

__all__ = [
    *("Person", "answer_of", "call", "cookie", "hear", "newcomer", "open_socket", "say"),
    *("start_chat", "tables"),
]

# A notebook sends faster than a person.
LIMITS: dict[str, Any] = {
    "request_burst": 1000,
    "send_rate": 1e6,
    "send_burst": 1_000_000,
    "frame_burst": 1_000_000,
}
app: Application
address = ""


def start_chat() -> tuple[Application, str, Any]:
    """Start the chat with a database in a new folder.

    Returns:
        The application, the folder, and the services of the chat.
    """
    global app, address
    folder = str(kit.temporary_folder())
    app = make_app(Options(data=folder, **LIMITS))
    address = kit.serve(app, server_class=Server)
    return app, folder, app.settings["chat"]


def cookie(name: str) -> str:
    """Return the name that the chat gives to a cookie: session, xsrf or browser."""
    return cookie_name(name, app.settings["cookie_secret"], secure=False)


class Person(kit.Browser):
    """A visitor who fills in forms and calls the API, as the page does."""

    user: User

    def __init__(self) -> None:
        super().__init__(address)

    async def open_form(self, path: str, **fields: str) -> dict[str, str]:
        """Open a form; return all its hidden fields, and those that are typed."""
        page = (await self.ask(f"/{path}")).body.decode()
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
        return {key: html.unescape(value) for key, value in hidden} | fields

    async def submit(self, path: str, fields: dict[str, str]) -> HTTPResponse:
        """Send a form."""
        return await self.ask(f"/{path}", form=fields)


def answer_of(challenge: str) -> str:
    """Return what the picture of a captcha shows. Only the database has it."""
    query = sa.select(tables.captchas.c.answer).where(tables.captchas.c.id == challenge)
    with app.settings["chat"].database.engine.connect() as connection:
        return str(connection.execute(query).scalar_one())


async def newcomer(name: str) -> Person:
    """Return a person who is logged in, with a row in the database instead of the form."""
    chat = app.settings["chat"]
    row = {"name": name, "name_key": name, "nickname": name.title(), "created_at": 0}
    add = tables.users.insert().values({**row, "password": ""})
    key = await chat.database.write(lambda c: c.execute(add).inserted_primary_key[0])
    person = Person()
    person.user = User(key, name.title(), None, name, "", "")
    create = chat.sessions.create
    token, _ = await chat.database.write(lambda c: create(c, person.user, "a notebook"))
    session, secret = cookie("session"), app.settings["cookie_secret"]
    person.cookies[session] = create_signed_value(secret, session, token).decode()
    return person


async def call(person: Person, method: str, path: str, body: object = None) -> Any:
    """Call the API as the script of the page does: with the token that the page holds."""
    page = (await person.ask("/")).body.decode()
    found = re.search(r'name="xsrf" content="([^"]+)"', page)
    token = found[1] if found else ""
    headers = {"X-XSRFToken": token, "Content-Type": "application/json"}
    more: dict[str, Any] = {} if method == "GET" else {"body": json.dumps(body or {})}
    answer = await person.ask(path, method, headers, **more)
    return json.loads(answer.body or "{}")


async def open_socket(person: Person) -> tuple[WebSocketClientConnection, dict[str, Any]]:
    """Open a socket as the page does; return it with its first event, the hello."""
    session = cookie("session")
    headers = {"Cookie": f"{session}={person.cookies[session]}", "Origin": address}
    url = address.replace("http", "ws", 1) + "/ws"
    socket = await websocket_connect(HTTPRequest(url, headers=headers))
    kit.sockets.append(socket)
    return socket, json.loads(await socket.read_message() or "{}")


async def say(
    socket: WebSocketClientConnection, conv: int, text: str, cid: str | None = None
) -> str:
    """Send a message; return its cid."""
    cid = cid or str(uuid.uuid4())
    await socket.write_message(json.dumps({"type": "send", "cid": cid, "conv": conv, "text": text}))
    return cid


async def hear(socket: WebSocketClientConnection, count: int, *types: str) -> list[dict[str, Any]]:
    """Return the next events of these types, so many of them."""
    heard: list[dict[str, Any]] = []
    while len(heard) < count:
        event = json.loads(await socket.read_message() or "{}")
        heard += [event] if event["type"] in types else []
    return heard
