"""Everybody learns how many are connected."""

from course.testing.websocket import WebSocketCase, WebSocketClient

OPEN = "open(): first add self to settings, then send the number to all, yourself too"
CLOSE = "on_close(): first take self out of the set, then send the number to the others"


class OnlineCount(WebSocketCase):
    frame_timeout = 0.8

    def enter(self, name: str, count: int) -> WebSocketClient:
        socket = self.connect("/ws", name=name, advice="make_app(): leave the route /ws")
        socket.expect({"type": "online", "count": count}, advice=OPEN)
        return socket

    def test_all_learn_who_comes(self) -> None:
        ada = self.enter("Ada", 1)
        self.enter("Bob", 2)
        ada.expect({"type": "online", "count": 2}, advice=OPEN)

    def test_all_learn_who_goes(self) -> None:
        ada, bob = self.enter("Ada", 1), self.enter("Bob", 2)
        ada.expect({"type": "online", "count": 2}, advice=OPEN)
        bob.close()
        ada.expect({"type": "online", "count": 1}, advice=CLOSE)
