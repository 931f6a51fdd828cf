"""Checks that speak WebSocket: a failure says what was sent, came, was expected, where to look."""

from pathlib import Path
from textwrap import dedent

from course.checking.runner import CheckResult
from course.testing.websocket import WebSocketCase
from tests.course.sample_course import check_lines, message

ECHO = """
import tornado.web
import tornado.websocket

class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))

def make_app():
    return tornado.web.Application([("/echo", Echo)])
"""
REPLY = "self.write_message(message, binary=isinstance(message, bytes))"


def check(folder: Path, subject: str, *lines: str) -> CheckResult:
    """Run a check whose only test consists of these lines."""
    return check_lines(WebSocketCase, folder / "echo.py", subject, *lines)


CONNECT = 'socket = self.connect("/echo", advice="make_app()")'


def test_frames_of_each_kind_that_come_back_pass(tmp_path: Path) -> None:
    frames = ['"hello"', 'b"\\xff\\x00"', '{"a": [1, "ë"]}', '""']
    lines = [f'socket.send({frame}); socket.expect({frame}, advice="x")' for frame in frames]
    result = check(tmp_path, ECHO, CONNECT, *lines, "socket.close()")
    assert result.passed, result.failures
    assert (result.tests, result.output) == (1, "")


def test_a_failure_says_sent_came_expected_look(tmp_path: Path) -> None:
    lines = ['socket.send("hello")', 'socket.expect("hello", advice="on_message()")']
    wrong = ECHO.replace(REPLY, "self.write_message(message.upper())")
    assert message(check(tmp_path, wrong, CONNECT, *lines)) == dedent(
        """\
        sent      WebSocket /echo
                  text  'hello'
        received  text  'HELLO'
        expected  text  'hello'
        advice    on_message()"""
    )


def test_text_bytes_and_json_are_told_apart(tmp_path: Path) -> None:
    lines = ['socket.send("{\\"a\\": 1}")', 'socket.expect(b"x", advice="x")']
    told = message(check(tmp_path, ECHO, CONNECT, *lines))
    assert "received  text  '{\"a\": 1}'\nexpected  bytes b'x'" in told
    told = message(check(tmp_path, ECHO, CONNECT, lines[0], 'socket.expect({"a": 2}, advice="x")'))
    assert 'received  JSON  {"a": 1}\nexpected  JSON  {"a": 2}' in told
    assert check(tmp_path, ECHO, CONNECT, lines[0], 'socket.expect({"a": 1}, advice="x")').passed


def test_several_sockets_are_told_apart_by_their_names(tmp_path: Path) -> None:
    told = message(
        check(
            tmp_path,
            ECHO,
            'ada = self.connect("/echo", name="Ada", advice="x")',
            'bob = self.connect("/echo?a=1", name="Bob", headers={"X-A": "b"}, advice="x")',
            'ada.send("hello")',
            "ada.close()",
            'bob.send(b"1")',
            'bob.expect("hello", advice="x")',
        )
    )
    assert told == dedent(
        """\
        sent      Ada: WebSocket /echo
                  Bob: WebSocket /echo?a=1
                  Bob: X-A: b
                  Ada: text  'hello'
                  Ada: closes
                  Bob: bytes b'1'
        received  to Bob: bytes b'1'
        expected  to Bob: text  'hello'
        advice    x"""
    )


def test_silence_is_told(tmp_path: Path) -> None:
    lines = ['socket.send("hello")', 'socket.expect("hello", advice="on_message()")']
    told = message(check(tmp_path, ECHO.replace(REPLY, "pass"), CONNECT, *lines))
    assert "received  nothing within 2 seconds\nexpected  text  'hello'" in told


def test_an_exception_is_a_closed_connection_and_its_line(tmp_path: Path) -> None:
    lines = ['socket.send("hello")', 'socket.expect("hello", advice="on_message()")']
    told = message(check(tmp_path, ECHO.replace(REPLY, "self.write_message(5)"), CONNECT, *lines))
    assert "received  the connection closed\nexpected" in told
    assert "your code echo.py, line 7, in on_message\n" in told
    assert "TypeError: Expected bytes, unicode, or None; got <class 'int'>" in told


def test_a_missing_on_message_is_told(tmp_path: Path) -> None:
    lines = ['socket.send("hello")', 'socket.expect("hello", advice="on_message()")']
    told = message(check(tmp_path, ECHO.replace("on_message", "onmessage"), CONNECT, *lines))
    assert "received  the connection closed\n" in told
    assert "NotImplementedError" in told


def test_how_the_server_closes_can_be_expected(tmp_path: Path) -> None:
    closing = ECHO.replace(REPLY, 'self.close(4000, "enough")')
    send = 'socket.send("x")'
    for end in ("code=4000, ", ""):
        assert check(
            tmp_path, closing, CONNECT, send, f'socket.expect_close({end}advice="x")'
        ).passed
    twice = ['socket.expect_close(advice="x")'] * 2
    assert check(tmp_path, closing, CONNECT, send, *twice).passed
    told = message(
        check(tmp_path, closing, CONNECT, send, 'socket.expect_close(code=1003, advice="x")')
    )
    assert (
        "received  the connection closed with 4000 (enough)\n"
        "expected  the connection closed with 1003\n" in told
    )
    told = message(check(tmp_path, ECHO, CONNECT, send, 'socket.expect_close(advice="x")'))
    assert "received  text  'x'\nexpected  the connection closed\n" in told


def test_sending_to_a_closed_connection_is_no_error_of_the_check(tmp_path: Path) -> None:
    closing = ECHO.replace(REPLY, "self.close(4000)")
    lines = ['socket.send("a")', 'socket.expect_close(advice="x")', 'socket.send("b")']
    told = message(check(tmp_path, closing, CONNECT, *lines, 'socket.expect("b", advice="x")'))
    assert "received  the connection closed with 4000\nexpected  text  'b'" in told


def test_a_refused_handshake_is_an_answer(tmp_path: Path) -> None:
    refused = 'self.handshake("/echo", headers={"Origin": "https://evil.example"})'
    assert check(tmp_path, ECHO, f'{refused}.expect(status=403, advice="x")').passed
    assert check(tmp_path, ECHO, 'self.handshake("/echo").expect(status=101, advice="x")').passed
    told = message(check(tmp_path, ECHO, f'{refused}.expect(status=101, advice="check_origin()")'))
    assert told == dedent(
        """\
        sent      WebSocket /echo
                  Origin: https://evil.example
        received  403 Forbidden
                  Content-Type: text/html; charset=UTF-8
                  Cross origin websockets not allowed
        expected  101 Switching Protocols
        advice    check_origin()"""
    )


def test_a_socket_that_is_refused_fails_with_its_look(tmp_path: Path) -> None:
    told = message(check(tmp_path, ECHO, 'self.connect("/nowhere", advice="make_app()")'))
    assert "received  404 Not Found" in told
    assert told.endswith("advice    make_app()")


def test_a_handshake_that_should_be_refused_tells_of_itself_alone(tmp_path: Path) -> None:
    cookie = '{"Cookie": "user=" + "x" * 100}'
    told = message(
        check(
            tmp_path,
            ECHO,
            'self.handshake("/echo")',
            f'self.handshake("/echo?a=1", headers={cookie}).expect(status=401, advice="prepare()")',
        )
    )
    assert told == dedent(
        f"""\
        sent      WebSocket /echo?a=1
                  Cookie: user={"x" * 67} ...
        received  101 Switching Protocols
                  (the WebSocket is open)
        expected  401 Unauthorized
        advice    prepare()"""
    )


def test_a_handshake_without_an_answer_is_told(tmp_path: Path) -> None:
    for prepare, came in {
        "def initialize(self): raise ValueError": "the server closed the connection",
        "async def prepare(self): await __import__('asyncio').Event().wait()": "within 4 seconds",
    }.items():
        subject = ECHO.replace("    def on_message", f"    {prepare}\n    def on_message")
        assert came in message(check(tmp_path, subject, CONNECT))


def test_a_close_that_is_not_answered_is_told(tmp_path: Path) -> None:
    waiting = ECHO.replace("    def on", "    async def on").replace(
        REPLY, "await __import__('asyncio').Event().wait()"
    )
    told = message(check(tmp_path, waiting, CONNECT, 'socket.send("x")', "socket.close()"))
    assert "received  nothing within 2 seconds\nexpected  the connection closed" in told
