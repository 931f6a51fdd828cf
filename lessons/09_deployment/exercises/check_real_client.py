"""Through the proxies the visitor's address and scheme are seen; a direct request keeps its own."""

import tornado.httpserver

from course.exercise_case import ExerciseCase, Unusable

XHEADERS = "make_server(): HTTPServer ignores these headers unless it is told  xheaders=True"
TRUSTED = (
    "make_server(): X-Forwarded-For lists who handed the request on, the last one last;\n"
    "trusted_downstream names the addresses in it that are ours: the last other one is the visitor"
)
DIRECT = "WhoHandler: what self.request says is right already: leave it as the stub has it"


class RealClient(ExerciseCase):
    def get_http_server(self) -> tornado.httpserver.HTTPServer:
        factory = getattr(self.subject, "make_server", None)
        server = factory(self._app) if callable(factory) else None
        if not isinstance(server, tornado.httpserver.HTTPServer):
            raise Unusable("The file needs a make_server(app) that returns an HTTPServer.")
        return server

    def seen(self, address: str, scheme: str, headers: dict[str, str], look: str) -> None:
        wanted = {"address": address, "scheme": scheme}
        self.send("GET", "/who", headers=headers).expect(status=200, json=wanted, look=look)

    def test_a_direct_request_keeps_its_own(self) -> None:
        self.seen("127.0.0.1", "http", {}, DIRECT)

    def test_the_visitor_of_a_proxy_that_sends_x_real_ip(self) -> None:
        headers = {"X-Real-IP": "203.0.113.7", "X-Scheme": "https"}
        self.seen("203.0.113.7", "https", headers, XHEADERS)

    def test_the_visitor_of_a_proxy_that_sends_x_forwarded_for(self) -> None:
        headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        self.seen("203.0.113.7", "https", headers, XHEADERS)

    def test_one_proxy_behind_another(self) -> None:
        for hops in ("10.0.0.5", "10.0.0.5, 127.0.0.1"):
            self.seen("203.0.113.7", "http", {"X-Forwarded-For": f"203.0.113.7, {hops}"}, TRUSTED)

    def test_what_the_visitor_wrote_into_the_list_is_not_believed(self) -> None:
        headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.0.0.5"}
        self.seen("203.0.113.7", "http", headers, TRUSTED)

    def test_what_is_no_address_is_not_believed(self) -> None:
        self.seen("127.0.0.1", "http", {"X-Real-IP": "<script>"}, XHEADERS)
