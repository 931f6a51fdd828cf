"""Each request becomes one line with verb, path and status; /health leaves none."""

from course.command_case import CommandCase

FUNCTION = "make_app(): Application(routes, log_function=log_request); see own_logs.py"
LINE = (
    "log_request(handler): handler.request has method, uri and path;\n"
    "handler.get_status() is the number; join them with blanks"
)
HEALTH = 'log_request(): write nothing when handler.request.path is "/health"'


class RequestLog(CommandCase):
    def test_a_request_is_one_line(self) -> None:
        self.start(look=FUNCTION)
        self.send("GET", "/light?id=1").expect(status=200, look="PageHandler.get()")
        log = self.end().expect(contains="GET /light?id=1 200", look=f"{LINE}\n{FUNCTION}").log
        self.expect(log.count("/light"), 1, sent=f"{self.sent}\n(counted: lines)", look=LINE)

    def test_an_error_is_a_line_too(self) -> None:
        self.start(look=FUNCTION)
        self.send("POST", "/nowhere").expect(status=404, look="make_app(): keep the route")
        self.end().expect(contains="POST /nowhere 404", look=LINE)

    def test_the_monitor_leaves_no_line(self) -> None:
        self.start(look=FUNCTION)
        self.send("GET", "/health?from=monitor").expect(status=200, look="PageHandler.get()")
        self.end().expect(lacks="/health", look=HEALTH)
