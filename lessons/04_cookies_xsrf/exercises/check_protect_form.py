"""Only requests with the visitor's own token get through, from the form or in a header."""

from html.parser import HTMLParser
from http.cookies import SimpleCookie

from course.testing.http import ExerciseCase, Mismatch, Response

SETTING = "make_app(): Application(..., xsrf_cookies=True), with an s at the end"
FIELD = (
    "get(): self.xsrf_form_html() returns the hidden field; write it inside the form.\n"
    "In a template it is {% module xsrf_form_html() %}"
)
BRACKETS = "xsrf_form_html is a method: call it with its brackets, self.xsrf_form_html()"
OUTSIDE = "A browser sends only the fields inside <form> and </form>: write it after <form ...>"
ESCAPED = "The field was escaped, so the page shows it as text. Write it as it is"
WORKS = "get(): ask self.xsrf_form_html() for each page; the token belongs to the visitor's cookie"
PUT = "The check covers PUT too, and a field of JSON is no token: leave check_xsrf_cookie() alone"
HEADER = "put(): Tornado has compared the header X-XSRFToken with the cookie before"
OTHER = (
    "A token is valid only with the cookie of the same visitor. Tornado compares the two:\n"
    "xsrf_cookies=True in make_app(), and no check of your own"
)
KWARGS = 'make_app(): xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"}'
NOTE = {"comment": "Nice"}


class Fields(HTMLParser):
    """Finds the fields called _xsrf: those that a browser sends with a form, and the others."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.in_form = False
        self.sent: list[str] = []
        self.outside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.in_form = (attributes.get("method") or "").lower() == "post"
        elif tag == "input" and attributes.get("name") == "_xsrf":
            (self.sent if self.in_form else self.outside).append(attributes.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.in_form = False


class ProtectForm(ExerciseCase):
    def page(self) -> Response:
        return self.send("GET", "/").expect(status=200, advice="get(): the page needs no token")

    def cookie(self, page: Response) -> SimpleCookie:
        cookies = SimpleCookie("; ".join(page.headers.get_list("Set-Cookie")))
        if "_xsrf" not in cookies:
            raise Mismatch(
                sent=page.sent,
                received="a page that sets no cookie called _xsrf",
                expected="Set-Cookie: _xsrf=...",
                advice=FIELD,
            )
        return cookies

    def token(self, page: Response) -> str:
        fields = Fields(page.text)
        if fields.sent:
            return fields.sent[0]
        advice = OUTSIDE if fields.outside else ESCAPED if "&lt;input" in page.text else FIELD
        advice = BRACKETS if "bound method" in page.text else advice
        raise Mismatch(
            sent=page.sent,
            received=page.text,
            expected='<input type="hidden" name="_xsrf" value="..."/> inside <form method="post">',
            advice=advice,
        )

    def visitor(self) -> tuple[str, str]:
        """Return the header Cookie of somebody who has opened the page, and the token in it."""
        page = self.page()
        token = self.token(page)
        return f"_xsrf={self.cookie(page)['_xsrf'].value}", token

    def post(self, cookie: str, token: str) -> Response:
        form = NOTE | {"_xsrf": token}
        return self.send("POST", "/", form=form, headers={"Cookie": cookie})

    def test_a_post_without_a_token_is_refused(self) -> None:
        self.send("POST", "/", form=NOTE).expect(status=403, advice=SETTING)

    def test_json_is_refused_even_with_the_token_in_it(self) -> None:
        cookie, token = self.visitor()
        headers = {"Cookie": cookie, "X-Requested-With": "XMLHttpRequest"}
        self.send("PUT", "/", json=NOTE | {"_xsrf": token}, headers=headers).expect(
            status=403, advice=PUT
        )

    def test_the_form_of_the_page_works(self) -> None:
        self.post(*self.visitor()).expect(status=200, json=NOTE, advice=WORKS)

    def test_json_works_with_the_token_in_a_header(self) -> None:
        cookie, token = self.visitor()
        headers = {"Cookie": cookie, "X-XSRFToken": token}
        self.send("PUT", "/", json=NOTE, headers=headers).expect(
            status=200, json=NOTE, advice=HEADER
        )

    def test_a_page_opened_again_works_too(self) -> None:
        cookie, _ = self.visitor()
        again = self.send("GET", "/", headers={"Cookie": cookie}).expect(status=200, advice=WORKS)
        self.post(cookie, self.token(again)).expect(status=200, json=NOTE, advice=WORKS)

    def test_the_token_of_somebody_else_is_refused(self) -> None:
        cookie, _ = self.visitor()
        _, other = self.visitor()
        for wrong in (other, "anything"):
            self.post(cookie, wrong).expect(status=403, advice=OTHER)

    def test_the_cookie_is_kept_from_scripts_and_other_sites(self) -> None:
        page = self.page()
        cookie = self.cookie(page)["_xsrf"]
        if not cookie["httponly"] or cookie["samesite"].lower() != "lax":
            raise Mismatch(
                sent=page.sent,
                received=f"Set-Cookie: {page.headers['Set-Cookie']}",
                expected="Set-Cookie: _xsrf=...; HttpOnly; Path=/; SameSite=Lax",
                advice=KWARGS,
            )
