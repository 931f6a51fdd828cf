"""Through nginx both instances answer in turn, and one of them when the other is away.

Needs:  nginx
"""

from course.exercise_case import Mismatch
from course.program_case import ProgramCase

STUB = "main(): leave it as the stub has it"
CONF = "NGINX: each line ends with a semicolon, each { has its }"
PID = "PidHandler: write str(os.getpid()), the number of the process, and nothing else"
UPSTREAM = (
    "NGINX: before the server  upstream app { ... }  with a line  server 127.0.0.1:APP_1;\n"
    "and one for APP_2; in the location  proxy_pass http://app;  instead of the return"
)


class TwoInstances(ProgramCase):
    def test_both_answer_in_turn_and_one_when_the_other_is_away(self) -> None:
        self.start_nginx(look=CONF)
        away, there = self.processes = [self.start_app(port, look=STUB) for port in self.apps]
        self.expect_answers_of({str(away.pid), str(there.pid)})
        away.terminate()
        away.wait()
        self.expect_answers_of({str(there.pid)})

    def expect_answers_of(self, pids: set[str]) -> None:
        came = {self.send("GET", "/pid").expect(status=200, look=UPSTREAM).text for _ in range(10)}
        if came != pids:
            known = came <= {str(process.pid) for process in self.processes}
            raise Mismatch(
                sent=f"ten times  GET /pid, with {len(pids)} running",
                came=f"answers  {', '.join(sorted(came))}",
                expected=f"answers  {', '.join(sorted(pids))}",
                look=UPSTREAM if known else PID,
            )
