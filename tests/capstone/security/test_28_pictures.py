"""Pictures: bounded before they are decoded, in processes that end, with a look as in a browser."""

import asyncio
import contextlib
import io
import json
import os
import random
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import unittest
import zlib
from typing import Any
from unittest import mock

import pytest
import tornado.httpclient
import tornado.iostream
import tornado.tcpclient
import tornado.testing
from PIL import Image

from capstone_chat.accounts import avatars, picture_files, picture_worker, pictures
from capstone_chat.accounts.pictures import Pictures
from capstone_chat.handlers import profile
from fault_injection.harness import hostile_pictures
from fault_injection.harness.hostile_pictures import chunk, encode, png, repeat_scans
from tests.capstone.chat_case import PeopleCase, Person

RED, LIME, BLUE, BROWN = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (200, 100, 50, 255)


def quarters(mode: str, *colours: Any, side: int = 64) -> Image.Image:
    """A picture of four squares: above left and right, below left and right."""
    picture = Image.new(mode, (side, side))
    half = side // 2
    for number, colour in enumerate(colours):
        x, y = number % 2 * half, number // 2 * half
        picture.paste(colour, (x, y, x + half, y + half))
    return picture


FOUR = quarters("RGB", "red", "lime", "blue", BROWN[:3])


def samples(*values: bytes, half: int = 32) -> bytes:
    """The compressed rows of a PNG file with four squares, of samples of whole bytes."""
    above, below = (b"\0" + a * half + b * half for a, b in (values[:2], values[2:]))
    return zlib.compress(above * half + below * half)


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def drawn(data: bytes) -> list[tuple[int, ...]]:
    """The colours of the four squares of a picture, as the others see them but for WebP's loss."""
    face = avatars.draw(picture_files.read(data)).convert("RGBA")
    found = []
    for at in (64, 64), (192, 64), (64, 192), (192, 192):
        colour = face.getpixel(at)
        assert isinstance(colour, tuple)
        found.append(colour)
    return found


def exif(orientation: int) -> bytes:
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"II*\0\x08\0\0\0\1\0" + entry + bytes(4)


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def icc_profile(space: bytes = b"RGB ", gamma: float = 2.2) -> bytes:
    """An ICC profile in which red is shown green and green red, or one of grey."""
    curve = b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(gamma * 256)) + b"\0\0"
    tags = {
        b"desc": b"desc\0\0\0\0\0\0\0\5test\0" + bytes(79),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249),
    }
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        tags[b"gXYZ"] = b"XYZ \0\0\0\0" + fixed(0.4360, 0.2225, 0.0139)
        tags[b"rXYZ"] = b"XYZ \0\0\0\0" + fixed(0.3851, 0.7169, 0.0971)
        tags[b"bXYZ"] = b"XYZ \0\0\0\0" + fixed(0.1431, 0.0606, 0.7141)
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, content = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(content), len(data))
        content += data
    head = struct.pack(">I4xI4s4s4s", start + len(content), 0x02100000, b"mntr", space, b"XYZ ")
    head = (head + words(2024, 1, 1, 0, 0, 0) + b"acsp").ljust(68, b"\0") + fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + content


class BoundsTest(unittest.TestCase):
    """What a decoder would have to do is bounded before it is asked."""

    def refusal(self, data: bytes) -> str:
        """Return why a picture is refused by its structure, without a decoder."""
        with self.assertRaises(picture_files.InvalidImage) as caught:
            picture_files.read(data)
        return str(caught.exception)

    def test_width_height_and_pixels(self) -> None:
        for size in (1, 39_000_000), (39_000_000, 1), (1, 16_385), (6400, 6400), (0, 5), (5, 0):
            message = "is broken" if 0 in size else "too many pixels"
            gif = struct.pack("<HH", *(min(65_535, side) for side in size))
            webp = struct.pack("<II", size[0] - 1 & 0xFFFFFF, size[1] - 1 & 0xFFFFFF)
            with self.subTest(size=size):
                self.assertIn(message, self.refusal(png(size, b"")))
                if max(size) < 16_385:
                    jpeg = bytearray(encode(Image.new("L", (9, 9)), "JPEG"))
                    place = jpeg.index(b"\xff\xc0") + 5
                    jpeg[place : place + 4] = words(size[1], size[0])
                    self.assertIn(message, self.refusal(bytes(jpeg)))
                if 0 not in size:
                    extended = b"VP8X\x0a\0\0\0\0\0\0\0" + webp[:3] + webp[4:7]
                    file = b"RIFF" + struct.pack("<I", 4 + len(extended)) + b"WEBP" + extended
                    self.assertIn(message, self.refusal(file))
                    self.assertIn(message, self.refusal(self.gif(gif, b"\1\0\1\0")))
                    self.assertIn(message, self.refusal(self.gif(b"\1\0\1\0", gif)))
        picture_files.read(png((16_384, 2441), b""))  # as many as may be

    def gif(self, screen: bytes, frame: bytes) -> bytes:
        return b"GIF89a" + screen + bytes(3) + b"," + bytes(4) + frame + b"\0\x02\0;"

    def test_scans(self) -> None:
        progressive = encode(Image.new("RGB", (16, 16)), "JPEG", progressive=True)
        ten = progressive.count(b"\xff\xda")
        picture_files.read(repeat_scans(progressive, picture_files.MAX_SCANS - ten + 1))
        too_many = repeat_scans(progressive, picture_files.MAX_SCANS - ten + 2)
        self.assertEqual(self.refusal(too_many), "The picture is too complex.")
        # Those of a thumbnail in the metadata are no scans of this picture.
        hidden = b"\xff\xe1" + words(2 + 200) + b"\xff\xda" * 100
        self.assertEqual(picture_files.read(progressive[:2] + hidden + progressive[2:]).width, 16)

    def test_parts_and_frames(self) -> None:
        for hostile in hostile_pictures.comments, hostile_pictures.segments:
            self.assertEqual(self.refusal(hostile()), "The picture is too complex.")
        chunks = png((9, 9), b"", chunk(b"tEXt", b"") * picture_files.MAX_PARTS)
        self.assertEqual(self.refusal(chunks), "The picture is too complex.")
        for kind in "GIF", "WEBP", "PNG":
            with self.subTest(kind):
                first, *more = [Image.new("RGB", (9, 9), (n, n, n)) for n in range(0, 250, 10)]
                moving = encode(first, kind, save_all=True, append_images=more)
                with Image.open(io.BytesIO(picture_files.read(moving).data)) as kept:
                    self.assertEqual(getattr(kept, "n_frames", 1), 1)

    def test_memory_of_a_decoder(self) -> None:
        for what, data in (
            ("4 bytes for each pixel", png((4000, 3200), b"")),
            ("2 bytes", png((6300, 6300), b"", depth=16, colour=0)),
            ("all coefficients", encode(Image.new("RGB", (4000, 3000)), "JPEG", subsampling=0,
                                        progressive=True)),
            ("16 bytes", encode(Image.new("RGB", (2000, 1600)), "WEBP", lossless=True)),
        ):  # fmt: skip
            with (
                self.subTest(what),
                mock.patch.object(Image.Image, "load", side_effect=AssertionError),
                self.assertRaisesRegex(picture_files.InvalidImage, "too many pixels"),
            ):
                avatars.make_avatar(data)

    def test_a_structure_that_no_decoder_takes_is_refused_before_one_is_asked(self) -> None:
        jpeg = encode(FOUR, "JPEG")
        start = jpeg.index(b"\xff\xc0")
        frame = jpeg[start : start + 2 + int.from_bytes(jpeg[start + 2 : start + 4])]
        progressive = bytearray(encode(FOUR, "JPEG", progressive=True))
        components = progressive.index(b"\xff\xc2") + 10
        progressive[components + 1 : components + 9 : 3] = bytes(3)
        for what, data in (
            ("no frame and no scan", b"\xff\xd8\xff\xd9"),
            ("no scan", b"\xff\xd8" + frame + b"\xff\xd9"),
            ("a scan before its frame", jpeg.replace(frame, b"")),
            ("two frames", jpeg.replace(frame, frame + frame)),
            ("arithmetic coding", jpeg.replace(frame, b"\xff\xc9" + frame[2:])),
            ("components without samples", bytes(progressive)),
            ("no chunk with a size", b"RIFF\x10\0\0\0WEBPJUNK\4\0\0\0data"),
            ("no frame on a screen", b"GIF89a\1\0\1\0\0\0\0;"),
        ):
            with self.subTest(what):
                self.assertIn("is broken", self.refusal(data))

    def test_coefficients_are_held_for_several_scans_only(self) -> None:
        picture = Image.new("RGB", (640, 480))
        for more, held in (
            ({}, 0),
            ({"progressive": True, "subsampling": 2}, 640 * 480 * 3),
            ({"progressive": True, "subsampling": 0}, 640 * 480 * 6),
        ):
            data = encode(picture, "JPEG", **more)
            self.assertEqual(picture_files.read(data).working_memory, held)

    def test_a_decoder_gets_nothing_but_one_frame(self) -> None:
        secret = b"SECRET" * 9
        profile_, place = icc_profile(), exif(1) + secret
        for kind in "PNG", "JPEG", "WEBP", "GIF":
            data = encode(FOUR, kind, comment=secret, exif=b"Exif\0\0" + place,
                          icc_profile=profile_, xmp=secret)  # fmt: skip
            file = picture_files.read(data + secret)
            with self.subTest(kind):
                self.assertIn(secret, data)
                for hidden in secret, b"acsp", b"Exif", b"ICC":
                    self.assertNotIn(hidden, file.data)
                self.assertEqual(Image.open(io.BytesIO(file.data)).convert("RGB").size, (64, 64))

    def test_profiles_are_unpacked_up_to_a_limit(self) -> None:
        for size, kept in (1000, True), (picture_files.MAX_PROFILE + 1, False):
            data = png((9, 9), b"", chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(size))))
            self.assertEqual(picture_files.read(data).profile is not None, kept)

    def test_readers_take_linear_time_in_hostile_bytes(self) -> None:
        """A reader that is quadratic in one of these would not end before the test's time limit."""
        jpeg = encode(Image.new("L", (9, 9)), "JPEG")[:-2]
        for filling in b"\xff", b"\xff\0", b"\xff\xd0", b"\xff\x01", b"\0":
            data = jpeg + filling * (picture_files.MAX_UPLOAD_BYTES // len(filling) - len(jpeg))
            for whole in data, data[: picture_files.MAX_UPLOAD_BYTES - 2] + b"\xff\xd9":
                with self.subTest(filling), contextlib.suppress(picture_files.InvalidImage):
                    picture_files.read(whole)

    def test_whatever_bytes_there_are_a_picture_is_read_or_refused(self) -> None:
        chance = random.Random(28)
        for kind in "PNG", "JPEG", "WEBP", "GIF":
            whole = encode(FOUR, kind, exif=b"Exif\0\0" + exif(6), icc_profile=icc_profile())
            for _ in range(150):
                data = bytearray(whole)
                for _ in range(chance.randint(1, 6)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                cut = chance.choice((len(data), chance.randrange(len(data))))
                try:
                    avatars.make_avatar(bytes(data[:cut]))
                except picture_files.InvalidImage as reason:
                    self.assertRegex(str(reason), r"\A[A-Z].*\.\Z")


class LookTest(unittest.TestCase):
    """Pictures look as in a browser. The colours are those that Chromium 156 shows."""

    def assert_drawn(self, data: bytes, *wanted: tuple[int, ...]) -> None:
        for found, colour in zip(drawn(data), wanted, strict=True):
            if found[3] or colour[3]:  # the colour of transparent pixels is not seen
                for value, other in zip(found, colour, strict=True):
                    self.assertAlmostEqual(value, other, delta=2, msg=f"{drawn(data)}, {wanted}")

    def greys(self, data: bytes, *wanted: int | tuple[int, int]) -> None:
        pairs = [(one, 255) if isinstance(one, int) else one for one in wanted]
        self.assert_drawn(data, *((grey, grey, grey, alpha) for grey, alpha in pairs))

    def test_grey_of_16_bits(self) -> None:
        pixels = samples(words(0x2080), words(0x2081), words(0xC000), words(0xFFFE))
        self.greys(png((64, 64), pixels, depth=16, colour=0), 32, 32, 192, 255)
        clear = chunk(b"tRNS", words(0x2080))
        self.greys(png((64, 64), pixels, clear, depth=16, colour=0), (32, 0), 32, 192, 255)

    def test_colours_of_16_bits(self) -> None:
        pixels = samples(words(65535, 0, 0), words(33023, 16639, 4096), words(0, 0, 32768), words(
            1000, 2000, 3000))  # fmt: skip
        rest = (0, 0, 128, 255), (3, 7, 11, 255)
        self.assert_drawn(png((64, 64), pixels, depth=16), RED, (128, 64, 16, 255), *rest)
        clear = chunk(b"tRNS", words(33023, 16639, 4096))
        self.assert_drawn(png((64, 64), pixels, clear, depth=16), RED, (0, 0, 0, 0), *rest)
        with_alpha = samples(words(65535, 0, 0, 32768), words(32768, 0, 0, 65535), words(
            1, 1, 1, 0), words(16384, 32768, 0, 16384))  # fmt: skip
        self.assert_drawn(png((64, 64), with_alpha, depth=16, colour=6), (255, 0, 0, 128), (
            128, 0, 0, 255), (0, 0, 0, 0), (64, 128, 0, 64))  # fmt: skip
        grey = samples(words(65535, 32768), words(32768, 65535), words(9, 0), words(16384, 16384))
        data = png((64, 64), grey, depth=16, colour=4)
        self.greys(data, (255, 128), 128, (0, 0), (64, 64))

    def test_samples_below_8_bits(self) -> None:
        for depth, values, clear in (1, (0, 255, 0, 255), 1), (2, (0, 85, 170, 255), 2), (
            4, (0, 85, 170, 255), 5):  # fmt: skip
            fill = [bytes([value]) * (4 * depth) for value in values]
            above, below = (b"\0" + a + b for a, b in (fill[:2], fill[2:]))
            pixels = zlib.compress(above * 32 + below * 32)
            with self.subTest(depth=depth):
                self.greys(png((64, 64), pixels, depth=depth, colour=0), *values)
                transparent = clear * 255 // ((1 << depth) - 1)
                data = png((64, 64), pixels, chunk(b"tRNS", words(clear)), depth=depth, colour=0)
                shown = [(value, 0 if value == transparent else 255) for value in values]
                self.greys(data, *shown)

    def test_palettes_and_one_transparent_colour(self) -> None:
        palette = chunk(b"PLTE", bytes([*RED[:3], *LIME[:3], *BLUE[:3], *BROWN[:3]]))
        pixels = samples(b"\0", b"\1", b"\2", b"\3")
        for clear, alphas in (b"", (255,) * 4), (b"\x80\0", (128, 0, 255, 255)), (
            b"\xff\0", (255, 0, 255, 255)), (bytes(5), (255,) * 4):  # fmt: skip
            chunks = (palette, chunk(b"tRNS", clear)) if clear else (palette,)
            colours = zip((RED, LIME, BLUE, BROWN), alphas, strict=True)
            shown = [(*colour[:3], alpha) for colour, alpha in colours]
            self.assert_drawn(png((64, 64), pixels, *chunks, colour=3), *shown)
        pixels = samples(b"\x10", b"\x20", b"\x80", b"\xf0")
        data = png((64, 64), pixels, chunk(b"tRNS", words(0x80)), colour=0)
        self.greys(data, 16, 32, (128, 0), 240)
        pixels = samples(b"\xff\0\0", b"\x80\x40\x20", b"\0\0\x80", b"\1\2\3")
        data = png((64, 64), pixels, chunk(b"tRNS", words(0x80, 0x40, 0x20)))
        self.assert_drawn(data, RED, (0, 0, 0, 0), (0, 0, 128, 255), (1, 2, 3, 255))

    def test_edges_of_transparent_areas_have_no_foreign_colour(self) -> None:
        lime_but_invisible = Image.new("RGBA", (512, 512), (0, 255, 0, 0))
        lime_but_invisible.paste((255, 0, 0, 255), (101, 101, 401, 401))
        for side in 512, 2048, 64:
            data = encode(lime_but_invisible.resize((side, side), 0), "PNG")
            face = avatars.draw(picture_files.read(data))
            self.assertEqual(face.mode, "RGBA")
            data = face.tobytes()
            visible = [
                green for green, alpha in zip(data[1::4], data[3::4], strict=True) if alpha > 8
            ]
            self.assertGreater(len(visible), 10_000)
            self.assertLess(max(visible), 20)

    def test_colour_profiles(self) -> None:
        swapped = icc_profile()
        for kind, more in ("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 95}):
            with self.subTest(kind):
                data = encode(FOUR, kind, icc_profile=swapped, **more)
                found = drawn(data)
                self.assertGreater(found[0][1], 240)
                self.assertLess(found[0][0], 20)
                for broken in swapped[:200], b"no profile at all", icc_profile(b"GRAY", 1):
                    found = drawn(encode(FOUR, kind, icc_profile=broken, **more))
                    self.assertGreater(found[0][0], 240)
                    self.assertLess(found[0][1], 20)
        grey = quarters("L", 20, 60, 128, 220)
        for kind in "PNG", "JPEG":  # samples are light itself: an exponent of 1
            self.greys(encode(grey, kind, icc_profile=icc_profile(b"GRAY", 1)), 79, 132, 188, 238)
        alpha = quarters("RGBA", (255, 0, 0, 128), LIME, BLUE, (9, 9, 9, 0))
        found = drawn(encode(alpha, "PNG", icc_profile=swapped))
        self.assertEqual([colour[3] for colour in found], [128, 255, 255, 0])
        self.assertGreater(found[0][1], 240)

    def test_gamma(self) -> None:
        pixels = samples(b"\x10", b"\x20", b"\x80", b"\xf0")
        for value, more, shown in (
            (100_000, b"", (71, 99, 188, 248)),
            (45_455, b"", (16, 32, 128, 240)),
            (0, b"", (16, 32, 128, 240)),
            (100_000, chunk(b"sRGB", b"\0"), (16, 32, 128, 240)),
        ):
            gamma = chunk(b"gAMA", struct.pack(">I", value))
            self.greys(png((64, 64), pixels, gamma, more, colour=0), *shown)
        broken = chunk(b"gAMA", struct.pack(">I", 100_000))[:-1] + b"\0"
        self.greys(png((64, 64), pixels, broken, colour=0), 16, 32, 128, 240)

    def test_cmyk(self) -> None:
        inks = quarters("CMYK", (255, 0, 0, 0), (0, 128, 0, 64), (40, 40, 200, 10), (0, 0, 0, 128))
        shown = (0, 255, 255, 255), (191, 95, 191, 255), (207, 206, 53, 255), (127, 127, 127, 255)
        data = encode(inks, "JPEG", quality=95)
        for what, file in (
            ("CMYK", data),
            ("with a profile that does not fit", encode(inks, "JPEG", quality=95,
                                                        icc_profile=icc_profile())),
        ):  # fmt: skip
            with self.subTest(what):
                self.assert_drawn(file, *shown)
        place = data.index(b"Adobe") + 11
        ycck = data[:place] + b"\2" + data[place + 1 :]
        first = drawn(ycck)[3]
        self.assertEqual(first[3], 255)
        self.assertNotEqual(drawn(ycck), drawn(data))

    def test_orientations(self) -> None:
        turned = {
            1: (RED, LIME, BLUE, BROWN),
            2: (LIME, RED, BROWN, BLUE),
            3: (BROWN, BLUE, LIME, RED),
            4: (BLUE, BROWN, RED, LIME),
            5: (RED, BLUE, LIME, BROWN),
            6: (BLUE, RED, BROWN, LIME),
            7: (BROWN, LIME, BLUE, RED),
            8: (LIME, BROWN, RED, BLUE),
            0: (RED, LIME, BLUE, BROWN),
            9: (RED, LIME, BLUE, BROWN),
        }
        for orientation, wanted in turned.items():
            for kind, more in ("PNG", {}), ("WEBP", {"lossless": True}), (
                "JPEG", {"quality": 95, "subsampling": 0}):  # fmt: skip
                with self.subTest(kind, orientation=orientation):
                    data = encode(FOUR, kind, exif=b"Exif\0\0" + exif(orientation), **more)
                    self.assert_drawn(data, *wanted)

    def test_an_oblong_is_turned_about_the_middle(self) -> None:
        picture = Image.new("RGB", (301, 101), "lime")
        picture.paste(FOUR.resize((100, 100), 0), (100, 0))
        for orientation, wanted in (1, (RED, LIME, BLUE, BROWN)), (6, (BLUE, RED, BROWN, LIME)):
            data = encode(picture, "PNG", exif=b"Exif\0\0" + exif(orientation))
            self.assert_drawn(data, *wanted)

    def test_damaged_metadata_is_ignored(self) -> None:
        for damaged in (
            b"",
            b"II*\0",
            b"II*\0\xff\xff\xff\xff",
            b"MM\0*\0\0\0\x08\xff\xff",
            b"no TIFF at all",
            exif(6)[:12],
            b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x0112, 4, 1, 6) + bytes(4),
        ):
            for form in "PNG", "JPEG", "WEBP":
                with self.subTest(form, damaged=damaged):
                    found = drawn(encode(FOUR, form, exif=b"Exif\0\0" + damaged))
                    self.assertGreater(found[0][0], 240)
        pixels = samples(b"\xff\0\0", b"\x80\x40\x20", b"\0\0\x80", b"\1\2\3")
        shown = RED, (128, 64, 32, 255), (0, 0, 128, 255), (1, 2, 3, 255)
        for kind in b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"tRNS", b"acTL", b"fcTL":
            for content in b"", b"\0", b"x\0\1\1\1\1":
                broken = chunk(kind, content), chunk(kind, content)[:-1] + b"\0"
                for one in broken:
                    if kind == b"tRNS" and len(content) == 6:
                        continue
                    with self.subTest(kind, content=content):
                        self.assert_drawn(png((64, 64), pixels, one), *shown)

    def test_the_first_frame_on_its_screen(self) -> None:
        first = quarters("RGBA", RED, LIME, BLUE, (255, 255, 255, 255))
        for kind, more in ("PNG", {}), ("WEBP", {"lossless": True}), ("GIF", {}):
            with self.subTest(kind):
                other = Image.new("RGBA", (64, 64), "black")
                data = encode(first, kind, save_all=True, append_images=[other] * 3, **more)
                self.assert_drawn(data, RED, LIME, BLUE, (255, 255, 255, 255))
        plain = encode(quarters("P", 1, 1, 1, 1), "GIF")
        start = plain.index(b",", 13)
        colours = 13 + (3 << (plain[10] & 7) + 1)
        clear, lime = (0, 0, 0, 0), LIME
        palette = bytes(LIME[:3]) * ((colours - 13) // 3)
        for screen, offset, wanted in (
            ((64, 64), (0, 0), (lime, lime, lime, lime)),
            ((128, 128), (64, 0), (clear, lime, clear, clear)),
            ((128, 128), (0, 64), (clear, clear, lime, clear)),
            ((16, 16), (0, 0), (lime, lime, lime, lime)),
        ):
            head = plain[:6] + struct.pack("<HH", *screen) + plain[10:13] + palette
            frame = b"," + struct.pack("<HH", *offset) + plain[start + 5 :]
            with self.subTest(screen=screen, offset=offset):
                self.assert_drawn(head + frame, *wanted)


class PictureCase(PeopleCase):
    async def refused(self, person: Person, data: bytes, code: int) -> dict[str, str]:
        response = await person.put_picture(data)
        self.assertEqual(response.code, code, response.body)
        error: dict[str, str] = json.loads(response.body)["error"]
        return error

    def run_instead(self, code: str) -> list[asyncio.subprocess.Process]:
        """Let processes for pictures run this code; return those that have been started."""
        started: list[asyncio.subprocess.Process] = []

        async def start(*command: str, **more: Any) -> asyncio.subprocess.Process:
            process = await START(sys.executable, "-c", textwrap.dedent(code), **more)
            started.append(process)
            return process

        patch = mock.patch.object(asyncio, "create_subprocess_exec", start)
        patch.start()  # so that a test can end it with stopall()
        self.addCleanup(patch.stop)
        return started


PNG = encode(FOUR, "PNG")
START = asyncio.create_subprocess_exec


class ProcessTest(PictureCase):
    """A picture is converted in a process of its own, which always ends."""

    @tornado.testing.gen_test
    async def test_hostile_pictures_are_refused_or_converted(self) -> None:
        for name, make in hostile_pictures.ALL.items():
            with self.subTest(name):
                response = await self.anna.put_picture(make())
                if response.code != 200:
                    error = json.loads(response.body)["error"]
                    self.assertEqual((response.code, error["code"]), (400, "not_a_picture"))
                    self.assertRegex(error["message"], "too many pixels|too complex")
                self.assertEqual(self.chat.pictures.converting, 0)
                self.assertEqual(self.chat.pictures.reserved, 0)

    @tornado.testing.gen_test
    async def test_a_process_that_takes_too_long_is_killed_and_the_next_one_works(self) -> None:
        started = self.run_instead("import signal; signal.pause()")
        with mock.patch.object(pictures, "CONVERSION_TIMEOUT", 0.1):
            error = await self.refused(self.anna, PNG, 400)
        self.assertEqual(error["code"], "not_a_picture")
        self.assertIn("took too long", error["message"])
        self.assertIsNotNone(started[0].returncode)
        self.assertEqual((self.chat.pictures.converting, self.chat.pictures.reserved), (0, 0))
        mock.patch.stopall()
        self.assertEqual((await self.anna.put_picture(PNG)).code, 200)

    @tornado.testing.gen_test
    async def test_a_process_that_ends_badly_is_an_answer(self) -> None:
        for ending, code, name, message in (
            ("os._exit(1)", 400, "not_a_picture", "took too long"),
            ("os.kill(os.getpid(), 24)", 400, "not_a_picture", "took too long"),
            ("os.kill(os.getpid(), 9)", 503, "busy", "Try again"),
            ("os.kill(os.getpid(), 11)", 400, "not_a_picture", "is broken"),
            ("os._exit(77)", 400, "not_a_picture", "is broken"),
            ("os.write(1, bytes(3 << 20)); os._exit(0)", 503, "busy", "Try again"),
        ):
            if "kill" in ending and sys.platform == "win32":
                continue
            for reads in "", "sys.stdin.buffer.read(8 + 3_000_000);":
                if not reads and "write" in ending:
                    continue
                with self.subTest(ending, reads=reads):
                    self.run_instead(f"import os, sys; {reads} {ending}")
                    with self.assertLogs("capstone_chat.accounts.pictures"):
                        error = await self.refused(self.anna, PNG.ljust(3_000_000), code)
                    self.assertEqual(error["code"], name)
                    self.assertIn(message, error["message"])
        mock.patch.stopall()
        with (
            mock.patch.object(pictures, "WORKER_COMMAND", ("no-such-program",)),
            self.assertLogs("capstone_chat.accounts.pictures", "ERROR"),
        ):
            self.assertEqual((await self.refused(self.anna, PNG, 503))["code"], "busy")
        self.assertEqual(self.chat.pictures.reserved, 0)

    @tornado.testing.gen_test
    async def test_two_at_a_time_and_logins_do_not_wait(self) -> None:
        self.run_instead("import signal; signal.pause()")
        people = [await self.person(f"person{n}") for n in range(4)]
        uploads = [asyncio.ensure_future(person.put_picture(PNG)) for person in people]
        await self.until(lambda: self.chat.pictures.converting == pictures.MAX_PROCESSES)
        await self.until(lambda: self.chat.pictures.reserved == 4 * pictures.MIN_RESERVATION)
        self.assertEqual((await Person(self, "anna").login()).code, 303)
        self.assertEqual(self.chat.pictures.converting, pictures.MAX_PROCESSES)
        self.assertFalse(any(upload.done() for upload in uploads))
        with mock.patch.object(pictures, "QUEUE_TIMEOUT", 0.01):
            self.assertEqual((await self.refused(self.anna, PNG, 503))["code"], "busy")
        await self.chat.pictures.close()
        self.assertEqual([(await upload).code for upload in uploads], [503] * 4)
        self.assertEqual((self.chat.pictures.converting, self.chat.pictures.reserved), (0, 0))

    @tornado.testing.gen_test
    async def test_logins_do_not_wait_for_sounds(self) -> None:
        stranger = Person(self, "stranger")
        hidden = await stranger.hidden_fields("/login")
        asked, go = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def speak(_answer: str) -> bytes:
            loop.call_soon_threadsafe(asked.set)
            go.wait()
            return b""

        with mock.patch("capstone_chat.accounts.captcha._generate_audio", speak):
            paths = [f"/captcha/{hidden['captcha_id']}.wav"] * 5
            sounds = [asyncio.ensure_future(stranger.fetch(path)) for path in paths]
            await asked.wait()
            try:
                anna = Person(self, "anna")
                challenge = (await anna.hidden_fields("/login"))["captcha_id"]
                self.assertEqual((await anna.fetch(f"/captcha/{challenge}.png")).code, 200)
                self.assertEqual((await anna.login()).code, 303)
                self.assertEqual((await self.bob.put_picture(PNG)).code, 200)
            finally:
                go.set()
            await asyncio.gather(*sounds)

    @pytest.mark.skipif(not hasattr(os, "nice"), reason="this system has priority classes instead")
    @tornado.testing.gen_test
    async def test_it_stands_back_behind_the_chat(self) -> None:
        self.run_instead(f"""
            import os, sys
            sys.stdin.buffer.read(8 + {len(PNG)})
            os.write(1, b"%d" % os.nice(0))
            os._exit({picture_worker.REFUSED})
            """)
        error = await self.refused(self.anna, PNG, 400)
        self.assertEqual(int(error["message"]), min(19, os.nice(0) + pictures.NICENESS))

    @tornado.testing.gen_test
    async def test_a_stop_ends_the_processes(self) -> None:
        started = self.run_instead("import signal; signal.pause()")
        upload = asyncio.ensure_future(self.anna.put_picture(PNG))
        await self.until(lambda: self.chat.pictures.converting == 1)
        with mock.patch("capstone_chat.services.SHUTDOWN_TIMEOUT", 0.01):
            await self.chat.close()
        self.assertIsNotNone(started[0].returncode)
        upload.cancel()

    def test_nothing_is_started_before_it_is_needed(self) -> None:
        with mock.patch.object(asyncio, "create_subprocess_exec", side_effect=AssertionError):
            self.assertEqual(Pictures().converting, 0)
            self.assertEqual(self.chat.pictures.converting, 0)


def worker(code: str, upload: bytes = PNG) -> "subprocess.Popen[bytes]":
    """Start the process for pictures with another `avatars.make_avatar`, and hand it an upload."""
    program = f"""
import os, re, sys, time
from capstone_chat.accounts import avatars, picture_files, picture_worker
{textwrap.dedent(code)}
picture_worker.main()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=pictures.PROJECT_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.write(len(upload).to_bytes(8, "big") + upload)
    process.stdin.flush()
    return process


class WorkerTest(unittest.TestCase):
    """The process bounds itself, in case that nobody is there to kill it."""

    def outcome(self, process: "subprocess.Popen[bytes]") -> tuple[int, bytes]:
        assert process.stdin is not None and process.stdout is not None
        try:
            answer = process.stdout.read()
            return process.wait(), answer
        finally:
            process.kill()
            process.stdin.close()
            process.stdout.close()

    def test_it_answers_with_a_picture_or_a_message(self) -> None:
        code, answer = self.outcome(worker(""))
        self.assertEqual((code, Image.open(io.BytesIO(answer)).size), (0, (256, 256)))
        code, answer = self.outcome(worker("", b"no picture"))
        self.assertEqual(code, picture_worker.REFUSED)
        self.assertEqual(answer, b"Use a PNG, JPEG, WebP or GIF picture.")

    def test_it_ends_when_the_chat_is_gone(self) -> None:
        """As after kill -9: the pipe is closed, and nobody waits."""
        process = worker("""
            def make_avatar(upload):
                print("busy", flush=True)
                while True:
                    pass
            avatars.make_avatar = make_avatar
            """)
        assert process.stdin is not None and process.stdout is not None
        self.assertEqual(process.stdout.readline().strip(), b"busy")
        process.stdin.close()
        self.assertEqual(process.wait(), 1)
        process.stdout.close()

    def test_it_ends_when_the_chat_is_gone_before_the_upload_is_complete(self) -> None:
        process = worker("")
        self.outcome(process)
        process = worker("", b"")
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def test_it_ends_in_time_though_a_decoder_holds_the_interpreter(self) -> None:
        code, _ = self.outcome(worker("""
            picture_worker.TIME_LIMIT = 0.5
            avatars.make_avatar = lambda upload: re.match("(a+)+$", "a" * 60 + "b")
            """))  # fmt: skip
        self.assertEqual(code, 1)

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limit")
    def test_memory_and_processor_time_are_bounded(self) -> None:
        code, answer = self.outcome(worker("picture_files.read = lambda upload: bytes(200 << 20)"))
        self.assertEqual(code, picture_worker.REFUSED)
        self.assertEqual(answer, b"The picture has too many pixels.")
        code, _ = self.outcome(worker("""
            picture_worker.CPU_LIMIT, picture_worker.TIME_LIMIT = 1, 600
            avatars.make_avatar = lambda upload: re.match("(a+)+$", "a" * 60 + "b")
            """))  # fmt: skip
        self.assertEqual(code, -signal.SIGXCPU)


class AdmissionTest(PictureCase):
    """How much is uploaded at once is bounded, for a user, an address, and all."""

    @tornado.testing.gen_test
    async def test_a_user_has_one_upload_in_flight(self) -> None:
        stream = await self.anna.open_upload(Content_Length="1000")
        await self.until(lambda: self.chat.pictures.reserved > 0)
        error = await self.refused(self.anna, PNG, 429)
        self.assertEqual((error["code"], error["field"]), ("rate_limited", "picture"))
        self.assertIn("last picture", error["message"])
        self.assertEqual((await self.bob.put_picture(PNG)).code, 200)
        stream.close()
        await self.until(lambda: self.chat.pictures.reserved == 0)
        self.assertEqual((await self.anna.put_picture(PNG)).code, 200)

    @tornado.testing.gen_test
    async def test_an_upload_that_breaks_off_leaves_nothing_behind(self) -> None:
        stream = await self.anna.open_upload(Content_Length=str(picture_files.MAX_UPLOAD_BYTES))
        await stream.write(bytes(1 << 20))
        await self.until(lambda: self.chat.pictures.reserved == picture_files.MAX_UPLOAD_BYTES)
        stream.close()
        await self.until(lambda: self.chat.pictures.reserved == 0)
        await self.chat.active_requests.wait_until_empty(60)
        self.assertEqual(self.chat.active_requests._in_flight, set())

    @tornado.testing.gen_test
    async def test_all_together_and_each_address_have_limits(self) -> None:
        for name, size in ("MAX_ADDRESS_MEMORY", 2 << 20), ("MAX_UPLOAD_MEMORY", 2 << 20):
            with self.subTest(name), mock.patch.object(pictures, name, size):
                stream = await self.anna.open_upload(Content_Length=str((2 << 20) - 1))
                await self.until(lambda: self.chat.pictures.reserved > 0)
                response = await self.bob.put_picture(PNG)
                error = json.loads(response.body)["error"]
                self.assertEqual((response.code, error["code"]), (503, "busy"))
                self.assertEqual(response.headers["Retry-After"], "5")
                self.assertIn("Too many pictures", error["message"])
                stream.close()
                await self.until(lambda: self.chat.pictures.reserved == 0)
                self.assertEqual((await self.bob.put_picture(PNG)).code, 200)

    @tornado.testing.gen_test
    async def test_an_upload_of_unknown_length_counts_as_a_large_one(self) -> None:
        stream = await self.anna.open_upload(Transfer_Encoding="chunked")
        await self.until(lambda: self.chat.pictures.reserved == picture_files.MAX_UPLOAD_BYTES)
        await stream.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(PNG), PNG))
        self.assertIn(b" 200 ", await stream.read_until(b"\r\n"))
        await self.until(lambda: self.chat.pictures.reserved == 0)

    @tornado.testing.gen_test
    async def test_the_body_of_a_refused_upload_is_read_and_dropped(self) -> None:
        handlers: list[profile.MyPictureHandler] = []
        received = profile.MyPictureHandler.data_received

        def notice(handler: profile.MyPictureHandler, piece: bytes) -> None:
            received(handler, piece)
            handlers.append(handler)
            self.assertEqual(handler.received, b"")

        with (
            mock.patch.object(profile.MyPictureHandler, "data_received", notice),
            mock.patch.object(Pictures, "reserve", side_effect=pictures.Overloaded),
        ):
            error = await self.refused(self.anna, bytes(1 << 20), 503)
        self.assertEqual(error["code"], "busy")
        self.assertTrue(handlers)

    @tornado.testing.gen_test
    async def test_only_an_upload_has_a_body(self) -> None:
        token = {"X-XSRFToken": await self.anna.token()}
        kept = []
        finish = profile.MyPictureHandler.on_finish

        def notice(handler: profile.MyPictureHandler) -> None:
            kept.append(len(handler.received))
            finish(handler)

        with mock.patch.object(profile.MyPictureHandler, "on_finish", notice):
            for method, code in ("DELETE", 200), ("POST", 405):
                response = await self.anna.fetch(
                    "/api/me/picture", method=method, body=bytes(60 << 10), headers=token,
                    allow_nonstandard_methods=True,
                )  # fmt: skip
                self.assertEqual(response.code, code)
        self.assertEqual(kept, [0, 0])

    @tornado.testing.gen_test
    async def test_an_upload_that_takes_too_long_says_so(self) -> None:
        with mock.patch.object(profile, "UPLOAD_TIMEOUT", 0.1):
            stream = await self.anna.open_upload(Content_Length="1000")
            answer = await stream.read_until_close()
        self.assertRegex(answer, rb"\AHTTP/1\.1 408 ")
        self.assertIn(b'"upload_timeout"', answer)
        self.assertIn(b"took too long", answer)
        await self.until(lambda: self.chat.pictures.reserved == 0)
        await self.chat.active_requests.wait_until_empty(60)
        self.assertEqual(self.chat.active_requests._in_flight, set())

    @tornado.testing.gen_test
    async def test_lengths_that_are_no_number(self) -> None:
        with self.assertNoLogs("capstone_chat"):
            for length in "5, 5", "5,6", "5\r\nContent-Length: 5", "+5", "-5", "5_0", "0x5", "":
                with self.subTest(length):
                    stream = await self.anna.open_upload(Content_Length=length)
                    self.assertRegex(await stream.read_until_close(), rb"\AHTTP/1\.1 4\d\d ")
        self.assertEqual(self.chat.pictures.reserved, 0)

    @tornado.testing.gen_test
    async def test_messages_are_translated(self) -> None:
        await self.anna.call("PATCH", "/api/me", {"language": "ru"})
        error = await self.refused(self.anna, hostile_pictures.many_scans(), 400)
        self.assertEqual(error["message"], "Картинка слишком сложная.")


class PatienceTest(PictureCase):
    options = {"request_burst": 3, "request_rate": 0.001}  # noqa: RUF012

    @tornado.testing.gen_test
    async def test_uploads_of_a_user_are_rate_limited(self) -> None:
        for _ in range(3):
            self.assertEqual((await self.anna.put_picture(PNG)).code, 200)
        response = await self.anna.put_picture(bytes(1 << 20))
        self.assertEqual((response.code, self.chat.pictures.reserved), (429, 0))
        self.assertEqual((await self.bob.put_picture(PNG)).code, 200)
