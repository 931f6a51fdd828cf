"""Lesson 03: static files, their versions and their caching (C114-C116, C128-C134)."""

import hashlib
import sys
import tempfile
from pathlib import Path

import pytest
import tornado.routing
import tornado.web
from tornado.httpclient import HTTPClientError
from tornado.testing import AsyncHTTPTestCase, ExpectLog

from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

static_files = import_script("03_templates", "static_files")
static_versions = import_script("03_templates", "static_versions")

RULES = (static_files.STATIC / "pages" / "rules.html").read_bytes()


class FormsTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return static_files.make_app()

    def test_one_file_has_three_addresses(self) -> None:
        """C128, C130"""
        for path in ("/", "/view/rules.html", "/static/pages/rules.html"):
            with self.subTest(path):
                response = self.get(path)
                self.assertEqual((response.code, response.body), (200, RULES))
                self.assertEqual(response.headers["Content-Type"], "text/html")

    def test_a_static_file_is_no_template(self) -> None:
        """C130"""
        self.assertIn("{{ this }} stays", self.text("/"))

    def test_static_path_answers_robots_txt_before_the_routes(self) -> None:
        """C134"""
        self.assertIn("Disallow: /static/", self.text("/robots.txt"))

    def test_and_favicon_ico_as_well(self) -> None:
        """C134: there is none in the folder, and no route of ours is asked."""
        self.assertEqual(self.get("/favicon.ico").code, 404)
        [rule] = [
            rule
            for rule in self.get_app().wildcard_router.rules
            if isinstance(rule.matcher, tornado.routing.PathMatches)
            and rule.matcher.regex.match("/favicon.ico")
        ]
        self.assertIs(rule.target, tornado.web.StaticFileHandler)

    def test_nothing_leads_out_of_the_folder(self) -> None:
        """C132"""
        for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/view/../style.css"):
            with self.subTest(path):
                self.assertEqual(self.get(path).code, 403)

    def test_an_unchanged_file_is_304_for_its_etag(self) -> None:
        """C133"""
        etag = self.get("/static/style.css").headers["Etag"]
        again = self.get("/static/style.css", headers={"If-None-Match": etag})
        self.assertEqual((again.code, again.body), (304, b""))

    def test_a_range_and_a_head(self) -> None:
        """C133"""
        part = self.get("/static/pages/rules.html", headers={"Range": "bytes=0-8"})
        self.assertEqual((part.code, part.body), (206, b"<!doctype"))
        self.assertEqual(part.headers["Content-Range"], f"bytes 0-8/{len(RULES)}")
        head = self.fetch("/static/pages/rules.html", method="HEAD")
        self.assertEqual((head.code, head.body), (200, b""))
        self.assertEqual(head.headers["Content-Length"], str(len(RULES)))

    def test_only_a_version_makes_it_last_ten_years(self) -> None:
        """C133"""
        plain = self.get("/static/style.css").headers
        self.assertNotIn("Cache-Control", plain)
        self.assertIn("Last-Modified", plain)
        versioned = self.get("/static/style.css?v=1").headers
        self.assertEqual(versioned["Cache-Control"], "max-age=315360000")


class StaticFolderTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "served"
        (self.folder / "sub").mkdir(parents=True)
        (self.folder / "sub" / "index.html").write_text("index", encoding="utf-8")
        (self.folder.parent / "secret.txt").write_text("secret", encoding="utf-8")
        handler = tornado.web.StaticFileHandler
        return tornado.web.Application(
            [
                (r"/plain/(.*)", handler, {"path": self.folder}),
                (r"/index/(.*)", handler, {"path": self.folder, "default_filename": "index.html"}),
                (r"/nocapture", handler, {"path": self.folder}),
            ]
        )

    def test_the_route_needs_one_group(self) -> None:
        """C130"""
        with ExpectLog("tornado.application", "Uncaught exception GET /nocapture"):
            self.assertEqual(self.get("/nocapture").code, 500)

    def test_a_folder_is_403_or_leads_to_its_default(self) -> None:
        """C130"""
        self.assertEqual(self.get("/plain/sub").code, 403)
        moved = self.get("/index/sub")
        self.assertEqual((moved.code, moved.headers["Location"]), (301, "/index/sub/"))
        self.assertEqual(self.text("/index/sub/"), "index")

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows lets only some make a symlink")
    def test_a_symlink_that_leads_out_is_403(self) -> None:
        """C132"""
        (self.folder / "link.txt").symlink_to(self.folder.parent / "secret.txt")
        self.assertEqual(self.get("/plain/link.txt").code, 403)


class VersionsTest(RoutesHTTPTestCase):
    cache, prefix = True, "/static/"

    def get_app(self) -> tornado.web.Application:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        return static_versions.make_app(folder, self.cache, self.prefix)

    def fits(self) -> bool:
        return bool(json_of(self.get("/"))["fits the file"])


class CachedVersionsTest(VersionsTest):
    def test_v_is_the_hash_of_the_content(self) -> None:
        """C114"""
        page = json_of(self.get("/"))
        self.assertRegex(page["link"], r"^/static/notice\.txt\?v=\w{9}\.\.\.$")
        self.assertTrue(page["fits the file"])
        self.assertEqual(len(hashlib.sha512().hexdigest()), 128)

    def test_an_edited_file_keeps_its_old_v(self) -> None:
        """C114: for as long as the process lives."""
        self.assertTrue(self.fits())
        self.post("/", "Closed\n")
        self.assertFalse(self.fits())
        self.assertEqual(self.text("/static/notice.txt"), "Closed\n")

    def test_with_host_without_version_and_without_a_file(self) -> None:
        """C114, C116"""
        host = self.get_url("")
        self.assertEqual(
            json_of(self.get("/links"))["links"],
            ["/static/notice.txt", f"{host}/static/notice.txt", "/static/missing.txt"],
        )


class UncachedVersionsTest(VersionsTest):
    cache = False

    def test_without_the_hash_cache_v_follows_the_file(self) -> None:
        """C114"""
        self.assertTrue(self.fits())
        self.post("/", "Closed\n")
        self.assertTrue(self.fits())


class PrefixTest(VersionsTest):
    prefix = "/files/"

    def test_the_prefix_can_change_without_a_change_in_the_pages(self) -> None:
        """C115: a path written by hand is 404 then."""
        self.assertEqual(json_of(self.get("/links"))["links"][0], "/files/notice.txt")
        self.assertEqual(self.text("/files/notice.txt"), "Open all year\n")
        self.assertEqual(self.get("/static/notice.txt").code, 404)


class OutsideHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.static_url("../app.py"))


class NoSettingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(self.static_url("style.css"))


class OutsideTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application(
            [("/outside", OutsideHandler)], static_path=static_files.STATIC
        )

    def test_static_url_refuses_a_path_that_leads_out(self) -> None:
        """C116: since 6.6; before, it told the hash of any file."""
        self.assertEqual(self.get("/outside").code, 403)


class StaticUrlSettingTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application(
            [("/", NoSettingHandler)],
            static_url=str(static_files.STATIC),  # the wrong name for the setting
        )

    def test_the_setting_is_called_static_path(self) -> None:
        """C129: static_url is the function."""
        with ExpectLog("tornado.application", "Uncaught exception GET /"):
            self.assertEqual(self.get("/").code, 500)
        self.assertEqual(self.get("/static/style.css").code, 404)


class StoppedTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return static_files.make_app()

    def test_a_stopped_app_serves_no_file(self) -> None:
        """C131"""
        self.assertEqual(self.fetch("/view/rules.html").code, 200)
        self.http_server.stop()
        with self.assertRaises((ConnectionRefusedError, HTTPClientError)):
            self.fetch("/view/rules.html", raise_error=True)
