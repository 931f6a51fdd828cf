"""Members have the name of the signed cookie, in JSON; each application has a room of its own."""

from http.cookies import SimpleCookie

from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import decode_signed_value

from course.testing.websocket import WebSocketCase, WebSocketClient

COOKIE = (
    "The response is complete when a socket opens, so open() is too late for a cookie.\n"
    'In PageHandler: self.set_signed_cookie("name", ...)'
)
OPENS = "open(): no set_signed_cookie() there. The cookie comes with the handshake"
TEXT = (
    "write_message() takes a text, bytes or a dict, which it converts to JSON, and no list.\n"
    "The name is that in the signed cookie: everybody can write another one into the address.\n"
    "get_signed_cookie() returns bytes: decode() them"
)
ROOM = (
    "A set of the class is one room for all applications of the program. Make the set in\n"
    "make_app(), and keep it in the settings or pass it to initialize()"
)
LEAVES = "on_close(): take self out of the set; go through a copy of the set in on_message()"


class OldChat(WebSocketCase):
    frame_timeout = 0.8
    other_port = 0  # of a second application, while a socket to it is opened

    def get_http_port(self) -> int:
        return self.other_port or super().get_http_port()

    def cookie(self, name: str) -> str:
        """Open the page, and return the header Cookie that a browser sends from then on."""
        page = self.send("GET", f"/?name={name}")
        sent = SimpleCookie("; ".join(page.headers.get_list("Set-Cookie")))
        value = sent["name"].value if "name" in sent else ""
        secret = self._app.settings.get("cookie_secret", "")
        signed = (decode_signed_value(secret, "name", value) or b"").decode()
        what = f"{page.sent}\na signed cookie name"
        self.expect(signed or None, name, sent=what, advice=COOKIE)
        return f"name={value}"

    def enter(self, name: str) -> WebSocketClient:
        """Open the page, then the socket with its cookie, under another name in the address."""
        headers = {"Cookie": self.cookie(name)}
        return self.connect("/chat?name=Mallory", name=name, headers=headers, advice=OPENS)

    def test_all_members_receive_a_text(self) -> None:
        ada, bob = self.enter("Ada"), self.enter("Bob")
        for text in ("hello", '"quotes" 你好'):
            ada.send(text)
            for member in (ada, bob):
                member.expect({"name": "Ada", "text": text}, advice=TEXT)

    def test_two_applications_have_two_rooms(self) -> None:
        ada = self.enter("Ada")
        socket, self.other_port = bind_unused_port()
        HTTPServer(self.make_app()).add_socket(socket)  # closed with the event loop of the test
        self.record("", "another application:")
        bob = self.enter("Bob")
        bob.send("elsewhere")
        bob.expect({"name": "Bob", "text": "elsewhere"}, advice=ROOM)
        ada.send("here")
        ada.expect({"name": "Ada", "text": "here"}, advice=ROOM)

    def test_the_others_go_on_when_one_leaves(self) -> None:
        ada, bob = self.enter("Ada"), self.enter("Bob")
        bob.close()
        for text in ("still here?", "yes"):  # an exception after the first closes the connection
            ada.send(text)
            ada.expect({"name": "Ada", "text": text}, advice=LEAVES)
