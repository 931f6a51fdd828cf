"""A connection that records what the hub does with it."""

from capstone_chat.realtime.control import ControlMessage, RefreshUser, Resync


class FakeConnection:
    """A connection that records what was written to it."""

    def __init__(
        self, user_id: int = 1, *, session_id: int = 1, address: str = "192.0.2.1"
    ) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.address = address
        self.writes: list[bytes] = []
        self.controls: list[ControlMessage] = []
        self.closed: list[tuple[int, str]] = []
        self.backlog = False

    def send(self, data: bytes) -> None:
        self.writes.append(data)

    def has_backlog(self) -> bool:
        return self.backlog

    def handle_control(self, message: RefreshUser | Resync) -> None:
        self.controls.append(message)

    def disconnect(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))
