"""A POST deletes the very cookie that the login set, and leads to /club; a GET does nothing."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookies import Morsel, SimpleCookie

from course.exercise_case import Answer, ExerciseCase, Mismatch

HANDLER = "a class LogoutHandler with one method, and a route for it in make_app()"
VERB = "name the method post(): a picture, a link and a preview send GET, only a form sends POST"
PATH = "clear_cookie needs the path that the cookie was set with: see ClubHandler.post()"
CLEAR = "LogoutHandler: self.clear_cookie sets it again, empty and with a date long past"


class Logout(ExerciseCase):
    def cookie(self, answer: Answer, look: str) -> Morsel[str]:
        """The cookie member that this answer sets."""
        cookies = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
        if "member" not in cookies:
            raise Mismatch(
                sent=answer.sent,
                came="an answer that does not set the cookie member",
                expected="Set-Cookie: member=...",
                look=look,
            )
        return cookies["member"]

    def logged_in(self) -> Morsel[str]:
        answer = self.send("POST", "/club", form={})
        return self.cookie(answer, "ClubHandler.post(): leave the login as the stub has it")

    def log_out(self, verb: str = "POST") -> Answer:
        headers = {"Cookie": f"member={self.logged_in().value}"}
        form = {} if verb == "POST" else None
        return self.send(verb, "/club/logout", headers=headers, form=form)

    def test_the_login_works_as_before(self) -> None:
        headers = {"Cookie": f"member={self.logged_in().value}"}
        self.send("GET", "/club", headers=headers).expect(
            status=200, json={"member": True}, look="ClubHandler: leave it as the stub has it"
        )

    def test_the_logout_leads_to_the_club(self) -> None:
        self.log_out().expect(status=303, headers={"Location": "/club"}, look=f"{HANDLER}\n{VERB}")

    def test_the_browser_is_told_to_delete_the_cookie(self) -> None:
        answer = self.log_out()
        cookie = self.cookie(answer, CLEAR)
        expires = cookie["expires"] and parsedate_to_datetime(cookie["expires"]).year
        if cookie.value or not expires or expires >= datetime.now(UTC).year:
            raise Mismatch(
                sent=answer.sent,
                came=f"Set-Cookie: {answer.headers['Set-Cookie']}",
                expected="an empty value, and a date in the past",
                look=CLEAR,
            )

    def test_it_is_the_cookie_of_the_login(self) -> None:
        answer = self.log_out()
        path = self.cookie(answer, CLEAR)["path"]
        if path != self.logged_in()["path"]:
            raise Mismatch(
                sent=answer.sent,
                came=f"a cookie member for the path {path} is deleted; there is none",
                expected=f"Path={self.logged_in()['path']}, as in the login's Set-Cookie",
                look=PATH,
            )

    def test_a_get_does_not_log_out(self) -> None:
        for verb in ("GET", "HEAD"):
            with self.subTest(verb):
                answer = self.log_out(verb)
                if answer.headers.get_list("Set-Cookie"):
                    answer.expect(status=405, headers={"Set-Cookie": None}, look=VERB)
