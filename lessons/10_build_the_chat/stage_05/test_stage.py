"""The tests of stage 5: groups."""

from course.testing.chat_stage import LOBBY, Person, StageCase


class GroupTest(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.person("Ada"), self.person("Bob")

    def create(self, title: str = "Garden") -> int:
        answer = self.ada.call("POST", "/api/groups", {"title": title})
        return int(answer["conversation"]["id"])

    def titles(self, person: Person) -> set[str]:
        return {each["title"] for each in person.call("GET", "/api/state")["conversations"]}

    def test_everybody_is_in_the_lobby(self) -> None:
        state = self.bob.call("GET", "/api/state")
        self.assertEqual([each["id"] for each in state["conversations"]], [LOBBY])
        self.assertEqual(state["user"]["nickname"], "Bob")

    def test_a_group_is_created_and_joined(self) -> None:
        conv = self.create()
        self.assertEqual(self.titles(self.ada), {"Lobby", "Garden"})
        self.assertEqual(self.titles(self.bob), {"Lobby"})
        groups = {each["title"]: each for each in self.bob.call("GET", "/api/groups")["groups"]}
        expected = {"id": conv, "title": "Garden", "members": 1, "joined": False}
        self.assertEqual(expected.items() & groups["Garden"].items(), expected.items())
        self.bob.call("POST", f"/api/groups/{conv}/join")
        self.assertEqual(self.titles(self.bob), {"Lobby", "Garden"})

    def test_messages_reach_the_members_only(self) -> None:
        conv = self.create()
        ada, bob = self.ada.connect(), self.bob.connect()
        ada.send("for members", conv)
        ada.expect("message", conv=conv, text="for members")
        self.assertNotIn("message", [frame["type"] for frame in bob.settle()])
        self.bob.call("POST", f"/api/groups/{conv}/join")
        ada.send("welcome", conv)
        bob.expect("message", conv=conv, text="welcome")

    def test_only_members_read_and_write(self) -> None:
        conv = self.create()
        self.assertEqual(self.bob.try_call("GET", f"/api/conversations/{conv}/events").code, 404)
        bob = self.bob.connect()
        bob.send("let me in", conv)
        bob.expect("error", code="not_found")
        self.assertEqual(self.ada.call("GET", f"/api/conversations/{conv}/events")["events"], [])

    def test_each_group_has_its_history(self) -> None:
        conv, socket = self.create(), self.ada.connect()
        for each, text in ((LOBBY, "hello"), (conv, "tomatoes")):
            socket.send(text, each)
            socket.expect("message", conv=each, text=text)
        events = self.ada.call("GET", f"/api/conversations/{conv}/events")["events"]
        self.assertEqual([event["text"] for event in events], ["tomatoes"])

    def test_what_does_not_exist_is_not_found(self) -> None:
        self.assertEqual(self.ada.try_call("POST", f"/api/groups/{LOBBY}/join").code, 200)
        self.assertEqual(self.ada.try_call("POST", "/api/groups/999/join").code, 404)

    def test_a_title_has_rules(self) -> None:
        for title in ("", "  ", "a" * 61, "two\nlines", 7):
            response = self.ada.try_call("POST", "/api/groups", {"title": title})
            self.assertEqual(response.code, 400, title)

    def test_groups_are_there_after_a_restart(self) -> None:
        conv = self.create()
        self.bob.call("POST", f"/api/groups/{conv}/join")
        self.restart()
        self.assertEqual(self.titles(self.bob), {"Lobby", "Garden"})
