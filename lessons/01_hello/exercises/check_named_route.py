"""The link is made by reverse_url from a route called greet with two named groups."""

from course.testing.http import ExerciseCase, Mismatch, Response

ROUTE = "make_app(): a route has up to four parts: pattern, handler, {}, name; see route_names.py"
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
ORDER = "LinkHandler.get(): give reverse_url() the values in the order of the path: city, then name"
BY_HAND = (
    "LinkHandler.get(): let self.reverse_url() make the link. It encodes the values;\n"
    "do not encode them yourself"
)


class NamedRoute(ExerciseCase):
    def test_the_path_gives_both_values(self) -> None:
        answer = self.send("GET", "/in/London/greet/Ada")
        swapped = '{"name": "London", "city": "Ada"}' in answer.text
        advice = SWAPPED if swapped else ROUTE if answer.status in (None, 404) else GROUPS
        answer.expect(status=200, json={"name": "Ada", "city": "London"}, advice=advice)

    def test_the_route_has_the_name_greet(self) -> None:
        try:
            path = self._app.reverse_url("greet", "Oslo", "Kari")
        except (KeyError, AssertionError) as error:
            raise Mismatch(
                sent='reverse_url("greet", "Oslo", "Kari")',
                received=f"{type(error).__name__}: {error.args[0]}",
                expected="a route named greet, with two groups",
                advice=ROUTE,
            ) from None
        self.expect(path, "/in/Oslo/greet/Kari", sent='reverse_url("greet", ...)', advice=ROUTE)

    def test_the_first_page_has_the_link(self) -> None:
        answer = self.send("GET", "/?city=London&name=Ada")
        advice = ORDER if "/in/Ada/greet/London" in answer.text else LINK
        answer.expect(status=200, json={"link": "/in/London/greet/Ada"}, advice=advice)

    def test_the_link_works_for_any_text(self) -> None:
        answer = self.send("GET", "/?city=New%20York&name=Zo%C3%AB").expect(status=200, advice=LINK)
        swapped = "greet/New" in answer.text
        advice = ORDER if swapped else BY_HAND if "/greet/" in answer.text else LINK
        answer.expect(json={"link": "/in/New%20York/greet/Zo%C3%AB"}, advice=advice)
        self.follow(answer, {"name": "Zoë", "city": "New York"})

    def follow(self, answer: Response, expected: dict[str, str]) -> None:
        self.send("GET", answer.json(advice=LINK)["link"]).expect(
            status=200, json=expected, advice=TEXT
        )
