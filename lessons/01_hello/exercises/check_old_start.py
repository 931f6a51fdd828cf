"""The profile is JSON, wrong requests get a status from 400 to 499, and both redirects work."""

from course.testing.http import ExerciseCase

LIST = "write() accepts no list: self.write(json.dumps([...])), and set the header Content-Type"
UNKNOWN = "a user who is not in the database is no failure of the server: HTTPError(404)"
MISSING = "an argument without a default is answered with 400: leave get_query_argument as it is"
STATUS = 'a status is a number: raise tornado.web.HTTPError(415), not send_error("415")'
RAISED = "after an error the method must end: raise HTTPError, which also ends post()"
SEE_OTHER = "after a form, redirect with status=303: the browser then sends a GET"
ENCODED = (
    'a name may contain spaces and &: url_concat("/profile", {"user": user}), of tornado.httputil'
)
PERMANENT = 'the key is "permanent", in lower case; with a capital letter Tornado sends no response'


class OldStart(ExerciseCase):
    def test_a_profile_is_json(self) -> None:
        answer = self.send("GET", "/profile?user=ada")
        answer.expect(
            status=200, content_type="application/json", json=["ada", "author"], advice=LIST
        )

    def test_an_unknown_user_is_404(self) -> None:
        self.send("GET", "/profile?user=bob").expect(status=404, advice=UNKNOWN)

    def test_without_a_user_it_is_400(self) -> None:
        self.send("GET", "/profile").expect(status=400, advice=MISSING)

    def test_json_is_refused(self) -> None:
        answer = self.send("POST", "/profile", json={"user": "ada", "job": "poet"})
        answer.expect(status=415, advice=STATUS)

    def test_a_form_that_claims_to_be_json_changes_nothing(self) -> None:
        self.send(
            "POST",
            "/profile?user=ada&job=poet",
            body="user=ada&job=poet",
            headers={"Content-Type": "application/json"},
        ).expect(status=415, advice=STATUS)
        self.send("GET", "/profile?user=ada").expect(json=["ada", "author"], advice=RAISED)

    def test_a_form_changes_the_profile(self) -> None:
        form = {"user": "Jo & Co", "job": "bakers"}
        answer = self.send("POST", "/profile", form=form).expect(status=303, advice=SEE_OTHER)
        self.send("GET", answer.headers.get("Location", "/")).expect(
            status=200, json=["Jo & Co", "bakers"], advice=ENCODED
        )

    def test_the_old_address_redirects(self) -> None:
        answer = self.send("GET", "/old?user=ada")
        answer.expect(status=302, headers={"Location": "/profile?user=ada"}, advice=PERMANENT)
