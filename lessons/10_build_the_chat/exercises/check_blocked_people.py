"""Two people have one private chat, if none of them has blocked the other."""

from course.testing.http import ExerciseCase

PAIR = "the two names in alphabetical order, so that both people get the same pair"
BLOCKED = "403 if one of the two has blocked the other, in either direction"


class BlockedPeople(ExerciseCase):
    def test_two_people_have_one_pair(self) -> None:
        for path in ("/private?user=Ada&other=Bob", "/private?user=Bob&other=Ada"):
            self.send("POST", path).expect(status=200, json={"pair": "Ada:Bob"}, advice=PAIR)

    def test_blocked_in_either_direction(self) -> None:
        self._app.settings["blocked"].add(("Bob", "Ada"))
        for path in ("/private?user=Ada&other=Bob", "/private?user=Bob&other=Ada"):
            self.send("POST", path).expect(status=403, advice=BLOCKED)
        response = self.send("POST", "/private?user=Ada&other=Eve")
        response.expect(status=200, json={"pair": "Ada:Eve"}, advice=BLOCKED)

    def test_nobody_chats_with_themselves(self) -> None:
        response = self.send("POST", "/private?user=Ada&other=Ada")
        response.expect(status=404, advice="nobody chats with themselves: 404")
