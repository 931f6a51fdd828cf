"""Conversion of an uploaded file to the picture of a user: square, in sRGB, without metadata.

The result is encoded again from the pixels, so hidden data of an upload are removed: EXIF, the
location, a second file after the picture (OWASP File Upload Cheat Sheet). `picture_worker` runs
this module in a separate process; `picture_files` limits its input.
"""

import io
import math
import warnings
from collections.abc import Callable, Iterator

from PIL import Image

from capstone_chat.accounts import picture_files
from capstone_chat.accounts.picture_files import InvalidImage, PictureFile

AVATAR_SIZE = 256
"""Width and height of an avatar, in pixels."""

MAX_MEMORY = 48 << 20
"""Maximum number of bytes for a decoded frame and its decoder. The process needs another 17 MB and
three times the size of the file, which keeps the total below 100 MB."""

STRIP_ROWS = 64
"""Number of rows that are converted at a time; a copy of the frame would double the memory."""

TRANSPARENT = (0, 0, 0, 0)

TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transposition for each EXIF orientation."""

BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2}
"""Bytes per pixel in Pillow's modes; all other modes have 4."""


def make_avatar(upload: bytes) -> bytes:
    """Convert an upload to a WebP picture of 256x256 pixels; takes tens of milliseconds.

    Raises:
        InvalidImage: the upload is no picture, has another format, is broken, or exceeds a limit.
    """
    if len(upload) > picture_files.MAX_UPLOAD_BYTES:
        raise InvalidImage(picture_files.TOO_LARGE)
    try:
        avatar = draw(picture_files.read(upload))
    except InvalidImage:
        raise
    except MemoryError:
        raise InvalidImage(picture_files.TOO_MANY_PIXELS) from None
    except Exception:  # a decoder can raise any exception for a broken or hostile file
        raise InvalidImage(picture_files.BROKEN) from None
    out = io.BytesIO()
    avatar.save(out, "WEBP", quality=85)
    return out.getvalue()


def draw(file: PictureFile) -> Image.Image:
    """Return the avatar of a picture file.

    Raises:
        InvalidImage: the file is broken, or decoding it would need too much memory.
    """
    with warnings.catch_warnings(action="ignore"):  # Pillow warns of broken parts
        picture = Image.open(io.BytesIO(file.data), formats=[file.format])
    if picture.size != (file.width, file.height):
        raise InvalidImage(picture_files.BROKEN)
    if file.screen == picture.size:
        # Decode a JPEG file at a smaller scale.
        picture.draft(None, (2 * AVATAR_SIZE, 2 * AVATAR_SIZE))
        file.screen = picture.size
    decoded = picture.width * picture.height * BYTES_PER_PIXEL.get(picture.mode, 4)
    if decoded + file.working_memory > MAX_MEMORY:
        raise InvalidImage(picture_files.TOO_MANY_PIXELS)
    picture.load()
    set_transparency(picture, file)
    avatar = convert_to_srgb(shrink(picture, file), file)
    if file.orientation in TRANSPOSE:
        avatar = avatar.transpose(TRANSPOSE[file.orientation])
    opaque = avatar.getchannel("A").getextrema() == (255, 255)
    return avatar.convert("RGB") if opaque else avatar


def set_transparency(picture: Image.Image, file: PictureFile) -> None:
    """Scale the transparent sample of a PNG file to 8 bits, as the decoder scales all samples.

    Pillow does not scale it. `rgba` scales the samples of 16-bit grey pictures.
    """
    if not file.transparency or picture.mode not in ("1", "L", "RGB"):
        return
    if file.depth == 16:
        scaled = tuple(sample >> 8 for sample in file.transparency)
    else:
        scaled = tuple(sample * 255 // ((1 << file.depth) - 1) for sample in file.transparency)
    picture.info["transparency"] = scaled if picture.mode == "RGB" else scaled[0]


def shrink(picture: Image.Image, file: PictureFile) -> Image.Image:
    """Return the square in the middle, in the final size, before the rotation.

    Returns:
        An RGBA picture, or a CMYK picture for a CMYK file.
    """
    width, height = file.screen
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = math.floor(left), math.floor(top), math.ceil(left + side), math.ceil(top + side)
    factor = max(1, side // (2 * AVATAR_SIZE))
    mode = "CMYK" if picture.mode == "CMYK" else "RGBa"
    small = Image.new(
        mode, (-(-(box[2] - box[0]) // factor), -(-(box[3] - box[1]) // factor)), TRANSPARENT
    )
    for y, strip in strips(picture, file, mode, box, factor):
        small.paste(strip.reduce(factor), (0, y // factor))
    near = (left - box[0]) / factor, (top - box[1]) / factor
    area = (*near, near[0] + side / factor, near[1] + side / factor)
    avatar = small.resize((AVATAR_SIZE, AVATAR_SIZE), Image.Resampling.BICUBIC, area)
    return avatar if mode == "CMYK" else avatar.convert("RGBA")


def strips(
    picture: Image.Image,
    file: PictureFile,
    mode: str,
    box: tuple[int, int, int, int],
    factor: int,
) -> Iterator[tuple[int, Image.Image]]:
    """Yield the rows of a box in strips, each with its y position in the box.

    Pixels outside of the frame are transparent. Colours are multiplied by alpha (mode RGBa), so
    that the invisible colour of transparent pixels does not change their neighbours when they are
    scaled.
    """
    left, top, right, bottom = box
    across, down = file.offset
    convert = rgba(picture, file)
    rows = max(1, STRIP_ROWS // factor) * factor
    for y in range(top, bottom, rows):
        strip = Image.new(mode, (right - left, min(rows, bottom - y)), TRANSPARENT)
        inside = (
            max(left - across, 0),
            max(y - down, 0),
            min(right - across, picture.width),
            min(y + strip.height - down, picture.height),
        )
        if inside[0] < inside[2] and inside[1] < inside[3]:
            part = picture.crop(inside)
            part = part if mode == "CMYK" else convert(part).convert(mode)
            strip.paste(part, (inside[0] + across - left, inside[1] + down - y))
        yield y - top, strip


def rgba(picture: Image.Image, file: PictureFile) -> Callable[[Image.Image], Image.Image]:
    """Return a function that converts a part of a picture to RGBA."""
    if picture.mode != "I;16":
        return lambda part: part.convert("RGBA")
    to_8_bits = [sample >> 8 for sample in range(1 << 16)]
    opacity = [255] * (1 << 16)
    if file.transparency:
        opacity[file.transparency[0]] = 0

    def convert(part: Image.Image) -> Image.Image:
        samples = part.convert("I")
        grey = samples.point(to_8_bits, "L")
        return Image.merge("RGBA", (grey, grey, grey, samples.point(opacity, "L")))

    return convert


def convert_to_srgb(avatar: Image.Image, file: PictureFile) -> Image.Image:
    """Convert a small picture to sRGB, in mode RGBA; ignore an unusable colour profile."""
    converted = apply_profile(avatar, file) if file.profile else None
    if converted is None and file.gamma:
        converted = avatar.convert("RGB").point(
            [encode(n / 255, file.gamma) for n in range(256)] * 3
        )
    plain = (converted or avatar).convert("RGBA")
    if avatar.mode == "RGBA":
        plain.putalpha(avatar.getchannel("A"))
    return plain


def apply_profile(avatar: Image.Image, file: PictureFile) -> Image.Image | None:
    """Convert a picture from its colour profile to sRGB; return None if that is impossible."""
    from PIL import ImageCms  # here, because few pictures need this library

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(file.profile or b""))
        space = profile.profile.xcolor_space.strip()
        if avatar.mode == space == "CMYK":
            source = avatar
        elif avatar.mode != "CMYK" and space == "RGB":
            source = avatar.convert("RGB")
        elif file.grey and space == "GRAY":
            source = avatar.getchannel("R")
        else:
            return None
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(source, profile, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def encode(sample: float, gamma: float) -> int:
    """Convert a sample (0.0 to 1.0) of a PNG file with the exponent `gamma` to sRGB (0 to 255)."""
    light = math.pow(sample, gamma)
    curved = 12.92 * light if light <= 0.0031308 else 1.055 * math.pow(light, 1 / 2.4) - 0.055
    return round(255 * curved)
