"""One origin may read and change the notes, with cookies and with a preflight; no other may."""

from course.testing.http import ExerciseCase, Mismatch, Response

ALLOWED = "https://shop.example"
OTHERS = (
    "https://evil.example",
    "https://shop.example.evil.example",
    "http://shop.example",
    "null",
)
FREE = "Access-Control-Allow-Origin"
SET = f"set_default_headers(): if the request's Origin is ALLOWED, set {FREE} to it"
COOKIES = "pages that send cookies need Access-Control-Allow-Credentials: true"
ERRORS = (
    "a response with an error needs the headers, too: an error removes those that get() has set.\n"
    "Tornado calls set_default_headers() again"
)
STRANGER = "compare the whole Origin with ALLOWED; any other origin gets no such header"
VARY = "the response depends on the Origin of the request: it needs the header Vary: Origin"
OPTIONS = "NoteHandler: add a method options(self, name); a preflight must get 200 or 204"
METHODS = "options(): Access-Control-Allow-Methods must name PUT"
HEADERS = "options(): Access-Control-Allow-Headers must name Content-Type"
KEPT = "get() and put() are right already: leave them as they are"


class AllowOrigin(ExerciseCase):
    def ask(self, method: str, path: str, origin: str, **more: str) -> Response:
        return self.send(method, path, headers={"Origin": origin, **more})

    def preflight(self) -> Response:
        wanted = {"Access-Control-Request-Method": "PUT"}
        wanted["Access-Control-Request-Headers"] = "content-type"
        answer = self.ask("OPTIONS", "/notes/one", ALLOWED, **wanted)
        if answer.status not in (200, 204):
            answer.expect(status=204, advice=OPTIONS)
        return answer

    def expect_item(self, answer: Response, header: str, item: str, advice: str) -> None:
        """Raise `Mismatch` unless a header that is a list contains the item, or `*`."""
        value = answer.headers.get(header, "")
        if item.lower() not in {each.strip().lower() for each in value.split(",")}:
            raise Mismatch(
                sent=answer.sent,
                received=f"{header}: {value}" if value else f"{answer.status}, no {header}",
                expected=f"{header}: {item}",
                advice=advice,
            )

    def test_the_allowed_origin_may_read(self) -> None:
        answer = self.ask("GET", "/notes/one", ALLOWED, Cookie="user=ada")
        answer.expect(status=200, json={"text": "Buy milk", "user": "ada"}, advice=KEPT)
        answer.expect(headers={FREE: ALLOWED}, advice=SET)
        answer.expect(headers={"Access-Control-Allow-Credentials": "true"}, advice=COOKIES)

    def test_it_may_read_errors(self) -> None:
        answer = self.ask("GET", "/notes/two", ALLOWED)
        answer.expect(status=404, headers={FREE: ALLOWED}, advice=ERRORS)

    def test_the_preflight_is_answered(self) -> None:
        answer = self.preflight()
        answer.expect(headers={FREE: ALLOWED}, advice=SET)
        answer.expect(headers={"Access-Control-Allow-Credentials": "true"}, advice=COOKIES)
        self.expect_item(answer, "Access-Control-Allow-Methods", "PUT", METHODS)
        self.expect_item(answer, "Access-Control-Allow-Headers", "Content-Type", HEADERS)

    def test_it_may_change(self) -> None:
        answer = self.send("PUT", "/notes/one", body="Buy tea", headers={"Origin": ALLOWED})
        answer.expect(status=204, headers={FREE: ALLOWED}, advice=SET)

    def test_other_origins_may_not(self) -> None:
        for origin in OTHERS:
            for method, path in (
                ("GET", "/notes/one"),
                ("GET", "/notes/two"),
                ("OPTIONS", "/notes/one"),
            ):
                with self.subTest(f"{method} {path} {origin}"):
                    answer = self.ask(method, path, origin)
                    # A browser compares: the header with another origin allows nothing.
                    if answer.headers.get(FREE) != ALLOWED:
                        answer.expect(headers={FREE: None}, advice=STRANGER)
        self.send("GET", "/notes/one").expect(
            status=200, json={"text": "Buy milk", "user": None}, advice=KEPT
        )

    def test_caches_are_told(self) -> None:
        answers = [self.ask("GET", "/notes/one", each) for each in (ALLOWED, OTHERS[0])]
        if len({answer.headers.get(FREE) for answer in answers}) > 1:
            for answer in answers:
                self.expect_item(answer, "Vary", "Origin", VARY)
