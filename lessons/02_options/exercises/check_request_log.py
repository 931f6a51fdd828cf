"""Each request becomes one line with method, address and status; there is none for /health."""

import re

from course.testing.command import CommandCase, Mismatch

FUNCTION = (
    "make_app(): Application(routes, log_function=log_request); see own_logs.py.\n"
    "Pass the function itself, without (): Tornado calls it"
)
LINE = (
    "log_request(handler): handler.request.method and handler.request.uri,\n"
    "and handler.get_status(); write them in one message"
)
BAD_MESSAGE = (
    'log_request(): "Bad message" means that text and values do not fit together.\n'
    "The text has one %s or %d for each value; handler.get_status() is called with ()"
)
URI = "log_request(): handler.request.uri has the query, handler.request.path has not"
LOG = "log_request(): write to the log with access_log.info(); print() is no log"
HEALTH = 'log_request(): write nothing if handler.request.path is "/health"'
OTHERS = "log_request(): leave out only the path /health; every other request is one line"
ROUTES = "make_app(): leave the route as it is"
# Tornado's own line: 200 GET /light?id=1 (127.0.0.1) 0.54ms
TORNADO = re.compile(r"\d{3} [A-Z]+ \S+ \(\S+\) [\d.]+ms")


class RequestLog(CommandCase):
    def requests(self, *requests: str) -> list[str]:
        """Send these requests and return the lines of the log."""
        self.start(advice=FUNCTION)
        for request in requests:
            method, path = request.split()
            answer = self.send(method, path)
            known = path.partition("?")[0] in ("/light", "/health")
            answer.expect(status=200 if known else 404, advice=ROUTES)
        return self.stop_program().log.splitlines()

    def expect_line(self, lines: list[str], words: list[str], path: str) -> None:
        """There is one line about the path, and it has these words."""
        found = [line for line in lines if path in line]
        complete = [line for line in found if all(word in line for word in words)]
        bad = any("Bad message" in line for line in lines)
        if len(found) == len(complete) == 1 and not TORNADO.search(found[0]) and not bad:
            return
        if bad:
            advice = BAD_MESSAGE
        elif any(TORNADO.search(line) for line in found):
            advice = FUNCTION
        elif found:
            advice = LINE if any(words[1] in line for line in found) else URI
        else:
            advice = f"{OTHERS}\n{LOG}"
        raise Mismatch(
            sent=self.sent,
            received="\n".join(["the log:", *(f"  {line}" for line in lines[-6:])]),
            expected=f"one line with {', '.join(words)}",
            advice=advice,
        )

    def test_each_request_is_one_line(self) -> None:
        lines = self.requests("GET /light?id=1", "GET /nowhere?id=2", "DELETE /other?id=3")
        self.expect_line(lines, ["GET", "/light?id=1", "200"], "/light")
        self.expect_line(lines, ["GET", "/nowhere?id=2", "404"], "/nowhere")
        self.expect_line(lines, ["DELETE", "/other?id=3", "404"], "/other")

    def test_requests_of_the_monitoring_program_are_not_logged(self) -> None:
        lines = self.requests(
            "GET /health", "GET /health?from=monitor", "GET /light?id=health", "GET /healthy"
        )
        if any("/health" in line.replace("/healthy", "") for line in lines):
            raise Mismatch(
                sent=self.sent,
                received="\n".join(["the log:", *(f"  {line}" for line in lines[-6:])]),
                expected="no line with /health",
                advice=HEALTH,
            )
        self.expect_line(lines, ["GET", "/light?id=health", "200"], "/light")
        self.expect_line(lines, ["GET", "/healthy", "404"], "/healthy")
