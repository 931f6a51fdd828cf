"""The output of a run: gathered, limited, numbered, and kept for a page that is reloaded."""

import codecs
import re
from collections import deque
from typing import Any, Literal

RING_BYTES = 256 * 1024
"""Bytes of the newest messages of a run that are kept."""
BURST_BYTES = 8 * 1024
"""Bytes of output that are shown of one interval of gathering; the newest ones."""

RECORD = re.compile(r"\[[DIWEC] |(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):")
"""The beginning of a log record, as Tornado and as logging.basicConfig write it."""
ERROR_RECORD = re.compile(r"\[[EC] |(?:ERROR|CRITICAL):")
TRACEBACK = re.compile(r"[ +|]*(?:Exception Group )?Traceback \(most recent call last\):|  File \"")
"""The beginning of a traceback; that of a syntax error has no title."""
LAST_LINE = re.compile(r"[^\s]|    \+-+$", re.M)
"""The last line of a traceback: the exception; that of an exception group is a rule."""
LINE_START = 200
"""Characters of an unfinished line that are kept, to tell what it is."""
REPORT = "learn.py: "
"""The beginning of the last lines of a script that has failed (course.script_launcher)."""

Message = dict[str, Any]


class MessageRing:
    """The newest messages of one run, numbered by `seq` from 1 without a gap.

    Args:
        limit: bytes of text that are kept.
    """

    def __init__(self, limit: int = RING_BYTES) -> None:
        self._limit = limit
        self._messages: deque[tuple[int, Message]] = deque()
        self._size = 0
        self._forgotten = 0  # bytes of text in messages that were removed
        self.last_seq = 0

    def append(self, message: Message) -> None:
        """Number a message and keep it; forget the oldest ones beyond the limit."""
        self.last_seq += 1
        size = len(message.get("text", ""))
        self._messages.append((size, message | {"seq": self.last_seq}))
        self._size += size
        while self._size > self._limit or len(self._messages) > self._limit // 64:
            forgotten, _ = self._messages.popleft()
            self._size -= forgotten
            self._forgotten += forgotten

    def after(self, seq: int) -> list[Message]:
        """Return the messages with a greater number, after a note if some of them are forgotten."""
        found = [message for _, message in self._messages if message["seq"] > seq]
        if found and found[0]["seq"] > seq + 1:
            note = {"type": "dropped", "run": found[0]["run"], "bytes": self._forgotten}
            found.insert(0, note | {"seq": found[0]["seq"] - 1})
        return found


class OutputBuffer:
    """Gathers the output of one stream between two deliveries, and keeps only its newest part."""

    def __init__(self, limit: int = BURST_BYTES) -> None:
        self._limit = limit
        self._data = bytearray()
        self._dropped = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: bytes) -> None:
        """Add output; it may be of any kind, and of any length without a line end."""
        self._data += data
        if len(self._data) > 2 * self._limit:  # not at each call: moving bytes costs time
            self._trim()

    def read(self, final: bool = False) -> tuple[int, str]:
        """Return how many bytes were dropped, and the text after them; start again with none.

        Args:
            final: whether nothing follows, so that an incomplete character is shown too.
        """
        self._trim()
        dropped, self._dropped = self._dropped, 0
        if dropped:
            self._decoder.reset()
            line_end = self._data.find(b"\n", 0, self._limit // 2) + 1
            dropped += line_end
            del self._data[:line_end]
        text = self._decoder.decode(bytes(self._data), final)
        self._data.clear()
        return dropped, text

    def _trim(self) -> None:
        if (excess := len(self._data) - self._limit) > 0:
            del self._data[:excess]
            self._dropped += excess


class ErrorMarker:
    """Finds the errors among the log lines in the error output of a script.

    A traceback is an error; so is a log record of the level ERROR or above, with the lines that
    belong to it, and the report of the launcher about a script that has failed.
    """

    def __init__(self) -> None:
        self._unfinished = ""  # the beginning of the last line, which may be continued
        self._inside: Literal["", "traceback", "record", "report"] = ""

    def split(self, text: str) -> list[tuple[bool, str]]:
        """Return the text in parts, each with whether it is part of an error."""
        parts: list[tuple[bool, str]] = []
        for piece in text.splitlines(keepends=True):
            before = self._inside
            is_error = self._judge(self._unfinished + piece)
            if piece.endswith("\n"):
                self._unfinished = ""
            else:
                self._unfinished = (self._unfinished + piece)[:LINE_START]
                self._inside = before  # the whole line decides
            if parts and parts[-1][0] == is_error:
                parts[-1] = (is_error, parts[-1][1] + piece)
            else:
                parts.append((is_error, piece))
        return parts

    def _judge(self, line: str) -> bool:
        """Return whether a line is part of an error."""
        if ERROR_RECORD.match(line):
            self._inside = "record"
        elif RECORD.match(line):
            self._inside = ""
        elif self._inside in ("record", "report"):
            pass
        elif line.startswith(REPORT):
            self._inside = "report"
        elif TRACEBACK.match(line):
            self._inside = "traceback"
        elif self._inside and LAST_LINE.match(line):
            self._inside = ""
            return True
        return bool(self._inside)
