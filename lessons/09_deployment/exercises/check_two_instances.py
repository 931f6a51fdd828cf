"""Through nginx both processes answer in turn, and one of them if the other does not run.

Needs:  nginx
"""

import re

from course.testing.http import Mismatch, Response
from course.testing.services import ServiceCase

STUB = "main(): leave it unchanged."
CONF = (
    "NGINX: nginx refuses it, and says why. Each line ends with a semicolon, each { has its }. The "
    "upstream stands outside the server, and proxy_pass uses its name."
)
PID = "PidHandler: write str(os.getpid()), the number of the process, and nothing else."
UPSTREAM = (
    "NGINX: outside the server, a block  upstream app { ... }  with a line  "
    "server 127.0.0.1:APP_1;\nand one for APP_2. In the location,  proxy_pass http://app;  instead "
    "of the return."
)
NUMBERS = (
    "NGINX: write APP_1 and APP_2, not numbers. The processes listen on other ports at each check, "
    "and\nthe check replaces both words."
)
ONE = (
    "NGINX: one process gets all requests. The upstream needs a line for each, both of the same "
    "kind: without  backup  and without  ip_hash;"
)
AWAY = (
    "NGINX: one process does not run, and its requests fail. By default nginx asks the next one: "
    "leave proxy_next_upstream as it is."
)


class TwoInstances(ServiceCase):
    def test_both_answer_in_turn_and_one_if_the_other_does_not_run(self) -> None:
        self.start_nginx(advice=CONF)
        away, there = [self.start_app(port, advice=STUB) for port in self.apps]
        self.pids = {str(away.pid), str(there.pid)}
        numbers = re.search(r"\bserver\s+[\w.]+:\d", self.subject.NGINX)
        self.expect_answers_of(self.pids, NUMBERS if numbers else UPSTREAM)
        away.terminate()
        away.wait()
        self.expect_answers_of({str(there.pid)}, AWAY)

    def expect_answers_of(self, pids: set[str], advice: str) -> None:
        received = {self.ask(advice).text.strip() for _ in range(10)}
        if received != pids:
            if not received <= self.pids:
                advice = PID
            elif len(received) == 1:
                advice = ONE
            raise Mismatch(
                sent=f"ten times  GET /pid, with {len(pids)} running",
                received=f"answers  {', '.join(sorted(received))}",
                expected=f"answers  {', '.join(sorted(pids))}",
                advice=advice,
            )

    def ask(self, advice: str) -> Response:
        answer = self.send("GET", "/pid")
        if answer.status == 500:
            for port in self.apps:  # as the failure shows it
                print(*self.last_log_lines(str(port)), sep="\n")
            advice = PID
        return answer.expect(status=200, advice=advice)
