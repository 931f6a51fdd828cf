"""--help describes the option; a wrong option ends the program with a sentence and a code."""

import re
from typing import ClassVar

from course.testing.command import UNKNOWN_NAME, CommandCase, CompletedProgram, Mismatch

HELP = "main(): define() has the argument help; --help prints it next to the name of the option"
ERRORS = (
    "main(): catch the exceptions of parse_command_line(), then end with sys.exit(text).\n"
    "The last line of a traceback names the exception: ValueError, or Error of tornado.options"
)
SENTENCE = "say in the last line on standard error what is wrong: the option, or its value"
EXIT = "sys.exit(text) writes the text to standard error and makes the exit code 1"
IMPORT = (
    "a name is not known: its import is missing at the top of the file.\n"
    "sys is a module of Python; Error is in tornado.options"
)
GOES_ON = (
    "the program goes on after the wrong option, and opens the port 8888, which is in use.\n"
    "End it with sys.exit(text)"
)
FIRST = ("--help",)  # alone, so that its failure is shown while the others run
COMMANDS = ("--port=abc", "--keeper=2", "--keepers=0", "--keepers=1", "--keepers=10")
RANGE = "main(): after parsing, sys.exit(text) unless keepers is from 1 to 9; both are allowed"


class RefuseBadInput(CommandCase):
    ended: ClassVar[dict[str, CompletedProgram]] = {}  # how the program ended, by its argument

    def end(self, argument: str) -> CompletedProgram:
        """Return how the program ends with an argument."""
        if argument not in self.ended:
            # All at the same time, which is faster than one after the other.
            arguments = FIRST if argument in FIRST else COMMANDS
            commands = [
                (each,) if "port" in each else (each, f"--port={self.free_port()}")
                for each in arguments
            ]
            self.ended.update(zip(arguments, self.run_each(*commands), strict=True))
        return self.ended[argument]

    def test_help_describes_keepers(self) -> None:
        ended = self.end("--help")
        ended.expect(success=True, advice=_look(ended, HELP))
        found = re.search(r"--keepers\b(.*?)(?=^\s*--|\Z)", ended.log, re.S | re.M)
        described = re.sub(r"\(default .*?\)", "", found[1] if found else "").strip()
        if not described:
            raise Mismatch(
                sent=ended.sent,
                received=found[0].strip() if found else ended.summary,
                expected="--keepers with a description",
                advice=HELP,
            )

    def test_a_value_that_is_not_a_number_is_refused(self) -> None:
        self.refuses("--port=abc", "abc", "port", advice=ERRORS)

    def test_an_option_that_does_not_exist_is_refused(self) -> None:
        self.refuses("--keeper=2", "keeper", advice=ERRORS)

    def test_too_few_and_too_many_keepers_are_refused(self) -> None:
        for number in ("0", "10"):
            with self.subTest(number):
                self.refuses(f"--keepers={number}", "keepers", number, advice=RANGE)

    def test_from_1_to_9_keepers_are_served(self) -> None:
        one = self.end("--keepers=1")
        if isinstance(one.code, int):  # a server has no exit code: it was stopped
            raise Mismatch(sent=one.sent, received=one.summary, expected="a server", advice=RANGE)
        self.start("--keepers=9", advice=RANGE)
        self.send("GET", "/").expect(status=200, json={"keepers": 9}, advice=RANGE)

    def refuses(self, argument: str, *names: str, advice: str) -> None:
        """The program has ended, says what is wrong, and shows no traceback."""
        ended = self.end(argument)
        ended.expect(lacks="Traceback", advice=_look(ended, advice))
        ended.expect(success=False, advice=EXIT if ended.code == 0 else advice)
        last = ended.log.strip().rpartition("\n")[2]
        if not any(name in last for name in names):
            raise Mismatch(
                sent=ended.sent,
                received=ended.summary,
                expected=f"a last line that names {' or '.join(names)}",
                advice=SENTENCE if last else EXIT,
            )


def _look(ended: CompletedProgram, advice: str) -> str:
    """Return the advice for a program, or another one if it has ended for another reason."""
    if "NameError" in ended.log:
        imported = any(f"name '{name}'" in ended.log for name in ("sys", "Error"))
        return IMPORT if imported else UNKNOWN_NAME
    return GOES_ON if "OSError" in ended.log else advice
