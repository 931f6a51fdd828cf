"""Error responses of the API. Each message is defined once, in English; handlers translate it."""

from http import HTTPStatus

import tornado.web

from capstone_chat.conversations.errors import Conflict, NotAllowed, NotFound, Refusal

REASON_PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""Reason phrases of RFC 9110 that differ from those of Python before 3.13."""


def reason_phrase(status: HTTPStatus) -> str:
    """Return the reason phrase of a status.

    It is the same on all versions of Python, because the phrase is the key of its translation.
    """
    return REASON_PHRASES.get(status, status.phrase)


class ApiError(tornado.web.HTTPError):
    """An error response of the API.

    Args:
        status: the HTTP status.
        code: an identifier for programs, which does not change.
        message: a text for people, in English.
        field: the name of the field or argument that is invalid, if it is a single one.
    """

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(status)
        self.body = {"code": code, "message": message} | ({"field": field} if field else {})


STATUS = {NotFound: 404, NotAllowed: 403, Conflict: 409}
"""HTTP status of each kind of refusal."""

TOO_MANY_TRIES = "Too many tries. Wait a while and try again."
UNAVAILABLE = "The server has a problem. Try again."


def from_refusal(refusal: Refusal) -> ApiError:
    """Return the error for a refusal of a service."""
    return ApiError(STATUS[type(refusal)], refusal.code, refusal.message)


def session_ended() -> ApiError:
    """Return the error for a request whose session or account has ended."""
    return ApiError(401, "session_ended", "Log in again.")


def too_often() -> ApiError:
    """Return the error for a request above a rate limit."""
    return ApiError(429, "rate_limited", "You did this too often. Wait a moment and try again.")


def link_ended() -> ApiError:
    """Return the error for a one-time link that was used, has expired, or never existed."""
    return ApiError(404, "not_found", "This link has been used, or it is too old.")


def too_long(field: str | None) -> ApiError:
    """Return the error for a field that is too long."""
    return ApiError(400, "too_long", "This text is too long.", field)


def not_text(field: str | None) -> ApiError:
    """Return the error for a field that is not a valid text."""
    return ApiError(400, "bad_field", "This must be text.", field)


def not_a_number(field: str) -> ApiError:
    """Return the error for a field that is not an integer in the allowed range."""
    return ApiError(400, "bad_field", "This must be a whole number.", field)
