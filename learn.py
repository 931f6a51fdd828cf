#!/usr/bin/env python3
"""The front door of the course: `python3 learn.py` shows what there is to do.

Makes the environment .venv beside this file, installs the locked packages into it, and hands over
to `python -m course` in there. Standard library only, because nothing else is there yet. The
environment is made again only when the lock or the Python changes.

Exit status: what the command returns; 3 when the environment cannot be made; 130 after Ctrl-C.
"""

import sys

# The whole file has to parse on an old Python, or all that its user sees is a SyntaxError.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.stderr.write(
        "learn.py: the course needs Python 3.11 or newer, and this is Python %d.%d. "  # noqa: UP031
        "Get a newer one from https://www.python.org/downloads/ or your system's packages, "
        "and start learn.py with it (for example: python3.11 learn.py).\n" % sys.version_info[:2]
    )
    sys.exit(3)

import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# What the last finished installation installed. It is written last.
STAMP = VENV / "learn-stamp.json"
# There while an installation runs; one that was killed leaves it behind.
UNFINISHED = VENV / "learn-unfinished"
PIP_LOG = VENV / "learn-pip.log"
# Beside .venv, not in it: it is held while .venv is emptied.
LOCK = ROOT / ".venv.lock"

# dev.txt holds all of runtime.txt, in the same versions.
REQUIREMENTS = {kind: ROOT / "requirements" / f"{kind}.txt" for kind in ("runtime", "dev")}
NEED_DEV = {"test", "notebook", "bench"}

NOT_READY = 3
INTERRUPTED = 130


class NotReadyError(Exception):
    """The environment cannot be made; the message says why and what to do about it."""


def main(arguments: list[str]) -> int:
    """Make the environment ready and run the course in it; return the exit status."""
    try:
        prepare("dev" if arguments and arguments[0] in NEED_DEV else "runtime")
        # The course is found from whatever folder learn.py is started in.
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        return hand_over([str(PYTHON), "-m", "course", *arguments])
    except NotReadyError as problem:
        print(f"learn.py: {problem}", file=sys.stderr)
    except OSError as problem:
        print(f"learn.py: {explain(problem)}", file=sys.stderr)
    return NOT_READY


def prepare(wanted: str) -> None:
    """Make sure that .venv holds what `wanted`, "runtime" or "dev", names.

    Raises:
        NotReadyError: it cannot, with a message for the user.
        OSError: .venv cannot be written.
    """
    if is_ready(wanted):  # the usual start: two small files are read, and nothing is locked
        return
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise NotReadyError(
                f"this Python comes without '{module}'. On Debian and Ubuntu: "
                f"sudo apt install python3-venv (or python3.{sys.version_info[1]}-venv). "
                "Elsewhere: install Python from https://www.python.org/downloads/."
            )
    with one_at_a_time():
        if not is_ready(wanted):  # the start that we waited for may have done it
            install(wanted)


def identity() -> dict[str, str]:
    """What makes an environment useless when it changes: the Python, and where .venv is."""
    return {"python": sys.version, "path": str(VENV.resolve())}


def stamp(kind: str) -> dict[str, str]:
    """What STAMP holds when the lock `kind`, as it is now, is installed."""
    lock = hashlib.sha256(REQUIREMENTS[kind].read_bytes()).hexdigest()
    return {**identity(), "kind": kind, "lock": lock}


def installed() -> dict[str, str]:
    """What STAMP says; nothing when there is no environment or only half of one."""
    if UNFINISHED.exists() or not PYTHON.exists():
        return {}
    try:
        found = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_ready(wanted: str) -> bool:
    """Whether .venv holds at least `wanted`, as locked now and for this Python."""
    found = installed()
    return bool(found) and any(found == stamp(kind) for kind in (wanted, "dev"))


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other start changes .venv. The system lets go of the lock of a dead process."""
    with LOCK.open("a") as file:
        if not locked(file.fileno()):
            print("Another start is preparing the environment: waiting for it", flush=True)
            while not locked(file.fileno()):
                time.sleep(0.2)
        yield


def locked(descriptor: int) -> bool:
    """Try to lock an open file; False when another process holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        # Some network disks know no locks: go on without.
        return problem.errno not in (errno.EACCES, errno.EAGAIN)
    return True


def install(wanted: str) -> None:
    """Build .venv, or only bring it up to date if it is whole and made by this Python.

    Raises:
        NotReadyError: venv or pip failed.
        OSError: .venv cannot be written.
    """
    found = installed()
    whole = found.items() >= identity().items()
    if whole and found.get("kind") == "dev":
        wanted = "dev"  # keep the tests' packages at the versions of the new lock
    print(f"Preparing {VENV} (once; it may take some minutes)", flush=True)
    if not whole:
        build()
    UNFINISHED.touch()
    status, log = run_pip(REQUIREMENTS[wanted])
    if status:
        if "Installing collected packages" not in log:
            UNFINISHED.unlink()  # it came to nothing while downloading, and changed nothing
        raise NotReadyError(explain_pip(log))
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(json.dumps(stamp(wanted), indent=1), encoding="utf-8")
    fresh.replace(STAMP)
    UNFINISHED.unlink()


def build() -> None:
    """Make a new and empty .venv in place of any old one."""
    import venv

    try:
        venv.create(VENV, clear=True, with_pip=True, symlinks=os.name != "nt")
    except ValueError as problem:  # the path holds a character that no environment can have
        raise NotReadyError(f"{problem}. Move the course to another folder.") from problem
    except subprocess.CalledProcessError as problem:
        output = (problem.output or b"").decode(errors="replace")
        raise NotReadyError(explain_pip(output)) from problem


def run_pip(requirements: Path) -> tuple[int, str]:
    """Install a lock, counting the packages on a terminal; return pip's status and its output."""
    # -I: a package found through the user's PYTHONPATH must not count as installed.
    command = [str(PYTHON), "-I", "-m", "pip", "install", "--require-hashes", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "-r", str(requirements)]
    total = requirements.read_text(encoding="utf-8").count("==")
    said: list[str] = []
    pip = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    with pip, PIP_LOG.open("w", encoding="utf-8") as log:
        try:
            for line in pip.stdout or ():
                log.write(line)
                said.append(line)
                if sys.stdout.isatty():
                    count = sum(text.startswith("Collecting ") for text in said)
                    print(f"\r{count} of {total} packages", end="", flush=True)
        except BaseException:
            pip.kill()  # nothing may go on writing to .venv after we let go of the lock
            raise
        finally:
            if sys.stdout.isatty():
                print()
    return pip.returncode, "".join(said)


def explain_pip(log: str) -> str:
    """Turn what pip printed before it failed into what to do about it."""
    if "No space left on device" in log:
        return explain(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(VENV)))
    errors = [line for line in log.splitlines() if line.startswith("ERROR:")]
    reason = errors[-1].removeprefix("ERROR:").strip() if errors else log.strip()[-200:]
    return (
        f"the packages could not be installed: {reason}\n"
        "Is there a network? Behind a proxy set HTTPS_PROXY; for a mirror set index-url in "
        "pip's configuration (pip config debug shows where). Then start learn.py again.\n"
        f"All that pip said is in {PIP_LOG}"
    )


def explain(problem: OSError) -> str:
    """Turn a failure to write into what to do about it."""
    reason = f"{problem.strerror}: {problem.filename or VENV}"
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{reason}\nMake room on this disk and start learn.py again."
    if problem.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{reason}\nCopy the course to a folder that you may write to, and start it there."
    if problem.errno in (errno.EEXIST, errno.ENOTDIR):
        return f"{reason}\nRemove it and start learn.py again: the environment belongs there."
    return f"{reason}\nThe environment {VENV} could not be made."


def hand_over(command: list[str]) -> int:
    """Become `command`; on Windows, which cannot, run it to its end and return its exit status."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    with subprocess.Popen(command) as child:
        while True:
            # Ctrl-C goes to the child as well, and the child decides what it means.
            with contextlib.suppress(KeyboardInterrupt):
                return child.wait()


if __name__ == "__main__":
    # A plain kill ends an installation as Ctrl-C does, and pip with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nlearn.py: interrupted. Start it again to go on.", file=sys.stderr)
        sys.exit(INTERRUPTED)
