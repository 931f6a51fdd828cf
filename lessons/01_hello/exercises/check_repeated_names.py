"""The values of the query and of the body are separate; a missing argument is 400."""

from course.testing.http import ExerciseCase, Response

WRITE = (
    "post(): call self.write() once, with one dictionary that has query, body and all.\n"
    "Tornado does not send what a method returns"
)
FAILED = (
    'post() has failed: "your code" above says why. If it has returned the dictionary,\n'
    "give it to self.write() instead: Tornado does not send what a method returns"
)
BAD_NAME = (
    "400 means that an argument is missing; the log names it. Write name without quotes:\n"
    "the variable name has the text from the path"
)
ADVICE = {
    "query": "query: get_query_argument() returns the last value in the query.\n"
    "get_argument() looks in the body, too",
    "body": "body: get_body_argument() returns the last value in the form",
    "all": "all: get_arguments() returns a list of all values, first those of the query,\n"
    "then those of the form",
}
NAME = "post(self, name): name is the text from the path; read the argument of this name"
KEYS = 'post(): the dictionary has three keys and no others: "query", "body" and "all"'
NUMBER = "{name}: the value is a text, which JSON writes in quotes: do not make it a number"
MISSING = (
    "a missing argument must be 400: without a default, get_query_argument()\n"
    "and get_body_argument() raise tornado.web.HTTPError(400)"
)
MISSING_FAILED = f'post() has raised an exception: see "your code" above;\n{MISSING}'


class RepeatedNames(ExerciseCase):
    def test_the_values_of_the_query_and_of_the_form(self) -> None:
        answer = self.send("POST", "/a?a=1&a=2", form={"a": "3"})
        expected = {"query": "2", "body": "3", "all": ["1", "2", "3"]}
        answer.expect(status=200, json=expected, advice=_look(answer, expected))

    def test_all_contains_a_value_as_often_as_it_was_sent(self) -> None:
        answer = self.send("POST", "/a?a=2&a=1", form={"a": ["1", "2"]})
        expected = {"query": "1", "body": "2", "all": ["2", "1", "1", "2"]}
        answer.expect(status=200, json=expected, advice=_look(answer, expected))

    def test_the_name_is_the_one_in_the_path(self) -> None:
        answer = self.send("POST", "/size?size=S&a=1", form={"size": ["M", "L"], "a": "2"})
        expected = {"query": "S", "body": "L", "all": ["S", "M", "L"]}
        received = answer.json(advice=WRITE) if answer.status == 200 else None
        # The argument a has other values, so one right value shows that the name is right.
        named = isinstance(received, dict) and any(
            received.get(key) == expected[key] for key in expected
        )
        advice = _look(answer, expected) if named or answer.status == 500 else NAME
        answer.expect(status=200, json=expected, advice=advice)

    def test_missing_in_the_query_is_400(self) -> None:
        answer = self.send("POST", "/a", form={"a": "3"})
        answer.expect(status=400, advice=MISSING_FAILED if answer.status == 500 else MISSING)

    def test_missing_in_the_form_is_400(self) -> None:
        answer = self.send("POST", "/a?a=1", form={"b": "3"})
        answer.expect(status=400, advice=MISSING_FAILED if answer.status == 500 else MISSING)


def _look(answer: Response, expected: dict[str, object]) -> str:
    """Return the hints for the values that are wrong."""
    if answer.status == 400:
        return BAD_NAME
    if answer.status == 500:
        return FAILED
    received = answer.json(advice=WRITE) if answer.status == 200 else None
    if not isinstance(received, dict):
        return WRITE
    if set(received) != set(expected):
        return KEYS
    return "\n".join(
        NUMBER.format(name=name) if isinstance(received[name], int) else ADVICE[name]
        for name in expected
        if received[name] != expected[name]
    )
