"""Each option arrives with its type, from the default and from the command line."""

from course.command_case import CommandCase

DEFINE = 'define("name", default=..., help=...) before parse_command_line(); see option_types.py'
LIT = "lit: the type is that of the default; with default=False, --lit alone means true"
COLOURS = "colours: multiple=True makes a list of what stands between the commas; else it is text"
PERIOD = "period: default=timedelta(seconds=10), from datetime; then period.total_seconds()"


class DefineOptions(CommandCase):
    def test_the_defaults(self) -> None:
        self.start(look=DEFINE)
        self.send("GET", "/config").expect(
            status=200,
            json={"port": self.port, "lit": False, "colours": [], "period": 10.0},
            look=f"{LIT}\n{COLOURS}\n{PERIOD}",
        )

    def test_a_switch_needs_no_value(self) -> None:
        self.start("--lit", look=LIT)
        self.expect_config("lit", True, look=LIT)

    def test_a_switch_can_be_turned_off(self) -> None:
        self.start("--lit=false", look=LIT)
        self.expect_config("lit", False, look=LIT)

    def test_commas_make_a_list(self) -> None:
        self.start("--colours=red,white", look=COLOURS)
        self.expect_config("colours", ["red", "white"], look=COLOURS)

    def test_a_time_has_units(self) -> None:
        self.start("--period=1m 30s", look=PERIOD)
        self.expect_config("period", 90.0, look=PERIOD)

    def expect_config(self, name: str, value: object, look: str) -> None:
        answer = self.send("GET", "/config").expect(status=200, look=look)
        came = {name: answer.json(look=look).get(name)}
        self.expect(came, {name: value}, sent=self.sent, look=look)
