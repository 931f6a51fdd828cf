"""curl commands of the pages as requests of the console."""

import pytest

from course.tour.curl import read_request

FORM = ("Content-Type", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("command", "method", "path", "headers", "body"),
    [
        ("curl http://localhost:8888", "GET", "/", [], ""),
        ("curl --include http://localhost:8888/a/b?c=1#d", "GET", "/a/b?c=1", [], ""),
        ("curl --head http://localhost:8888/", "HEAD", "/", [], ""),
        ("curl --request DELETE http://localhost:8888/x", "DELETE", "/x", [], ""),
        ('curl -d "a=3" "http://localhost:8888/?a=1&a=2"', "POST", "/?a=1&a=2", [FORM], "a=3"),
        ('curl -X PUT --data "{}" http://localhost:1/', "PUT", "/", [FORM], "{}"),
        (
            'curl --header "Content-Type: application/json" -d "[1]" http://localhost:8888/',
            "POST",
            "/",
            [("Content-Type", "application/json")],
            "[1]",
        ),
        ('curl --cookie "a=b" http://localhost:1/', "GET", "/", [("Cookie", "a=b")], ""),
        ('curl --write-out "%{time_total} s" --max-time 1 http://localhost:1/', "GET", "/", [], ""),
    ],
)
def test_a_command_is_read_as_a_request(
    command: str, method: str, path: str, headers: list[tuple[str, str]], body: str
) -> None:
    assert read_request(command) == {
        "method": method,
        "path": path,
        "headers": headers,
        "body": body,
    }


@pytest.mark.parametrize(
    "command",
    [
        "python3 learn.py run 01",
        "curl http://localhost:1/ http://localhost:1/",
        'curl -Z "http://localhost:1/slow?[1-3]"',
        'curl "http://localhost:1/{a,b}"',
        "curl --cookie none http://localhost:1/",
        "curl --data-binary @LICENSE http://localhost:1/",
        "curl -d @LICENSE http://localhost:1/",
        "curl --header @handshake.txt http://localhost:1/",
        'curl --form "picture=@LICENSE" http://localhost:1/',
    ],
)
def test_the_console_sends_one_request_without_files(command: str) -> None:
    assert read_request(command) is None
