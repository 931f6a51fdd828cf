"""The Run buttons of the pages start the script, and send exactly the request of the page."""

import json
from typing import Any

import pytest
from tornado.testing import gen_test

from tests.course.sample_course import write
from tests.course.tour.tour_case import TourCase

PAGE = """# 01 Hello

## Step 1: Count

<!-- session: counter.py --name=Ada -->
```console
$ python3 learn.py run 01/counter --name=Ada
The address is http://localhost:8888.
Open http://localhost:8888
$ curl http://localhost:8888/count
1
$ curl http://localhost:8888/count
2
```

<!-- session: counter.py --name=Ada -->
```console
$ curl http://localhost:8888/count
1
$ curl http://localhost:8888/count
a text that is not true
```

## Step 2: Break it

<!-- change: counter.py -->
```diff
-    count += 1
+    count += 10
```

<!-- broken: counter.py -->
```console
$ python3 learn.py break 01/counter
The address is http://localhost:8888.
Open http://localhost:8888
$ curl http://localhost:8888/count
10
```

<!-- change: counter.py -->
```diff
-    count += 1
+    count +=
```

<!-- broken: counter.py -->
```console
$ python3 learn.py break 01/counter
...SyntaxError...
```

<!-- session: counter.py -->
```console
$ wget http://localhost:8888/
```

<!-- command: ends.py -->
```console
$ python3 learn.py run 01/ends --name=Ada
Hello Ada, port 8888
```
"""
COUNTER = """
count = 0


def next_count():
    global count
    count += 1
    return f"{count}\\n"


class Counter(tornado.web.RequestHandler):
    def get(self):
        self.write(next_count())


async def main"""


@pytest.mark.service("curl")
class CommandsTest(TourCase):
    def setUp(self) -> None:
        super().setUp()
        more = "print('later')"
        self.write_server("counter", more, routes='[("/count", Counter)]')
        path = self.lesson / "counter.py"
        first = 'print(f"The address is http://localhost:{options.port}.")'
        source = path.read_text().replace("async def main", COUNTER.lstrip(), 1)
        path.write_text(source.replace("    print(f", f"    {first}\n    print(f", 1))
        write(self.lesson / "README.md", PAGE)
        write(
            self.lesson / "ends.py", "import sys\nprint('Hello', sys.argv[1][7:] + ', port 8888')\n"
        )

    async def run_command(self, session: str, number: int) -> dict[str, Any]:
        response = await self.call(f"/api/session/{session}/{number}", method="POST")
        return {"code": response.code, **json.loads(response.body)}

    @gen_test
    async def test_the_commands_of_a_session_share_a_run(self) -> None:
        results = [await self.run_command("01/1/0", number) for number in range(3)]
        for result in results:
            self.assertTrue(result["matches"], result)
        self.assertEqual(len({result["run"] for result in results}), 1)
        self.assertNotIn(":8888", results[0]["shown"])
        run = self.tour.supervisor.runs[results[0]["run"]]
        self.assertEqual(
            (run.program.options, run.program.file), (("--name=Ada",), "script:01/counter")
        )

    @gen_test
    async def test_another_session_finds_the_script_as_it_was_at_the_start(self) -> None:
        for number in range(3):
            await self.run_command("01/1/0", number)
        result = await self.run_command("01/1/1", 0)
        self.assertEqual((result["output"], result["matches"]), ("1\n", True))
        self.assertEqual(len(self.tour.supervisor.active()), 1)

    @gen_test
    async def test_the_same_session_can_be_run_again(self) -> None:
        for _ in range(2):
            for number in range(3):
                self.assertTrue((await self.run_command("01/1/0", number))["matches"])

    @gen_test
    async def test_an_output_that_differs_is_shown_beside_that_of_the_page(self) -> None:
        await self.run_command("01/1/1", 0)
        result = await self.run_command("01/1/1", 1)
        self.assertEqual((result["output"], result["matches"]), ("2\n", False))
        self.assertEqual(result["shown"].strip(), "a text that is not true")

    @gen_test
    async def test_a_change_is_made_in_a_copy_that_is_removed_afterwards(self) -> None:
        before = (self.lesson / "counter.py").read_text()
        for number in range(2):
            self.assertTrue((await self.run_command("01/2/0", number))["matches"])
        (run,) = self.tour.supervisor.active()
        assert run.program.folder
        self.assertTrue(run.program.folder.exists())
        self.assertEqual(run.program.session, "01/2/0")
        await self.tour.supervisor.stop(run)
        self.assertFalse(run.program.folder.exists())
        self.assertEqual((self.lesson / "counter.py").read_text(), before)

    @gen_test
    async def test_a_change_that_keeps_the_script_from_starting_says_so(self) -> None:
        result = await self.run_command("01/2/1", 0)
        self.assertIn("invalid syntax", result["output"])
        self.assertIn("has printed no address", result["output"])

    @gen_test
    async def test_a_script_that_ends_by_itself_is_run_to_its_end(self) -> None:
        result = await self.run_command("01/2/3", 0)
        self.assertEqual((result["run"], result["matches"]), (None, True))

    @gen_test
    async def test_the_socket_starts_the_change_too(self) -> None:
        page = await self.open_page()
        await page.send(type="break", session="01/2/0")
        ready = await page.until("ready")
        answer = await self.http_client.fetch(f"{ready['url']}/count")
        self.assertEqual(answer.body, b"10\n")

    @gen_test
    async def test_no_other_program_is_run(self) -> None:
        result = await self.run_command("01/2/2", 0)
        self.assertEqual(result["code"], 409)
        self.assertIn("wget", result["error"])

    @gen_test
    async def test_an_unknown_session_or_command_is_an_error(self) -> None:
        for session, number in (("01/9/0", 0), ("01/1/9", 0), ("99/1/0", 0), ("", 0)):
            self.assertEqual((await self.run_command(session, number))["code"], 404)
        self.assertEqual((await self.run_command("01/1/0", 9))["code"], 409)
