"""The link is made by reverse_url from a route called greet with two named groups."""

from course.exercise_case import ExerciseCase, Mismatch

ROUTE = "make_app(): a route has up to four parts: regex, handler, {}, name; see routing.py"
GROUPS = "make_app(): name both groups, as in (?P<city>[^/]+): unnamed ones go by position"
LINK = "LinkHandler.get(): self.reverse_url(name, ...) quotes each value for you"


class NamedRoute(ExerciseCase):
    def test_the_path_gives_both_values(self) -> None:
        self.send("GET", "/in/London/greet/Ada").expect(
            status=200, json={"name": "Ada", "city": "London"}, look=f"{GROUPS}\n{ROUTE}"
        )

    def test_the_route_has_a_name(self) -> None:
        try:
            path = self._app.reverse_url("greet", "Oslo", "Kari")
        except (KeyError, AssertionError) as error:
            raise Mismatch(
                sent='reverse_url("greet", "Oslo", "Kari")',
                came=f"{type(error).__name__}: {error.args[0]}",
                expected="a route named greet, with two groups",
                look=ROUTE,
            ) from None
        self.expect(path, "/in/Oslo/greet/Kari", sent='reverse_url("greet", ...)', look=ROUTE)

    def test_the_first_page_links_to_it(self) -> None:
        self.send("GET", "/?city=London&name=Ada").expect(
            status=200, json={"link": "/in/London/greet/Ada"}, look=LINK
        )

    def test_the_link_holds_any_text(self) -> None:
        answer = self.send("GET", "/?city=New%20York&name=Zo%C3%AB").expect(
            status=200, json={"link": "/in/New%20York/greet/Zo%C3%AB"}, look=LINK
        )
        self.send("GET", answer.json(look=LINK)["link"]).expect(
            status=200, json={"name": "Zoë", "city": "New York"}, look=GROUPS
        )
