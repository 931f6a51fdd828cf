"""No verb passes without the token; with it, in the form or in a header, everything works."""

import re
from http.cookies import SimpleCookie

from course.exercise_case import Answer, ExerciseCase, Mismatch

SETTING = "make_app(): Application(..., xsrf_cookies=True), with an s at the end"
FIELD = "get(): self.xsrf_form_html() is the hidden field; write it inside the form"
KWARGS = 'make_app(): xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"}'
NOTE = {"comment": "Nice"}


class ProtectForm(ExerciseCase):
    def page(self, cookie: str = "") -> Answer:
        answer = self.send("GET", "/", headers={"Cookie": cookie} if cookie else {})
        return answer.expect(status=200, look="get(): the page itself needs no token")

    def cookie(self, page: Answer) -> SimpleCookie:
        cookies = SimpleCookie("; ".join(page.headers.get_list("Set-Cookie")))
        if "_xsrf" not in cookies:
            raise Mismatch(
                sent=page.sent,
                came="a page that sets no cookie called _xsrf",
                expected="Set-Cookie: _xsrf=...",
                look=FIELD,
            )
        return cookies

    def token(self, page: Answer) -> str:
        field = re.search(r'<form[^>]*>.*name="_xsrf" value="([^"&<]+)".*</form>', page.text, re.S)
        if not field:
            raise Mismatch(
                sent=page.sent,
                came=page.text,
                expected='a form that holds <input type="hidden" name="_xsrf" value="..."/>',
                look=f"{FIELD}\nIn a template it is {{% module xsrf_form_html() %}}",
            )
        return field[1]

    def visitor(self) -> tuple[str, str]:
        """The header Cookie of somebody who has opened the page, and the token in it."""
        page = self.page()
        return f"_xsrf={self.cookie(page)['_xsrf'].value}", self.token(page)

    def test_a_post_without_a_token_is_refused(self) -> None:
        self.send("POST", "/", form=NOTE).expect(status=403, look=SETTING)

    def test_so_is_json_even_with_the_token_in_it(self) -> None:
        cookie, token = self.visitor()
        self.send("PUT", "/", json=NOTE | {"_xsrf": token}, headers={"Cookie": cookie}).expect(
            status=403, look=f"{SETTING}\nThe check covers PUT as well; leave it to Tornado"
        )

    def test_the_form_of_the_page_works(self) -> None:
        cookie, token = self.visitor()
        form = NOTE | {"_xsrf": token}
        self.send("POST", "/", form=form, headers={"Cookie": cookie}).expect(
            status=200, json=NOTE, look=FIELD
        )

    def test_json_works_with_the_token_in_a_header(self) -> None:
        cookie, token = self.visitor()
        headers = {"Cookie": cookie, "X-XSRFToken": token}
        self.send("PUT", "/", json=NOTE, headers=headers).expect(
            status=200, json=NOTE, look="put(): Tornado has compared header and cookie by then"
        )

    def test_a_page_opened_again_has_another_token_that_works_too(self) -> None:
        cookie, first = self.visitor()
        again = self.token(self.page(cookie))
        if again == first:
            raise Mismatch(
                sent="GET /, twice",
                came=f"the same field both times: {first}",
                expected="a field made for each page anew",
                look="ask self.xsrf_form_html() in get(), not once for all",
            )
        form = NOTE | {"_xsrf": again}
        self.send("POST", "/", form=form, headers={"Cookie": cookie}).expect(
            status=200, json=NOTE, look=FIELD
        )

    def test_the_cookie_is_kept_from_scripts_and_other_sites(self) -> None:
        page = self.page()
        cookie = self.cookie(page)["_xsrf"]
        if not cookie["httponly"] or cookie["samesite"] != "Lax":
            raise Mismatch(
                sent=page.sent,
                came=f"Set-Cookie: {page.headers['Set-Cookie']}",
                expected="Set-Cookie: _xsrf=...; HttpOnly; Path=/; SameSite=Lax",
                look=KWARGS,
            )
