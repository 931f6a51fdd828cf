"""Each option arrives with its type, from the default and from the command line."""

import json

from course.testing.command import ADVICE_BY_EXCEPTION, CommandCase, Mismatch

DEFINE = "main(): define() each option before parse_command_line(); see option_types.py"
IMPORT = "a name is not known: from datetime import timedelta at the top of the file"
FALSE = "Python writes the boolean values as False and True, with a capital letter"
SPELLING = "the option is called colours, in British spelling; colors is another name"
EARLY = (
    "main(): make config after parse_command_line(), with options.port;\n"
    "before this call, each option has its default"
)
CONFIG = "main(): put the value of each option into config, under its name"
NO_JSON = "main(): period.total_seconds() is a number; a timedelta cannot be written as JSON"
LIT = "lit: default=False makes it boolean: true or false. With it, --lit alone means true"
COLOURS = (
    "colours: multiple=True makes a list of the values between the commas.\n"
    "Its default is then the empty list"
)
PERIOD = (
    "period: default=timedelta(seconds=10), from the module datetime, makes it a length of time.\n"
    "config needs it in seconds, with days and fractions: period.total_seconds()"
)
ENDED = {
    "name 'timedelta'": IMPORT,
    "name 'datetime'": IMPORT,
    "name 'false'": FALSE,
    "name 'true'": FALSE,
    "'colors'": SPELLING,
    "--colors ": SPELLING,  # in the help, which Tornado writes for an unknown option
    "Unrecognized": DEFINE,
    "'total_seconds'": PERIOD,
    "'lit'": LIT,
    "'colours'": COLOURS,
    **ADVICE_BY_EXCEPTION,
    "1m 30s": PERIOD,
    "2500ms": PERIOD,
    "1d 1h": PERIOD,
}
ADVICE = {
    "port": EARLY,
    "lit": LIT,
    "colours": COLOURS,
    "period": PERIOD,
}


class DefineOptions(CommandCase):
    def test_the_defaults(self) -> None:
        self.start(advice=DEFINE, advice_by_error=ENDED)
        self.expect_config({"port": self.port, "lit": False, "colours": [], "period": 10.0})

    def test_all_options_on_the_command_line(self) -> None:
        self.start(
            "--lit", "--colours=red,white", "--period=1m 30s", advice=DEFINE, advice_by_error=ENDED
        )
        self.expect_config(
            {"port": self.port, "lit": True, "colours": ["red", "white"], "period": 90.0}
        )

    def test_false_and_one_colour(self) -> None:
        self.start(
            "--lit=false", "--colours=red", "--period=2500ms", advice=DEFINE, advice_by_error=ENDED
        )
        self.expect_config({"port": self.port, "lit": False, "colours": ["red"], "period": 2.5})

    def test_a_period_of_more_than_a_day(self) -> None:
        self.start("--period=1d 1h", advice=DEFINE, advice_by_error=ENDED)
        self.expect_config({"period": 90000.0})

    def expect_config(self, expected: dict[str, object]) -> None:
        answer = self.send("GET", "/config")
        answer.expect(status=200, advice=NO_JSON if answer.status == 500 else CONFIG)
        config = answer.json(advice=CONFIG)
        wrong = [name for name, value in expected.items() if not _same(config.get(name), value)]
        for name in wrong:
            if name not in config:
                raise Mismatch(
                    sent=self.sent,
                    received=f"the JSON  {_text(config)}",
                    expected=f'a field  "{name}": {_text(expected[name])}',
                    advice=SPELLING if name == "colours" and "colors" in config else CONFIG,
                )
            advice = ADVICE[name if config.get("port", self.port) == self.port else "port"]
            received, wanted = _text({name: config[name]}), _text({name: expected[name]})
            self.expect(received, wanted, sent=self.sent, advice=advice)


def _same(received: object, expected: object) -> bool:
    """1 is not true, though Python says that they are equal."""
    return received == expected and isinstance(received, bool) == isinstance(expected, bool)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
