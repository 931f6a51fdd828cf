"""Log lines that programs read: one JSON object a line, on stderr.

They hold no password, cookie, captcha answer or message text: a request is its method, its path
without the query, its status and its time. JSON escapes line ends, so no visitor can forge a line.
"""

import json
import logging
from datetime import UTC, datetime

import tornado.web

log = logging.getLogger("chat.access")


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON; what was given as `extra={"fields": {...}}` stands beside it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def set_up(level: str) -> None:
    """Log to stderr from this level on: debug, info, warning, error; none logs nothing."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.CRITICAL + 1 if level.lower() == "none" else level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Log a request that was answered, and count it; Tornado calls this."""
    status = handler.get_status()
    seconds = handler.request.request_time()
    handler.settings["chat"].metrics.requests.labels(str(status)).observe(seconds)
    user = getattr(handler, "_current_user", None)
    fields = {
        "method": handler.request.method,
        "path": handler.request.path,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "address": handler.request.remote_ip,
        "user": user.id if user else None,
    }
    level = logging.ERROR if status == 500 else logging.INFO  # 503 is no mistake, see /readyz
    log.log(level, "request", extra={"fields": fields})
