"""The editor's files: no change is ever lost, and no other file can be reached."""

import json
from typing import Any

from tornado.httpclient import HTTPResponse
from tornado.testing import gen_test

from tests.course.sample_course import SOLUTION, STUB, write
from tests.course.tour.tour_case import TourCase

EXERCISE = "/api/file/exercise:01/greeting"
SCRIPT = "/api/file/script:01/apple"


class FilesTest(TourCase):
    async def save(self, path: str, text: str, etag: str | None) -> HTTPResponse:
        headers = {} if etag is None else {"If-Match": etag}
        return await self.call(path, {"text": text}, method="PUT", headers=headers)

    async def read(self, path: str) -> dict[str, Any]:
        response = await self.call(path)
        self.assertEqual(response.code, 200, response.body)
        found: dict[str, Any] = json.loads(response.body)
        self.assertEqual(response.headers["ETag"], found["etag"])
        return found

    @gen_test
    async def test_an_exercise_is_the_file_of_the_command_line(self) -> None:
        found = await self.read(EXERCISE)
        self.assertEqual(found["path"], "my_work/01_hello/greeting.py")
        self.assertTrue(found["editable"])
        self.assertFalse(found["changed"])
        saved = await self.save(EXERCISE, SOLUTION, found["etag"])
        self.assertEqual(saved.code, 200)
        self.assertEqual((self.folder / found["path"]).read_text(), SOLUTION)
        again = await self.read(EXERCISE)
        self.assertEqual((again["etag"], again["changed"]), (json.loads(saved.body)["etag"], True))

    @gen_test
    async def test_a_change_of_another_editor_is_never_overwritten(self) -> None:
        found = await self.read(EXERCISE)
        write(self.folder / found["path"], "# theirs\n")
        refused = await self.save(EXERCISE, "# mine\n", found["etag"])
        self.assertEqual(refused.code, 412)
        theirs = json.loads(refused.body)
        self.assertEqual(theirs["text"], "# theirs\n")
        self.assertEqual((self.folder / found["path"]).read_text(), "# theirs\n")
        self.assertEqual((await self.save(EXERCISE, "# mine\n", theirs["etag"])).code, 200)

    @gen_test
    async def test_a_save_names_the_version_that_it_replaces(self) -> None:
        await self.read(EXERCISE)
        self.assertEqual((await self.save(EXERCISE, "# mine\n", None)).code, 428)
        for etag in ("*", "", "W/x"):
            self.assertEqual((await self.save(EXERCISE, "# mine\n", etag)).code, 412)

    @gen_test
    async def test_a_script_is_changed_in_a_copy_only(self) -> None:
        found = await self.read(SCRIPT)
        self.assertFalse(found["editable"])
        self.assertEqual((await self.save(SCRIPT, "mine", found["etag"])).code, 409)
        copy = json.loads((await self.call("/api/copy/script:01/apple", {})).body)
        self.assertTrue(copy["editable"])
        self.assertEqual(copy["path"], "my_work/01_hello/tour/01_hello/apple.py")
        self.assertEqual((await self.save(SCRIPT, "print('mine')\n", copy["etag"])).code, 200)
        self.assertIn("The apple", (self.lesson / "apple.py").read_text())
        again = json.loads((await self.call("/api/copy/script:01/apple", {})).body)
        self.assertEqual(again["text"], "print('mine')\n", "a copy that exists is kept")

    @gen_test
    async def test_a_changed_copy_is_what_runs(self) -> None:
        file = self.write_server("server")
        copy = json.loads((await self.call(f"/api/copy/{file}", {})).body)
        changed = copy["text"].replace("hello", "changed")
        await self.save(f"/api/file/{file}", changed, copy["etag"])
        page = await self.open_page()
        answer = await self.http_client.fetch((await page.start(file))["url"])
        self.assertEqual(answer.body, b"changed\n")

    @gen_test
    async def test_a_reset_keeps_the_learners_version(self) -> None:
        for path, original in ((EXERCISE, STUB), (SCRIPT, (self.lesson / "apple.py").read_text())):
            await self.call(path.replace("file", "copy", 1), {})
            found = await self.read(path)
            await self.save(path, "# mine\n", found["etag"])
            reset = json.loads((await self.call(path.replace("file", "reset", 1), {})).body)
            self.assertEqual((reset["text"], reset["changed"]), (original, False))
            work_file = self.folder / found["path"]
            kept = work_file.with_name(f"{work_file.name}.bak1")
            self.assertEqual(kept.read_text(), "# mine\n")

    @gen_test
    async def test_only_files_of_the_catalog_can_be_reached(self) -> None:
        write(self.folder / "secret.py", "secret")
        (self.lesson / "link.py").symlink_to(self.folder / "secret.py")
        (self.lesson / "linked").symlink_to(self.folder)
        write(self.lesson / "key.pem", "secret")
        write(self.lesson / "static" / "style.css", "")
        names = [
            "script:01/../../secret.py",
            "script:01/..%2F..%2Fsecret.py",
            "script:01//" + str(self.folder / "secret.py"),
            "script:01/linked/secret.py",
            "script:01/linked/link.py",
            "script:01/exercises/solutions/greeting.py",
            "script:01/exercises/../exercises/solutions/greeting.py",
            "script:01/./exercises/solutions/greeting.py",
            "script:01/static/../app.py",
            "script:01/key.pem",
            "script:01/",
            "script:01",
            "script:99/app",
            "exercise:01/nothing",
            "exercise:01/../01/greeting",
            "/etc/passwd",
            "..%2F..%2Fetc%2Fpasswd",
            "%00",
        ]
        for name in names:
            for call in ("file", "copy", "reset"):
                with self.subTest(name=name, call=call):
                    body: Any = None if call == "file" else {}
                    response = await self.call(f"/api/{call}/{name}", body)
                    self.assertEqual(response.code, 404)
                    self.assertNotIn(b"secret\n", response.body)
        self.assertEqual((await self.read("/api/file/script:01/apple.py"))["text"][:3], '"""')

    @gen_test
    async def test_what_is_no_text_or_too_long_is_refused(self) -> None:
        (self.lesson / "bytes.txt").write_bytes(b"\xff\xfe")
        self.assertEqual((await self.call("/api/file/script:01/bytes.txt")).code, 409)
        found = await self.read(EXERCISE)
        for wrong in (1, None, ["a"]):
            response = await self.call(
                EXERCISE, {"text": wrong}, method="PUT", headers={"If-Match": found["etag"]}
            )
            self.assertEqual(response.code, 400)
        self.assertEqual((await self.save(EXERCISE, "x" * 600_000, found["etag"])).code, 409)

    @gen_test
    async def test_a_change_of_another_editor_is_told_to_the_page(self) -> None:
        found = await self.read(EXERCISE)
        page = await self.open_page()
        await page.send(type="follow", file="exercise:01/greeting")
        told = await page.until("file")
        self.assertEqual((told["id"], told["etag"]), ("exercise:01/greeting", found["etag"]))
        for text in ("# theirs\n", "# again\n"):
            write(self.folder / found["path"], text)
            told = await page.until("file")
            self.assertEqual(told["etag"], (await self.read(EXERCISE))["etag"])
