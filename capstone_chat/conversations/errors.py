"""Exceptions of the services, which handlers answer with a status code or an `error` frame."""


class Refusal(Exception):
    """A service refuses the request of a user.

    Args:
        code: stable name of the reason, for programs.
        message: text for the user, in English.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotFound(Refusal):
    """The object does not exist, or is hidden from the user; clients cannot distinguish the two."""

    def __init__(self, message: str = "There is no such thing here.") -> None:
        super().__init__("not_found", message)


class NotAllowed(Refusal):
    """The user may see the object, but may not do this."""


class Conflict(Refusal):
    """The request contradicts stored data."""


class SessionEnded(Exception):
    """The account or the session of a request has ended since the request started."""


def no_such_conversation() -> NotFound:
    """Return the refusal for a conversation that is missing or that the user is no member of."""
    return NotFound("There is no such conversation.")


def blocked() -> NotAllowed:
    """Return the refusal for two users if one of them has blocked the other."""
    return NotAllowed("blocked", "You cannot write to each other.")


def not_yours() -> NotAllowed:
    """Return the refusal for a message of another user."""
    return NotAllowed("not_yours", "Somebody else wrote this message.")


def yourself() -> NotAllowed:
    """Return the refusal for a user who names themselves instead of another user."""
    return NotAllowed("yourself", "That is you.")
