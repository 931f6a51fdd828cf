"""Members leave; the last one takes the group along."""

from course.testing.http import ExerciseCase

STRANGER = "who is not a member gets 404, as for a group that does not exist"


class LeaveGroup(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self._app.settings["groups"].update({1: {"Ada", "Bob"}, 2: {"Eve"}})

    def expect_groups(self, groups: dict[int, set[str]], sent: str, advice: str) -> None:
        self.expect(self._app.settings["groups"], groups, sent=sent, advice=advice)

    def leave(self, path: str) -> None:
        advice = "a member leaves: the status 204"
        self.send("POST", path).expect(status=204, body="", advice=advice)

    def test_a_member_leaves_and_the_others_stay(self) -> None:
        path = "/groups/1/leave?user=Ada"
        self.leave(path)
        advice = "take out this user; the others stay"
        self.expect_groups({1: {"Bob"}, 2: {"Eve"}}, f"POST {path}", advice)

    def test_a_group_without_members_is_deleted(self) -> None:
        path = "/groups/2/leave?user=Eve"
        self.leave(path)
        advice = "delete a group without members from the dict"
        self.expect_groups({1: {"Ada", "Bob"}}, f"POST {path}", advice)

    def test_strangers(self) -> None:
        for path in ("/groups/1/leave?user=Eve", "/groups/9/leave?user=Ada"):
            self.send("POST", path).expect(status=404, advice=STRANGER)
