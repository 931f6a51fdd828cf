"""Pictures that people upload: decoded, turned upright, cropped to a square, written anew.

What is kept was drawn by this program, so nothing hidden in an upload survives: no EXIF, no place,
no second file behind the picture (OWASP File Upload Cheat Sheet).
"""

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

SIZE = 256
"""Pixels of a side."""

UPLOAD_LIMIT = 5 << 20
"""Bytes of an upload."""

PIXELS = 40_000_000
"""Pixels that are decoded at the most: a small file can hold a picture that fills the memory."""

warnings.simplefilter("error", Image.DecompressionBombWarning)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


class NotAPicture(Exception):
    """The upload is no picture that can be used; the text says why."""


def square(upload: bytes) -> bytes:
    """Return an upload as a WebP picture of 256x256 pixels. Takes tens of milliseconds.

    Raises:
        NotAPicture: it is none, of another kind, broken, or too large.
    """
    if len(upload) > UPLOAD_LIMIT:
        raise NotAPicture("The picture is larger than 5 MB.")
    try:
        picture = Image.open(io.BytesIO(upload), formats=FORMATS)  # reads its head only
        if picture.width * picture.height > PIXELS:
            raise Image.DecompressionBombError
        upright = ImageOps.exif_transpose(picture)
        mode = "RGBA" if upright.has_transparency_data else "RGB"
        cropped = ImageOps.fit(upright.convert(mode), (SIZE, SIZE))
    except UnidentifiedImageError:
        raise NotAPicture("Use a PNG, JPEG, WebP or GIF picture.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAPicture("The picture has too many pixels.") from None
    except Exception:  # what is hostile or broken can make a decoder raise anything
        raise NotAPicture("The picture is broken. Try another one.") from None
    out = io.BytesIO()
    cropped.save(out, "WEBP", quality=85)
    return out.getvalue()
