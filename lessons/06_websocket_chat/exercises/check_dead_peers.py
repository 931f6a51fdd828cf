"""Members whom the server has closed disturb nobody, and are forgotten."""

import logging

from course.socket_case import Socket, SocketCase

ROUTE = "make_app(): leave the route /room to MemberHandler as the stub has it"
HEARS = (
    "on_message(): write_message() to a closed member raises WebSocketClosedError;\n"
    "catch it for each member, inside the loop, and go on with the next;\n"
    "and go through a copy of the set, which may change while you do"
)
FORGET = "on_close() runs for every end: there discard() the member from the set"
LEAVE = "on_close(): remove() raises KeyError for a member who is out already, discard() does not"


class DeadPeers(SocketCase):
    def enter(self, name: str) -> Socket:
        return self.connect("/room", name=name, look=ROUTE)

    def enter_dead(self, name: str) -> Socket:
        """Let one enter and be closed by the server; its client has yet to answer."""
        members = self._app.settings["members"]
        before = members.copy()
        socket = self.enter(name)
        self.note("the server", f"closes {name}")
        for member in members - before:
            member.close()
        return socket

    def test_all_hear_what_one_says(self) -> None:
        ada, bob = self.enter("Ada"), self.enter("Bob")
        ada.send("hello")
        ada.expect("hello", look=HEARS)
        bob.expect("hello", look=HEARS)

    def test_the_others_hear_it_though_one_is_dead(self) -> None:
        # A set has no order: of so many, some come after the dead one and some before.
        living = [self.enter(name) for name in ("Ada", "Bob", "Cy", "Dee", "Eve", "Fay")]
        for name in ("Xan", "Yul", "Zed"):
            self.enter_dead(name)
        living[0].send("hello")
        for member in living:
            member.expect("hello", look=HEARS)

    def test_who_speaks_to_the_dead_is_not_cut_off(self) -> None:
        ada = self.enter("Ada")
        self.enter_dead("Bob")
        for text in ("hello", "still here?"):
            ada.send(text)
            ada.expect(text, look=HEARS)

    def test_who_is_gone_is_forgotten(self) -> None:
        ada = self.enter("Ada")
        self.enter("Bob").close()
        self.expect_members(1)
        self.enter_dead("Cy").expect_end(look=FORGET)
        ada.send("hello")
        ada.expect("hello", look=HEARS)
        self.expect_members(1)

    def expect_members(self, number: int) -> None:
        members = len(self._app.settings["members"])
        self.expect(members, number, sent=f"{self.sent}\nlen(members)", look=FORGET)

    def test_their_own_end_is_no_error(self) -> None:
        errors = Errors()
        log = logging.getLogger("tornado.application")
        log.addHandler(errors)
        self.addCleanup(log.removeHandler, errors)
        ada = self.enter("Ada")
        dead = self.enter_dead("Bob")
        ada.send("hello")
        ada.expect("hello", look=HEARS)
        dead.expect_end(look=LEAVE)
        self.enter("Cy").close()
        ada.send("still here?")
        ada.expect("still here?", look=LEAVE)
        self.expect(errors.count, 0, sent=f"{self.sent}\nhow many errors are logged?", look=LEAVE)


class Errors(logging.Handler):
    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
