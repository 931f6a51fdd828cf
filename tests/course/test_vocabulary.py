"""Words that other terms have replaced do not come back as names in the course's code."""

import unittest

from tests.support.checkout import ROOT
from tests.support.identifiers import identifiers_in

FILES = [ROOT / "learn.py", *sorted((ROOT / "course").rglob("*.py"))]
CHECKS = sorted(ROOT.glob("lessons/*/exercises/check_*.py"))
# What a check expects and gets: a response, a frame, a close, advice.
TESTING = {
    *("came", "look", "looks", "looking", "told", "said", "lost", "in_parts"),
    *("Answer", "Unusable", "Ended", "Came", "Socket", "SocketCase", "ProgramCase"),
    *("answer_limit", "frame_limit", "run_to_end", "expect_end", "listens"),
}
RETIRED = TESTING | {
    *("Desk", "desk", "Record", "Ran", "Printed", "Outcome", "Stopped", "InOrder", "Details"),
    *("NotReadyError", "hand_over", "one_at_a_time", "my_work", "set_aside", "chosen", "play"),
    *("demos", "tell", "say", "introduce", "outcome", "take", "PASS_ON", "WRONG_USE", "PATIENCE"),
}
RETIRED_FILES = {
    *("check_process", "checks", "command_case", "concepts", "exercise_case", "launch", "my_work"),
    *("program_case", "report", "socket_case"),
}


class VocabularyTest(unittest.TestCase):
    def test_no_retired_word_is_a_name(self) -> None:
        for files, retired in (FILES, RETIRED), (CHECKS, TESTING - {"said", "told"}):
            for path in files:
                with self.subTest(file=path.relative_to(ROOT).as_posix()):
                    self.assertEqual(identifiers_in(path) & retired, set(), "see docs/glossary.md")

    def test_no_retired_word_is_a_module(self) -> None:
        self.assertEqual({path.stem for path in FILES} & RETIRED_FILES, set())
