"""The commands of the pages: the start of a script, and its curl lines."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from course import changes, demo
from course.catalog import Catalog
from course.pages import Session, matches_output
from course.tour.files import find_file, make_copy
from course.tour.runs import ADDRESS, Program, Run, Supervisor
from course.tour.text import find_session
from course.translation import translate


def program_of_file(catalog: Catalog, file_id: str, options: Sequence[str] = ()) -> Program:
    """Return the program of a file: the learner's copy if there is one.

    Args:
        catalog: the course.
        file_id: the id of a script or an exercise.
        options: the options; a port among them is left out, because the tour chooses the port.

    Raises:
        UnknownNameError: there is no such file.
    """
    file = find_file(catalog, file_id)
    if file.exercise:
        make_copy(file)
    return Program(
        name=file_id.partition(":")[2],
        file=file_id,
        path=file.current,
        options=_without_port(options),
    )


def program_of_session(catalog: Catalog, session_id: str) -> Program:
    """Return the program of a session; the change of a page is made in a new copy.

    Raises:
        UnknownAddressError: no page has this session.
    """
    session = find_session(catalog, session_id)
    file_id = f"script:{_label(catalog, session)}"
    program = program_of_file(catalog, file_id, session.block.arguments)
    if not session.changes:
        return program
    script = session.block.script
    folder = Path(tempfile.mkdtemp(prefix="learn-tornado-"))
    copy = demo.make_changed_copy(script.parent, session.changes, folder) / script.name
    name = translate("{name}, changed", name=program.name)
    return Program(name, file_id, copy, program.options, session_id, folder)


class PageCommands:
    """Runs the commands of the pages, as `learn.py demo` does.

    The first request of a session goes to a script that was just started, because the outputs in
    the pages depend on that. Further requests go to the same run.

    Args:
        catalog: the course.
        supervisor: the runs of the tour.
        executor: where commands run, so that the event loop stays free.
    """

    def __init__(self, catalog: Catalog, supervisor: Supervisor, executor: Executor) -> None:
        self._catalog = catalog
        self._supervisor = supervisor
        self._executor = executor
        self._sessions: dict[str, str] = {}  # the last session of each run that had a request

    async def run(self, session_id: str, index: int) -> dict[str, Any]:
        """Run one command of a session; return its output, and whether the page shows the same.

        Raises:
            UnknownAddressError: there is no such session or command.
            TooManyRunsError: no further script may be started.
            DemoError: the command is no curl, or there is no curl.
        """
        session = find_session(self._catalog, session_id)
        if not 0 <= index < len(session.commands):
            raise changes.NoChangeError(translate("The session has no such command."))
        command, shown = session.commands[index]
        loop = asyncio.get_running_loop()
        if not session.serves:
            began = time.monotonic()
            path = program_of_session(self._catalog, session_id).path
            output = await loop.run_in_executor(
                self._executor, demo.run_ending_command, session, command, path
            )
            return _result(None, command, output, shown, began)
        run = await self._prepare(session_id, session, index)
        await run.wait_started()
        page, port = demo.page_port(session.block.arguments), str(run.port)
        began = time.monotonic()
        if command.startswith((demo.RUN_COMMAND, demo.BREAK_COMMAND)):
            output = _printed(run, session)
        else:
            self._sessions[run.id] = session_id
            output = await loop.run_in_executor(
                self._executor, demo.run_command, command, page, run.port
            )
        shown = shown.replace(page, port)
        return _result(run.id, command.replace(page, port), output, shown, began)

    async def _prepare(self, session_id: str, session: Session, index: int) -> Run:
        """Return the run for a command: the one that is there, or a new one."""
        for run in self._supervisor.active():
            if self._runs_session(run, session_id, session):
                last = self._sessions.get(run.id)
                if last is None or (index and last == session_id):
                    return run
                await self._supervisor.stop(run, translate("It was started again."))
        for old in self._sessions.keys() - self._supervisor.runs.keys():
            del self._sessions[old]
        return self._supervisor.start(program_of_session(self._catalog, session_id))

    def _runs_session(self, run: Run, session_id: str, session: Session) -> bool:
        """Return whether a run has the script, the options and the change of a session."""
        if session.changes:
            return run.program.session == session_id
        file_id = f"script:{_label(self._catalog, session)}"
        wanted = program_of_file(self._catalog, file_id, session.block.arguments)
        return run.program == wanted


def _label(catalog: Catalog, session: Session) -> str:
    script = session.block.script.resolve()
    for lesson in catalog.lessons:
        for each in lesson.scripts:
            if each.path.resolve() == script:
                return each.label
    raise changes.NoChangeError(translate("{name} is no script of a lesson.", name=script.name))


def _without_port(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(each for each in options if not each.startswith("--port="))


def _result(run: str | None, command: str, output: str, shown: str, began: float) -> dict[str, Any]:
    return {
        "run": run,
        "command": command,
        "output": output,
        "shown": shown,
        "matches": matches_output(shown, output),
        "ms": round((time.monotonic() - began) * 1000),
    }


def _printed(run: Run, session: Session) -> str:
    """Return what a script has printed at its start; if it has failed, why."""
    if address := ADDRESS.search(run.printed):
        line_end = run.printed.find(b"\n", address.end()) + 1
        return run.printed[:line_end].decode("utf-8", "replace")
    printed = run.printed.decode("utf-8", "replace")
    errors = run.errors.decode("utf-8", "replace")
    return demo.describe_failed_start(session.block.script, printed, errors)
