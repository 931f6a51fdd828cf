"""Access to the tour: only the pages that its user has opened have it.

The tour runs code on the learner's computer. A page of another site can send requests to localhost,
and can give its own name the address 127.0.0.1 (DNS rebinding). So each request must name a host of
the tour (`Host`), a request of a page must come from a page of the tour (`Origin`), and each call
of the API carries a token. The page gets the token once, for the one-time code in the address that
the terminal shows. There is no cookie, because a cookie of one port is sent to all other ports of
the same host, and so to the learner's servers.
"""

import contextlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import tornado.web

from course.catalog import UnknownNameError
from course.changes import NoChangeError
from course.demo import DemoError
from course.tour.files import ChangedOnDiskError, FileRefusedError
from course.tour.outline import UnknownAddressError
from course.tour.requests import RequestRefusedError
from course.tour.runs import TooManyRunsError
from course.translation import translate

if TYPE_CHECKING:
    from course.tour.server import Tour

LOCAL_FRAMES = "http://localhost:* http://127.0.0.1:*"
"""The sources of the pages of scripts, without a proxy."""
TOKEN_PREFIX = "Bearer "  # noqa: S105 - the scheme of RFC 6750


class Access:
    """The hosts, the token and the one-time code of one tour.

    Args:
        port: the port of the tour.
        forwarded_host: the name under which a proxy shows the tour, or "".
    """

    def __init__(self, port: int, forwarded_host: str = "") -> None:
        self._port, self._forwarded_host = port, forwarded_host
        names = [f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"]
        self._hosts = {*names}
        self._origins = {f"http://{name}" for name in names}
        if forwarded_host:
            self._hosts.add(forwarded_host)
            self._origins |= {f"https://{forwarded_host}"}
        self._token = secrets.token_urlsafe(32)
        self._code = ""

    def new_code(self) -> str:
        """Return a new one-time code; the one before is no longer valid."""
        self._code = secrets.token_urlsafe(24)
        return self._code

    def exchange(self, code: str) -> str | None:
        """Return the token for the one-time code, which is then used up; None for another code."""
        if not self._code or not hmac.compare_digest(self._code.encode(), code.encode()):
            return None
        self._code = ""
        return self._token

    def allows_token(self, token: str) -> bool:
        """Return whether this is the token."""
        return hmac.compare_digest(self._token.encode(), token.encode("utf-8", "replace"))

    def allows_host(self, host: str) -> bool:
        """Return whether a `Host` header names the tour."""
        return host.lower() in self._hosts

    @property
    def address_of_scripts(self) -> str | None:
        """The address that a proxy gives to another port, with `{port}` in it.

        Codespaces and others put the port into the first part of the name, such as that of
        `name-8880.app.github.dev`. It is "" for a proxy that does not, and None without a proxy.
        """
        if not self._forwarded_host:
            return None
        first, dot, rest = self._forwarded_host.partition(".")
        first, found = re.subn(rf"(?<!\d){self._port}(?!\d)", "{port}", first)
        return f"https://{first}{dot}{rest}" if found == 1 and dot else ""

    @property
    def frames(self) -> str:
        """The sources that the Page tab may show: the scripts that run."""
        domain = self._forwarded_host.partition(".")[2]
        return LOCAL_FRAMES + (f" https://*.{domain}" if self.address_of_scripts else "")

    def allows_origin(self, origin: str | None) -> bool:
        """Return whether to accept a request with this `Origin`, or with none."""
        return origin is None or origin in self._origins


def content_security_policy(host: str, frames: str) -> str:
    """Return what a page of the tour may load and run.

    Args:
        host: the host of the request, for browsers in which 'self' does not stand for sockets.
        frames: the sources of the pages in frames.
    """
    rules = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        f"connect-src 'self' ws://{host} wss://{host}",
        f"frame-src {frames}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return "; ".join(rules)


class Refused(tornado.web.HTTPError):
    """An answer with an error status; `sentence` is for the learner.

    Args:
        status: the status.
        sentence: what is wrong, in plain words.
        more: further fields of the JSON answer.
    """

    def __init__(self, status: int, sentence: str, **more: Any) -> None:
        super().__init__(status, sentence.replace("%", "%%"))
        self.sentence = sentence
        self.more = more


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turn the errors of the course about names and states into answers with an error status."""
    try:
        yield
    except (UnknownNameError, UnknownAddressError) as error:
        raise Refused(404, str(error)) from error
    except (TooManyRunsError, NoChangeError, DemoError, FileRefusedError) as error:
        raise Refused(409, str(error)) from error
    except RequestRefusedError as error:
        raise Refused(400, str(error)) from error
    except ChangedOnDiskError as error:
        current = {"text": error.current.text, "etag": error.current.etag}
        raise Refused(412, str(error), **current) from error
    except OSError as error:
        raise Refused(500, f"{error.strerror}: {error.filename}") from error


class TourHandler(tornado.web.RequestHandler):
    """Base of all handlers: checks `Host` and `Origin`, and sets the headers of each answer."""

    @property
    def tour(self) -> "Tour":
        """The parts of the running tour."""
        return cast("Tour", self.settings["tour"])

    def set_default_headers(self) -> None:
        """Set the headers that every answer has."""
        host = self.request.host if self.tour.access.allows_host(self.request.host) else "localhost"
        self.set_header(
            "Content-Security-Policy", content_security_policy(host, self.tour.access.frames)
        )
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Cache-Control", "no-cache")
        self.clear_header("Server")

    def prepare(self) -> None:
        """Refuse a request that is for another host, or comes from a page of another origin."""
        if not self.tour.access.allows_host(self.request.headers.get("Host", "")):
            raise Refused(403, "This host name is not one of the tour.")
        if not self.tour.access.allows_origin(self.request.headers.get("Origin")):
            raise Refused(403, "Pages of other origins have no access to the tour.")

    def body(self) -> dict[str, Any]:
        """Return the JSON object in the request's body.

        Raises:
            Refused: the body is no JSON object.
        """
        return json_object(self.request.body)

    def log_exception(self, *error: Any) -> None:
        """Log what is unexpected only: the terminal belongs to the learner."""
        if not isinstance(error[1], Refused):
            super().log_exception(*error)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error as JSON, with one sentence."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        fields: dict[str, Any] = {"error": self._reason}
        if isinstance(error, Refused):
            fields = {"error": error.sentence, **error.more}
        self.finish(fields)


class ApiHandler(TourHandler):
    """Base of the handlers of the API: only with the token."""

    def prepare(self) -> None:
        """Refuse a request without the token."""
        super().prepare()
        given = self.request.headers.get("Authorization", "")
        if not given.startswith(TOKEN_PREFIX) or not self.tour.access.allows_token(
            given.removeprefix(TOKEN_PREFIX)
        ):
            self.set_header("WWW-Authenticate", "Bearer")
            raise Refused(401, "Open the address that the terminal shows.")


def json_object(data: str | bytes) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        Refused: the data is something else.
    """
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "The request has no JSON object in it.")
    return found


def text_field(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    """Return a text from a JSON object.

    Raises:
        Refused: it is missing, without a default, or it is no text.
    """
    found = fields.get(name, default)
    if not isinstance(found, str):
        raise Refused(400, translate("The field {name} must be a text.", name=name))
    return found


def text_list(fields: dict[str, Any], name: str) -> list[str]:
    """Return a list of texts from a JSON object; an empty one if it is missing.

    Raises:
        Refused: it is something else.
    """
    found = fields.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise Refused(400, translate("The field {name} must be a list of texts.", name=name))
    return cast("list[str]", found)
