"""What a README shows as output is what comes out.

    <!-- session: app.py -->           start the script; run each `$ curl ...` line; compare
    <!-- session: app.py --flag=1 -->  the same, with options
    <!-- change: app.py -->            a diff: `-` lines become the `+` lines, in a copy
    <!-- broken: app.py -->            a session with the changed copy
    <!-- log -->                       what the session before left in the server's terminal

A line `$ python3 learn.py run 01/app` shows what the script prints when it starts.
"""

import shlex
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.lessons.needs import servers_for
from tests.lessons.prose import READMES, ROOT, Block, blocks, matches
from tests.lessons.serving import Server, started
from tests.services import require_needs

KINDS = {"", "excerpt", "session", "change", "broken", "log"}


@dataclass
class Session:
    block: Block
    changes: list[Block] = field(default_factory=list)
    logs: list[Block] = field(default_factory=list)

    def __str__(self) -> str:
        return str(self.block)


def sessions() -> Iterator[Session]:
    for page in READMES:
        changes: list[Block] = []
        last: Session | None = None
        for block in blocks(page):
            assert block.kind in KINDS, f"{block}: no kind of block is called {block.kind}"
            if block.kind == "change":
                changes = [block]
            elif block.kind == "log":
                assert last, f"{block}: a log belongs to a session before it"
                last.logs.append(block)
            elif block.kind in {"session", "broken"}:
                assert block.kind == "session" or changes, f"{block}: no change before it"
                last = Session(block, changes if block.kind == "broken" else [])
                yield last


SESSIONS = list(sessions())


def steps(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with the output shown below it."""
    assert text.startswith("$ "), f"a session begins with a command: {text!r}"
    for step in ("\n" + text).split("\n$ ")[1:]:
        command, _, output = step.partition("\n")
        yield command, output


def changed_copy(lesson: Path, changes: list[Block], folder: Path) -> Path:
    """Copy the lesson and apply the diffs; each old text has to occur exactly once."""
    copy = folder / lesson.name
    shutil.copytree(lesson, copy, ignore=shutil.ignore_patterns("exercises", "__pycache__"))
    for block in changes:
        script = copy / block.source
        text = script.read_text(encoding="utf-8")
        lines = block.text.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if not line.startswith("+"))
        new = "".join(line[1:] for line in lines if not line.startswith("-"))
        assert text.count(old) == 1, f"{block}: {block.source} holds this not exactly once:\n{old}"
        script.write_text(text.replace(old, new), encoding="utf-8")
    return copy


def run(command: str, server: Server) -> str:
    """Run one command of a session as the reader would; return all that it prints."""
    words = [word.replace("8888", str(server.port)) for word in shlex.split(command)]
    assert words[0] == "curl", f"a session runs learn.py and curl only: {command}"
    words[1:1] = ["--silent", "--show-error", "--max-time", "30"]  # no progress bar in a pipe
    done = subprocess.run(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    return done.stdout


@pytest.mark.service("curl")
@pytest.mark.parametrize("session", SESSIONS, ids=str)
def test_output_shown_is_real(session: Session, tmp_path: Path) -> None:
    block = session.block
    lesson = block.page.parent
    file, *arguments = block.source.split()
    require_needs(lesson / file)
    folder = changed_copy(lesson, session.changes, tmp_path) if session.changes else lesson
    with servers_for(folder / file), started(folder / file, *arguments) as server:
        for command, shown in steps(block.text):
            if command.startswith("python3 learn.py run "):
                name = f"{lesson.name[:2]}/{file.removesuffix('.py')}".removesuffix("/app")
                expected = shlex.join(["python3", "learn.py", "run", name, *arguments])
                assert command == expected, f"{block} is about {block.source}"
                real = server.output
            else:
                real = run(command, server)
            real = real.replace(str(server.port), "8888")
            assert matches(shown, real), f"{block}\n$ {command}\nshown:\n{shown}\nreal:\n{real}"
        server.stop()
        for log in session.logs:
            real = server.log.replace(str(server.port), "8888")
            shown = f"...\n{textwrap.dedent(log.text).rstrip()}\n..."
            # The log indents a traceback; a page need not.
            flat = "\n".join(line.strip() for line in real.splitlines())
            assert matches(shown, flat), f"{log}\nshown:\n{log.text}\nreal:\n{real}"


def test_commands_and_their_output_are_told_apart() -> None:
    text = "$ curl one\nfirst\nsecond\n$ curl two\n$ curl three\nthird\n"
    assert list(steps(text)) == [
        ("curl one", "first\nsecond"),
        ("curl two", ""),
        ("curl three", "third\n"),
    ]


def test_dots_stand_for_what_differs() -> None:
    assert matches("Date: ...\n...\nend\n", "Date: today\r\na\r\nb\r\nend\r\n")
    assert not matches("Date: ...\nend\n", "Date: today\nmore\nend\n")
    assert not matches("moons: 2\n", "moons: 3\n")


def test_a_session_notices_a_server_that_does_not_start(tmp_path: Path) -> None:
    script = tmp_path / "crash.py"
    script.write_text("raise SystemExit('no such thing')\n", encoding="utf-8")
    with started(script) as server:
        assert not server.ready
        assert server.stop() == 1
        assert "no such thing" in server.log
