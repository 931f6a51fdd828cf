"""Checks that start the learner's file as a command: its options, its exit code, what it writes.

    class Quiet(CommandCase):
        def test_help_says_what_an_option_is_for(self) -> None:
            self.run_program("--help").expect(success=True, contains="port to", advice="define()")

        def test_the_option_is_used(self) -> None:
            self.start("--name=Ada", advice="main()")
            self.send("GET", "/").expect(status=200, body="Ada", advice="HelloHandler")

A failure has the parts of `course.testing.http`; what was sent begins with the command.
"""

import asyncio
import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Protocol, Self, cast

import tornado.web
from tornado.httpclient import HTTPRequest
from tornado.testing import bind_unused_port

from course.testing.http import ExerciseCase, Mismatch, Response
from course.translation import translate

START_TIMEOUT = 8.0  # seconds until a program has ended, or has printed its address
STOP_TIMEOUT = 2.0  # seconds that a program has to end after it was asked to
MAX_SHOWN_LINES = 6  # of standard error, the last ones
NO_ADDRESS = translate(
    "still running after {limit} seconds, and no address printed", limit=f"{START_TIMEOUT:g}"
)


@dataclass(frozen=True)
class CompletedProgram:
    """A program that has ended.

    Attributes:
        sent: the command, and the requests to the server that it was.
        code: the exit code, or a sentence that says why the program had to be stopped.
        log: what it wrote to standard error.
        file: the program.
    """

    sent: str
    code: int | str
    log: str
    file: Path

    def expect(
        self,
        *,
        advice: str,
        success: bool | None = None,
        contains: str | None = None,
        lacks: str | None = None,
    ) -> Self:
        """Raise `Mismatch` unless the program ended as described; return it otherwise.

        Args:
            advice: where the learner finds what is missing.
            success: True for exit code 0, False for any other.
            contains, lacks: a text that must, must not, be part of standard error.
        """
        wanted = []
        if success is not None and (isinstance(self.code, str) or success != (self.code == 0)):
            wanted.append(
                translate("exit code 0") if success else translate("an exit code other than 0")
            )
        if contains is not None and contains not in self.log:
            wanted.append(translate("standard error that contains {part}", part=repr(contains)))
        if lacks is not None and lacks in self.log:
            wanted.append(translate("standard error without {part}", part=repr(lacks)))
        if wanted:
            raise Mismatch(
                sent=self.sent, received=self.summary, expected="\n".join(wanted), advice=advice
            )
        return self

    @property
    def summary(self) -> str:
        """The exit code and the end of standard error, as a failure shows them."""
        how = (
            self.code
            if isinstance(self.code, str)
            else translate("exit code {code}", code=self.code)
        )
        lines = last_lines(without_libraries(self.log, self.file))
        log = [translate("standard error:"), *(f"  {line}" for line in lines)]
        return "\n".join([how, *(log if lines else [translate("nothing on standard error")])])


class Process(Protocol):
    """A started program, as asyncio has it."""

    @property
    def stdout(self) -> asyncio.StreamReader | None: ...

    @property
    def returncode(self) -> int | None: ...

    def send_signal(self, signal: int, /) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    async def wait(self) -> int: ...


class CommandCase(ExerciseCase):
    """An `ExerciseCase` whose checks start the learner's file, each time with other options.

    Attributes:
        port: where the server that `start` has started listens.
        folder: the current folder of the program, empty but for what `write` puts there.
    """

    def setUp(self) -> None:
        super().setUp()
        self.port = 0
        temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name, "here")
        self.folder.mkdir()
        self._log = Path(temporary.name, "standard_error")
        self._log.touch()
        self._file = Path(str(self.subject.__file__))
        self._transcript: list[str] = []
        self._files: dict[str, str] = {}
        self._process: Process | None = None

    def tearDown(self) -> None:
        self.stop_program()
        super().tearDown()

    def get_app(self) -> tornado.web.Application:
        return tornado.web.Application()  # nobody asks it: requests go to the started program

    def get_url(self, path: str) -> str:
        return f"http://localhost:{self.port}{path}"

    def free_port(self) -> int:
        """Return a port on which nothing listens."""
        listening, port = bind_unused_port()
        listening.close()
        return port

    def write(self, name: str, text: str) -> None:
        """Put a file into the program's folder; a failure shows it."""
        (self.folder / name).write_text(text, encoding="utf-8")
        self._files[name] = text

    def run_program(self, *arguments: str) -> CompletedProgram:
        """Run the program with these arguments until it ends; if it does not, stop it."""
        return self.stop_program(_still_running(self._launch(arguments)))

    def run_each(self, *commands: tuple[str, ...]) -> list[CompletedProgram]:
        """Run the program once with each of these arguments, at the same time, and return how.

        A program that serves is stopped as soon as it has printed its address.
        """
        self.stop_program()

        async def run_all() -> list[CompletedProgram]:
            return await asyncio.gather(*[self._run_one(arguments) for arguments in commands])

        every: list[CompletedProgram] = self.io_loop.run_sync(run_all)
        return every

    async def _run_one(self, arguments: tuple[str, ...]) -> CompletedProgram:
        with tempfile.TemporaryFile() as log:
            process = await start([str(self._file), *arguments], self.folder, log)
            address = await _address(process)
            code = await _stop_process(process, _still_running(address))
            log.seek(0)
            text = log.read().decode("utf-8", "replace")
        return CompletedProgram(
            "\n".join(self._describe_command(arguments)), code, text, self._file
        )

    def start(
        self,
        *arguments: str,
        port: int = 0,
        advice: str,
        advice_by_error: Mapping[str, str] | None = None,
    ) -> None:
        """Start the program as a server that `send` asks from now on; raises `Mismatch` otherwise.

        Args:
            arguments: the options.
            port: where it has to serve; without it a free one is chosen, and given as --port.
            advice: where the learner finds why it does not serve there.
            advice_by_error: the same for a program that has ended, by a text on standard error.
        """
        self.port = port or self.free_port()
        address = self._launch(arguments if port else (*arguments, f"--port={self.port}"))
        expected = f"Open http://localhost:{self.port}"
        if address != expected:
            received = translate("it prints: {address}", address=address)
            if not address:
                ended = self.stop_program(NO_ADDRESS)
                received = ended.summary
                fitting = [
                    each for text, each in (advice_by_error or {}).items() if text in ended.log
                ]
                advice = fitting[0] if fitting else advice
            raise Mismatch(
                sent=self.sent,
                received=received,
                expected=translate("it prints: {address}", address=expected),
                advice=advice,
            )

    def stop_program(self, reason: str = "") -> CompletedProgram:
        """End the program, if it still runs, and return how it ended and what it wrote.

        Args:
            why: told in place of the exit code when it had to be ended.
        """
        process, self._process = self._process, None
        ended: int | str = (
            self.io_loop.run_sync(lambda: _stop_process(process, reason)) if process else ""
        )
        return CompletedProgram(self.sent, ended, self._read_log(), self._file)

    @property
    def sent(self) -> str:
        """The command, the files it found, and the requests since."""
        return "\n".join(self._transcript)

    async def _fetch(self, request: HTTPRequest, sent: str) -> Response:
        self._transcript.append(sent)
        response = await super()._fetch(request, self.sent)
        if response.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            # The client is told nothing; where the test fails, this is shown as printed.
            print(*last_lines(without_libraries(self._read_log(), self._file)), sep="\n")
        return response

    def _read_log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _launch(self, arguments: tuple[str, ...]) -> str:
        """Start the program; return the line with its address, or nothing when none has come."""
        self.stop_program()
        self._transcript = self._describe_command(arguments)

        async def launch() -> str:
            with self._log.open("wb") as log:
                process = self._process = await start(
                    [str(self._file), *arguments], self.folder, log
                )
            return await _address(process)

        address: str = self.io_loop.run_sync(launch)
        return address

    def _describe_command(self, arguments: tuple[str, ...]) -> list[str]:
        """Return the command, then the files that the program finds."""
        words = (f'"{word}"' if " " in word else word for word in arguments)
        lines = [" ".join(["python3", self._file.name, *words])]
        for name, text in self._files.items():
            lines += [f"{name}:", *(f"  {line}" for line in text.splitlines())]
        return lines


async def start(arguments: list[str], folder: Path, log: IO[bytes]) -> Process:
    """Start Python with these arguments in this folder; its standard error goes to `log`."""
    return await asyncio.create_subprocess_exec(
        *[sys.executable, "-u", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
    )


async def _address(process: Process) -> str:
    """Return the line with the address of a server, or nothing when the program has ended."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_TIMEOUT):
            async for line in cast(asyncio.StreamReader, process.stdout):
                if line.startswith(b"Open http"):
                    return line.decode().rstrip()
            await process.wait()
    return ""


def _still_running(address: str) -> str:
    """Return the reason why a program was stopped."""
    if not address:
        return NO_ADDRESS
    return translate("it goes on and prints: {address}", address=address)


async def _stop_process(process: Process, reason: str) -> int | str:
    if process.returncode is None:
        # As Ctrl-C, which lets the program finish its log; Windows cannot send that to one process.
        if sys.platform == "win32":
            process.terminate()
        else:
            process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
        except TimeoutError:
            process.kill()
            await process.wait()
        return reason or process.returncode or 0
    return process.returncode


def last_lines(lines: list[str]) -> list[str]:
    """Return the last lines of a log, with dots in front if there are more."""
    return [*(["..."] if len(lines) > MAX_SHOWN_LINES else []), *lines[-MAX_SHOWN_LINES:]]


def without_libraries(log: str, file: Path) -> list[str]:
    """Return the lines of a log; of a traceback in it only the frames in this file."""
    lines = []
    foreign = -1  # the indentation of a library's frame, while its lines last
    for line in log.rstrip().splitlines():
        indentation = len(line) - len(line.lstrip())
        if indentation <= foreign:
            foreign = -1
        if line.lstrip().startswith('File "') and str(file) not in line:
            foreign = indentation
        if foreign < 0:
            lines.append(line.replace(str(file), file.name))
    return lines
