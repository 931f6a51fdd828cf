"""The error that tells a client which rule it has broken."""

import tornado.web


class ChatError(tornado.web.HTTPError):
    """A rule does not allow what a client asks for."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code
        self.message = message


def not_found() -> ChatError:
    """Return the same error for what does not exist and for what a user may not know of."""
    return ChatError(404, "not_found", "There is no such conversation.")
