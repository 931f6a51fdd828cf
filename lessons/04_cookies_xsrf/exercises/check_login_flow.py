"""Members see the page, others are led to the login and back; nobody is led to another host."""

from http.cookies import SimpleCookie
from urllib.parse import urlencode

from course.exercise_case import Answer, ExerciseCase, Mismatch

GUARD = (
    "ProfileHandler: @tornado.web.authenticated above get(); login_url='/login' in make_app();\n"
    "get_current_user() without async, for nobody awaits it"
)
USER = 'get_current_user(): self.get_signed_cookie("member") is bytes, or None for nobody'
BACK = 'LoginHandler: redirect to get_query_argument("next", "/") where that is a path of this site'
LOCAL = (
    "a path of this site begins with one slash. Browsers read \\ as /, and skip tabs and\n"
    "newlines: local_path() in login.py refuses all of it"
)
FOREIGN = (
    "https://evil.example/profile",
    "//evil.example/profile",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "evil.example",
)


class LoginFlow(ExerciseCase):
    def log_in(self, target: str | None = None) -> Answer:
        query = f"?{urlencode({'next': target})}" if target is not None else ""
        return self.send("POST", f"/login{query}", form={"name": "Zoë"})

    def member(self) -> dict[str, str]:
        """The headers of somebody who has logged in."""
        answer = self.log_in()
        cookies = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
        if "member" not in cookies:
            raise Mismatch(
                sent=answer.sent,
                came="an answer that sets no cookie called member",
                expected="Set-Cookie: member=...",
                look="LoginHandler.post() as the stub has it, and a cookie_secret in make_app()",
            )
        return {"Cookie": f"member={cookies['member'].value}"}

    def test_a_stranger_is_led_to_the_login_with_the_way_back(self) -> None:
        self.send("GET", "/profile?tab=2").expect(
            status=302, headers={"Location": "/login?next=%2Fprofile%3Ftab%3D2"}, look=GUARD
        )

    def test_a_stranger_cannot_post(self) -> None:
        self.send("POST", "/profile", form={}).expect(
            status=403, look="post() needs the same guard; a form cannot be led to the login"
        )

    def test_a_name_typed_by_hand_is_no_login(self) -> None:
        self.send("GET", "/profile", headers={"Cookie": "member=Ada"}).expect(status=302, look=USER)
        self.send("GET", "/profile?name=Ada").expect(status=302, look=USER)

    def test_a_member_sees_the_page(self) -> None:
        member = self.member()
        for verb in ("GET", "POST"):
            with self.subTest(verb):
                form = {} if verb == "POST" else None
                self.send(verb, "/profile", headers=member, form=form).expect(
                    status=200, body="Profile of Zoë\n", look=f"{USER}\n.decode() makes it text"
                )

    def test_the_login_leads_back(self) -> None:
        for path in ("/profile?tab=2", "/", "/search?q=50%&to=https://example.com/"):
            self.log_in(path).expect(status=303, headers={"Location": path}, look=BACK)
        self.log_in().expect(status=303, headers={"Location": "/"}, look=BACK)

    def test_the_login_never_leads_to_another_host(self) -> None:
        for target in FOREIGN:  # the first that gets through is enough to read
            self.log_in(target).expect(status=303, headers={"Location": "/"}, look=LOCAL)
