"""Each frame comes back as what it was; the status is JSON, and each connection's own."""

from course.socket_case import SocketCase

ROUTE = "make_app(): leave the route /echo to EchoHandler as the stub has it"
TEXT = "on_message(), spelt just like this: self.write_message(message)"
BYTES = "write_message(..., binary=True) makes a binary frame: say so when message is bytes; app.py"
STATUS = "write_message() makes JSON of a dict; count where you echo, and not the status itself"
SIZE = "bytes on the wire: a text has message.encode() of them, not one for each letter"
OWN = "self is the connection: keep the counts on self, set in open(), not on the class"


class EchoSocket(SocketCase):
    def test_text_comes_back_as_text(self) -> None:
        socket = self.connect("/echo", look=ROUTE)
        for text in ("hello", "Grüße", ""):
            socket.send(text)
            socket.expect(text, look=TEXT)

    def test_bytes_come_back_as_bytes(self) -> None:
        socket = self.connect("/echo", look=ROUTE)
        for data in (b"hello", b"\xff\x00"):
            socket.send(data)
            socket.expect(data, look=BYTES)

    def test_each_connection_counts_for_itself(self) -> None:
        ada = self.connect("/echo", name="Ada", look=ROUTE)
        bob = self.connect("/echo", name="Bob", look=ROUTE)
        ada.send("hello")
        ada.expect("hello", look=TEXT)
        bob.send("status")
        bob.expect({"frames": 0, "bytes": 0}, look=OWN)

    def test_status_answers_in_json(self) -> None:
        socket = self.connect("/echo", look=ROUTE)
        socket.send("status")
        socket.expect({"frames": 0, "bytes": 0}, look=STATUS)
        socket.send("hello")
        socket.expect("hello", look=TEXT)
        for _ in range(2):
            socket.send("status")
            socket.expect({"frames": 1, "bytes": 5}, look=STATUS)

    def test_status_counts_bytes_not_letters(self) -> None:
        socket = self.connect("/echo", look=ROUTE)
        for frame in ("ü", b"\xff\x00"):
            socket.send(frame)
            socket.expect(frame, look=f"{TEXT}\n{BYTES}")
        socket.send("status")
        socket.expect({"frames": 2, "bytes": 4}, look=SIZE)

    def test_a_plain_get_is_refused(self) -> None:
        self.send("GET", "/echo").expect(
            status=400, look="EchoHandler needs no get(): WebSocketHandler has it, and refuses"
        )
