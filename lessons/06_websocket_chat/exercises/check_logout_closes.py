"""POST /logout closes all sockets of the session, and no others."""

from course.testing.http import Response
from course.testing.websocket import WebSocketCase, WebSocketClient

OPEN = "prepare(): leave it as it was, so that a socket of a valid session opens"
CLOSE = (
    "Keep the sockets of each session: open() adds self, on_close() discards it.\n"
    'post() calls close(4001, "logged out") for each socket of the session in the cookie'
)
OTHERS = "Close only the sockets of the session in the cookie. Ada has another session: s2"
ENDED = 'post() must still take the session out of settings["sessions"]'
STRANGE = "A logout without a session, or a second one, is no error: it closes nothing"
LEAVES = "on_close() runs after the logout, too: use discard(), and do not expect the session there"


class LogoutCloses(WebSocketCase):
    frame_timeout = 0.8

    def enter(self, session: str, name: str) -> WebSocketClient:
        headers = {"Cookie": f"session={session}"}
        return self.connect("/socket", name=name, headers=headers, advice=OPEN)

    def logout(self, session: str = "") -> Response:
        self.record("logout", f"POST /logout, Cookie: session={session}")
        headers = {"Cookie": f"session={session}"} if session else {}
        return self.send("POST", "/logout", body="", headers=headers)

    def test_each_socket_of_the_session_is_closed(self) -> None:
        tabs = [self.enter("s1", "tab 1"), self.enter("s1", "tab 2")]
        self.logout("s1").expect(status=200, advice=CLOSE)
        for tab in tabs:
            tab.expect_close(code=4001, reason="logged out", advice=CLOSE)

    def test_other_sessions_stay_open(self) -> None:
        other, bob = self.enter("s2", "Ada's phone"), self.enter("s3", "Bob")
        tab = self.enter("s1", "tab 1")
        self.logout("s1").expect(status=200, advice=CLOSE)
        tab.expect_close(code=4001, advice=CLOSE)
        for socket, name in ((other, "Ada"), (bob, "Bob")):
            socket.send("hello")
            socket.expect(f"{name}: 'hello'", advice=OTHERS)

    def test_the_session_cannot_connect_again(self) -> None:
        self.enter("s1", "tab 1")
        self.logout("s1").expect(status=200, advice=CLOSE)
        headers = {"Cookie": "session=s1"}
        self.handshake("/socket", headers=headers).expect(status=401, advice=ENDED)

    def test_a_socket_that_has_left_before_is_no_error(self) -> None:
        first, second = self.enter("s1", "tab 1"), self.enter("s1", "tab 2")
        first.close()
        self.logout("s1").expect(status=200, advice=LEAVES)
        second.expect_close(code=4001, advice=LEAVES)

    def test_a_logout_without_a_session_closes_nothing(self) -> None:
        bob = self.enter("s3", "Bob")
        for session in ("", "unknown", "s1", "s1"):
            self.logout(session).expect(status=200, advice=STRANGE)
        bob.send("hello")
        bob.expect("Bob: 'hello'", advice=STRANGE)
