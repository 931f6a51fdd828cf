"""Address and scheme are those of the visitor, behind the proxies and without them."""

import tornado.httpserver

from course.testing.http import ExerciseCase, InvalidSubmission

XHEADERS = "make_server(): HTTPServer ignores these headers unless it gets  xheaders=True."
TRUSTED = (
    "make_server(): each proxy appends to X-Forwarded-For the address that it got the request from."
    "\nTornado reads the list from its end and skips the addresses in trusted_downstream, a list "
    "of texts:\nname there the proxies that are in the list."
)
FORGED = (
    "The visitor can write any address at the beginning of the list. Read it from its end, as\n"
    "trusted_downstream does."
)
DIRECT = "WhoHandler: leave it unchanged. make_server() decides what self.request has."
ADDRESS = "A text that is not an address is ignored: leave that to xheaders=True."


class RealClient(ExerciseCase):
    def get_http_server(self) -> tornado.httpserver.HTTPServer:
        factory = getattr(self.subject, "make_server", None)
        server = factory(self._app) if callable(factory) else None
        if not isinstance(server, tornado.httpserver.HTTPServer):
            raise InvalidSubmission("The file needs a make_server(app) that returns an HTTPServer.")
        return server

    def seen(self, address: str, scheme: str, headers: dict[str, str], advice: str) -> None:
        wanted = {"address": address, "scheme": scheme}
        answer = self.send("GET", "/who", headers=headers)
        if "6.6.6.6" in answer.text:
            advice = FORGED
        answer.expect(status=200, json=wanted, advice=advice)

    def test_a_request_without_a_proxy_keeps_its_address(self) -> None:
        self.seen("127.0.0.1", "http", {}, DIRECT)

    def test_the_visitor_of_a_proxy_that_sends_x_real_ip(self) -> None:
        headers = {"X-Real-IP": "203.0.113.7", "X-Scheme": "https"}
        self.seen("203.0.113.7", "https", headers, XHEADERS)

    def test_the_visitor_of_a_proxy_that_sends_x_forwarded_for(self) -> None:
        headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        self.seen("203.0.113.7", "https", headers, XHEADERS)

    def test_one_proxy_behind_another(self) -> None:
        headers = {"X-Forwarded-For": "203.0.113.7, 10.0.0.5"}
        self.seen("203.0.113.7", "http", headers, TRUSTED)

    def test_addresses_that_the_visitor_has_written_are_ignored(self) -> None:
        headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.0.0.5"}
        self.seen("203.0.113.7", "http", headers, TRUSTED)

    def test_a_header_without_an_address_is_ignored(self) -> None:
        self.seen("127.0.0.1", "http", {"X-Real-IP": "<script>"}, ADDRESS)
