"""The tests of stage 9: unread messages, presence, typing."""

from typing import Any

from course.testing.chat_stage import LOBBY, Person, StageCase


class SignalTest(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.person("Ada"), self.person("Bob")

    def lobby(self, person: Person) -> dict[str, Any]:
        summaries = person.call("GET", "/api/state")["conversations"]
        found: dict[str, Any] = next(each for each in summaries if each["id"] == LOBBY)
        return found

    def say(self, *texts: str) -> None:
        socket = self.ada.connect()
        for text in texts:
            socket.expect("ack", cid=socket.send(text))

    def test_messages_of_others_are_unread(self) -> None:
        self.say("one", "two")
        self.assertEqual(self.lobby(self.bob)["unread"], 2)
        self.assertEqual(self.lobby(self.ada)["unread"], 0)

    def test_a_summary_has_the_newest_message(self) -> None:
        self.assertIsNone(self.lobby(self.bob)["newest"])
        self.say("one", "newest")
        newest = self.lobby(self.bob)["newest"]
        self.assertEqual((newest["nickname"], newest["text"]), ("Ada", "newest"))

    def test_a_read_mark_counts_and_never_goes_back(self) -> None:
        self.say("one", "two", "three")
        bob = self.bob.connect()
        for seq, mark in ((2, 2), (1, 2), (99, 3)):
            bob.write({"type": "read", "conv": LOBBY, "seq": seq})
            self.assertEqual(bob.expect("read", conv=LOBBY)["seq"], mark)
            self.assertEqual(self.lobby(self.bob)["unread"], 3 - mark)

    def test_the_other_windows_of_a_user_learn_of_it_and_nobody_else(self) -> None:
        self.say("one")
        ada, windows = self.ada.connect(), [self.bob.connect() for _ in range(2)]
        windows[0].write({"type": "read", "conv": LOBBY, "seq": 1})
        for window in windows:
            window.expect("read", conv=LOBBY, seq=1)
        self.assertNotIn("read", [frame["type"] for frame in ada.settle()])

    def test_a_read_mark_is_there_after_a_restart(self) -> None:
        self.say("one")
        bob = self.bob.connect()
        bob.write({"type": "read", "conv": LOBBY, "seq": 1})
        bob.expect("read")
        self.restart()
        self.assertEqual((self.lobby(self.bob)["read"], self.lobby(self.bob)["unread"]), (1, 0))

    def test_the_others_learn_who_comes_and_goes(self) -> None:
        ada = self.ada.connect()
        first, second = self.bob.connect(), self.bob.connect()
        user = first.expect("hello")["user"]["id"]
        ada.expect("presence", user=user, online=True)
        first.connection.close()
        first.read_to_end()
        self.assertNotIn("presence", [frame["type"] for frame in ada.settle()])
        second.connection.close()
        ada.expect("presence", user=user, online=False)

    def test_hello_says_who_is_online(self) -> None:
        ada = self.ada.connect().expect("hello")
        self.assertEqual(ada["online"], [ada["user"]["id"]])
        bob = self.bob.connect().expect("hello")
        self.assertEqual(bob["online"], sorted([ada["user"]["id"], bob["user"]["id"]]))

    def test_the_other_members_see_who_is_typing(self) -> None:
        eve = self.person("Eve")
        private = self.ada.call("POST", f"/api/private/{self.user_id(self.bob)}")["conversation"]
        sockets = {person.nickname: person.connect() for person in (self.ada, self.bob, eve)}
        sockets["Ada"].write({"type": "typing", "conv": private["id"]})
        frame = sockets["Bob"].expect("typing", conv=private["id"])
        self.assertEqual(frame["from"]["nickname"], "Ada")
        for name in ("Ada", "Eve"):
            self.assertNotIn("typing", [each["type"] for each in sockets[name].settle()])
        sockets["Eve"].write({"type": "typing", "conv": private["id"]})
        sockets["Eve"].expect("error", code="not_found")

    def user_id(self, person: Person) -> int:
        return int(person.call("GET", "/api/state")["user"]["id"])

    def test_signals_are_no_events(self) -> None:
        ada = self.ada.connect()
        ada.write({"type": "typing", "conv": LOBBY})
        ada.write({"type": "read", "conv": LOBBY, "seq": 1})
        ada.expect("read", seq=0)
        self.assertEqual(self.ada.connect().expect("hello")["heads"], {"1": 0})
