"""Through nginx both instances answer in turn, and one of them if the other does not run.

Needs:  nginx
"""

import re

from course.exercise_case import Answer, Mismatch
from course.program_case import ProgramCase

STUB = "main(): leave it as the stub has it."
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
    "NGINX: write APP_1 and APP_2, not numbers. The instances listen on other ports at each check, "
    "and\nthe check replaces both words."
)
ONE = (
    "NGINX: one instance gets all requests. The upstream needs a line for each, both of the same "
    "rank: without  backup  and without  ip_hash;"
)
AWAY = (
    "NGINX: one instance is away, and its requests fail. By default nginx asks the next one: leave "
    "proxy_next_upstream as it is."
)


class TwoInstances(ProgramCase):
    def test_both_answer_in_turn_and_one_if_the_other_does_not_run(self) -> None:
        self.start_nginx(look=CONF)
        away, there = [self.start_app(port, look=STUB) for port in self.apps]
        self.pids = {str(away.pid), str(there.pid)}
        numbers = re.search(r"\bserver\s+[\w.]+:\d", self.subject.NGINX)
        self.expect_answers_of(self.pids, NUMBERS if numbers else UPSTREAM)
        away.terminate()
        away.wait()
        self.expect_answers_of({str(there.pid)}, AWAY)

    def expect_answers_of(self, pids: set[str], look: str) -> None:
        came = {self.ask(look).text.strip() for _ in range(10)}
        if came != pids:
            if not came <= self.pids:
                look = PID
            elif len(came) == 1:
                look = ONE
            raise Mismatch(
                sent=f"ten times  GET /pid, with {len(pids)} running",
                came=f"answers  {', '.join(sorted(came))}",
                expected=f"answers  {', '.join(sorted(pids))}",
                look=look,
            )

    def ask(self, look: str) -> Answer:
        answer = self.send("GET", "/pid")
        if answer.status == 500:
            for port in self.apps:  # as the failure shows it
                print(*self.log(str(port)), sep="\n")
            look = PID
        return answer.expect(status=200, look=look)
