"""--help helps; what cannot be used ends the program with a sentence and a code that is not 0."""

from course.command_case import CommandCase

HELP = 'define("keepers", default=3, help="how many live here, from 1 to 9")'
REFUSE = (
    "main(): try parse_command_line(), except (Error, ValueError) as error, then sys.exit(text);\n"
    "Error is in tornado.options; sys.exit(text) writes the text and makes the exit code 1"
)
RANGE = "main(): after parsing, sys.exit(text) unless 1 <= options.keepers <= 9"


class RefuseBadInput(CommandCase):
    def test_help_says_what_keepers_are(self) -> None:
        self.run_to_end("--help").expect(
            success=True, contains="how many live here, from 1 to 9", look=HELP
        )

    def test_good_input_is_served(self) -> None:
        for keepers in (1, 9):
            with self.subTest(keepers):
                self.start(f"--keepers={keepers}", look=RANGE)
                self.send("GET", "/").expect(status=200, json={"keepers": keepers}, look=RANGE)

    def test_what_is_no_number_is_refused(self) -> None:
        self.refuses("--port=abc", named="abc", look=REFUSE)

    def test_an_option_that_does_not_exist_is_refused(self) -> None:
        self.refuses("--keeper=2", named="'keeper'", look=REFUSE)

    def test_too_few_and_too_many_are_refused(self) -> None:
        for keepers in ("0", "10"):
            with self.subTest(keepers):
                port = f"--port={self.free_port()}"  # 8888 may be taken
                self.refuses(f"--keepers={keepers}", port, named="keepers", look=RANGE)

    def refuses(self, *arguments: str, named: str, look: str) -> None:
        """The program ends, says what it refuses, and shows no traceback."""
        self.run_to_end(*arguments).expect(
            success=False, contains=named, lacks="Traceback", look=look
        )
