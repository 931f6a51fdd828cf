"""Everybody hears who comes, what is said and who leaves; the set holds who is there."""

from course.socket_case import Socket, SocketCase

ROUTE = "make_app(): leave the route /room/NAME to MemberHandler as the stub has it"
CAME = "open(): first self.members.add(self), then write the event to every member, yourself too"
SAID = "on_message(): write the event to every member, the sender too"
LEFT = "on_close() runs whichever side closes: take the member out first, then tell the others"


class ChatRoom(SocketCase):
    def enter(self, name: str) -> Socket:
        socket = self.connect(f"/room/{name}", name=name, look=ROUTE)
        socket.expect({"type": "came", "name": name}, look=CAME)
        return socket

    def test_whoever_comes_is_announced(self) -> None:
        ada = self.enter("Ada")
        self.enter("Bob")
        ada.expect({"type": "came", "name": "Bob"}, look=CAME)

    def test_all_hear_what_one_says(self) -> None:
        ada, bob = self.enter("Ada"), self.enter("Bob")
        ada.expect({"type": "came", "name": "Bob"}, look=CAME)
        for text in ("hello", '"quotes" <b>tags</b>', "你好"):
            ada.send(text)
            for member in (ada, bob):
                member.expect({"type": "said", "name": "Ada", "text": text}, look=SAID)

    def test_after_one_has_left_the_other_is_told(self) -> None:
        ada, bob = self.enter("Ada"), self.enter("Bob")
        ada.expect({"type": "came", "name": "Bob"}, look=CAME)
        bob.close()
        ada.expect({"type": "left", "name": "Bob"}, look=LEFT)
        self.expect(
            len(self._app.settings["members"]), 1, sent=f"{self.sent}\nlen(members)", look=LEFT
        )

    def test_the_room_works_on_when_somebody_has_left(self) -> None:
        ada, bob, cy = self.enter("Ada"), self.enter("Bob"), self.enter("Cy")
        bob.close()
        ada.send("still here?")
        for heard in (
            {"type": "came", "name": "Bob"},
            {"type": "came", "name": "Cy"},
            {"type": "left", "name": "Bob"},
            {"type": "said", "name": "Ada", "text": "still here?"},
        ):
            ada.expect(heard, look=LEFT)
        cy.expect({"type": "left", "name": "Bob"}, look=LEFT)
        cy.expect({"type": "said", "name": "Ada", "text": "still here?"}, look=SAID)
