"""Test case for checks that send HTTP requests and compare the responses.

    class AllowHead(ExerciseCase):
        def test_head_is_answered(self) -> None:
            self.send("HEAD", "/").expect(status=200, body="", advice="step 2 of README.md")

A failure has four parts: sent, received, expected, advice. If the learner's code raised,
`course.checking.worker` adds the line. The advice is the last part: the report on an unchanged stub
omits it (`course.console`).
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import ModuleType
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

import tornado.web
from tornado.httpclient import HTTPError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.testing import AsyncHTTPTestCase

from course.translation import translate

RESPONSE_TIMEOUT = 4.0  # seconds; below the 5 of tornado.testing, whose message has no details
MAX_SHOWN = 400  # characters of a body that a failure shows

_UNSET: Any = object()  # default of arguments for which None is a valid value


class InvalidSubmission(Exception):
    """The learner's file loads but cannot be checked.

    Attributes:
        line: the line of the file that needs a change, or None if it is not known.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class Mismatch(AssertionError):
    """A received value differs from the expected one.

    `expect` raises it. A check raises it itself for a condition that `expect` has no argument for.

    Attributes:
        facts: the parts "sent", "received" and "expected", as text.
        advice: the part "advice", or "".
    """

    def __init__(
        self, *, sent: str = "", received: str, expected: str = "", advice: str = ""
    ) -> None:
        translated = "\n".join(translate(line) for line in advice.splitlines())
        parts = {"sent": sent, "received": received, "expected": expected}
        self.facts = format_sections(parts.items())
        self.advice = format_sections([("advice", translated)])
        super().__init__("\n".join(filter(None, [self.facts, self.advice])))


def format_sections(parts: Iterable[tuple[str, str]]) -> str:
    """Return the non-empty (label, text) pairs as two columns; line breaks in a text are kept."""
    return "\n".join(
        f"{translate(label) if number == 0 else '':<10}{line}".rstrip()
        for label, text in parts
        for number, line in enumerate(text.splitlines())
    )


@dataclass(frozen=True)
class Response:
    """The response to a request.

    Attributes:
        sent: a description of the request.
        response: the response, or None if none came.
        no_response: the reason why no response came.
    """

    sent: str
    response: HTTPResponse | None
    no_response: str = ""

    @property
    def status(self) -> int | None:
        """The status code, or None if no response came."""
        return self.response.code if self.response else None

    @property
    def headers(self) -> HTTPHeaders:
        """The response's headers; empty if no response came."""
        return self.response.headers if self.response else HTTPHeaders()

    @property
    def text(self) -> str:
        """The body decoded as UTF-8; "" if no response came."""
        return self.response.body.decode("utf-8", "replace") if self.response else ""

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters such as charset."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def json(self, *, advice: str) -> Any:
        """Return the body parsed as JSON.

        Raises:
            Mismatch: the body is not JSON.
        """
        try:
            return json.loads(self.text)
        except ValueError:
            raise self._mismatch([translate("a body in JSON")], (), advice) from None

    def expect(
        self,
        *,
        advice: str,
        status: int | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: str | None = None,
        text: str | None = None,
        json: object = _UNSET,
        contains: str | None = None,
        lacks: str | None = None,
    ) -> Self:
        """Raise `Mismatch` unless the response is as described; return it otherwise.

        Args:
            advice: the place that needs a change or explains it: a method, a file, a step.
            status: the status code.
            content_type: the media type, such as application/json, with or without parameters.
            headers: header names with the required values; None for a header that must be absent.
            body: the whole body, as text.
            text: the body without surrounding whitespace.
            json: the value of the body parsed as JSON.
            contains: a text that must be part of the body.
            lacks: a text that must not be part of the body.
        """
        headers = headers or {}
        wanted = []
        if status not in (None, self.status):
            wanted.append(_format_status(status))
        if content_type not in (None, self.content_type):
            wanted.append(f"Content-Type: {content_type}")
        for name, value in headers.items():
            if self.headers.get(name) != value:
                no_header = translate("no header {name}", name=name)
                wanted.append(no_header if value is None else f"{name}: {value}")
        if body is not None and self.text != body:
            the_body = translate("the body {body}", body=repr(body))
            wanted.append(the_body if body else translate("an empty body"))
        if text not in (None, self.text.strip()):
            wanted.append(translate("the body {body}", body=repr(text)))
        if json is not _UNSET and self._as_json() != json:
            wanted.append(translate("the JSON  {json}", json=_to_json(json)))
        if contains is not None and contains not in self.text:
            wanted.append(translate("a body that contains {part}", part=repr(contains)))
        if lacks is not None and lacks in self.text:
            wanted.append(translate("a body without {part}", part=repr(lacks)))
        if wanted or self.no_response:
            raise self._mismatch(wanted or [translate("an answer")], headers, advice)
        return self

    def _as_json(self) -> object:
        try:
            return json.loads(self.text)
        except ValueError:
            return _UNSET

    def _mismatch(self, wanted: list[str], headers: Iterable[str], advice: str) -> Mismatch:
        return Mismatch(
            sent=self.sent,
            received=self._describe(headers),
            expected="\n".join(wanted),
            advice=advice,
        )

    def _describe(self, names: Iterable[str]) -> str:
        if self.response is None:
            return self.no_response
        lines = [f"{self.response.code} {self.response.reason}"]
        for name in ("Content-Type", *(name for name in names if name != "Content-Type")):
            if name in self.headers:
                lines.append(f"{name}: {self.headers[name]}")
        value = self._as_json()
        text = self.text if value is _UNSET else _to_json(value)
        shown = text[:MAX_SHOWN] + (" ..." if len(text) > MAX_SHOWN else "")
        return "\n".join([*lines, shown.strip() or translate("(an empty body)")])


class ExerciseCase(AsyncHTTPTestCase):
    """Serves the learner's file on a free port and sends requests to it.

    A check that needs another application than that of `make_app()` overrides `get_app`. WebSockets
    are in `course.testing.websocket`, programs with options and an exit code in
    `course.testing.command`.

    Attributes:
        subject: the learner's file as a module. The worker sets it.
        response_timeout: seconds to wait for a response. A check sets a shorter one if typical
            wrong solutions never respond.
    """

    subject: ClassVar[ModuleType]
    response_timeout: ClassVar[float] = RESPONSE_TIMEOUT

    def get_app(self) -> tornado.web.Application:
        """Return the application to serve: that of the learner's make_app()."""
        return self.make_app()

    def make_app(self, *args: Any, **kwargs: Any) -> tornado.web.Application:
        """Return the application that the learner's file makes.

        Args:
            args: positional arguments of make_app().
            kwargs: keyword arguments of make_app().

        Raises:
            InvalidSubmission: make_app() is missing, raised, or returned no application.
        """
        factory = getattr(self.subject, "make_app", None)
        if not callable(factory):
            raise InvalidSubmission(
                translate("The file has no make_app(): the check asks it for the application.")
            )
        try:
            app = factory(*args, **kwargs)
        except Exception as error:
            summary = f"{type(error).__name__}: {error}"
            raise InvalidSubmission(
                translate("make_app() raised {error}", error=summary)
            ) from error
        if not isinstance(app, tornado.web.Application):
            code = getattr(factory, "__code__", None)
            raise InvalidSubmission(
                translate(
                    "make_app() returned {it}, but it must return a tornado.web.Application.",
                    it=_describe_type(app),
                ),
                line=code.co_firstlineno if code else None,
            )
        return app

    def send(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str | list[str]] | None = None,
        json: object = _UNSET,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request and return its response, with any status; redirects are not followed.

        Args:
            method: the HTTP method.
            path: the path, with a query if there is one.
            form: the fields of a form. At most one of `form`, `json` and `body` may be given.
            json: a value to send as JSON.
            body: the body as it is, without a Content-Type.
            headers: further headers; a Content-Type among them replaces that of `form` or `json`.
        """
        response: Response = self.io_loop.run_sync(
            lambda: self.request(method, path, form=form, json=json, body=body, headers=headers)
        )
        return response

    async def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str | list[str]] | None = None,
        json: object = _UNSET,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request as `send` does, from a check that is a coroutine (`@gen_test`)."""
        all_headers = dict(headers or {})
        sent = [f"{method} {path}", *(f"{name}: {value}" for name, value in all_headers.items())]
        if form is not None:
            body = urlencode(form, doseq=True)
            sent.append(translate("form  {body}", body=body))
            all_headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif json is not _UNSET:
            body = _to_json(json)
            sent.append(f"JSON  {body}")
            all_headers.setdefault("Content-Type", "application/json")
        elif body is not None:
            sent.append(translate("body  {body}", body=repr(body)))
        request = HTTPRequest(
            self.get_url(path),
            method=method,
            headers=all_headers,
            body=body,
            follow_redirects=False,
            request_timeout=self.response_timeout,
            allow_nonstandard_methods=True,
        )
        return await self._fetch(request, "\n".join(sent))

    async def _fetch(self, request: HTTPRequest, sent: str) -> Response:
        try:
            return Response(sent, await self.http_client.fetch(request, raise_error=False))
        except HTTPTimeoutError:
            limit = f"{self.response_timeout:g}"
            return Response(sent, None, translate("no answer within {limit} seconds", limit=limit))
        except HTTPStreamClosedError:
            return Response(sent, None, translate("no answer: the server closed the connection"))
        except (HTTPError, OSError) as error:
            return Response(sent, None, translate("no answer: {error}", error=error))

    def expect(self, received: object, expected: object, *, advice: str, sent: str = "") -> None:
        """Raise `Mismatch` unless two values are equal: a frame, a line, any other value."""
        if received != expected:
            raise Mismatch(
                sent=sent, received=repr(received), expected=repr(expected), advice=advice
            )

    @contextlib.contextmanager
    def with_advice(self, advice: str, *, sent: str = "") -> Iterator[None]:
        """Turn an AssertionError or TimeoutError inside the block into a `Mismatch` with advice."""
        try:
            yield
        except Mismatch:
            raise
        except AssertionError as error:
            raise Mismatch(sent=sent, received=str(error), advice=advice) from None
        except TimeoutError:
            raise Mismatch(
                sent=sent, received=translate("nothing in the time allowed"), advice=advice
            ) from None


def _format_status(status: int | None) -> str:
    try:
        return f"{status} {HTTPStatus(status or 0).phrase}"
    except ValueError:
        return str(status)


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _describe_type(value: object) -> str:
    return (
        translate("None (is a return missing?)") if value is None else f"a {type(value).__name__}"
    )
