"""Query and body are told apart, repeated names keep all their values, a missing one is 400."""

from course.exercise_case import ExerciseCase

QUERY = "get_query_argument() reads the query only; get_argument() lets the body win"
BODY = "get_body_argument() reads the form only"
ALL = "get_arguments(), with an s, returns a list: the query first, then the body"
MISSING = "a getter without a default raises HTTPError(400) for you"


class RepeatedNames(ExerciseCase):
    def test_the_last_value_of_the_query_and_of_the_body(self) -> None:
        self.send("POST", "/a?a=1&a=2", form={"a": "3"}).expect(
            status=200,
            json={"query": "2", "body": "3", "all": ["1", "2", "3"]},
            look=f"{QUERY}\n{BODY}\n{ALL}",
        )

    def test_the_name_is_the_one_in_the_path(self) -> None:
        self.send("POST", "/size?size=S&a=1", form={"size": ["M", "L"], "a": "2"}).expect(
            status=200,
            json={"query": "S", "body": "L", "all": ["S", "M", "L"]},
            look="post(self, name): name is the text captured from the path",
        )

    def test_missing_in_the_query_is_400(self) -> None:
        self.send("POST", "/a", form={"a": "3"}).expect(status=400, look=MISSING)

    def test_missing_in_the_body_is_400(self) -> None:
        self.send("POST", "/a?a=1", form={"b": "3"}).expect(status=400, look=MISSING)
