"""Scripts are started, watched and stopped; whatever they do, the tour stays in control."""

import asyncio
import itertools
import sys
import unittest
from typing import Any, ClassVar

from tornado.testing import gen_test

from course.tour.runs import MAX_RUNS, _listen_for_reports
from tests.course.tour.lifeline import lifeline
from tests.course.tour.tour_case import Page, TourCase


class RunsTest(TourCase):
    async def end(self, page: Page, run: str) -> dict[str, Any]:
        await page.send(type="stop", run=run)
        return await page.until("ended", run=run)

    @gen_test
    async def test_a_script_starts_answers_and_stops(self) -> None:
        page = await self.open_page()
        ready = await page.start(self.write_server("server"))
        answer = await self.http_client.fetch(ready["url"])
        self.assertEqual(answer.body, b"hello\n")
        self.assertIn(f"Open {ready['url']}", page.output(ready["run"]))
        ended = await self.end(page, ready["run"])
        self.assertEqual(ended["reason"], "You stopped it.")

    @gen_test
    async def test_a_script_that_fails_says_why(self) -> None:
        page = await self.open_page()
        await page.send(type="start", file=self.write_server("server", more="1 / 0"))
        ended = await page.until("ended")
        self.assertEqual(ended["code"], 1)
        self.assertIn("ZeroDivisionError", page.output(ended["run"]))

    @gen_test
    async def test_the_script_gets_its_options(self) -> None:
        page = await self.open_page()
        file = self.write_server("server", more="print(options.name)")
        ready = await page.start(file, "--name=Ada", "--port=1")
        while "Ada\n" not in page.output(ready["run"]):
            await page.receive()
        self.assertNotEqual(ready["url"], "http://localhost:1")

    @gen_test
    async def test_no_fourth_script_is_started(self) -> None:
        page = await self.open_page()
        names = [f"server{number}" for number in range(MAX_RUNS)]
        *files, fourth = [self.write_server(name) for name in [*names, "fourth"]]
        for file in files:
            await page.start(file)
        await page.send(type="start", file=fourth)
        error = await page.until("error")
        for name in names:
            self.assertIn(f"01/{name}", error["error"])
        self.assertEqual(len(self.tour.supervisor.active()), MAX_RUNS)

    @gen_test
    async def test_a_script_that_ignores_the_signal_is_killed(self) -> None:
        page = await self.open_page()
        self.tour.supervisor._stop_seconds = 0.2
        ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ignores')"
        ready = await page.start(self.write_server("server", more=ignore))
        while "ignores" not in page.output(ready["run"]):
            await page.receive()
        ended = await self.end(page, ready["run"])
        self.assertIn("killed", ended["reason"])

    @gen_test
    async def test_child_processes_are_ended_too(self) -> None:
        page = await self.open_page()
        async with lifeline() as line:
            child = f"{line.source}; import threading; threading.Event().wait(99)"
            more = f"subprocess.Popen([sys.executable, '-c', {child!r}])"
            ready = await page.start(self.write_server("server", more=more))
            await line.wait_begun()
            await self.end(page, ready["run"])
            await line.wait_ended()

    @unittest.skipUnless(sys.platform == "linux", "only Linux shows environments")
    @gen_test
    async def test_a_child_in_a_session_of_its_own_is_ended_too(self) -> None:
        page = await self.open_page()
        async with lifeline() as line:
            child = f"{line.source}; import threading; threading.Event().wait(99)"
            command = f"[sys.executable, '-c', {child!r}]"
            more = f"subprocess.Popen({command}, start_new_session=True)"
            ready = await page.start(self.write_server("server", more=more))
            await line.wait_begun()
            await self.end(page, ready["run"])
            await line.wait_ended()

    @gen_test
    async def test_the_children_of_a_script_that_ends_by_itself_are_ended(self) -> None:
        page = await self.open_page()
        async with lifeline() as line:
            child = f"{line.source}; import threading; threading.Event().wait(99)"
            more = f"subprocess.Popen([sys.executable, '-c', {child!r}]); sys.exit(3)"
            await page.send(type="start", file=self.write_server("server", more=more))
            ended = await page.until("ended")
            self.assertEqual(ended["code"], 3)
            self.assertIn("exit code 3", ended["reason"])
            if line.reader.done():  # the child had the time to connect
                await line.wait_ended()

    @gen_test
    async def test_a_blocked_loop_is_reported_with_its_line(self) -> None:
        page = await self.open_page()
        async with lifeline() as line:
            more = f"{line.source}; line.recv(1)"
            await page.send(type="start", file=self.write_server("server", more=more))
            blocked = await page.until("blocked")
        self.assertEqual((blocked["file"], blocked["source"]), ("server.py", more))
        self.assertGreaterEqual(blocked["seconds"], 0.3)
        self.assertGreaterEqual((await page.until("unblocked"))["seconds"], 0.3)

    @gen_test
    async def test_a_loop_that_waits_is_not_reported(self) -> None:
        page = await self.open_page()
        file = self.write_server(
            "server", more="await asyncio.wait([asyncio.Future()], timeout=0.8); print('waited')"
        )
        ready = await page.start(file)
        while "waited" not in page.output(ready["run"]):
            await page.receive()
        self.assertNotIn("blocked", {message["type"] for message in page.seen})

    @gen_test
    async def test_a_script_that_names_no_address_listens_on_loopback(self) -> None:
        page = await self.open_page()
        more = """
    from tornado.netutil import bind_sockets
    sockets = [s for a in (None, "", "0.0.0.0", "::") for s in bind_sockets(0, a)]
    server = tornado.web.Application([]).listen(0)
    for one in [*sockets, *server._sockets.values()]:
        print("address", one.getsockname()[0])
    print("all")"""
        ready = await page.start(self.write_server("server", more=more))
        while "all\n" not in page.output(ready["run"]):
            await page.receive()
        words = page.output(ready["run"]).split()
        found = [after for before, after in itertools.pairwise(words) if before == "address"]
        self.assertGreaterEqual(len(found), 5)
        self.assertLessEqual(set(found), {"127.0.0.1", "::1"})

    @gen_test
    async def test_a_flood_is_limited_and_counted(self) -> None:
        page = await self.open_page()
        more = "sys.stdout.write('x' * 1_000_000 + '\\n' + 'y\\n' * 500_000); print('the end')"
        ready = await page.start(self.write_server("server", more=more))
        while "the end" not in page.output(ready["run"]):
            await page.receive()
        dropped = sum(m["bytes"] for m in page.seen if m["type"] == "dropped")
        kept = len(page.output(ready["run"]))
        self.assertGreater(dropped, 1_000_000)
        self.assertEqual(dropped + kept, 2_000_000 + 1 + len(f"Open {ready['url']}\nthe end\n"))

    @gen_test
    async def test_binary_output_and_output_without_line_ends_are_text(self) -> None:
        page = await self.open_page()
        more = "sys.stdout.buffer.write(b'\\xff\\x00\\xe2\\x82'); sys.stdout.flush()"
        ready = await page.start(self.write_server("server", more=more))
        while "\x00" not in page.output(ready["run"]):
            await page.receive()
        await self.end(page, ready["run"])
        self.assertEqual(page.output(ready["run"]).partition("\n")[2], "\ufffd\x00\ufffd")

    @gen_test
    async def test_a_page_that_is_loaded_again_goes_on(self) -> None:
        page = await self.open_page()
        ready = await page.start(self.write_server("server", more="print('one')"))
        while "one" not in page.output(ready["run"]):
            await page.receive()
        page.close()
        again = await self.open_page()
        listed = await again.until("runs")
        self.assertEqual([run["run"] for run in listed["runs"]], [ready["run"]])
        sent = [message for message in page.seen if message.get("seq")]
        for after in (0, 1):
            await again.send(type="resume", run=ready["run"], after=after)
            for message in sent[after:]:
                self.assertEqual(await again.receive(), message)

    @gen_test
    async def test_a_wrong_message_is_answered_and_the_socket_stays(self) -> None:
        page = await self.open_page()
        wrong: list[dict[str, Any]] = [
            {"type": "start"},
            {"type": "start", "file": "script:01/nothing"},
            {"type": "start", "file": "script:01/../../secret"},
            {"type": "start", "file": ["script:01/app"]},
            {"type": "start", "file": "script:01/app", "options": "no list"},
            {"type": "break", "session": "01/9/9"},
            {"type": "stop", "run": "99"},
            {"type": "resume", "run": "99", "after": 0},
            {"type": "nothing"},
            {},
        ]
        for message in wrong:
            with self.subTest(message=message):
                await page.send(**message)
                self.assertIn("error", await page.until("error"))


class ReportsTest(unittest.IsolatedAsyncioTestCase):
    async def test_only_the_process_with_the_mark_can_report(self) -> None:
        async with _listen_for_reports("mark") as reports:
            answer, stranger = await asyncio.open_connection("127.0.0.1", reports.port)
            stranger.write(b"another mark\n{}\n")
            self.assertEqual(await answer.read(), b"", "the connection is closed")
            self.assertFalse(reports.reader.done())
            _, own = await asyncio.open_connection("127.0.0.1", reports.port)
            own.write(b"mark\nreport\n")
            self.assertEqual(await (await reports.reader).readline(), b"report\n")
            stranger.close()
            own.close()


class IdleTest(TourCase):
    supervisor_options: ClassVar[dict[str, Any]] = {"idle_seconds": 0.05}

    @gen_test
    async def test_a_run_that_nobody_looks_at_ends(self) -> None:
        page = await self.open_page()
        ready = await page.start(self.write_server("server"))
        run = self.tour.supervisor.runs[ready["run"]]
        page.close()
        await run.wait_ended()
        self.assertIn("No page was open", run.reason)
