"""--help helps; a wrong option ends the program with a sentence and a code that is not 0."""

import re
from typing import ClassVar

from course.testing.command import CommandCase, CompletedProgram, Mismatch

HELP = "main(): define() has the argument help; --help prints it below the name of the option"
ERRORS = (
    "main(): catch the exceptions of parse_command_line(), then end with sys.exit(text).\n"
    "The last line of a traceback names the exception: ValueError, or Error of tornado.options"
)
SENTENCE = "say in the last line on standard error what is wrong: the option, or its value"
EXIT = "sys.exit(text) writes the text to standard error and makes the exit code 1"
COMMANDS = ("--help", "--port=abc", "--keeper=2", "--keepers=0", "--keepers=1", "--keepers=10")
RANGE = "main(): after parsing, sys.exit(text) unless keepers is from 1 to 9; both are allowed"


class RefuseBadInput(CommandCase):
    ended: ClassVar[dict[str, CompletedProgram]] = {}  # how the program ended, by its argument

    def setUp(self) -> None:
        super().setUp()
        if not self.ended:  # all at the same time, which is faster than one after the other
            commands = [
                (each,) if "port" in each else (each, f"--port={self.free_port()}")
                for each in COMMANDS
            ]
            self.ended.update(zip(COMMANDS, self.run_each(*commands), strict=True))

    def test_help_describes_keepers(self) -> None:
        ended = self.ended["--help"].expect(success=True, advice=HELP)
        found = re.search(r"--keepers\b(.*?)(?=^\s*--|\Z)", ended.log, re.S | re.M)
        described = re.sub(r"\(default .*?\)", "", found[1] if found else "").strip()
        if not described:
            raise Mismatch(
                sent=ended.sent,
                received=found[0].strip() if found else ended.summary,
                expected="--keepers with a description",
                advice=HELP,
            )

    def test_a_value_that_is_no_number_is_refused(self) -> None:
        self.refuses("--port=abc", "abc", "port", advice=ERRORS)

    def test_an_option_that_does_not_exist_is_refused(self) -> None:
        self.refuses("--keeper=2", "keeper", advice=ERRORS)

    def test_too_few_and_too_many_keepers_are_refused(self) -> None:
        for number in ("0", "10"):
            with self.subTest(number):
                self.refuses(f"--keepers={number}", "keepers", number, advice=RANGE)

    def test_from_1_to_9_keepers_are_served(self) -> None:
        one = self.ended["--keepers=1"]
        if isinstance(one.code, int):  # a server has no exit code: it was stopped
            raise Mismatch(sent=one.sent, received=one.summary, expected="a server", advice=RANGE)
        self.start("--keepers=9", advice=RANGE)
        self.send("GET", "/").expect(status=200, json={"keepers": 9}, advice=RANGE)

    def refuses(self, argument: str, *names: str, advice: str) -> None:
        """The program has ended, says what is wrong, and shows no traceback."""
        ended = self.ended[argument]
        ended.expect(lacks="Traceback", advice=advice)
        ended.expect(success=False, advice=EXIT if ended.code == 0 else advice)
        last = ended.log.strip().rpartition("\n")[2]
        if not any(name in last for name in names):
            raise Mismatch(
                sent=ended.sent,
                received=ended.summary,
                expected=f"a last line that names {' or '.join(names)}",
                advice=SENTENCE if last else EXIT,
            )
