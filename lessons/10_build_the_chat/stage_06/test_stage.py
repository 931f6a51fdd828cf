"""The tests of stage 6: contacts, private chats and pictures."""

import io

from PIL import Image
from tornado.httpclient import HTTPResponse

from course.testing.chat_stage import LOBBY, StageCase


def draw(size: tuple[int, int], kind: str = "PNG", **options: object) -> bytes:
    output = io.BytesIO()
    Image.new("1", size).save(output, kind, **options)  # black and white: quick to make
    return output.getvalue()


class ContactTest(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob, self.eve = (self.person(name) for name in ("Ada", "Bob", "Eve"))
        self.ids = {
            person.nickname: person.call("GET", "/api/state")["user"]["id"]
            for person in (self.ada, self.bob, self.eve)
        }

    def open_chat(self) -> int:
        answer = self.ada.call("POST", f"/api/private/{self.ids['Bob']}")
        return int(answer["conversation"]["id"])

    def upload(self, data: bytes) -> HTTPResponse:
        return self.ada.request("PUT", "/api/me/picture", body=data)

    def test_a_contact_is_added_by_name(self) -> None:
        body = {"name": self.bob.name.upper()}
        contact = self.ada.call("POST", "/api/contacts", body)["conversation"]
        peer = {"id": self.ids["Bob"], "nickname": "Bob", "picture": None}
        self.assertEqual(
            (contact["kind"], contact["title"], contact["peer"]), ("private", "Bob", peer)
        )
        self.ada.call("POST", "/api/contacts", body)  # twice makes no second one
        found = self.ada.call("GET", "/api/state")["conversations"]
        self.assertEqual([each["peer"] for each in found if each["kind"] == "private"], [peer])

    def test_nobody_is_their_own_contact(self) -> None:
        for name in (self.ada.name, "nobody"):
            response = self.ada.try_call("POST", "/api/contacts", {"name": name})
            self.assertEqual(response.code, 404)
            self.assertIn(b"no_such_user", response.body)
        own = self.ada.try_call("POST", f"/api/private/{self.ids['Ada']}")
        self.assertIn(b"no_such_user", own.body)

    def test_two_people_have_one_private_chat(self) -> None:
        conv = self.open_chat()
        from_bob = self.bob.call("POST", f"/api/private/{self.ids['Ada']}")["conversation"]
        self.assertEqual(from_bob["id"], conv)
        self.assertEqual((from_bob["kind"], from_bob["title"]), ("private", "Ada"))
        self.assertEqual(from_bob["peer"]["id"], self.ids["Ada"])

    def test_a_private_chat_is_private(self) -> None:
        conv = self.open_chat()
        ada, bob, eve = (person.connect() for person in (self.ada, self.bob, self.eve))
        ada.send("only for you", conv)
        bob.expect("message", conv=conv, text="only for you")
        eve.send("me too", conv)
        eve.expect("error", code="not_found")
        self.assertEqual(self.eve.try_call("GET", f"/api/conversations/{conv}/events").code, 404)
        self.assertEqual(self.eve.try_call("POST", f"/api/groups/{conv}/join").code, 404)
        titles = [group["title"] for group in self.eve.call("GET", "/api/groups")["groups"]]
        self.assertEqual(titles, ["Lobby"])

    def test_a_picture_is_drawn_anew_and_small(self) -> None:
        name = self.ada.call("GET", "/api/state")["user"]["picture"]
        self.assertIsNone(name)
        response = self.upload(draw((300, 200), "JPEG", comment=b"a secret place"))
        self.assertEqual(response.code, 200)
        name = self.ada.call("GET", "/api/state")["user"]["picture"]
        picture = self.bob.request("GET", f"/pictures/{name}.webp")
        self.assertEqual(picture.headers["Content-Type"], "image/webp")
        self.assertNotIn(b"a secret place", picture.body)
        with Image.open(io.BytesIO(picture.body)) as image:
            self.assertEqual((image.format, image.size), ("WEBP", (128, 128)))

    def test_a_message_has_the_picture_of_its_sender(self) -> None:
        self.upload(draw((8, 8)))
        name = self.ada.call("GET", "/api/state")["user"]["picture"]
        socket = self.ada.connect()
        socket.send("look", LOBBY)
        self.assertEqual(socket.expect("message")["from"]["picture"], name)

    def test_a_new_picture_has_a_new_name(self) -> None:
        names = []
        for _ in range(2):
            self.upload(draw((8, 8)))
            names.append(self.ada.call("GET", "/api/state")["user"]["picture"])
        self.assertNotEqual(*names)
        self.assertEqual(self.ada.request("GET", f"/pictures/{names[0]}.webp").code, 404)

    def test_what_is_no_picture_is_refused(self) -> None:
        for data in (b"<svg onload='alert(1)'/>", draw((8, 8))[:40], draw((5000, 5000))):
            response = self.upload(data)
            self.assertEqual(response.code, 400)
            self.assertIn(b"not_a_picture", response.body)
        self.assertEqual(self.upload(b"a" * (1024 * 1024 + 1)).code, 413)
