"""A POST deletes the very cookie that the login set, and leads to /club; a GET does nothing."""

import contextlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookies import Morsel, SimpleCookie
from typing import TypeAlias
from urllib.parse import urljoin

from course.testing.http import ExerciseCase, Mismatch, Response

LOGIN = "ClubHandler: leave the login as it was"
ROUTE = "a class LogoutHandler, and a route for it in make_app()"
METHOD = (
    "Call the method post(). A picture, a link and a preview send GET; only a form sends POST.\n"
    "The name of a handler's method is the HTTP method"
)
LEADS = 'LogoutHandler.post(): self.redirect("/club", status=303) makes the browser GET that page'
REPEATS = "307 and 308 repeat the POST at the new address: POST /club logs in again. Use status=303"
IN_GET = (
    "A GET must change nothing: any page can send one with a picture. prepare() runs for each\n"
    "method, so delete the cookie in post()"
)
NAME = 'LogoutHandler: the cookie of the login is called "member"'
CLEAR = "LogoutHandler: self.clear_cookie sets the cookie again, with a date in the past"
PATH = (
    "A cookie is deleted only with the path and the domain that it was set with:\n"
    "see ClubHandler.post(), and pass the same to clear_cookie()"
)

Key: TypeAlias = tuple[str, str, str]  # name, path and domain: together they name one cookie


def expired(cookie: Morsel[str]) -> bool:
    """Return whether a browser deletes the cookie; Max-Age counts before Expires."""
    with contextlib.suppress(TypeError, ValueError):  # a browser ignores what it cannot read
        if cookie["max-age"]:
            return int(cookie["max-age"]) <= 0
        return parsedate_to_datetime(cookie["expires"]) < datetime.now(UTC)
    return False


class Jar(dict[Key, str]):
    """Keeps cookies as a browser does."""

    def take(self, answer: Response) -> None:
        for line in answer.headers.get_list("Set-Cookie"):
            for name, cookie in SimpleCookie(line).items():
                key = (name, cookie["path"] or "/club", cookie["domain"])
                if expired(cookie):
                    self.pop(key, None)
                else:
                    self[key] = cookie.value

    @property
    def header(self) -> dict[str, str]:
        pairs = [f"{name}={value}" for (name, _, _), value in self.items()]
        return {"Cookie": "; ".join(pairs)} if pairs else {}

    def holds_member(self) -> bool:
        return any(name == "member" for name, _, _ in self)


class Logout(ExerciseCase):
    def member(self) -> Jar:
        """Return the cookies of somebody who has logged in."""
        jar = Jar()
        answer = self.send("POST", "/club", form={})
        jar.take(answer)
        if not jar.holds_member():
            raise Mismatch(
                sent=answer.sent,
                received="an answer that does not set the cookie member",
                expected="Set-Cookie: member=...",
                advice=LOGIN,
            )
        return jar

    def log_out(self, jar: Jar, method: str = "POST") -> Response:
        form = {} if method == "POST" else None
        answer = self.send(method, "/club/logout", headers=jar.header, form=form)
        jar.take(answer)
        return answer

    def test_the_login_works_as_before(self) -> None:
        self.send("GET", "/club", headers=self.member().header).expect(
            status=200, json={"member": True}, advice=LOGIN
        )

    def test_the_logout_redirects_to_the_club(self) -> None:
        answer = self.log_out(self.member())
        advice_by_status = {404: ROUTE, 405: METHOD, 307: REPEATS, 308: REPEATS}
        advice = advice_by_status.get(answer.status or 0, LEADS)
        url = answer.response.effective_url if answer.response else ""
        leads_to = urljoin(url, answer.headers.get("Location", ""))
        if answer.status not in (302, 303) or leads_to != self.get_url("/club"):
            answer.expect(status=303, headers={"Location": "/club"}, advice=advice)

    def test_the_browser_deletes_the_cookie(self) -> None:
        jar = self.member()
        answer = self.log_out(jar)
        if jar.holds_member():
            lines = answer.headers.get_list("Set-Cookie")
            cookies = SimpleCookie("; ".join(lines))
            deleted = [name for name, cookie in cookies.items() if expired(cookie)]
            advice = PATH if "member" in deleted else NAME if deleted else CLEAR
            raise Mismatch(
                sent=answer.sent,
                received="\n".join(f"Set-Cookie: {line}" for line in lines) or "no Set-Cookie",
                expected="Set-Cookie: member=...; Path=/club, no Domain, and a date in the past",
                advice={404: ROUTE, 405: METHOD}.get(answer.status or 0, advice),
            )

    def test_a_get_does_not_log_out(self) -> None:
        for method in ("GET", "HEAD"):
            jar = self.member()
            before = dict(jar)
            answer = self.log_out(jar, method)
            if jar != before:
                raise Mismatch(
                    sent=answer.sent,
                    received="\n".join(
                        f"Set-Cookie: {line}" for line in answer.headers.get_list("Set-Cookie")
                    ),
                    expected="no change of the cookie, for example 405 Method Not Allowed",
                    advice=IN_GET,
                )
