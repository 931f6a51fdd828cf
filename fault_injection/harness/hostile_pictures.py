"""Picture files that cost a decoder as much memory or time as possible.

Each is small, and each is refused or converted within the limits of the chat.
"""

import functools
import io
import struct
import zlib
from typing import Any

from PIL import Image


def encode(picture: Image.Image, kind: str, **more: Any) -> bytes:
    """Return a picture as a file."""
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    size: tuple[int, int],
    pixels: bytes,
    *before: bytes,
    depth: int = 8,
    colour: int = 2,
    after: bytes = b"",
) -> bytes:
    """Return a PNG file.

    Args:
        size: width and height in pixels.
        pixels: compressed rows, each with its filter byte.
        before: chunks before the pixels.
        depth: bits of a sample.
        colour: 0 is grey, 2 RGB, 3 a palette, 4 grey with alpha, 6 RGBA.
        after: chunks after the pixels.
    """
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0))
    chunks = head + b"".join(before) + chunk(b"IDAT", pixels) + after
    return b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b"")


def repeat_scans(jpeg: bytes, times: int) -> bytes:
    """Return a JPEG file with its last scan repeated."""
    start = jpeg.rindex(b"\xff\xda")
    return jpeg[:start] + jpeg[start:-2] * times + b"\xff\xd9"


@functools.cache
def zeros(size: int) -> bytes:
    """Return `size` compressed zero bytes, about a thousandth of that size."""
    packer = zlib.compressobj(9)
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join(pieces) + packer.flush()


def many_scans() -> bytes:
    """Return a JPEG file of 230 kB with 2,500 scans."""
    return repeat_scans(encode(Image.new("L", (4000, 2700)), "JPEG", progressive=True), 2500)


def allowed_scans() -> bytes:
    """Return a JPEG file with as many scans as the chat allows, each over 24 million pixels."""
    return repeat_scans(encode(Image.new("L", (6300, 3800)), "JPEG", progressive=True), 27)


def tall() -> bytes:
    """Return a PNG file with 39,000,000 rows of one pixel."""
    return png((1, 39_000_000), zlib.compress(b""), depth=1, colour=0)


def largest() -> bytes:
    """Return a PNG file whose pixels need all the memory that the chat allows."""
    return png((4000, 3100), zeros(36 << 20))


def comment_bomb() -> bytes:
    """Return a PNG file with compressed comments that expand to 640 MB."""
    texts = (chunk(b"zTXt", b"%d\0\0" % n + zeros(64 << 20)) for n in range(10))
    return png((10, 10), zlib.compress(bytes(310)), *texts)


def profile_bomb() -> bytes:
    """Return a PNG file with a colour profile that expands to 128 MB."""
    profile = chunk(b"iCCP", b"a\0\0" + zeros(128 << 20))
    return png((10, 10), zlib.compress(bytes(310)), profile)


def pixel_bomb() -> bytes:
    """Return a PNG file of ten by ten pixels whose data expand to 128 MB."""
    return png((10, 10), zeros(128 << 20))


def comments() -> bytes:
    """Return a GIF file with a comment in 1,600,000 blocks."""
    head = b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0, 0, 0)
    return head + b"!\xfe" + b"\x02ab" * 1_600_000 + b"\0"


def segments() -> bytes:
    """Return a JPEG file with 1,200,000 empty comments."""
    return b"\xff\xd8" + b"\xff\xfe\x00\x02" * 1_200_000 + b"\xff\xd9"


def exif_bomb() -> bytes:
    """Return a JPEG file whose EXIF data refer 5,000 times to the same 60 kB."""
    entries = (struct.pack("<HHII", 0x9000 + n, 7, 60_000, 8) for n in range(5000))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 5000) + b"".join(entries) + bytes(4)
    return encode(Image.new("RGB", (20, 20)), "JPEG", exif=b"Exif\0\0" + exif)


def frames() -> bytes:
    """Return a GIF file with 6,000 frames."""
    first, *more = [Image.new("L", (10, 10), n) for n in range(250)]
    return encode(first, "GIF", save_all=True, append_images=more * 24)


def huge_screen() -> bytes:
    """Return a GIF file of one pixel on a screen of 65,535 x 65,535."""
    file = bytearray(encode(Image.new("L", (1, 1)), "GIF"))
    file[6:10] = b"\xff" * 4
    return bytes(file)


ALL = {
    "2,500 scans": many_scans,
    "32 scans": allowed_scans,
    "1 x 39,000,000": tall,
    "12.4 million pixels": largest,
    "compressed comments": comment_bomb,
    "compressed profile": profile_bomb,
    "too many pixels in the data": pixel_bomb,
    "a comment in 1,600,000 blocks": comments,
    "1,200,000 segments": segments,
    "60 kB of EXIF, 5,000 times": exif_bomb,
    "6,000 frames": frames,
    "65,535 x 65,535": huge_screen,
}
"""The functions that make the files, by the attack."""
