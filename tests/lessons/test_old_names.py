"""APIs that are gone or renamed (curriculum, part 1) are nowhere used, only named as old."""

import re
from pathlib import Path

import pytest

from course.pages import blocks
from tests.support.lesson_pages import PAGES, ROOT, name_of

OLD_NAMES = {
    r"web\.asynchronous\b": "async def",
    r"\bgen\.(engine|Task)\b": "async def and await",
    r"\bgen\.(coroutine|Return)\b": "async def and return",
    r"\bAsyncIOMainLoop\b": "nothing: asyncio is the loop already",
    r"\bIOLoop\.instance\(": "asyncio.run(main())",
    r"\bIOLoop\.current\(\)\.(start|run_sync)\(": "asyncio.run(main())",
    r"\bmake_current\(": "asyncio.run(main())",
    r"\badd_callback_from_signal\b": "loop.add_signal_handler, or a handler as in CONTRIBUTING.md",
    r"\bserver\.(bind|start)\(": "add_sockets, or listen(reuse_port=True)",
    r"\b[sg]et_secure_cookie\b": "set_signed_cookie and get_signed_cookie",
    r"\bclear_all_cookies\b": "clear_cookie",
    r"\bxsrf_cookie\s*=": "xsrf_cookies=True",
    r"\bresponse\.error\b": "try and except around fetch()",
    r"\bfetch\([^)\n]*callback=": "await",
    r"\bimport (torndb|aioredis|motor|aiopg)\b": "PyMySQL, redis.asyncio, pymongo, psycopg",
    r"\btornado\.(database|wsgi\.WSGIAdapter|wsgi\.WSGIApplication|platform\.epoll)\b": "(removed)",
    r'"Permanent"': "permanent",
    r"X-XSS-Protection": "a Content-Security-Policy",
}

CODE = [
    path
    for folder in ("lessons", "capstone_chat", "course", "notebooks")
    for suffix in ("*.py", "*.html", "*.ipynb", "*.js")
    for path in sorted((ROOT / folder).rglob(suffix))
    # A learner's answer may be right with an old name, and a check must accept it. The exercises
    # "make this old code work" begin with old names.
    if "answers" not in path.parts
    and not re.search(r"exercises/(check_)?old_\w+\.py$", path.as_posix())
]


def old_names_in(text: str) -> list[str]:
    """Each old name in text, with what to write today."""
    return [
        f"{match[0]!r}: write {instead}"
        for pattern, instead in OLD_NAMES.items()
        for match in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_code_uses_no_old_name(path: Path) -> None:
    assert not old_names_in(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_block_of_a_page_shows_an_old_name(page: Path) -> None:
    if page.name == "MIGRATING.md":  # the one page that is about them
        return
    assert not [name for block in blocks(page) for name in old_names_in(block.text)]


def test_an_old_name_would_be_seen() -> None:
    assert old_names_in("tornado.ioloop.IOLoop.instance().start()") == [
        "'IOLoop.instance(': write asyncio.run(main())"
    ]
    assert not old_names_in("self.set_signed_cookie('user', name)")
