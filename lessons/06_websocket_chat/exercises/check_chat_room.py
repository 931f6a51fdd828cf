"""Everybody hears who comes, what is said and who leaves; the set holds who is there."""

from tornado.websocket import WebSocketHandler

from course.testing.websocket import WebSocketCase, WebSocketClient

ROUTE = "make_app(): leave the route /room/NAME to MemberHandler as it was"
CAME = "open(): first self.members.add(self), then write the event to every member, yourself too"
SAID = "on_message(): write the event to every member, to the sender too"
JSON = (
    "An event is an object in JSON: write_message() makes one of a dict.\n"
    "Do not build it as text, and do not convert it twice"
)
LEFT = (
    "on_close() runs whichever side closes: first take the member out, then write the event to\n"
    "the others. write_message() to a member who is closed raises WebSocketClosedError"
)
MEMBERS = 'self.settings["members"] must hold the handlers (self) of those who are there'


class ChatRoom(WebSocketCase):
    frame_timeout = 0.8

    def enter(self, name: str) -> WebSocketClient:
        socket = self.connect(f"/room/{name}", name=name, advice=ROUTE)
        socket.expect({"type": "came", "name": name}, advice=CAME, advice_for_type=JSON)
        return socket

    def expect_members(self, number: int) -> None:
        members = self._app.settings["members"]
        sent = f'{self.sent}\nlen(settings["members"])'
        advice = LEFT if len(members) > number else MEMBERS
        self.expect(len(members), number, sent=sent, advice=advice)
        others = [member for member in members if not isinstance(member, WebSocketHandler)]
        kinds = {type(member).__name__ for member in others}
        self.expect(kinds, set(), sent="what else is among the members?", advice=MEMBERS)

    def test_everybody_hears_who_comes(self) -> None:
        ada = self.enter("Ada")
        self.enter("Bob")
        ada.expect({"type": "came", "name": "Bob"}, advice=CAME)
        self.expect_members(2)

    def test_everybody_hears_what_one_says(self) -> None:
        ada, bob = self.enter("Ada"), self.enter("Bob")
        ada.expect({"type": "came", "name": "Bob"}, advice=CAME)
        for text in ("hello", '"quotes" <b>tags</b>', "你好"):
            ada.send(text)
            for member in (ada, bob):
                member.expect(
                    {"type": "said", "name": "Ada", "text": text}, advice=SAID, advice_for_type=JSON
                )
        bob.send("hi")
        ada.expect({"type": "said", "name": "Bob", "text": "hi"}, advice=SAID)

    def test_the_others_hear_who_has_left(self) -> None:
        ada, bob = self.enter("Ada"), self.enter("Bob")
        ada.expect({"type": "came", "name": "Bob"}, advice=CAME)
        bob.close()
        ada.expect({"type": "left", "name": "Bob"}, advice=LEFT)
        self.expect_members(1)

    def test_the_room_goes_on_when_somebody_has_left(self) -> None:
        ada, bob, cy = self.enter("Ada"), self.enter("Bob"), self.enter("Cy")
        bob.close()
        ada.send("still here?")
        for heard in (
            {"type": "came", "name": "Bob"},
            {"type": "came", "name": "Cy"},
            {"type": "left", "name": "Bob"},
            {"type": "said", "name": "Ada", "text": "still here?"},
        ):
            ada.expect(heard, advice=LEFT)
        cy.expect({"type": "left", "name": "Bob"}, advice=LEFT)
        cy.expect({"type": "said", "name": "Ada", "text": "still here?"}, advice=SAID)
