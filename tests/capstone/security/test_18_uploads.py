"""Pictures: known size, decoded and drawn anew, nothing hidden, a name of the server."""

import io
import json
import struct
import zlib
from typing import Any

import sqlalchemy as sa
import tornado.httpclient
import tornado.tcpclient
import tornado.testing
from PIL import Image

from capstone_chat.accounts import picture_files
from capstone_chat.handlers.base import MAX_BODY_BYTES
from capstone_chat.storage.tables import pictures
from tests.capstone.chat_case import PeopleCase, Person


def picture(size: tuple[int, int] = (300, 200), kind: str = "PNG", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **more)
    return out.getvalue()


class PictureTest(PeopleCase):
    async def kept(self, data: bytes) -> Image.Image:
        """Upload a picture and return what the others get of it."""
        response = await self.anna.put_picture(data)
        self.assertEqual(response.code, 200, response.body)
        name = json.loads(response.body)["picture"]
        return Image.open(io.BytesIO((await self.bob.fetch(f"/pictures/{name}.webp")).body))

    async def refused(self, data: bytes) -> str:
        response = await self.anna.put_picture(data)
        self.assertEqual(response.code, 400, response.body)
        error = json.loads(response.body)["error"]
        self.assertEqual((error["code"], error["field"]), ("not_a_picture", "picture"))
        self.assertIsNone((await self.anna.me())["picture"])
        return str(error["message"])

    @tornado.testing.gen_test
    async def test_every_format_becomes_a_square_webp_of_256_pixels(self) -> None:
        for kind in "PNG", "JPEG", "WEBP", "GIF":
            for size in (300, 200), (20, 700), (256, 256), (1, 1):
                with self.subTest(kind=kind, size=size):
                    kept = await self.kept(picture(size, kind))
                    self.assertEqual((kept.format, kept.size), ("WEBP", (256, 256)))
        with self.chat.database.engine.connect() as connection:  # the old ones are gone
            count = connection.scalar(sa.select(sa.func.count()).select_from(pictures))
        self.assertEqual(count, 1)

    @tornado.testing.gen_test
    async def test_the_middle_is_kept_and_transparency_stays(self) -> None:
        wide = Image.new("RGBA", (300, 100), "red")
        wide.paste((0, 0, 255, 0), (100, 0, 200, 100))
        out = io.BytesIO()
        wide.save(out, "PNG")
        kept = await self.kept(out.getvalue())
        self.assertEqual(kept.mode, "RGBA")
        clear = [kept.getchannel("A").getpixel((x, 128)) for x in (30, 128, 226)]
        self.assertEqual(clear, [0, 0, 0])

    @tornado.testing.gen_test
    async def test_place_and_camera_are_gone_and_it_stands_upright(self) -> None:
        exif = Image.Exif()
        exif[0x010F] = "SpyCam"
        exif[0x0112] = 6  # to be turned by a quarter
        exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
        sideways = Image.new("RGB", (200, 200), "red")
        sideways.paste("blue", (0, 0, 200, 100))  # what is above comes to the right
        out = io.BytesIO()
        sideways.save(out, "JPEG", exif=exif, icc_profile=b"SpyProfile" * 20, comment=b"SpyNote")
        self.assertIn(b"SpyCam", out.getvalue())
        kept = await self.kept(out.getvalue())
        left, right = (kept.convert("RGB").getpixel((x, 128)) for x in (40, 216))
        assert isinstance(left, tuple) and isinstance(right, tuple)
        self.assertGreater(left[0], left[2])
        self.assertGreater(right[2], right[0])
        self.assertEqual(dict(kept.getexif()), {})
        name = (await self.anna.me())["picture"]
        data = (await self.bob.fetch(f"/pictures/{name}.webp")).body
        for hidden in b"Spy", b"EXIF", b"ICCP", b"XMP":
            self.assertNotIn(hidden, data)

    @tornado.testing.gen_test
    async def test_what_is_no_picture_is_refused(self) -> None:
        png = picture()
        for what, data in (
            ("nothing", b""),
            ("SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
            ("HTML as PNG", b"<!doctype html><script>alert(1)</script>"),
            ("the head of a PNG and HTML", png[:8] + b"<script>alert(1)</script>" * 20),
            ("half a PNG", png[: len(png) // 2]),
            ("a BMP", picture(kind="BMP")),
            ("a TIFF", picture(kind="TIFF")),
            ("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
            ("a broken GIF", picture(kind="GIF")[:30]),
            ("a broken WebP", picture(kind="WEBP")[:20]),
            ("zip", b"PK\x03\x04" + b"x" * 100),
        ):
            with self.subTest(what):
                message = await self.refused(data)
                self.assertRegex(message, "Use a PNG, JPEG, WebP or GIF picture|is broken")

    @tornado.testing.gen_test
    async def test_what_hides_behind_a_picture_is_cut_off(self) -> None:
        kept = await self.anna.put_picture(picture() + b"<script>alert(1)</script>")
        name = json.loads(kept.body)["picture"]
        response = await self.bob.fetch(f"/pictures/{name}.webp")
        self.assertNotIn(b"<script>", response.body)

    @tornado.testing.gen_test
    async def test_a_decompression_bomb_is_refused_by_its_head(self) -> None:
        for width, height in (30_000, 30_000), (8_000, 8_000), (10_000, 10_000):
            with self.subTest(pixels=width * height):
                head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
                chunks = b"\x89PNG\r\n\x1a\n"
                for kind, data in (b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b""):
                    crc = struct.pack(">I", zlib.crc32(kind + data))
                    chunks += struct.pack(">I", len(data)) + kind + data + crc
                self.assertEqual(await self.refused(chunks), "The picture has too many pixels.")

    @tornado.testing.gen_test
    async def test_five_megabytes_are_taken_though_other_bodies_are_smaller(self) -> None:
        noise = picture() + bytes(3 * MAX_BODY_BYTES)
        self.assertEqual((await self.anna.put_picture(noise)).code, 200)

    @tornado.testing.gen_test
    async def test_what_is_too_large_is_refused_before_it_is_read(self) -> None:
        length = str(picture_files.MAX_UPLOAD_BYTES + 1)
        stream = await self.anna.open_upload(Content_Length=length)  # and not a byte of the body
        answer = await stream.read_until(b"}}")
        self.assertRegex(answer, rb"\AHTTP/1\.1 413 ")
        self.assertIn(b'"too_large"', answer)

    @tornado.testing.gen_test
    async def test_a_body_of_unknown_length_is_cut_off_at_the_limit(self) -> None:
        stream = await self.anna.open_upload(Transfer_Encoding="chunked")
        chunk = b"%x\r\n" % (1 << 20) + bytes(1 << 20) + b"\r\n"
        stream.write(chunk * 7)
        answer = await stream.read_until_close()
        self.assertNotIn(b" 200 ", answer)
        self.assertIsNone((await self.anna.me())["picture"])

    @tornado.testing.gen_test
    async def test_without_session_or_token_nothing_is_taken(self) -> None:
        with self.assertNoLogs("tornado.application"), self.assertNoLogs("capstone_chat"):
            response = await self.anna.fetch("/api/me/picture", method="PUT", body=picture())
            self.assertEqual(response.code, 403)
            stranger = Person(self, "x")
            token = (await stranger.hidden_fields("/login"))["_xsrf"]
            response = await stranger.fetch(
                "/api/me/picture", method="PUT", body=picture(), headers={"X-XSRFToken": token}
            )
            self.assertEqual(response.code, 401)
            self.assertEqual(json.loads(response.body)["error"]["code"], "session_ended")

    @tornado.testing.gen_test
    async def test_it_is_kept_for_ever_and_shown_to_those_who_are_logged_in_only(self) -> None:
        first = json.loads((await self.anna.put_picture(picture())).body)["picture"]
        second = json.loads((await self.anna.put_picture(picture((9, 9)))).body)["picture"]
        self.assertRegex(second, r"\A[0-9a-f]{32}\Z")
        self.assertNotEqual(first, second)
        response = await self.bob.fetch(f"/pictures/{second}.webp")
        self.assertEqual(response.headers["Content-Type"], "image/webp")
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("immutable", response.headers["Cache-Control"])
        self.assertIn("private", response.headers["Cache-Control"])
        for person, name, code in (
            (Person(self, "x"), second, 401),
            (self.bob, first, 404),
            (self.bob, "0" * 32, 404),
            (self.bob, "../chat", 404),
            (self.bob, "..%2f..%2fchat", 404),
        ):
            self.assertEqual((await person.fetch(f"/pictures/{name}.webp")).code, code)

    @tornado.testing.gen_test
    async def test_others_see_it_and_it_can_be_taken_back(self) -> None:
        name = json.loads((await self.anna.put_picture(picture())).body)["picture"]
        conv = await self.anna.group()
        await self.bob.join(conv)
        path = f"/api/conversations/{conv}/members"
        _, answer = await self.bob.call("GET", path)
        self.assertEqual(answer["members"][0]["picture"], name)
        code, answer = await self.anna.call("DELETE", "/api/me/picture")
        self.assertEqual((code, answer), (200, {"picture": None}))
        self.assertEqual((await self.bob.fetch(f"/pictures/{name}.webp")).code, 404)
        _, answer = await self.bob.call("GET", path)
        self.assertIsNone(answer["members"][0]["picture"])
