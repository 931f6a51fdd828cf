"""Three addresses give the same file, the link has its version, and nothing leads out."""

import hashlib
import tempfile
from pathlib import Path

import tornado.web

from course.exercise_case import Answer, ExerciseCase, Mismatch

RULES = "Feed the owls.\n"
PATHS = {
    "/static/rules.html": "make_app(): Application(..., static_path=folder) serves /static/",
    "/": 'make_app(): (r"/()", StaticFileHandler, {"path": folder, "default_filename": ...})\n'
    "its one group is empty, so the default is served",
    "/view/rules.html": 'make_app(): (r"/view/(.*)", StaticFileHandler, {"path": folder})\n'
    "its one group takes the path below the folder",
}
LINK = 'LinkHandler.get(): self.static_url("rules.html") is the address with ?v= and the hash'


class StaticLinks(ExerciseCase):
    def get_app(self) -> tornado.web.Application:
        outer = tempfile.TemporaryDirectory()
        self.addCleanup(outer.cleanup)
        self.folder = Path(outer.name) / "public"
        self.folder.mkdir()
        (self.folder.parent / "secret.txt").write_text("secret", encoding="utf-8")
        return self.make_app(self.folder)

    def link(self) -> Answer:
        return self.send("GET", "/link").expect(status=200, look=LINK)

    def test_the_file_has_three_addresses(self) -> None:
        for path, look in PATHS.items():
            with self.subTest(path):
                self.send("GET", path).expect(status=200, body=RULES, look=look)

    def test_the_link_has_the_version_of_the_file(self) -> None:
        digest = hashlib.sha512((self.folder / "rules.html").read_bytes()).hexdigest()
        self.link().expect(body=f"/static/rules.html?v={digest}", look=LINK)

    def test_what_the_link_leads_to_may_be_kept_for_ten_years(self) -> None:
        self.send("GET", self.link().text.strip() or "/").expect(
            status=200,
            body=RULES,
            headers={"Cache-Control": "max-age=315360000"},
            look=f"{LINK}\nany ?v= makes StaticFileHandler say ten years",
        )

    def test_every_file_of_the_folder_can_be_seen(self) -> None:
        (self.folder / "map.txt").write_text("You are here.\n", encoding="utf-8")
        for path in ("/static/map.txt", "/view/map.txt"):
            with self.subTest(path):
                look = "the group is (.*): not for rules.html alone"
                self.send("GET", path).expect(status=200, body="You are here.\n", look=look)

    def test_nothing_outside_of_the_folder_can_be_had(self) -> None:
        for path in ("/static/../secret.txt", "/view/../secret.txt"):
            with self.subTest(path):
                answer = self.send("GET", path)
                if answer.status not in (403, 404) or "secret" in answer.text:
                    raise Mismatch(
                        sent=answer.sent,
                        came=f"{answer.status}  {answer.text}",
                        expected="403 Forbidden",
                        look="leave files to StaticFileHandler, with the folder itself as path",
                    )
