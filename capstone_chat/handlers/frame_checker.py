"""Check the frames of a client by the rules of RFC 6455.

Tornado accepts frames without a mask, and at most other violations it closes the TCP connection
without a close code. It does not count frames either. So `FrameStream` passes each frame through a
`FrameChecker` before Tornado parses it.
"""

import codecs
from collections.abc import Callable

from capstone_chat.realtime.protocol import CloseCode

CONTINUATION, TEXT, CLOSE = 0x0, 0x1, 0x8
OPCODES = {CONTINUATION, TEXT, 0x2, CLOSE, 0x9, 0xA}
"""Opcodes of RFC 6455, 5.2: continuation, text, binary, close, ping, pong. Others are reserved."""
FINAL, RESERVED_BITS, OPCODE, MASKED = 0x80, 0x70, 0x0F, 0x80
MASK_SIZE = 4
MAX_CONTROL_PAYLOAD = 125
CLOSE_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
"""Codes that a close frame may contain (RFC 6455, 7.4, and the IANA registry of close codes)."""


class ViolationError(Exception):
    """A frame must close its connection.

    Args:
        code: the close code.
        reason: a short text for the close frame.
    """

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class FrameChecker:
    """Divides the bytes of a client into frames, and checks each of them.

    Args:
        max_message_size: maximum number of bytes in the payload of a message.
        admit: counts a frame of any opcode; returns False if the client has sent too many.
    """

    # Each of thousands of connections has a checker; a dict would double its size.
    __slots__ = (
        "_admit",
        "_header_is_checked",
        "_max_message_size",
        "_message_size",
        "_text",
        "_unchecked",
    )

    def __init__(self, max_message_size: int, admit: Callable[[], bool]) -> None:
        self._max_message_size = max_message_size
        self._admit = admit
        self._unchecked = bytearray()
        self._header_is_checked = False
        self._message_size: int | None = None  # bytes of a message whose last fragment is missing
        self._text: codecs.IncrementalDecoder | None = None  # the same, if the message is a text

    def feed(self, data: bytes) -> None:
        """Add bytes that have arrived."""
        self._unchecked += data

    def next_frame(self) -> bytes | str | None:
        """Return the next frame; None if it has not arrived completely.

        A header is checked as soon as it is there, so no payload that is too large is received.

        Returns:
            The text, if the frame is a whole text message. Any other frame as it arrived.

        Raises:
            ViolationError: the frame violates RFC 6455 or a limit.
        """
        data = self._unchecked
        if len(data) < 2:
            return None
        first, length = data[0], data[1] & ~MASKED
        if not self._header_is_checked:
            self._check_header(first, data[1])
            self._header_is_checked = True
        start = 2
        if length > MAX_CONTROL_PAYLOAD:
            start = 4 if length == 126 else 10
            if len(data) < start:
                return None
            length = int.from_bytes(data[2:start])
        if length + (self._message_size or 0) > self._max_message_size:
            raise ViolationError(CloseCode.MESSAGE_TOO_BIG, "message too big")
        start += MASK_SIZE
        end = start + length
        if len(data) < end:
            return None
        frame = bytes(data[:end])
        del data[:end]
        self._header_is_checked = False
        payload = _unmask(frame[start:], frame[start - MASK_SIZE : start])
        if first == FINAL | TEXT:
            return _text(payload)
        self._check_payload(first, payload)
        return frame

    def _check_header(self, first: int, second: int) -> None:
        """Count a frame and check its header.

        Args:
            first: first byte of the header, with the opcode.
            second: second byte of the header, with the mask bit and the length.

        Raises:
            ViolationError: the header violates RFC 6455, or the client has sent too many frames.
        """
        if not self._admit():
            raise ViolationError(CloseCode.TOO_MANY_FRAMES, "too many frames")
        opcode = first & OPCODE
        if not second & MASKED:
            violation = "frames of a client must be masked"  # 5.1
        elif first & RESERVED_BITS or opcode not in OPCODES:
            violation = "reserved bits or opcode"  # 5.2
        elif opcode >= CLOSE and not (first & FINAL and second & ~MASKED <= MAX_CONTROL_PAYLOAD):
            violation = "a control frame is whole and short"  # 5.5
        elif opcode < CLOSE and (opcode == CONTINUATION) != (self._message_size is not None):
            violation = "fragments out of order"  # 5.4
        else:
            return
        raise ViolationError(CloseCode.PROTOCOL_ERROR, violation)

    def _check_payload(self, first: int, payload: bytes) -> None:
        """Check a payload, and note what a fragment contributes to its message.

        Raises:
            ViolationError: a text or the reason of a close frame is not UTF-8, or there is no such
                close code.
        """
        opcode, is_final = first & OPCODE, bool(first & FINAL)
        if opcode == CLOSE:
            _check_close(payload)
        if opcode >= CLOSE:
            return
        if opcode == TEXT:
            self._text = codecs.getincrementaldecoder("utf-8")()
        if self._text is not None:
            _check_utf8(payload, self._text, is_final, "text must be UTF-8")
        if is_final:
            self._message_size = self._text = None
        else:
            self._message_size = (self._message_size or 0) + len(payload)


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise ViolationError(CloseCode.INVALID_DATA, "text must be UTF-8") from None


def _unmask(payload: bytes, mask: bytes) -> bytes:
    """Return a payload without its mask (RFC 6455, 5.3)."""
    key = (mask * (len(payload) // MASK_SIZE + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(len(payload))


def _check_close(payload: bytes) -> None:
    """Check a close frame: it is empty, or has a code and a reason (RFC 6455, 5.5.1 and 7.4)."""
    if not payload:
        return
    if len(payload) < 2 or int.from_bytes(payload[:2]) not in CLOSE_CODES:
        raise ViolationError(CloseCode.PROTOCOL_ERROR, "no such close code")
    decoder = codecs.getincrementaldecoder("utf-8")()
    _check_utf8(payload[2:], decoder, True, "a reason must be UTF-8")


def _check_utf8(data: bytes, decoder: codecs.IncrementalDecoder, is_final: bool, rule: str) -> None:
    try:
        decoder.decode(data, is_final)
    except UnicodeDecodeError:
        raise ViolationError(CloseCode.INVALID_DATA, rule) from None
