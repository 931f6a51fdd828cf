"""Three addresses give the same file, the link has its version, and nothing else is served."""

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import tornado.web

from course.testing.http import ExerciseCase, Mismatch, Response

RULES = "Feed the owls."
PATHS = {
    "/static/rules.html": "make_app(): Application(..., static_path=folder) serves /static/",
    "/": 'make_app(): (r"/()", StaticFileHandler, {"path": folder, "default_filename": ...})\n'
    "its one group is empty, so Tornado serves the default",
    "/view/rules.html": 'make_app(): (r"/view/(.*)", StaticFileHandler, {"path": folder})\n'
    "its one group is the path below the folder",
}
LINK = 'LinkHandler.get(): self.static_url("rules.html") is the address with ?v= and the hash'
ROUTES = "make_app(): keep the route of /link, and put it before a route that matches every path"
CHANGES = (
    "the version must change with the content of the file: self.static_url() adds it.\n"
    "Do not type it"
)
KEEP = "the link must begin with /static/ and have ?v=: then Tornado says ten years"
OUTSIDE = (
    "StaticFileHandler must serve the files, with the folder itself as path; it checks the path"
)


class StaticLinks(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        outer = tempfile.TemporaryDirectory()
        self.addCleanup(outer.cleanup)
        self.addCleanup(tornado.web.StaticFileHandler.reset)
        self.folder = Path(outer.name) / "public"
        beside = Path(outer.name) / "public_keys"  # begins like the name of the folder
        for folder in (self.folder, beside):
            folder.mkdir()
        for folder in (beside, beside.parent):
            (folder / "secret.txt").write_text("secret", encoding="utf-8")
        return self.make_app(self.folder)

    def link(self) -> Response:
        answer = self.send("GET", "/link")
        advice = LINK if answer.status == 500 else ROUTES
        return answer.expect(status=200, advice=advice)

    def path(self, link: Response) -> str:
        """Return the path and the query of the link, which may name the host."""
        parts = urlsplit(link.text.strip())
        return f"{parts.path}?{parts.query}"

    def test_the_file_has_three_addresses(self) -> None:
        for path, advice in PATHS.items():
            with self.subTest(path):
                self.send("GET", path).expect(status=200, text=RULES, advice=advice)

    def test_the_link_has_the_version_of_the_file(self) -> None:
        link = self.link().expect(contains="/static/rules.html?v=", advice=LINK)
        (self.folder / "rules.html").write_text("Feed the bats.\n", encoding="utf-8")
        tornado.web.StaticFileHandler.reset()  # Tornado reads a file once; this is a new start
        changed = self.link()
        if changed.text == link.text:
            raise Mismatch(
                sent="GET /link, before and after a change of rules.html",
                received=changed.text.strip(),
                expected="another version after the change",
                advice=CHANGES,
            )

    def test_browsers_may_keep_the_file_for_ten_years(self) -> None:
        answer = self.send("GET", self.path(self.link()))
        answer.expect(status=200, text=RULES, advice=LINK)
        if "max-age=315360000" not in answer.headers.get("Cache-Control", ""):
            answer.expect(headers={"Cache-Control": "max-age=315360000"}, advice=KEEP)

    def test_nothing_outside_of_the_folder_is_served(self) -> None:
        for prefix in ("/static", "/view"):
            for rest in ("/../secret.txt", "/../public_keys/secret.txt", "/%2e%2e/secret.txt"):
                with self.subTest(prefix + rest):
                    answer = self.send("GET", prefix + rest)
                    if answer.status not in (400, 403, 404) or "secret" in answer.text:
                        raise Mismatch(
                            sent=answer.sent,
                            received=f"{answer.status}  {answer.text}",
                            expected="403 Forbidden",
                            advice=OUTSIDE,
                        )
