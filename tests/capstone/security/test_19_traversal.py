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
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        static, outside = Path(folder.name) / "static", Path(folder.name) / "outside"
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
