"""Errors of the domain, which handlers answer with 404, 403 and 401."""


class NotFound(Exception):
    """There is no such thing, or the user may not know of it: the two look alike."""


class NotAllowed(Exception):
    """The user knows of the thing but may not do this.

    Args:
        code: for programs, stable.
        message: for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SessionEnded(Exception):
    """The account or the session of a request has ended since the request began."""
