"""Parsing of picture files, which reduces them to the first frame before any decoding.

A decoder gets only the segments that are needed for the pixels. All other data of an upload
(comments, metadata, further frames, data after the end) are removed here, because they cost
decoders memory and time: a compressed comment can expand a thousandfold, and 60 kB of EXIF can make
a parser copy hundreds of megabytes.

Sources: PNG specification (W3C, third edition), ITU-T T.81 (JPEG) annex B, GIF89a, RFC 9649
(WebP), CIPA DC-008 (Exif).
"""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

MAX_UPLOAD_BYTES = 5 << 20
"""Maximum size of an upload in bytes."""

MAX_SIDE = 16_384
"""Maximum width and height in pixels. A decoder has a table with an entry for each row."""

MAX_PIXELS = 40_000_000
"""Maximum width times height."""

MAX_SCANS = 32
"""Maximum number of scans of a JPEG file. Each scan is a pass over the whole picture; usual
progressive files have 10."""

MAX_PARTS = 50_000
"""Maximum number of chunks, segments or blocks of a file: 5 MB of GIF blocks are 20,560 blocks."""

MAX_PROFILE = 4 << 20
"""Maximum size of a decompressed colour profile in bytes; CMYK profiles have up to 3 MB."""

MAX_EXIF_ENTRIES = 1000
"""Maximum number of entries of the first EXIF directory that are examined."""


TOO_LARGE = "The picture is larger than 5 MB."
BROKEN = "The picture is broken. Try another one."
TOO_MANY_PIXELS = "The picture has too many pixels."


class InvalidImage(Exception):
    """The upload cannot be used as a picture; the message is for the user."""


class MalformedFile(Exception):
    """The file does not follow its format."""


@dataclass
class PictureFile:
    """A picture file reduced to one frame, with the properties from its header.

    Args:
        format: Pillow's name of the format.
        data: the reduced file.
        width: width of the frame in pixels.
        height: height of the frame in pixels.
        screen: width and height of the area in which the frame is shown.
        offset: position of the frame in that area.
        working_memory: bytes that the decoder needs in addition to the decoded frame.
        profile: ICC profile, or None.
        gamma: exponent of the samples of a PNG file without a profile, or None.
        grey: whether the samples are shades of grey.
        orientation: EXIF orientation, 1 to 8.
        transparency: the transparent sample of a PNG file without a palette (its tRNS chunk).
        depth: bits per sample.
    """

    format: str
    data: bytes
    width: int
    height: int
    screen: tuple[int, int] = (0, 0)
    offset: tuple[int, int] = (0, 0)
    working_memory: int = 0
    profile: bytes | None = None
    gamma: float | None = None
    grey: bool = False
    orientation: int = 1
    transparency: tuple[int, ...] = ()
    depth: int = 8

    def __post_init__(self) -> None:
        if self.screen == (0, 0):
            self.screen = self.width, self.height


def read(data: bytes) -> PictureFile:
    """Parse a picture file, check the limits, and return its first frame.

    Raises:
        InvalidImage: the format is not accepted, the file is broken, or a limit is exceeded.
    """
    reader = next((r for signature, r in READERS.items() if re.match(signature, data)), None)
    if reader is None:
        raise InvalidImage("Use a PNG, JPEG, WebP or GIF picture.")
    try:
        file = reader(data)
    except (MalformedFile, struct.error, IndexError, KeyError):
        raise InvalidImage(BROKEN) from None
    for width, height in (file.width, file.height), file.screen:
        if min(width, height) < 1:
            raise InvalidImage(BROKEN)
        if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            raise InvalidImage(TOO_MANY_PIXELS)
    return file


def limit_parts(parts: int, maximum: int = MAX_PARTS) -> None:
    """Check that a file does not have too many parts of a kind.

    Raises:
        InvalidImage: there are more than `maximum`.
    """
    if parts > maximum:
        raise InvalidImage("The picture is too complex.")


DECODED = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
"""Chunks of a PNG file that are passed to the decoder, which checks them itself."""

METADATA = (b"tRNS", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf")
"""Chunks of a PNG file that this module reads; a broken one is ignored, as in browsers."""


def is_intact(chunk: bytes) -> bool:
    """Return whether the checksum of a PNG chunk is correct."""
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:])


def palette_size(chunks: dict[bytes, bytes]) -> int:
    """Return the number of colours in the palette of a PNG file; 0 if the picture has none."""
    return len(chunks.get(b"PLTE", b"")) // 3 if chunks[b"IHDR"][9] == 3 else 0


def read_png(data: bytes) -> PictureFile:
    """Reduce a PNG or APNG file to its default image."""
    kept = bytearray(data[:8])
    chunks: dict[bytes, bytes] = {}
    position = 8
    parts = 0
    while b"IEND" not in chunks:
        limit_parts(parts := parts + 1)
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise MalformedFile
        chunk, position = data[position:end], end
        if kind in DECODED or (kind in METADATA and is_intact(chunk)):
            chunks.setdefault(kind, chunk[8:-4])
            if kind in DECODED or (kind == b"tRNS" and 0 < length <= palette_size(chunks)):
                kept += chunk
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    samples = {0: 1, 2: 3}.get(colour, 0)
    clear = chunks.get(b"tRNS", b"")
    return PictureFile(
        format="PNG",
        data=bytes(kept),
        width=width,
        height=height,
        profile=unpack_profile(chunks.get(b"iCCP")),
        gamma=read_gamma(chunks),
        grey=colour in (0, 4),
        orientation=read_orientation(chunks.get(b"eXIf", b"")),
        transparency=struct.unpack_from(f">{samples}H", clear) if len(clear) >= 2 * samples else (),
        depth=depth,
    )


def unpack_profile(chunk: bytes | None) -> bytes | None:
    """Decompress the profile of a PNG file's iCCP chunk; None if it is broken or too large."""
    if chunk is None:
        return None
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(chunk.partition(b"\0")[2][1:], MAX_PROFILE)
    except zlib.error:
        return None
    return profile if stream.eof else None


SRGB_GAMMA = 45_455
"""Value of gAMA for sRGB (PNG specification, 11.3.2.5), whose curve is no exact power."""


def read_gamma(chunks: dict[bytes, bytes]) -> float | None:
    """Return the exponent of a PNG file's samples; None if it has none or has a colour space."""
    gamma = chunks.get(b"gAMA", b"")
    if len(gamma) != 4 or not chunks.keys().isdisjoint({b"iCCP", b"sRGB"}):
        return None
    value = int.from_bytes(gamma)
    if value == SRGB_GAMMA and b"cHRM" not in chunks:
        return None
    return 100_000 / value if 10_000 <= value <= 1_000_000 else None


SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The marker after the data of a JPEG scan. In these data 0xFF is followed by 0 or a restart
marker, D0 to D7. The pattern has no repetition, so the search takes linear time."""


class JpegReader:
    """Copies the segments of a JPEG file that are needed for the pixels; reads some others."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 2
        self.kept = bytearray(b"\xff\xd8")
        self.frame = b""
        """The content of the SOF segment: precision, height, width, components."""
        self.scans = 0
        self.buffered = False
        """Whether a decoder must keep the coefficients of the whole picture in memory."""
        self.profile: dict[int, bytes] = {}
        self.exif = b""

    def read(self) -> PictureFile:
        """Read to the end of the first picture; an MPO file has further pictures after it."""
        parts = 0
        while (marker := self.next_marker()) != 0xD9:
            limit_parts(parts := parts + 1)
            if marker not in (0x00, 0x01) and not 0xD0 <= marker <= 0xD8:  # these have no content
                self.read_segment(marker)
        if not self.frame or not self.scans:
            raise MalformedFile
        height, width = struct.unpack_from(">HH", self.frame, 1)
        return PictureFile(
            format="JPEG",
            data=bytes(self.kept + b"\xff\xd9"),
            width=width,
            height=height,
            working_memory=self.coefficients(width, height) if self.buffered else 0,
            profile=b"".join(part for _, part in sorted(self.profile.items())) or None,
            grey=self.frame[5] == 1,
            orientation=read_orientation(self.exif),
        )

    def next_marker(self) -> int:
        """Return the next marker and move after it; as in decoders, other bytes are skipped."""
        position = self.data.find(b"\xff", self.position)
        if position < 0:
            raise MalformedFile
        while self.data[position] == 0xFF:
            position += 1
        self.position = position + 1
        return self.data[position]

    def read_segment(self, marker: int) -> None:
        """Read a segment and move after it."""
        (length,) = struct.unpack_from(">H", self.data, self.position)
        end = self.position + length
        if length < 2 or end > len(self.data):
            raise MalformedFile
        content = self.data[self.position + 2 : end]
        if marker == 0xDA:  # SOS
            end = self.read_scan(content, end)
        elif marker in (0xC0, 0xC1, 0xC2):  # SOF: baseline, extended, progressive
            if self.frame:
                raise MalformedFile
            self.frame = content
            self.buffered = marker == 0xC2
        elif 0xC3 <= marker <= 0xCF and marker != 0xC4:  # lossless, hierarchical, arithmetic
            raise MalformedFile  # browsers do not support these
        elif marker == 0xE1 and content.startswith(b"Exif\0\0") and not self.exif:
            self.exif = content[6:]
        elif marker == 0xE2 and content.startswith(b"ICC_PROFILE\0"):
            self.profile.setdefault(content[12], content[14:])
        # Decoders need only two kinds of application segments, those of JFIF and Adobe, which
        # define the colours.
        if marker in (0xE0, 0xEE) or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            self.kept += b"\xff%c" % marker + self.data[self.position : end]
        self.position = end

    def read_scan(self, head: bytes, start: int) -> int:
        """Count a scan; return the position after its data."""
        self.scans += 1
        limit_parts(self.scans, MAX_SCANS)
        if not self.frame:
            raise MalformedFile
        if head[0] < self.frame[5]:  # the other components are in other scans
            self.buffered = True
        found = SCAN_END.search(self.data, start)
        if found is None:
            raise MalformedFile
        return found.start()

    def coefficients(self, width: int, height: int) -> int:
        """Return the size of all coefficients in bytes: 128 for each block of 8x8 samples."""
        factors = [self.frame[7 + 3 * n] for n in range(self.frame[5])]
        across, down = max(f >> 4 for f in factors), max(f & 15 for f in factors)
        if not across or not down:
            raise MalformedFile
        units = -(-width // (8 * across)) * -(-height // (8 * down))
        return 128 * units * sum((f >> 4) * (f & 15) for f in factors)


def read_jpeg(data: bytes) -> PictureFile:
    """Reduce a JPEG or MPO file to its first picture, without metadata."""
    return JpegReader(data).read()


def read_orientation(exif: bytes) -> int:
    """Return the orientation in EXIF data, a TIFF structure; 1 if it is missing or broken."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        for number in range(min(entries, MAX_EXIF_ENTRIES)):
            entry = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * number)
            if entry[:3] == (0x0112, 3, 1) and 1 <= entry[3] <= 8:
                return int(entry[3])
    except struct.error:
        pass
    return 1


def read_webp(data: bytes) -> PictureFile:
    """Reduce a WebP file to its first frame, without metadata."""
    kept = bytearray()
    metadata: dict[bytes, bytes] = {}
    size: tuple[int, int] | None = None
    end = min(len(data), 8 + int(struct.unpack_from("<I", data, 4)[0]))
    position = 12
    parts = 0
    complete = False
    while position + 8 <= end and not complete:
        limit_parts(parts := parts + 1)
        kind, length = struct.unpack_from("<4sI", data, position)
        content = data[position + 8 : min(end, position + 8 + length)]
        size = size or webp_size(kind, content)
        if kind == b"VP8X":
            content = bytes([content[0] & 0x12]) + content[1:]  # keep the flags alpha and animation
        if kind in (b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"):
            kept += struct.pack("<4sI", kind, len(content)) + content + bytes(len(content) & 1)
        else:
            metadata.setdefault(kind, content)
        complete = kind == b"ANMF"
        position += 8 + length + (length & 1)
    if size is None:
        raise MalformedFile
    return PictureFile(
        format="WEBP",
        data=b"RIFF" + struct.pack("<I", 4 + len(kept)) + b"WEBP" + kept,
        width=size[0],
        height=size[1],
        # libwebp's animation decoder has two canvases, and Pillow copies one of them.
        working_memory=12 * size[0] * size[1],
        profile=metadata.get(b"ICCP"),
        orientation=read_orientation(metadata.get(b"EXIF", b"").removeprefix(b"Exif\0\0")),
    )


def webp_size(kind: bytes, content: bytes) -> tuple[int, int] | None:
    """Return the width and height from a WebP file's first chunk; None for another chunk."""
    if kind == b"VP8X":
        low, high, down, down_high = struct.unpack_from("<HBHB", content, 4)
        return (low | high << 16) + 1, (down | down_high << 16) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def read_gif(data: bytes) -> PictureFile:
    """Reduce a GIF file to its first frame."""
    screen_width, screen_height, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    head, colours, control = data[:6], data[10:position], b""
    parts = 0
    while data[position] == 0x21:  # an extension
        limit_parts(parts := parts + 1)
        start, position = position, skip_blocks(data, position + 2)
        if data[start + 1] == 0xF9:
            control = data[start:position]
    if data[position] != 0x2C:
        raise MalformedFile
    left, top, width, height, flags = struct.unpack_from("<HHHHB", data, position + 1)
    start, position = position + 9, position + 10 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    pixels = data[start : skip_blocks(data, position + 1)]
    size = struct.pack("<HH", width, height)
    return PictureFile(
        format="GIF",
        data=head + size + colours + control + b"\x2c" + bytes(4) + size + pixels + b";",
        width=width,
        height=height,
        screen=(max(screen_width, left + width), max(screen_height, top + height)),
        offset=(left, top),
    )


def skip_blocks(data: bytes, position: int) -> int:
    """Return the position after a sequence of GIF data blocks, of which the last one is empty."""
    blocks = 0
    while length := data[position]:
        limit_parts(blocks := blocks + 1)
        position += 1 + length
    return position + 1


READERS: dict[bytes, Callable[[bytes], PictureFile]] = {
    rb"\x89PNG\r\n\x1a\n": read_png,
    rb"\xff\xd8\xff": read_jpeg,
    rb"(?s)RIFF....WEBP": read_webp,
    rb"GIF8[79]a": read_gif,
}
"""The function that reads each format, by a pattern of the format's signature."""
