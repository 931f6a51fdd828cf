"""The old guest page greets again, and its form accepts only its own token."""

import re
import warnings
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin

from course.testing.http import ExerciseCase, Response

BYTES = (
    'get_signed_cookie() returns bytes, or None for a new visitor: (... or b"stranger").decode()'
)
FIELD = (
    "{{ }} is for templates, and would escape the field. Write the text of self.xsrf_form_html()."
)
PLURAL = 'The setting is "xsrf_cookies". Tornado ignores a name that it does not know.'
BACK = "After the form, the browser must open the page again: redirect to /guests."
ACCEPTED = "A form with the token of its own page must be accepted."
ESCAPE = "The name comes from the visitor: xhtml_escape(name)"
HTTP_ONLY = "The keyword is httponly, in small letters: Tornado 7 refuses HttpOnly."
SIGNED = "Sign the cookie: anybody could write another name into a plain one."


class OldGuestbook(ExerciseCase):
    def form(self, name: str) -> Response:
        """Send the form of the page, with its token."""
        page = self.send("GET", "/guests").expect(status=200, advice=BYTES)
        found = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        if not found:
            page.expect(contains='name="_xsrf"', advice=FIELD)
        token = found[1] if found else ""
        cookies = SimpleCookie("; ".join(page.headers.get_list("Set-Cookie")))
        sent = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        body = urlencode({"name": name, "_xsrf": token})
        answer = self.send("POST", "/guests", headers={"Cookie": sent}, body=body)
        if answer.status not in (302, 303):
            answer.expect(status=302, advice=ACCEPTED)
        leads_to = urljoin(self.get_url("/guests"), answer.headers.get("Location", ""))
        if leads_to != self.get_url("/guests"):
            answer.expect(headers={"Location": "/guests"}, advice=BACK)
        return answer

    def test_a_new_visitor_is_greeted(self) -> None:
        self.send("GET", "/guests").expect(status=200, contains="Hello stranger", advice=BYTES)

    def test_the_form_has_a_hidden_field(self) -> None:
        page = self.send("GET", "/guests").expect(status=200, advice=BYTES)
        page.expect(contains='<input type="hidden" name="_xsrf"', advice=FIELD)

    def test_a_form_without_the_token_is_refused(self) -> None:
        self.send("POST", "/guests", body="name=Eve").expect(status=403, advice=PLURAL)

    def greeting(self, name: str) -> Response:
        answer = self.form(name)
        cookies = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
        sent = {"Cookie": f"name={cookies['name'].value}"} if "name" in cookies else {}
        return self.send("GET", "/guests", headers=sent).expect(status=200, advice=BYTES)

    def test_a_name_is_kept_and_shown_as_text(self) -> None:
        self.greeting("Zoë").expect(contains="Hello Zoë", advice=BYTES)
        self.greeting("<b>Bob</b>").expect(contains="Hello &lt;b&gt;Bob", advice=ESCAPE)

    def test_scripts_cannot_read_the_cookie_and_no_old_keyword_is_used(self) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            answer = self.form("Ada")
        cookies = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
        sent = f"{answer.sent}\nthe cookie name"
        received = bool(cookies["name"]["httponly"]) if "name" in cookies else None
        self.expect(received, True, sent=sent, advice=HTTP_ONLY)
        old = [str(each.message) for each in caught if "HttpOnly" in str(each.message)]
        self.expect(old, [], sent=f"{answer.sent}\nwarnings", advice=HTTP_ONLY)

    def test_a_name_that_was_not_signed_is_ignored(self) -> None:
        page = self.send("GET", "/guests", headers={"Cookie": "name=Eve"})
        page.expect(status=200, contains="Hello stranger", advice=SIGNED)
