"""Each frame comes back as what it was; the status is JSON, and each connection's own."""

from course.testing.websocket import WebSocketCase

ROUTE = "make_app(): leave the route /echo to EchoHandler as it was"
TEXT = "Define on_message(), spelled exactly so, and in it self.write_message(message)"
BYTES = (
    "binary=True makes a binary frame: self.write_message(message, binary=...) must be true if\n"
    "message is bytes, and false if it is text; see app.py"
)
QUESTION = 'Only the text "status" is the question: the bytes b"status" are echoed'
STATUS = "write_message() makes JSON of a dict; count where you echo, and do not count the status"
SIZE = "Count bytes: a text has len(message.encode()) of them, and a binary frame counts too"
OWN = "Each connection has a handler object of its own: set the counts on self, in open()"


class EchoSocket(WebSocketCase):
    frame_timeout = 0.8

    def test_text_comes_back_as_text(self) -> None:
        socket = self.connect("/echo", advice=ROUTE)
        for text in ("hello", "Grüße", ""):
            socket.send(text)
            socket.expect(text, advice=TEXT, advice_for_type=BYTES)

    def test_bytes_come_back_as_bytes(self) -> None:
        socket = self.connect("/echo", advice=ROUTE)
        for data, advice in ((b"hello", BYTES), (b"\xff\x00", BYTES), (b"status", QUESTION)):
            socket.send(data)
            socket.expect(data, advice=advice)

    def test_each_connection_counts_for_itself(self) -> None:
        ada = self.connect("/echo", name="Ada", advice=ROUTE)
        bob = self.connect("/echo", name="Bob", advice=ROUTE)
        ada.send("hello")
        ada.expect("hello", advice=TEXT)
        bob.send("status")
        bob.expect({"frames": 0, "bytes": 0}, advice=OWN)

    def test_status_answers_in_json(self) -> None:
        socket = self.connect("/echo", advice=ROUTE)
        socket.send("status")
        socket.expect({"frames": 0, "bytes": 0}, advice=STATUS)
        socket.send("hello")
        socket.expect("hello", advice=TEXT)
        for _ in range(2):
            socket.send("status")
            socket.expect({"frames": 1, "bytes": 5}, advice=STATUS)

    def test_status_counts_bytes_not_characters(self) -> None:
        socket = self.connect("/echo", advice=ROUTE)
        for frame, advice in (("ü", TEXT), (b"\xff\x00", BYTES)):
            socket.send(frame)
            socket.expect(frame, advice=advice)
        socket.send("status")
        socket.expect({"frames": 2, "bytes": 4}, advice=SIZE)

    def test_a_plain_get_is_refused(self) -> None:
        self.send("GET", "/echo").expect(
            status=400, advice="EchoHandler needs no get(): WebSocketHandler has it, and refuses"
        )
