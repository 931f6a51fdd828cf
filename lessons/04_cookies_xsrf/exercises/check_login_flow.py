"""Members see the page, others are led to the login and back; nobody is led to another host."""

import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin

from course.testing.http import ExerciseCase, Mismatch, Response

GUARD = (
    "ProfileHandler: @tornado.web.authenticated above get(), login_url='/login' in make_app().\n"
    "Without a login it answers 302 to a GET, and 403 to any other method"
)
POST = "post() needs the same decorator as get(); the status is 403: a redirect would lose the form"
USER = 'get_current_user(): self.get_signed_cookie("member") returns bytes, or None for nobody'
COROUTINE = (
    "get_current_user() without async: nothing awaits it, and a coroutine object is true.\n"
    "Everybody is logged in"
)
NAME = "get_current_user(): the signed cookie is bytes; .decode() makes it text"
SETTING = "LoginHandler.post() as it was, and a cookie_secret in make_app()"
BACK = 'LoginHandler: redirect to get_query_argument("next", "/") if that is a path of this site'
LOCAL = (
    "A path of this site begins with one slash. Browsers read \\ as / and skip tabs and newlines:\n"
    "local_path() in login.py refuses all of it. The host of this site elsewhere in the address\n"
    "proves nothing"
)
FOREIGN = (
    "https://evil.example/profile",
    "//evil.example/profile",
    "///evil.example/profile",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "https:evil.example",
    "https://evil.example/HOST/profile",
    "http://HOST@evil.example/profile",
    "javascript:alert(1)",
)
# A version 2 value without a signature that fits.
FORGED = "2|1:0|10:1800000000|6:member|4:QWRh|" + 64 * "0"


class LoginFlow(ExerciseCase):
    def log_in(self, target: str | None = None) -> Response:
        query = f"?{urlencode({'next': target})}" if target is not None else ""
        return self.send("POST", f"/login{query}", form={"name": "Zoë"})

    def expect_redirect(self, answer: Response, path: str, advice: str) -> None:
        """Raise `Mismatch` unless a browser would ask for this path next, with GET."""
        location = answer.headers.get("Location", "")
        leads_to = urljoin(answer.response.effective_url if answer.response else "", location)
        if answer.status not in (302, 303) or leads_to != self.get_url(path):
            advice = COROUTINE if "<coroutine" in answer.text else advice
            status = 302 if answer.sent.startswith("GET") else 303
            answer.expect(status=status, headers={"Location": path}, advice=advice)

    def member(self) -> dict[str, str]:
        """Return the headers of somebody who has logged in."""
        answer = self.log_in()
        cookies = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
        if "member" not in cookies:
            raise Mismatch(
                sent=answer.sent,
                received=f"{answer.status}, and no cookie called member",
                expected="Set-Cookie: member=...",
                advice=SETTING,
            )
        return {"Cookie": f"member={cookies['member'].value}"}

    def test_a_visitor_is_redirected_to_the_login_with_next(self) -> None:
        self.expect_redirect(
            self.send("GET", "/profile?tab=2"), "/login?next=%2Fprofile%3Ftab%3D2", GUARD
        )

    def test_a_visitor_cannot_post(self) -> None:
        self.send("POST", "/profile", form={}).expect(status=403, advice=POST)

    def test_a_name_typed_by_hand_is_no_login(self) -> None:
        for path, headers in (
            ("/profile", {"Cookie": f"member={FORGED}"}),
            ("/profile?name=Ada", {}),
        ):
            answer = self.send("GET", path, headers=headers)
            if answer.status == 200:
                self.expect_redirect(answer, f"/login?{urlencode({'next': path})}", USER)

    def test_a_member_sees_the_page(self) -> None:
        member = self.member()
        for method in ("GET", "POST"):
            form = {} if method == "POST" else None
            answer = self.send(method, "/profile", headers=member, form=form)
            advice = (
                COROUTINE if "<coroutine" in answer.text else NAME if "b'" in answer.text else USER
            )
            answer.expect(status=200, contains="Profile of Zoë", advice=advice)

    def test_the_login_redirects_back(self) -> None:
        for path in ("/profile?tab=2", "/profile", "/"):
            self.expect_redirect(self.log_in(path), path, BACK)
        self.expect_redirect(self.log_in(), "/", BACK)

    def test_the_login_never_redirects_to_another_host(self) -> None:
        host = self.get_url("").removeprefix("http://")
        for target in FOREIGN:
            answer = self.log_in(target.replace("HOST", host))
            # Another path of this site is no danger.
            path = answer.headers.get("Location", "").removeprefix(self.get_url(""))
            if answer.status not in (302, 303) or not re.fullmatch(r"/(?!/)[!-\[\]-~]*", path):
                answer.expect(status=303, headers={"Location": "/"}, advice=LOCAL)
