"""Read a curl command of a page as a request that the request console can send."""

import shlex
from typing import TypedDict
from urllib.parse import urlsplit

WITHOUT_EFFECT = {"--include", "--no-progress-meter", "--path-as-is", "--silent"}
"""Options that change what curl prints, not what it sends."""
WITHOUT_EFFECT_BUT_VALUE = {"--write-out", "--max-time"}
METHOD = {"--request", "-X"}
DATA = {"-d", "--data"}


class Request(TypedDict):
    """A request, as the request console shows it."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: str


def read_request(command: str) -> Request | None:
    """Return the request that a command sends.

    Args:
        command: a command line of a page.

    Returns:
        None if the command is not curl, sends several requests or a file, or keeps cookies: the
        console sends one request at a time.
    """
    program, *words = shlex.split(command)
    if program != "curl":
        return None
    method, body, urls = "", "", []
    headers: list[tuple[str, str]] = []
    while words:
        word = words.pop(0)
        if word in METHOD:
            method = words.pop(0)
        elif word == "--head":
            method = "HEAD"
        elif word in DATA and not words[0].startswith("@"):
            method, body = method or "POST", words.pop(0)
        elif word == "--header" and ":" in words[0]:
            name, _, value = words.pop(0).partition(":")
            headers.append((name, value.strip()))
        elif word == "--cookie" and "=" in words[0]:
            headers.append(("Cookie", words.pop(0)))
        elif word in WITHOUT_EFFECT_BUT_VALUE:
            words.pop(0)
        elif word not in WITHOUT_EFFECT:
            if word.startswith("-"):
                return None
            urls.append(word)
    if len(urls) != 1 or any(mark in urls[0] for mark in "[{"):
        return None
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    parts = urlsplit(urls[0])
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request(method=method or "GET", path=path, headers=headers, body=body)
