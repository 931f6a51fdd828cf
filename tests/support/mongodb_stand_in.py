"""A stand-in for a MongoDB server that speaks enough of its wire protocol for the real client.

    with address() as uri: ...

yields the value of MONGODB_URI, or else the address of a stand-in that keeps documents in memory.
The client, the connection and the messages are real. The stand-in answers the commands hello, ping,
find, update and drop, and compares fields only for equality.
"""

import contextlib
import os
import socketserver
import struct
import threading
from collections.abc import Iterator
from typing import Any

import bson

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
HELLO = {
    "helloOk": True,
    "ismaster": True,
    "isWritablePrimary": True,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "maxBsonObjectSize": 16 * 1024 * 1024,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
    "logicalSessionTimeoutMinutes": 30,
    "ok": 1,
}


class StandIn(socketserver.ThreadingTCPServer):
    """A server on a free port of this machine."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.collections: dict[str, list[dict[str, Any]]] = {}

    @property
    def uri(self) -> str:
        """The address of its database, for the client."""
        return f"mongodb://127.0.0.1:{self.server_address[1]}/learn_tornado"

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """Execute a command and return the reply; an error for a command that it does not know."""
        name = next(iter(command))
        documents = self.collections.setdefault(f"{command.get('$db')}.{command[name]}", [])
        match name.lower():
            case "hello" | "ismaster":
                return HELLO
            case "ping" | "endsessions":
                return {"ok": 1}
            case "find":
                found = [each for each in documents if fits(each, command["filter"])]
                batch = found[: command.get("limit") or None]
                space = f"{command['$db']}.{command['find']}"
                return {"cursor": {"id": 0, "ns": space, "firstBatch": batch}, "ok": 1}
            case "update":
                return self.update(documents, command["updates"])
            case "drop":
                documents.clear()
                return {"ok": 1}
        return {"ok": 0, "code": 59, "errmsg": f"no such command: {name}"}

    def update(self, documents: list[Any], updates: list[dict[str, Any]]) -> dict[str, Any]:
        """Replace the first document that fits each update, or insert a new one for an upsert."""
        changed, upserted = 0, []
        for index, one in enumerate(updates):
            found = next((each for each in documents if fits(each, one["q"])), None)
            if found is not None:
                found_id = found["_id"]
                found.clear()
                found.update({"_id": found_id, **one["u"]})
                changed += 1
            elif one.get("upsert"):
                documents.append({"_id": bson.ObjectId(), **one["u"]})
                upserted.append({"index": index, "_id": documents[-1]["_id"]})
        n = changed + len(upserted)
        return {"ok": 1, "n": n, "nModified": changed} | (
            {"upserted": upserted} if upserted else {}
        )


def fits(document: dict[str, Any], condition: dict[str, Any]) -> bool:
    """Return whether a document has the values of a condition."""
    return all(document.get(key) == value for key, value in condition.items())


class Connection(socketserver.StreamRequestHandler):
    """The connection of one client."""

    server: StandIn

    def handle(self) -> None:
        """Answer commands until the client closes the connection."""
        with contextlib.suppress(ConnectionError):
            while len(header := self.rfile.read(16)) == 16:
                length, number, _, operation = struct.unpack("<iiii", header)
                body = self.rfile.read(length - 16)
                if operation == OP_QUERY:  # a client sends its first hello as old servers expect it
                    start = body.index(b"\0", 4) + 1 + 8
                    answer = bson.encode(self.server.answer(bson.decode(body[start:])))
                    operation, front = OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1)
                else:
                    answer = bson.encode(self.server.answer(command_in(body)))
                    operation, front = OP_MSG, struct.pack("<iB", 0, 0)
                size = 16 + len(front) + len(answer)
                self.wfile.write(struct.pack("<iiii", size, 0, number, operation) + front + answer)


def command_in(body: bytes) -> dict[str, Any]:
    """Return the command of an OP_MSG: a document, and lists of documents beside it."""
    command: dict[str, Any] = {}
    position = 4
    while position < len(body):
        kind, position = body[position], position + 1
        [size] = struct.unpack_from("<i", body, position)
        section = body[position : position + size]
        if kind == 0:
            command = {**bson.decode(section), **command}
        else:
            name, _, documents = section[4:].partition(b"\0")
            command[name.decode()] = bson.decode_all(documents)
        position += size
    # The name of a command is its first key, so the lists, which may come first, go to the end.
    lists = {key: value for key, value in command.items() if isinstance(value, list)}
    return {key: value for key, value in command.items() if key not in lists} | lists


@contextlib.contextmanager
def address() -> Iterator[str]:
    """Yield the value of MONGODB_URI, or the address of a stand-in if it is not set."""
    if named := os.environ.get("MONGODB_URI"):
        yield named
        return
    with StandIn() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield server.uri
        finally:
            server.shutdown()
