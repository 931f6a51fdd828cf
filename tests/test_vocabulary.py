"""Words that docs/glossary.md has replaced do not come back as names.

tests/capstone/ has those of the chat and of its page.
"""

from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.identifiers import identifiers_in

BENCHMARKS = {
    # The load client
    *("Load", "take", "order", "hold", "storm", "pace", "paced", "drive", "got", "kept", "shut"),
    *(
        "TOO_SLOW",
        "QUIET",
        "LATE",
        "SAMPLE",
        "KEEPS_UP",
        "PATIENCE",
        "bulk",
        "doubled",
        "first_due",
    ),
    *("mark", "MARK", "MarkCounter", "KEPT", "space"),
    # Servers, workloads and the report
    *("DRAWN", "BASE", "running", "listening", "pin", "raise_limits", "missing", "absent"),
    *("chosen", "chosen_by", "once", "curve", "perform", "brief", "short"),
    *("Trials", "limit", "cell"),
    # The chat with data in it, and the measurements that stand alone
    *("fill", "probe", "show", "pour", "watch", "WATCH", "ORDER", "LOADED"),
    *("STORIES", "shares", "Start", "told", "said", "say", "lag"),
}

FAULT_INJECTION = {
    # Scenarios and their context
    *("Row", "Stage", "play", "dice", "say", "holds", "broken", "until", "pick", "Missing"),
    *("stop_over", "visit_until", "twice", "WAYS", "dialogue", "as_shown", "away", "watch"),
    *("NOTICED", "HELD", "SmallDisk", "LowCeiling", "full"),
    *("together", "flow", "live_again", "neighbour", "disturb", "wide_awake", "last_words"),
    # Clients
    *("Crowd", "arrive", "talk", "talking", "hush", "quiet", "converge", "judge", "GENEROUS"),
    *("lift_limits", "people", "banned", "_visit", "_pulse", "_hear", "_take", "GONE", "_early"),
    *("_again", "_room", "PATIENCE", "Page", "Line"),
    # Consistency
    *("Ledger", "Truth", "View", "Verdict", "astray", "unsettled", "disputed", "doubled", "Place"),
    # Frames
    *("Dough", "decent", "fuzzed", "_bent", "_scratched", "_in_pieces", "ODD", "BARE", "BROKEN"),
    *("Wire", "wire", "hear", "ENDS", "rude", "noise"),
    # Processes
    *("Held", "settle", "settled", "left_since", "SPARE", "Turns", "tell", "told", "waits"),
    *("runs", "said", "visitors", "mistakes", "observe", "program", "obey", "Order"),
}

# What a check expects and gets: a response, a frame, a close, advice.
TESTING = {
    *("came", "look", "looks", "looking", "told", "said", "lost", "in_parts"),
    *("Answer", "Unusable", "Ended", "Came", "Socket", "SocketCase", "ProgramCase"),
    *("answer_limit", "frame_limit", "run_to_end", "expect_end", "listens"),
}
COURSE = TESTING | {
    *("Desk", "desk", "Record", "Ran", "Printed", "Outcome", "Stopped", "InOrder", "Details"),
    *("NotReadyError", "hand_over", "one_at_a_time", "my_work", "set_aside", "chosen", "play"),
    *("demos", "tell", "say", "introduce", "outcome", "take", "PASS_ON", "WRONG_USE", "PATIENCE"),
}
COURSE_FILES = {
    *("check_process", "checks", "command_case", "concepts", "exercise_case", "launch", "my_work"),
    *("program_case", "report", "socket_case"),
}

RETIRED = {
    "benchmarks/**/*.py": BENCHMARKS,
    "fault_injection/**/*.py": FAULT_INJECTION,
    "course/**/*.py": COURSE,
    "learn.py": COURSE,
    "lessons/*/exercises/check_*.py": TESTING - {"said", "told"},
}
"""Retired names by the files that must not have them."""


@pytest.mark.parametrize("files", RETIRED)
def test_no_retired_word_is_a_name(files: str) -> None:
    paths = sorted(ROOT.glob(files))
    assert paths
    for path in paths:
        assert identifiers_in(path) & RETIRED[files] == set(), f"{path}: see docs/glossary.md"


def test_no_retired_word_is_a_module_of_the_course() -> None:
    assert not {path.stem for path in Path(ROOT / "course").rglob("*.py")} & COURSE_FILES
