"""The link is made by reverse_url from a route called greet with two named groups."""

from course.testing.http import ExerciseCase, Mismatch, Response

ROUTE = "make_app(): a route has up to four parts: pattern, handler, {}, name; see route_names.py"
PATTERN = (
    "make_app(): the pattern must match the whole path: (?P<city>[^/]+) in place of CITY,\n"
    "(?P<name>[^/]+) in place of NAME, and no / at the end"
)
GROUPS = "make_app(): name both groups, as in (?P<city>[^/]+)"
SWAPPED = (
    "name and city are swapped: groups without names go to get() by position.\n"
    "Name both groups, as in (?P<city>[^/]+)"
)
TEXT = "make_app(): a group must match any text up to the next slash: [^/]+"
LINK = (
    'LinkHandler.get(): write {"link": self.reverse_url("greet", city, name)}.\n'
    "reverse_url() takes the values by position, without their names"
)
LINK_FAILED = (
    'LinkHandler.get() has raised an exception: see "your code" above.\n'
    f"Read city and name with self.get_query_argument().\n{LINK}"
)
ORDER = "LinkHandler.get(): give reverse_url() the values in the order of the path: city, then name"
BY_HAND = (
    "LinkHandler.get(): let self.reverse_url() make the link. It encodes the values;\n"
    "do not encode them yourself"
)


class NamedRoute(ExerciseCase):
    def test_the_path_gives_both_values(self) -> None:
        answer = self.send("GET", "/in/London/greet/Ada")
        swapped = '{"name": "London", "city": "Ada"}' in answer.text
        by_status = {None: ROUTE, 404: f"{ROUTE}\n{PATTERN}"}
        advice = SWAPPED if swapped else by_status.get(answer.status, GROUPS)
        answer.expect(status=200, json={"name": "Ada", "city": "London"}, advice=advice)

    def test_the_route_has_the_name_greet(self) -> None:
        try:
            path = self._app.reverse_url("greet", "Oslo", "Kari")
        except (KeyError, AssertionError) as error:
            raise Mismatch(
                sent='reverse_url("greet", "Oslo", "Kari")',
                received=f"{type(error).__name__}: {error.args[0]}",
                expected="a route named greet, with two groups",
                advice=ROUTE if isinstance(error, KeyError) else PATTERN,
            ) from None
        self.expect(path, "/in/Oslo/greet/Kari", sent='reverse_url("greet", ...)', advice=PATTERN)

    def test_the_first_page_has_the_link(self) -> None:
        answer = self.send("GET", "/?city=London&name=Ada")
        advice = ORDER if "/in/Ada/greet/London" in answer.text else _link(answer)
        answer.expect(status=200, json={"link": "/in/London/greet/Ada"}, advice=advice)

    def test_the_link_works_for_any_text(self) -> None:
        answer = self.send("GET", "/?city=New%20York&name=Zo%C3%AB")
        answer.expect(status=200, advice=_link(answer))
        swapped = "greet/New" in answer.text
        advice = ORDER if swapped else BY_HAND if "/greet/" in answer.text else LINK
        answer.expect(json={"link": "/in/New%20York/greet/Zo%C3%AB"}, advice=advice)
        self.follow(answer, {"name": "Zoë", "city": "New York"})

    def follow(self, answer: Response, expected: dict[str, str]) -> None:
        self.send("GET", answer.json(advice=LINK)["link"]).expect(
            status=200, json=expected, advice=TEXT
        )


def _link(answer: Response) -> str:
    """Return the advice for a page that does not have the link."""
    return LINK_FAILED if answer.status == 500 else LINK
