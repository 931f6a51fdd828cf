"""No valid cookie, no socket; with one, each frame carries the name that the cookie proves."""

import secrets

import tornado.web

from course.socket_case import SocketCase

REFUSE = "prepare() runs before the upgrade: there raise tornado.web.HTTPError(401)"
FORGED = "get_signed_cookie() returns None unless the signature fits; get_cookie() reads anything"
NAME = "get_current_user() returns the name from get_signed_cookie(), which is bytes: decode() it"
VALID = "prepare() must let in who has a valid signed cookie named user"


class SocketLogin(SocketCase):
    def get_app(self) -> tornado.web.Application:
        self.secret = secrets.token_hex(32)
        return self.make_app(cookie_secret=self.secret)

    def cookie(self, name: str, value: str, secret: str = "") -> dict[str, str]:
        signed = tornado.web.create_signed_value(secret or self.secret, name, value)
        return {"Cookie": f"{name}={signed.decode()}"}

    def test_without_a_cookie_there_is_no_socket(self) -> None:
        self.handshake("/socket").expect(status=401, look=REFUSE)

    def test_a_forged_cookie_is_none(self) -> None:
        for headers in (
            {"Cookie": "user=Ada"},
            self.cookie("user", "Ada", secrets.token_hex(32)),
            {"Cookie": self.cookie("visitor", "Ada")["Cookie"].replace("visitor=", "user=")},
        ):
            with self.subTest(headers["Cookie"]):
                self.handshake("/socket", headers=headers).expect(status=401, look=FORGED)

    def test_frames_carry_the_name_in_the_cookie(self) -> None:
        socket = self.connect("/socket", headers=self.cookie("user", "Zoë"), look=VALID)
        socket.send("hello")
        socket.expect({"from": "Zoë", "text": "hello"}, look=NAME)

    def test_a_name_in_the_frame_counts_for_nothing(self) -> None:
        text = '{"from": "Bob", "text": "it was me"}'
        headers = self.cookie("user", "Ada")
        socket = self.connect("/socket?user=Bob", headers=headers, look=VALID)
        socket.send(text)
        socket.expect({"from": "Ada", "text": text}, look=NAME)
