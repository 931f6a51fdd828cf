"""Structured logging: one JSON object a line, on stderr.

Log lines hold no password, cookie, token, captcha answer, query or message text. JSON escapes line
ends, so no client can forge a line. All records pass through `JsonFormatter`:

- A request is logged with its method, its path without the query, its status and its duration.
- Exceptions are logged without their text if it can quote input of a client
  (`invalid literal for int() with base 10: '...'`), see `describe`.
- Libraries put headers, cookies and whole requests into their messages. Known messages are logged
  without arguments; for all others only the place in the library's source is logged.
"""

import errno
import io
import json
import logging
import os
import re
import sys
import threading
import time
import traceback
import warnings
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy.exc
import tornado.web

from capstone_chat.storage.engines import FileGoneError

log = logging.getLogger("chat.access")
uncaught = logging.getLogger("chat.uncaught")

OWN_LOGGERS = ("capstone_chat", "chat", "__main__")
"""First parts of the names of the chat's loggers; the arguments of their records are logged."""

WITHHELD = "a message of a library; see source"

REPEAT_INTERVAL = 60.0
"""Seconds during which a warning that differs only in its time is not repeated."""

MAX_PATH = 200
"""Maximum number of logged characters of a path."""

MAX_REMEMBERED_LINES = 1000
"""Maximum number of different lines that are remembered to detect repetitions."""

PATH_END = re.compile(r"[?#;&]|%(?:3f|23|3b|26)", re.IGNORECASE)
"""Matches the end of a path: the delimiter of a query or of parameters, also percent-encoded."""

LIBRARY_MESSAGES = frozenset(
    {
        # asyncio
        "Fatal error on transport",
        "Future exception was never retrieved",
        "socket.accept() out of system resource",
        "Task exception was never retrieved",
        "Task was destroyed but it is pending!",
        "Unhandled exception in event loop",
        "Using selector: %s",
        # tornado.application
        "Error in connection callback",
        "Error in exception logger",
        "Exception after Future was cancelled",
        "Exception in callback %r",
        "Exception in exception handler",
        "Exception in Future %r after timeout",
        "Multiple exceptions in yield list",
        "Uncaught exception %s",
        "Uncaught exception in write_error",
        # tornado.general
        "Cannot load translation for '%s': %s",
        "Cannot send error response after headers written",
        "Connect error on fd %s: %s",
        "Cookie timestamp in future; possible tampering %r",
        "Could not open static file %r: %s",
        "Expired cookie %r",
        "Failed to flush partial response",
        "Got events for closed stream %s",
        "Invalid cookie signature %r",
        "Malformed HTTP message from %s: %s",
        "Malformed WebSocket request received",
        "Reached maximum read buffer size",
        "SSL Error on %s %s: %s",
        "Supported locales: %s",
        "Tampered cookie %r",
        "Timeout reading body from %s",
        "Uncaught exception",
        "Uncaught exception in _decode_xsrf_token",
        "Uncaught exception, closing connection.",
        "Write error on %s: %s",
    }
)
"""Messages of libraries that are logged: the format strings in their source, without arguments."""


def describe(error: BaseException) -> str:
    """Return the type of an exception, with details that cannot hold input of a client.

    The details are a constant text of the code that raised the exception, an errno, or a database's
    error code with the statement, which has placeholders.
    """
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    reason = _reason(error)
    return f"{name}: {reason}" if reason else name


def _is_redis_failure(error: BaseException) -> bool:
    """Return whether an exception is a failure of a connection to Redis.

    Without Redis its client is not imported, and no such exception exists.
    """
    client = sys.modules.get("redis.exceptions")
    return client is not None and isinstance(error, client.ConnectionError | client.TimeoutError)


def _reason(error: BaseException) -> str:
    match error:
        case sqlalchemy.exc.DBAPIError():
            return f"{_database_reason(error)} [SQL: {error.statement}]"
        case _ if _is_redis_failure(error):
            return str(error)  # the address and the system's error
        case tornado.web.HTTPError():
            return str(error.status_code)
        case OSError() if error.errno is not None:
            return f"{errno.errorcode.get(error.errno, error.errno)} {os.strerror(error.errno)}"
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    if frames is not None and str(error) in frames.tb_frame.f_code.co_consts:
        return str(error)
    return ""


def _database_reason(error: sqlalchemy.exc.DBAPIError) -> str:
    """Return the code of a database's error; its text may quote a value of the statement."""
    cause = error.orig
    if isinstance(cause, FileGoneError):
        return str(cause)
    for name in "sqlite_errorname", "sqlstate":  # SQLite, PostgreSQL
        if code := getattr(cause, name, None):
            return str(code)
    code = cause.args[0] if cause is not None and cause.args else ""
    if isinstance(code, int) and not 2000 <= code < 3000:  # MariaDB; 2000 to 2999: its client
        return f"error {code}"
    if isinstance(error, sqlalchemy.exc.OperationalError):  # it could not connect
        return str(cause)
    return type(cause).__name__


def _traceback(error: BaseException, known: set[int] | None = None) -> str:
    """Return the tracebacks of an exception and of its causes, each with `describe`."""
    known = known or set()
    known.add(id(error))
    text = "".join(traceback.format_tb(error.__traceback__)) + describe(error) + "\n"
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in known and len(known) < 10:
        text = _traceback(before, known) + "then:\n" + text
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions[:10]:
            if id(one) not in known:
                text += "in the group:\n" + _traceback(one, known)
    return text


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object, with the items of `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        if not _is_own(record):
            line["source"] = f"{record.module}:{record.lineno}"
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            line["traceback"] = _traceback(record.exc_info[1])
        return json.dumps(line, default=str)


def _is_own(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OWN_LOGGERS


def _message(record: logging.LogRecord) -> str:
    if not _is_own(record):
        first = str(record.msg).partition("\n")[0]  # asyncio appends a task's exception
        return first if first in LIBRARY_MESSAGES else WITHHELD
    if isinstance(record.msg, BaseException):
        return describe(record.msg)
    arguments = record.args or ()
    if isinstance(arguments, tuple):
        arguments = tuple(describe(a) if isinstance(a, BaseException) else a for a in arguments)
    return str(record.msg) % arguments if arguments else str(record.msg)


class _StderrHandler(logging.StreamHandler[Any]):
    """Writes lines to stderr; a repeated warning only once in REPEAT_INTERVAL seconds.

    Without this limit, each message sent during an outage of the database would log a line.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[Any, ...], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record unless an equal one was written within REPEAT_INTERVAL."""
        if not self._is_repeated(record):
            super().emit(record)

    def _is_repeated(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or hasattr(record, "fields"):
            return False
        error = record.exc_info[1] if record.exc_info else None
        where = str(traceback.extract_tb(error.__traceback__)[-1:]) if error else ""
        try:
            line = (record.name, record.lineno, _message(record), error and describe(error), where)
        except Exception:  # a wrong format string; `emit` reports it to `handleError`
            return False
        now = time.monotonic()
        if now - self._seen.get(line, -REPEAT_INTERVAL) < REPEAT_INTERVAL:
            return True
        if len(self._seen) >= MAX_REMEMBERED_LINES:
            self._seen.clear()
        self._seen[line] = now
        return False

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop a record that cannot be written; logging itself prints its arguments to stderr."""


def escape_stdout() -> None:
    """Make stdout print characters that it cannot encode as escapes, as stderr does.

    On Windows a redirected stdout has the system's code page, such as cp1252.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def configure(level: str) -> None:
    """Set up logging to stderr.

    Python's warnings and uncaught exceptions are logged too, because Python prints them to stderr
    with their complete texts.

    Args:
        level: the lowest level to log: debug, info, warning or error; none for no log.
    """
    handler = _StderrHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.CRITICAL + 1 if level.lower() == "none" else level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)
    warnings.showwarning = _log_warning
    sys.excepthook = _log_uncaught
    sys.unraisablehook = lambda hook: _log_uncaught(
        hook.exc_type, hook.exc_value, hook.exc_traceback
    )
    threading.excepthook = lambda hook: _log_uncaught(
        hook.exc_type, hook.exc_value, hook.exc_traceback
    )


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, _traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    uncaught.error("an exception was not caught", exc_info=error)


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    uncaught.warning("%s at %s:%d", category.__name__, filename, lineno)


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Log and count a finished request; `log_function` of the Tornado application."""
    status = handler.get_status()
    seconds = handler.request.request_time()
    handler.settings["chat"].metrics.request_seconds.labels(str(status)).observe(seconds)
    user = getattr(handler, "_current_user", None)
    method = handler.request.method
    fields = {
        "method": method if method in handler.SUPPORTED_METHODS else "other",
        "path": loggable_path(handler.request.path),
        "status": status,
        "ms": round(seconds * 1000, 1),
        "address": handler.request.remote_ip,
        "user": user.id if user else None,
    }
    level = logging.ERROR if status == 500 else logging.INFO  # /readyz answers 503 on purpose
    log.log(level, "request", extra={"fields": fields})


def loggable_path(path: str) -> str:
    """Return the path of a request without query, parameters, host and user."""
    if not path.startswith("/"):  # the absolute form of RFC 9112, section 3.2.2
        try:
            path = urlsplit(path).path
        except ValueError:
            path = ""
        if path[:1] not in ("/", "*"):
            path = ""
    return PATH_END.split(path, maxsplit=1)[0][:MAX_PATH]
