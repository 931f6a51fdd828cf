"""The tests of stage 1: one room."""

import time

from tornado.httpclient import HTTPClientError

from course.testing.chat_stage import StageCase


class RoomTest(StageCase):
    def test_the_page_is_the_room(self) -> None:
        page = self.person("Ada").page()
        self.assertIn('id="log"', page)
        self.assertIn('id="composer"', page)

    def test_everybody_receives_a_message(self) -> None:
        ada, bob = self.connect("Ada"), self.connect("Bob")
        ada.send("hello")
        for socket in (ada, bob):
            message = socket.expect("message", text="hello")
            self.assertEqual(message["from"]["nickname"], "Ada")
            self.assertLess(abs(message["at"] / 1000 - time.time()), 60)

    def test_a_text_arrives_as_it_was_written(self) -> None:
        ada = self.connect("Ada")
        for text in ('<b>"tags" & quotes</b>', "你好 ёлка 🍅", "two\nlines"):
            ada.send(text)
            ada.expect("message", text=text)

    def test_an_empty_or_long_text_is_refused(self) -> None:
        ada, bob = self.connect("Ada"), self.connect("Bob")
        ada.send(" \n ")
        ada.expect("error", code="text_empty")
        ada.send("a" * 4001)
        ada.expect("error", code="text_too_long")
        self.assertNotIn("message", [frame["type"] for frame in bob.settle()])

    def test_a_bad_frame_does_not_close_the_connection(self) -> None:
        ada = self.connect("Ada")
        for frame in ("no JSON", "[" * 50_000, "[]", '{"type": "send"}'):
            ada.write(frame)
            ada.expect("error")
        ada.send("still here")
        ada.expect("message", text="still here")

    def test_the_others_go_on_when_a_connection_is_closed(self) -> None:
        ada, bob = self.connect("Ada"), self.connect("Bob")
        bob.connection.close()
        for text in ("one", "two"):
            ada.send(text)
            ada.expect("message", text=text)

    def test_a_page_of_another_site_is_refused(self) -> None:
        with self.assertRaises(HTTPClientError) as refused:
            self.person("Ada").connect({"Origin": "https://evil.example"})
        self.assertEqual(refused.exception.code, 403)
