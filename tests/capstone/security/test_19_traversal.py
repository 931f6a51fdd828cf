"""Nothing outside the folder of the page is served."""

import tempfile
from pathlib import Path

import tornado.tcpclient
import tornado.testing
import tornado.web

from capstone_chat.handlers.base import StaticFileHandler
from tests.capstone.chat_case import ChatCase, Person


class TraversalTest(ChatCase):
    @tornado.testing.gen_test
    async def test_nothing_outside_the_static_folder_is_served(self) -> None:
        for path in (
            "/static/../app.py",
            "/static/%2e%2e/app.py",
            "/static/..%2fapp.py",
            "/static/%252e%252e/app.py",
            "/static/css/../../app.py",
            "/static//etc/passwd",
            "/static/../../../../../../etc/passwd",
            "/static/",
            "/static/css",
        ):
            with self.subTest(path=path):
                response = await Person(self, "x").fetch(path)
                self.assertIn(response.code, (403, 404))
                self.assertNotIn(b"import", response.body)
                self.assertNotIn(b"root:", response.body)

    @tornado.testing.gen_test
    async def test_a_strange_path_is_refused_and_no_mistake_of_the_server(self) -> None:
        app = "/static/js/api.js"
        for path in (
            "/static/%00",
            "/static/js/api.js%00",
            "/static/js/api.js%00.png",
            "/static/%00/../js/app.js",
            "/static/" + "x" * 5000,
            "/static/" + "x/" * 3000,
            "/static/%ed%a0%80",
            "/static/%ff%fe",
            "/static/%2e%2e%2f%2e%2e%2fapp.py",
            "/static/..%5c..%5capp.py",
            "/static/\\..\\app.py",
            "/static",
            "/static/",
            "/static/js/",
            "/static/js",
            f"{app}/",
            f"{app}/more",
            f"{app}%2f",
            "/static/%20",
            "/static/%0a%0d",
            "/static/CON",
            "/static/js/api.js::$DATA",
            "/favicon.ico",
            "/robots.txt",
        ):
            for method in "GET", "HEAD":
                with (
                    self.subTest(path=path[:40], method=method),
                    self.assertNoLogs("capstone_chat", "ERROR"),
                    self.assertNoLogs("tornado.application", "ERROR"),
                ):
                    response = await Person(self, "x").fetch(path, method=method)
                    self.assertIn(response.code, (400, 403, 404))

    @tornado.testing.gen_test
    async def test_strange_headers_for_a_file_are_no_mistake_of_the_server(self) -> None:
        huge = "9" * 5000
        expected = {"Range": (200, 206, 416), "If-Modified-Since": (200, 304)}
        for name, values in {
            "Range": (
                *("x", "bytes", "bytes=", "bytes=-", "bytes=x-y", "bytes=5-2", "bytes=-0"),
                *("bytes=--5", "bytes=0--1", "bytes=0-0,2-3", "bytes=99999999-", "chars=0-1"),
                *(f"bytes={huge}-", f"bytes=-{huge}", f"bytes=0-{huge}", f"bytes={huge}-{huge}"),
                *("bytes=" + "9" * 400 + "-", "bytes=-" + "9" * 400, "bytes=0-" + "9" * 400),
            ),
            "If-Modified-Since": (
                *("x", "", "0", huge, "Mon, 99 Foo 2020 99:99:99 GMT", "-1"),
                *("Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359"),
                *(
                    "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
                    "Sat, 01 Jan 2000 00:00 +999999",
                ),
            ),
            "If-None-Match": ("x", '"', "*", 'W/"', "W/" * 5000, '"' * 10_001, huge, ","),
        }.items():
            for value in values:
                with self.subTest(name=name, value=value[:40]):
                    person = Person(self, "x")
                    response = await person.fetch("/static/js/api.js", headers={name: value})
                    self.assertIn(response.code, expected.get(name, (200, 304)))

    def test_there_are_no_links_in_the_folder(self) -> None:
        static = Path(self._app.settings["static_path"])
        self.assertEqual([path for path in static.rglob("*") if path.is_symlink()], [])

    @tornado.testing.gen_test
    async def test_pictures_are_rows_and_no_files(self) -> None:
        anna = await self.person("anna")
        for name in "..%2fsecret", "%252e%252e%252fsecret", "../secret", "0" * 31 + "/", "%00":
            response = await anna.fetch(f"/pictures/{name}.webp")
            self.assertEqual(response.code, 404)
            self.assertNotIn((self.data / "secret").read_bytes(), response.body)


class LinkTest(tornado.testing.AsyncHTTPTestCase):
    """A link that leads out of the folder, put there by mistake."""

    def get_app(self) -> tornado.web.Application:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        static, outside = folder / "static", folder / "outside"
        static.mkdir()
        outside.mkdir()
        for place in static, outside:
            (place / "file.txt").write_text("precious")
        (static / "link.txt").symlink_to(outside / "file.txt")
        (static / "folder").symlink_to(outside)
        (static / "inside.txt").symlink_to(static / "file.txt")
        return tornado.web.Application(
            static_path=str(static), static_handler_class=StaticFileHandler
        )

    def test_it_is_not_followed(self) -> None:
        for path, code in (
            ("file.txt", 200),
            ("inside.txt", 200),
            ("link.txt", 403),
            ("folder/file.txt", 403),
        ):
            with self.subTest(path=path):
                self.assertEqual(self.fetch(f"/static/{path}").code, code)
