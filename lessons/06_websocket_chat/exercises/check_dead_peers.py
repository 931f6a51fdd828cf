"""A member whose connection the server has closed disturbs nobody, and is forgotten."""

import gc
import logging

from tornado.websocket import WebSocketHandler

from course.testing.websocket import WebSocketCase, WebSocketClient

ROUTE = "make_app(): leave the route /room to MemberHandler as it was"
EVERYBODY = "on_message(): write the message to every member, the sender too"
HEARS = (
    "on_message(): write_message() to a closed member raises WebSocketClosedError.\n"
    "Catch it for each member, inside the loop, and go on with the next.\n"
    "Go through a copy of the set, because the loop changes it"
)
SPEAKER = (
    "The speaker must stay connected and in the set. An exception in on_message() closes the\n"
    "connection: catch tornado.websocket.WebSocketClosedError inside the loop, go through a copy\n"
    "of the set, and close nobody"
)
FORGET = "on_close() runs for every end: there discard() the member from the set"
LEAVE = (
    "on_close(): remove() raises KeyError for a member who is out already, discard() does not.\n"
    "A closed member is no error: log nothing at level ERROR, and await what can raise"
)


class DeadPeers(WebSocketCase):
    frame_timeout = 0.8

    def enter(self, name: str) -> WebSocketClient:
        return self.connect("/room", name=name, advice=ROUTE)

    def enter_closed(self, name: str) -> WebSocketClient:
        """Open a connection, and close it from the server; its client has not answered yet."""
        members = self._app.settings["members"]
        before = members.copy()
        socket = self.enter(name)
        for member in members - before:
            self.close_member(member, name)
        return socket

    def close_member(self, member: WebSocketHandler, name: str) -> None:
        self.record("the server", f"closes {name}")
        member.close()

    def test_all_hear_what_one_says(self) -> None:
        ada, bob = self.enter("Ada"), self.enter("Bob")
        ada.send("hello")
        ada.expect("hello", advice=EVERYBODY)
        bob.expect("hello", advice=EVERYBODY)

    def test_the_others_hear_it_although_one_is_closed(self) -> None:
        members = self._app.settings["members"]
        sockets, names = {}, {}
        for name in ("Ada", "Bob", "Cy", "Dee", "Eve", "Fay"):
            before = members.copy()
            sockets[name] = self.enter(name)
            (handler,) = members - before
            names[handler] = name
        # A set has an order of its own. If the first one is closed, all others come after it.
        first = next(iter(members))
        self.close_member(first, names[first])
        living = [socket for name, socket in sockets.items() if name != names[first]]
        living[0].send("hello")
        for member in living:
            member.expect("hello", advice=HEARS)

    def test_the_speaker_stays_connected(self) -> None:
        ada = self.enter("Ada")
        self.enter_closed("Bob")
        for text in ("hello", "still here?"):
            ada.send(text)
            ada.expect(text, advice=SPEAKER)

    def test_a_closed_member_is_forgotten(self) -> None:
        ada = self.enter("Ada")
        self.enter("Bob").close()
        self.expect_members(1)
        self.enter_closed("Cy").expect_close(advice=FORGET)
        ada.send("hello")
        ada.expect("hello", advice=HEARS)
        self.expect_members(1)

    def expect_members(self, number: int) -> None:
        members = len(self._app.settings["members"])
        self.expect(members, number, sent=f"{self.sent}\nlen(members)", advice=FORGET)

    def test_a_closed_member_is_no_error(self) -> None:
        errors = Errors()
        logging.getLogger().addHandler(errors)
        self.addCleanup(logging.getLogger().removeHandler, errors)
        ada = self.enter("Ada")
        closed = self.enter_closed("Bob")
        ada.send("hello")
        ada.expect("hello", advice=HEARS)
        closed.expect_close(advice=LEAVE)
        self.enter("Cy").close()
        ada.send("still here?")
        ada.expect("still here?", advice=LEAVE)
        gc.collect()  # only then asyncio reports the exception of a task that nobody awaited
        sent = f"{self.sent}\nwhich errors are logged?"
        self.expect(errors.logged, [], sent=sent, advice=LEAVE)


class Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.logged: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.logged.append(record.getMessage().partition("\n")[0])
