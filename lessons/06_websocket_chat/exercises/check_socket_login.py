"""Without a valid cookie there is no socket; each frame carries the name in the signed cookie."""

import secrets

import tornado.web

from course.testing.websocket import WebSocketCase

REFUSE = (
    "prepare() runs before the upgrade: there raise tornado.web.HTTPError(401), which ends the\n"
    "request. set_status(401) alone does not end it, and open() is too late"
)
FORGED = "get_signed_cookie() returns None unless the signature fits; get_cookie() reads anything"
VALID = "prepare() must accept everybody who has a valid signed cookie named user"
NAME = (
    "get_current_user() returns the name from get_signed_cookie(), which is bytes: decode() it.\n"
    'A message goes out as {"from": self.current_user, "text": message}'
)
CLAIMED = "The name comes from the cookie only, whatever the address and the message say"
OWN = "Each socket has a handler of its own: keep the name on self, not on the class"


class SocketLogin(WebSocketCase):
    frame_timeout = 0.8

    def get_app(self) -> tornado.web.Application:
        self.secret = secrets.token_hex(32)
        return self.make_app(cookie_secret=self.secret)

    def cookie(self, name: str, value: str, secret: str = "") -> dict[str, str]:
        signed = tornado.web.create_signed_value(secret or self.secret, name, value)
        return {"Cookie": f"{name}={signed.decode()}"}

    def test_without_a_cookie_there_is_no_socket(self) -> None:
        self.handshake("/socket").expect(status=401, advice=REFUSE)

    def test_a_forged_cookie_opens_no_socket(self) -> None:
        for headers in (
            {"Cookie": "user=Ada"},
            self.cookie("user", "Ada", secrets.token_hex(32)),
            {"Cookie": self.cookie("visitor", "Ada")["Cookie"].replace("visitor=", "user=")},
        ):
            self.handshake("/socket", headers=headers).expect(status=401, advice=FORGED)

    def test_frames_carry_the_name_in_the_cookie(self) -> None:
        socket = self.connect("/socket", headers=self.cookie("user", "Zoë"), advice=VALID)
        socket.send("hello")
        socket.expect({"from": "Zoë", "text": "hello"}, advice=NAME)

    def test_a_name_in_the_message_or_the_address_changes_nothing(self) -> None:
        text = '{"from": "Bob", "text": "it was me"}'
        headers = self.cookie("user", "Ada")
        path = "/socket?user=Bob&name=Bob&from=Bob"
        socket = self.connect(path, headers=headers, advice=VALID)
        socket.send(text)
        socket.expect({"from": "Ada", "text": text}, advice=CLAIMED)

    def test_each_socket_has_its_own_name(self) -> None:
        sockets = {
            name: self.connect(
                "/socket", name=name, headers=self.cookie("user", name), advice=VALID
            )
            for name in ("Ada", "Bob")
        }
        for name, socket in sockets.items():
            socket.send("hello")
            socket.expect({"from": name, "text": "hello"}, advice=OWN)
