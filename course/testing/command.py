"""Test case for checks that start the learner's file as a command: options, exit code, output.

    class Quiet(CommandCase):
        def test_help_says_what_an_option_is_for(self) -> None:
            self.run_program("--help").expect(success=True, contains="port to", advice="define()")

        def test_the_option_is_used(self) -> None:
            self.start("--name=Ada", advice="main()")
            self.send("GET", "/").expect(status=200, body="Ada", advice="HelloHandler")

A failure has the parts of `course.testing.http`; the part "sent" begins with the command.
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

from course.ports import free_port
from course.processes import WAKE_INTERVAL, wake
from course.testing.http import ExerciseCase, Mismatch, Response
from course.translation import translate

START_TIMEOUT = 8.0  # seconds that a program may take to end or to print its address
STOP_TIMEOUT = 6.0  # seconds that a program may take to end after SIGINT
MAX_SHOWN_LINES = 6  # last lines of standard error in a failure
UNKNOWN_NAME = "a name is not known: standard error says which one. Correct it, or import it"
RAISED = (
    "the program has raised an exception: the last line of standard error says which one,\n"
    "the lines above it say where"
)
ADVICE_BY_EXCEPTION = {"NameError": UNKNOWN_NAME, "TypeError": RAISED, "AttributeError": RAISED}
"""The end of an `advice_by_error`: the advice for a mistake in Python that no other entry names."""
NO_ADDRESS = translate(
    "still running after {limit} seconds, and no address printed", limit=f"{START_TIMEOUT:g}"
)


@dataclass(frozen=True)
class CompletedProgram:
    """A program that has ended.

    Attributes:
        sent: the command, and the requests that were sent to the program.
        code: the exit code, or a sentence with the reason why the program was stopped.
        log: the program's standard error.
        file: the path of the program.
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
        """Raise `Mismatch` unless the program ended as described; return the program otherwise.

        Args:
            advice: the place in the learner's file or in the lesson that needs a change.
            success: True for exit code 0, False for any other.
            contains: a text that must be part of standard error.
            lacks: a text that must not be part of standard error.
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
    """The interface of `asyncio.subprocess.Process` that this module uses."""

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """Standard output, if it is a pipe."""

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while the program runs."""

    def send_signal(self, signal: int, /) -> None:
        """Send a signal to the program."""

    def terminate(self) -> None:
        """Send SIGTERM to the program."""

    def kill(self) -> None:
        """Send SIGKILL to the program."""

    async def wait(self) -> int:
        """Wait until the program has ended; return its exit code."""


class CommandCase(ExerciseCase):
    """An `ExerciseCase` whose checks start the learner's file as a program, with options.

    Attributes:
        port: the port of the server that `start` has started.
        folder: the current folder of the program, which holds only files that `write` put there.
    """

    def setUp(self) -> None:
        """Make the program's folder."""
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
        """Stop the program."""
        self.stop_program()
        super().tearDown()

    def get_app(self) -> tornado.web.Application:
        """Return an empty application: requests go to the started program."""
        return tornado.web.Application()

    def get_url(self, path: str) -> str:
        """Return the URL of a path of the started program."""
        return f"http://localhost:{self.port}{path}"

    def free_port(self) -> int:
        """Return a port on which nothing listens."""
        return free_port(0)

    def write(self, name: str, text: str) -> None:
        """Write a file to the program's folder; a failure shows the file."""
        (self.folder / name).write_text(text, encoding="utf-8")
        self._files[name] = text

    def run_program(self, *arguments: str) -> CompletedProgram:
        """Run the program with these arguments until it ends or `START_TIMEOUT` passes."""
        return self.stop_program(_still_running(self._launch(arguments)))

    def run_each(self, *commands: tuple[str, ...]) -> list[CompletedProgram]:
        """Run the program once for each of the given argument lists, all at the same time.

        A program that serves is stopped as soon as it has printed its address. The results have the
        order of the commands.
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
        """Start the program as the server for `send`.

        Args:
            arguments: the options of the program.
            port: the port on which it must serve; 0 chooses a free one and passes it as --port.
            advice: the advice if the program does not serve on that port.
            advice_by_error: the advice for a program that has ended, by a text in standard error.
                The first text that standard error contains decides.

        Raises:
            Mismatch: the program has ended, or did not print the expected address in time.
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
        """Stop the program if it still runs; return its exit code and standard error.

        Args:
            reason: the sentence in place of the exit code if the program had to be stopped.
        """
        process, self._process = self._process, None
        ended: int | str = (
            self.io_loop.run_sync(lambda: _stop_process(process, reason)) if process else ""
        )
        return CompletedProgram(self.sent, ended, self._read_log(), self._file)

    @property
    def sent(self) -> str:
        """The command, the files in the program's folder, and the requests so far."""
        return "\n".join(self._transcript)

    async def _fetch(self, request: HTTPRequest, sent: str) -> Response:
        self._transcript.append(sent)
        response = await super()._fetch(request, self.sent)
        if response.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            # The response has no details, so print the log: a failure shows printed text.
            print(*last_lines(without_libraries(self._read_log(), self._file)), sep="\n")
        return response

    def _read_log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _launch(self, arguments: tuple[str, ...]) -> str:
        """Start the program; return the line with its address, or "" if it printed none in time."""
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
        """Return the command, then the files in the program's folder."""
        words = (f'"{word}"' if " " in word else word for word in arguments)
        lines = [" ".join(["python3", self._file.name, *words])]
        for name, text in self._files.items():
            lines += [f"{name}:", *(f"  {line}" for line in text.splitlines())]
        return lines


async def start(arguments: list[str], folder: Path, log: IO[bytes]) -> Process:
    """Start Python in a folder with the given arguments and with standard error in `log`."""
    return await asyncio.create_subprocess_exec(
        *[sys.executable, "-u", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
    )


async def _address(process: Process) -> str:
    """Return the line with the address of a server, or "" if the program printed none in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_TIMEOUT):
            async for line in cast(asyncio.StreamReader, process.stdout):
                if line.startswith(b"Open http"):
                    return line.decode().rstrip()
            await process.wait()
    return ""


def _still_running(address: str) -> str:
    """Return the reason why a program was stopped, for its address or ""."""
    if not address:
        return NO_ADDRESS
    return translate("it goes on and prints: {address}", address=address)


async def _stop_process(process: Process, reason: str) -> int | str:
    if process.returncode is None:
        # After SIGINT the program can finish its log. Windows cannot send it to a single process.
        if sys.platform == "win32":
            process.terminate()
        else:
            process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(_wait_for_end(process), STOP_TIMEOUT)
        except TimeoutError:
            process.kill()
            await process.wait()
        return reason or process.returncode or 0
    return process.returncode


async def _wait_for_end(process: Process) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), WAKE_INTERVAL)
            return
        wake(process.send_signal)


def last_lines(lines: list[str]) -> list[str]:
    """Return the last `MAX_SHOWN_LINES` lines of a log, with "..." in front if there are more."""
    return [*(["..."] if len(lines) > MAX_SHOWN_LINES else []), *lines[-MAX_SHOWN_LINES:]]


def without_libraries(log: str, file: Path) -> list[str]:
    """Return the lines of a log, without the frames of tracebacks that are in other files."""
    lines = []
    foreign = -1  # indentation of the current frame if it belongs to a library, -1 otherwise
    for line in log.rstrip().splitlines():
        indentation = len(line) - len(line.lstrip())
        if indentation <= foreign:
            foreign = -1
        if line.lstrip().startswith('File "') and str(file) not in line:
            foreign = indentation
        if foreign < 0:
            lines.append(line.replace(str(file), file.name))
    return lines
