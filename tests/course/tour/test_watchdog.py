"""The watchdog tells a loop that is blocked from one that waits."""

import asyncio
import socket
import sys
import threading
import unittest
from pathlib import Path

from course.tour.watchdog import LoopWatch


class LoopWatchTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.watch = LoopWatch(socket.socket(), Path(__file__).parent)
        self.addCleanup(self.watch._channel.close)
        self.watch._thread = threading.get_ident()

    async def test_a_loop_that_waits_runs_no_line_of_the_script(self) -> None:
        main = threading.get_ident()
        self.watch._folder = Path(unittest.__file__).parent  # its lines have started the loop

        def look() -> object:
            while sys._current_frames()[main].f_code.co_name != "select":
                pass
            return self.watch._own_frame()

        self.assertIsNone(await asyncio.to_thread(look))

    async def test_a_line_that_blocks_is_the_innermost_one_of_the_script(self) -> None:
        seen: list[str] = []
        looked = threading.Event()

        def look() -> None:
            frame = self.watch._own_frame()
            seen.append(frame.f_code.co_name if frame else "")
            looked.set()

        threading.Thread(target=look).start()
        looked.wait(10)
        self.assertEqual(seen, ["test_a_line_that_blocks_is_the_innermost_one_of_the_script"])
