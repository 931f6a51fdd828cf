"""Checks, hints and solutions on the pages are those of the command line."""

import json
import os
import unittest.mock
from typing import Any

from tornado.testing import gen_test

from course.progress import ExerciseProgress
from tests.course.sample_course import APP, SOLUTION, write
from tests.course.tour.lifeline import lifeline
from tests.course.tour.tour_case import Page, TourCase


class ChecksTest(TourCase):
    def write_work(self, text: str) -> None:
        write(self.folder / "my_work" / "01_hello" / "greeting.py", text)

    def record(self) -> ExerciseProgress:
        return self.tour.progress.get("01_hello/greeting")

    async def check(self, page: Page) -> dict[str, Any]:
        response = await self.call("/api/check/01/greeting", method="POST")
        self.assertEqual(response.code, 202)
        return await page.until("check.ended", label="01/greeting")

    @gen_test
    async def test_a_failure_comes_before_the_end_with_its_report(self) -> None:
        self.write_work(APP.format(greeting="hallo"))
        page = await self.open_page()
        ended = await self.check(page)
        failure = next(m for m in page.seen if m["type"] == "check.failure")
        for part in ("sent", "received", "expected", "advice"):
            self.assertIn(part, failure["message"])
        self.assertEqual((ended["passed"], ended["failed"], ended["state"]), (False, 1, "begun"))
        self.assertEqual(self.record().tries, 1)

    @gen_test
    async def test_the_next_check_runs_in_a_process_that_is_ready(self) -> None:
        self.write_work(APP.format(greeting="hallo"))
        page = await self.open_page()
        await self.call("/api/file/exercise:01/greeting")
        for _ in range(2):
            spare = self.tour.checks._spare
            assert spare
            process = spare._process
            self.assertIsNone(process.poll())
            with unittest.mock.patch("course.checking.runner.start_worker") as another:
                ended = await self.check(page)
            self.assertEqual((ended["failed"], ended["problem"]), (1, None))
            self.assertIsNotNone(process.poll())
            another.assert_not_called()

    @gen_test
    async def test_a_process_that_has_ended_is_replaced(self) -> None:
        self.write_work(SOLUTION)
        page = await self.open_page()
        self.tour.checks.prepare()
        assert self.tour.checks._spare
        process = self.tour.checks._spare._process
        process.kill()
        process.wait()
        self.assertTrue((await self.check(page))["passed"])

    @gen_test
    async def test_a_failure_names_the_line_of_the_learner(self) -> None:
        source = APP.format(greeting="hello").replace("self.write(", "1 / 0; self.write(")
        self.write_work(source)
        page = await self.open_page()
        await self.check(page)
        failure = next(m for m in page.seen if m["type"] == "check.failure")
        lines = (self.folder / "my_work/01_hello/greeting.py").read_text().splitlines()
        self.assertIn("1 / 0", lines[failure["line"] - 1])

    @gen_test
    async def test_before_the_first_change_there_is_no_advice(self) -> None:
        page = await self.open_page()
        await self.check(page)
        failure = next(m for m in page.seen if m["type"] == "check.failure")
        self.assertNotIn("advice", failure["message"])
        self.assertEqual(self.record().tries, 0)

    @gen_test
    async def test_a_solved_exercise_is_solved_on_the_command_line_too(self) -> None:
        self.write_work(SOLUTION)
        page = await self.open_page()
        ended = await self.check(page)
        self.assertEqual((ended["passed"], ended["state"]), (True, "solved"))
        self.assertTrue(self.record().solved)
        course = json.loads((await self.call("/api/course")).body)
        self.assertEqual(course["lessons"][0]["exercises"][0]["state"], "solved")

    @gen_test
    async def test_a_file_that_cannot_be_read_has_a_problem_with_its_line(self) -> None:
        self.write_work("x = 1\ndef\n")
        ended = await self.check(await self.open_page())
        self.assertEqual((ended["problem"]["kind"], ended["problem"]["line"]), ("syntax", 2))

    @gen_test
    async def test_a_newer_check_cancels_the_one_that_runs(self) -> None:
        page = await self.open_page()
        async with lifeline() as line:
            self.write_work(f"{line.source}\nimport threading\nthreading.Event().wait(60)\n")
            await self.call("/api/check/01/greeting", method="POST")
            await line.wait_begun()
            self.write_work(SOLUTION)
            ended = await self.check(page)
        self.assertTrue(ended["passed"])
        self.assertEqual(self.record().tries, 1, "the cancelled one does not count")

    @gen_test
    async def test_hints_are_counted_and_the_solution_comes_after_a_try(self) -> None:
        for number in (1, 2, 2):
            hint = json.loads((await self.call("/api/hint/01/greeting", method="POST")).body)
            self.assertEqual((hint["number"], hint["of"]), (number, 2))
        self.assertEqual(self.record().hints, 2)
        refused = await self.call("/api/solution/01/greeting")
        self.assertEqual(refused.code, 409)
        shown = await self.call("/api/solution/01/greeting?anyway=1")
        self.assertEqual(json.loads(shown.body)["text"].strip(), SOLUTION.strip())
        self.write_work(APP.format(greeting="hallo"))
        await self.check(await self.open_page())
        self.assertEqual((await self.call("/api/solution/01/greeting")).code, 200)

    @gen_test
    async def test_an_unknown_exercise_is_an_error(self) -> None:
        for method, path in (("POST", "check"), ("POST", "hint"), ("GET", "solution")):
            response = await self.call(f"/api/{path}/01/nothing", method=method)
            self.assertEqual(response.code, 404)

    @gen_test
    async def test_the_tour_never_imports_the_learners_code(self) -> None:
        marker = self.folder / "ran"
        self.write_work(f"import os\nopen({str(marker)!r}, 'a').write(f'{{os.getpid()}} ')\n")
        await self.check(await self.open_page())
        self.assertNotIn(str(os.getpid()), marker.read_text().split())
