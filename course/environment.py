"""The virtual environment .venv: create it once, and keep it in step with requirements/.

learn.py uses this module before any package is installed, so the module needs the standard library
only. Modules that the usual start does not need are imported where they are used.

Settings of pip and Python in the user's environment are ignored if they change where packages are
installed or imported from. Settings for access to the package index (index, proxy, certificates,
timeouts) are kept.
"""

import contextlib
import errno
import os
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from course.translation import translate

TYPE_CHECKING = False  # importing typing takes a tenth of the time of a usual start
if TYPE_CHECKING:
    import subprocess
    from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
REQUIREMENTS = ROOT / "requirements"
# Describes the last complete installation. It is written last.
STAMP = VENV / "learn-stamp.json"
# Exists while an installation runs, and after one that was killed.
UNFINISHED = VENV / "learn-unfinished"
PIP_LOG = VENV / "learn-pip.log"
# Beside .venv, not in it, because it is held while the content of .venv is deleted.
LOCK = ROOT / ".venv.lock"

KINDS = ("chat", "lessons", "dev")
"""The lists in requirements/. Each contains the list before it, with the same versions."""

NOT_READY = 3
"""Exit status if the environment cannot be made or is damaged."""

KEPT_SETTINGS = {
    *("index-url", "pypi-url", "extra-index-url", "find-links", "trusted-host", "keyring-provider"),
    *("proxy", "cert", "client-cert", "use-feature", "use-deprecated"),
    *("timeout", "default-timeout", "retries", "resume-retries", "cache-dir", "no-cache-dir"),
}
"""Settings of pip that control how packages are downloaded, not which ones or to which place."""

MAX_PIPS = 4
"""Maximum number of pip processes that run at the same time."""
PACKAGES_PER_PIP = 5
"""Minimum number of packages for one pip process: for fewer, its start costs more than it saves."""

ENTRY = re.compile(r"^(?=[\w.-]+(?:\[.*?\])?==)", re.M)
"""Matches the beginning of an entry in a list."""

PROGRESS_STEP = 10
"""Number of packages between two lines of progress if the output is no terminal."""

# A pattern in pip's output, the cause, advice. The first match counts, because the errors further
# down can be consequences of those above.
CAUSES = (
    (r"No space left on device|Errno 28\b|Disk quota exceeded", "the disk is full", "Make room."),
    (
        r"Read-only file system|Permission denied|Access is denied",
        "this folder cannot be written",
        "Copy the course to a folder that you may write to.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "the package index sent another file than the locked one (its hash differs)",
        "Is the index or a proxy changing files? If not, delete the cache: pip cache purge.",
    ),
    (
        r"ProxyError|Cannot connect to proxy|Tunnel connection failed|407 ",
        "the proxy refuses or does not answer",
        "Set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSLError|SSL: ",
        "the certificate of the package index is not trusted here",
        "Set PIP_CERT to the file with the certificates of your company or proxy.",
    ),
    (
        r"\b(?:401|403) Client Error|HTTP error 40[13]",
        "the package index refuses access",
        "Does index-url in pip's configuration hold a valid user and password?",
    ),
    (
        r"\b5\d\d Server Error|HTTP error 5\d\d",
        "the package index has a failure",
        "Wait.",
    ),
    (
        r"Failed to resolve|[Nn]ame resolution|Name or service not known|getaddrinfo failed"
        r"|nodename nor servname|Failed to establish a new connection|Connection refused"
        r"|Network is unreachable|No route to host|timed out|Connection(?:Reset|Aborted)? ?[Ee]rror"
        r"|RemoteDisconnected|IncompleteRead",
        "the package index cannot be reached",
        "Is there a network? Behind a proxy set HTTPS_PROXY; for a mirror set PIP_INDEX_URL.",
    ),
    (
        r"Failed building wheel|Failed to build|metadata-generation-failed|Could not build wheels"
        r"|error: command |Microsoft Visual C\+\+",
        "there is no ready-made file of it for {python}, and it could not be compiled",
        "Use another version of Python, or install a C compiler.",
    ),
    (
        r"No matching distribution found",
        "the package index has no file of it for {python}",
        "Use another version of Python; with a mirror, does it hold this package?",
    ),
)


class EnvironmentNotReady(Exception):
    """The environment cannot be made; the message has the cause and advice."""


def prepare(wanted: str) -> None:
    """Make sure that .venv holds the packages of a list; install them if it does not.

    Args:
        wanted: one of KINDS.

    Raises:
        EnvironmentNotReady: the packages cannot be installed; the message is for the user.
        OSError: .venv cannot be written.
    """
    if is_ready(wanted):  # the usual start reads two small files and takes no lock
        return
    import importlib.util

    if os.pathsep in str(VENV):  # venv refuses it: the character separates the entries of PATH
        raise EnvironmentNotReady(
            translate(
                "the path of this folder has a {pathsep} in it, which no Python environment can "
                "have: {root}. Rename the folder, or move the course to another one.",
                pathsep=repr(os.pathsep),
                root=ROOT,
            )
        )
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise EnvironmentNotReady(
                translate(
                    "this Python comes without '{module}'. On Debian and Ubuntu: sudo apt install "
                    "python3-venv (or python3.{minor}-venv). Elsewhere: install Python from "
                    "https://www.python.org/downloads/.",
                    module=module,
                    minor=sys.version_info[1],
                )
            )
    require_own_environment()
    with install_lock():
        if not is_ready(wanted):  # another process may have installed it during the wait
            install(wanted)


def identity() -> dict[str, str]:
    """Return the version of Python and the path of .venv; if one changes, .venv is made again."""
    return {"python": sys.version, "path": str(VENV.resolve())}


def stamp(kind: str) -> dict[str, str]:
    """Return the content of STAMP for an environment in which the list `kind` is installed."""
    content = (REQUIREMENTS / f"{kind}.txt").read_bytes()
    return {**identity(), "kind": kind, "list": f"{zlib.crc32(content):08x}"}


def write_stamp(kind: str) -> None:
    """Record that the current list `kind` is installed completely."""
    import json

    fresh = STAMP.with_suffix(".new")
    fresh.write_text(json.dumps(stamp(kind), indent=1), encoding="utf-8")
    fresh.replace(STAMP)
    UNFINISHED.unlink(missing_ok=True)


def read_stamp() -> dict[str, str]:
    """Return the content of STAMP, or an empty dictionary if .venv is missing or unfinished."""
    if UNFINISHED.exists() or not PYTHON.exists():
        return {}
    import json

    try:
        found = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_ready(wanted: str) -> bool:
    """Return whether the packages of the current list are installed for this Python."""
    found = read_stamp()
    kind = found.get("kind")
    return kind in KINDS[KINDS.index(wanted) :] and found == stamp(kind)


def require_own_environment() -> None:
    """Check that .venv, if it exists, was made by learn.py.

    Raises:
        EnvironmentNotReady: another program made .venv, or .venv is a link.
    """
    if VENV.is_symlink():  # installing would delete the environment of another checkout
        raise EnvironmentNotReady(
            translate(
                "{venv} is a link to {target}, which does not hold what this checkout needs. "
                "Remove the link, and start learn.py again: it makes an environment of its own.",
                venv=VENV,
                target=VENV.resolve(),
            )
        )
    if not VENV.is_dir() or STAMP.exists() or UNFINISHED.exists() or not any(VENV.iterdir()):
        return
    settings = VENV / "pyvenv.cfg"
    by_uv = settings.exists() and re.search(r"^uv\s*=", settings.read_text("utf-8"), re.M)
    maker = "uv" if by_uv else "another program"
    raise EnvironmentNotReady(
        translate(
            "{venv} was made by {maker}, and learn.py changes no environment but its own. "
            "Rename or remove that folder, and start learn.py again.",
            venv=VENV,
            maker=maker,
        )
    )


@contextlib.contextmanager
def install_lock() -> Iterator[None]:
    """Lock .venv against other processes; the system releases the lock when a process ends."""
    import time

    with LOCK.open("a") as file:
        if not try_lock(file.fileno()):
            print(
                translate("Another start is preparing the environment: waiting for it"), flush=True
            )
            while not try_lock(file.fileno()):
                time.sleep(0.2)
        yield


def try_lock(descriptor: int) -> bool:
    """Try to lock an open file; return False if another process holds the lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        # Some network file systems have no locks. Without a lock two starts can collide, which is
        # better than no start at all.
        return problem.errno not in (errno.EACCES, errno.EAGAIN)
    return True


def install(wanted: str) -> None:
    """Install a list into .venv; build .venv first if it is incomplete or of another Python.

    Raises:
        EnvironmentNotReady: venv or pip failed, or a package cannot be imported.
        OSError: .venv cannot be written.
    """
    found = read_stamp()
    whole = found.items() >= identity().items()
    kind = found.get("kind")
    if whole and kind in KINDS[KINDS.index(wanted) :]:
        wanted = kind  # the larger list is installed: update its other packages too
    print(translate("Preparing {venv} (once; it may take some minutes)", venv=VENV), flush=True)
    if not whole:
        create_venv()
    UNFINISHED.touch()
    settings = pip_settings()
    # A single pip installs only after all its downloads, so a failed download changes nothing.
    pips = 1 if whole else max(2, min(os.cpu_count() or 1, MAX_PIPS))
    status, log = run_pip(REQUIREMENTS / f"{wanted}.txt", settings, pips)
    if status:
        if whole and "Installing collected packages" not in log:
            UNFINISHED.unlink()  # pip failed before it changed .venv
        raise EnvironmentNotReady(explain_pip_failure(log, status))
    if damage := import_all(wanted):
        raise EnvironmentNotReady(
            translate(
                "the packages are installed, but do not work with {python}: "
                "{damage}\nStart learn.py again: it makes the environment anew. Use another "
                "version of Python if that does not help.",
                python=describe_python(),
                damage=damage,
            )
        )
    write_stamp(wanted)


def create_venv() -> None:
    """Replace .venv by an empty environment with the pip that is bundled with Python.

    Raises:
        EnvironmentNotReady: venv failed.
        OSError: .venv cannot be written.
    """
    import shutil
    import venv

    VENV.mkdir(exist_ok=True)
    UNFINISHED.touch()  # marks .venv as made by learn.py, even if the next lines fail
    for entry in VENV.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != UNFINISHED:
            entry.unlink()
    try:
        venv.create(VENV, symlinks=sys.platform != "win32")
    except ValueError as problem:  # the path holds a character that venv refuses
        raise EnvironmentNotReady(
            translate("{problem}. Move the course to another folder.", problem=problem)
        ) from problem
    add_pip()


def add_pip() -> None:
    """Unpack the wheel of pip that is bundled with Python into .venv.

    A wheel is a ZIP archive of the files for site-packages. `python -m ensurepip` takes ten times
    as long: it starts pip from the wheel, which installs itself and compiles all its modules.

    Raises:
        EnvironmentNotReady: there is none.
    """
    import ensurepip
    import sysconfig
    import zipfile

    bundled = Path(ensurepip.__file__).parent / "_bundled"
    places = [sysconfig.get_config_var("WHEEL_PKG_DIR"), bundled]
    wheels = [wheel for place in places if place for wheel in Path(place).glob("pip-*.whl")]
    if not wheels:
        raise EnvironmentNotReady(
            translate(
                "this Python comes without 'pip'. Install your system's package python3-pip, or "
                "Python from https://www.python.org/downloads/."
            )
        )
    base = {"base": str(VENV), "platbase": str(VENV)}
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(sysconfig.get_path("purelib", "venv", base))


def pip_settings() -> dict[str, str]:
    """Return the environment for pip: the user's, with only the settings of pip in KEPT_SETTINGS.

    Raises:
        EnvironmentNotReady: pip cannot read its configuration.
    """
    import ast
    import subprocess

    others = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PIP_") or name == "PIP_CONFIG_FILE" or is_kept_setting(name)
    }
    listed = subprocess.run(
        [str(PYTHON), "-I", "-m", "pip", "config", "list"],
        # With `quiet` in a configuration file this command prints nothing, and with `user` it reads
        # the user's own file only.
        env=others | {"PIP_QUIET": "0", "PIP_USER": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if listed.returncode:
        raise EnvironmentNotReady(
            translate(
                "pip cannot read its configuration: {error}\nRepair that file, or leave it "
                "aside with PIP_CONFIG_FILE=FILE.",
                error=last_error(listed.stderr),
            )
        )
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for section, name, value in re.findall(r"^([^.\n]+)\.([\w-]+)=(.+)$", listed.stdout, re.M):
        if section in found and name in KEPT_SETTINGS | {"no-index"}:
            found[section][name] = ast.literal_eval(value)
    # A value for `pip install` has precedence over a general one, and the environment over files.
    settings = found["global"] | found["install"] | found[":env:"]
    if not settings.get("find-links"):
        settings.pop("no-index", None)  # without an index there is no source of packages
    if settings.get("retries") == "0":
        settings["retries"] = "1"  # pip says why a connection failed only when it tries again
    kept = {name: value for name, value in others.items() if not name.startswith("PIP_")}
    kept |= {f"PIP_{name.upper().replace('-', '_')}": text for name, text in settings.items()}
    return kept | {"PIP_CONFIG_FILE": os.devnull}


def is_kept_setting(variable: str) -> bool:
    """Return whether an environment variable is a setting of pip that is kept."""
    name = variable.removeprefix("PIP_").lower().replace("_", "-")
    return name in KEPT_SETTINGS | {"no-index"}


def run_pip(requirements: Path, settings: dict[str, str], count: int) -> tuple[int, str]:
    """Install a list and print progress; return pip's exit status and output.

    The list pins every package, so several pip processes can install a part each. This saves time
    because a pip process spends most of it on the index, one package after the other.

    Args:
        requirements: the list, with hashes.
        settings: the environment variables of the processes.
        count: the maximum number of processes.

    Returns:
        The exit status and the output of the first pip that failed, or 0 and all output.
    """
    import concurrent.futures
    import tempfile

    text = requirements.read_text(encoding="utf-8")
    parts = split_list(text, count)
    with (
        tempfile.TemporaryDirectory() as folder,
        PIP_LOG.open("w", encoding="utf-8") as log,
        concurrent.futures.ThreadPoolExecutor(len(parts)) as pool,
    ):
        pips: list[subprocess.Popen[str]] = []
        progress = InstallProgress(text, len(parts), log)
        try:
            for number, part in enumerate(parts):
                file = Path(folder) / f"{requirements.stem}-{number}.txt"
                file.write_text(part, encoding="utf-8")
                pips.append(start_pip(file, settings))
            outputs = [pool.submit(progress.follow, pip) for pip in pips]
            for output in concurrent.futures.as_completed(outputs):
                pip = pips[outputs.index(output)]
                if status := pip.wait():
                    return status, output.result()
        finally:
            # No pip may write to .venv after the lock is released.
            for pip in pips:
                pip.kill()
            for pip in pips:
                pip.wait()
            progress.end()
    return 0, "".join(output.result() for output in outputs)


def split_list(text: str, count: int) -> list[str]:
    """Split a list into at most `count` parts that take pip about the same time.

    An entry has a hash for each file of its release. Long entries therefore have long pages in the
    index, so the length of an entry is an estimate of its time.
    """
    entries = [entry for entry in ENTRY.split(text) if ENTRY.match(entry)]
    parts = [""] * max(1, min(count, len(entries) // PACKAGES_PER_PIP))
    if len(parts) == 1:
        return [text]
    for entry in sorted(entries, key=len, reverse=True):
        shortest = parts.index(min(parts, key=len))
        parts[shortest] += entry if entry.endswith("\n") else entry + "\n"
    return parts


def start_pip(requirements: Path, settings: dict[str, str]) -> "subprocess.Popen[str]":
    """Start a pip process that installs the packages of a list, without further dependencies."""
    import subprocess

    # -I: a package found through the user's PYTHONPATH must not count as installed. --no-compile:
    # Python compiles a module at its first import, and most modules are never imported.
    command = [str(PYTHON), "-I", "-m", "pip", "install", "--require-hashes", "--no-deps"]
    command += ["--no-input", "--no-compile", "--disable-pip-version-check", "--progress-bar=off"]
    command += ["-r", str(requirements)]
    return subprocess.Popen(
        command,
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


class InstallProgress:
    """Prints how many packages are ready, as counted in the output of the pip processes.

    On a terminal one line is updated; elsewhere a line is printed every `PROGRESS_STEP` packages.

    Args:
        requirements: the text of the list.
        pips: the number of processes that install a part of it.
        log: the file for the output of all processes.
    """

    def __init__(self, requirements: str, pips: int, log: "TextIO") -> None:
        import threading

        self.total = len(ENTRY.findall(requirements))
        self.collected: set[str] = set()
        self.terminal = sys.stdout.isatty()
        self.log = log
        self.lock = threading.Lock()  # each process has a thread that reads its output
        self.downloading = pips
        self.installing = 0

    def follow(self, pip: "subprocess.Popen[str]") -> str:
        """Read and return the output of a process until it ends."""
        output: list[str] = []
        with pip:
            for line in pip.stdout or ():
                output.append(line)
                with self.lock:
                    self.log.write(line)
                    self.update(line)
        if not any(line.startswith("Installing collected packages") for line in output):
            with self.lock:
                self._downloaded(0)  # all its packages were installed already
        return "".join(output)

    def update(self, line: str) -> None:
        """Count a line of a process's output."""
        if line.startswith("Ignoring "):  # a package for another system or another Python
            self.total -= 1
        elif line.startswith("Installing collected packages"):
            self._downloaded(line.count(",") + 1)
        elif package := self._package(line):
            before = len(self.collected)
            self.collected.add(package)
            if self.terminal:
                print(f"\r{self._count()}", end="", flush=True)
            elif len(self.collected) > before and len(self.collected) % PROGRESS_STEP == 0:
                print(self._count(), flush=True)

    def end(self) -> None:
        """End the line of progress on a terminal."""
        if self.terminal and self.collected:
            print(flush=True)
            self.collected.clear()

    def _downloaded(self, count: int) -> None:
        """Record that a process has all its downloads and installs `count` packages."""
        self.installing += count
        self.downloading -= 1
        if not self.downloading and self.installing:
            self.end()
            print(translate("Installing {count} packages", count=self.installing), flush=True)

    def _count(self) -> str:
        there, total = len(self.collected), self.total
        return translate("{there} of {total} packages", there=there, total=total)

    def _package(self, line: str) -> str:
        """Return the package that a line reports as ready, or ""."""
        if found := re.match(r"\s*Requirement already satisfied: ([\w.-]+)", line):
            return found[1].lower().replace("_", "-")
        # pip downloads only the metadata of some packages first.
        if found := re.match(r"\s*(?:Downloading|Using cached) (?:\S*/)?([^-/\s]+)-\S+", line):
            return "" if ".metadata" in line else found[1].lower().replace("_", "-")
        return ""


def import_all(kind: str) -> str:
    """Import the main modules of the list `kind` in .venv; return the error, or "".

    pip does not notice packages that this system cannot load, such as those for another C library.
    """
    import subprocess
    import tomllib

    names = tomllib.loads((REQUIREMENTS / "imports.toml").read_text(encoding="utf-8"))
    wanted = [name for each in KINDS[: KINDS.index(kind) + 1] for name in names[each]]
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    tried = subprocess.run(
        [str(PYTHON), "-I", "-c", code, *wanted],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if not tried.returncode:
        return ""
    return (
        tried.stderr.strip().splitlines()
        or [translate("exit status {status}", status=tried.returncode)]
    )[-1]


def find_damage() -> str:
    """Import the packages of the .venv in use; return the error, or "" if there is none.

    After an error the next start of learn.py makes .venv again.
    """
    kind = read_stamp().get("kind")
    if kind not in KINDS or Path(sys.prefix).resolve() != VENV.resolve():
        return ""
    found = import_all(kind)
    if found:
        UNFINISHED.touch()
    return found


def explain_pip_failure(log: str, status: int = 1) -> str:
    """Return a message with the package, the cause and advice for a failure of pip.

    Args:
        log: the output of pip.
        status: the exit status of pip; if negative, the signal that ended it.
    """
    if status < 0:
        return translate(
            "the packages could not be installed: pip was ended by signal {signal} (9 often means "
            "that there is too little memory). Start learn.py again.",
            signal=-status,
        )
    package = failed_package(log)
    cause, advice = next(
        (known[1:] for known in CAUSES if re.search(known[0], log)),
        ("pip has failed", "Look into what it said."),
    )
    return translate(
        "{package} could not be installed: {cause}.\n{advice} Then start learn.py again.\n"
        "pip says: {error}\nAll that it said is in {file}",
        package=package or translate("the packages"),
        cause=translate(cause, python=describe_python()),
        advice=translate(advice),
        error=last_error(log),
        file=PIP_LOG,
    )


def failed_package(log: str) -> str:
    """Return the package with which pip failed, or "" if it was none in particular."""
    for pattern in (
        r"No matching distribution found for (\S+)",
        r"DO NOT MATCH THE HASHES.*\n\s+(\S+?)(?: from \S+)?(?: \(from .*\))?:\n",
        r"Failed building wheel for (\S+)",
        r"Failed to build '?([\w.-]+==\S+?)'? ",
    ):
        if found := re.search(pattern, log):
            return found[1]
    if "Installing collected packages" in log:
        return ""
    collected = re.findall(r"Collecting (\S+)", log)
    return collected[-1] if collected else ""


def last_error(log: str) -> str:
    """Return the last error in the output of pip, or else the last 200 characters."""
    errors = re.findall(r"ERROR: (.*)", log)
    return str(errors[-1]) if errors else log.strip()[-200:]


def describe_python() -> str:
    """Return the version and the platform, as in `Python 3.11 on linux-x86_64`."""
    import sysconfig

    return f"Python {sys.version_info[0]}.{sys.version_info[1]} on {sysconfig.get_platform()}"


def explain_os_error(problem: OSError) -> str:
    """Return the message for a failed write, with advice."""
    reason = f"{problem.strerror}: {problem.filename or VENV}"
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = translate("Make room on this disk and start learn.py again.")
    elif problem.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        advice = translate("Copy the course to a folder that you may write to, and start it there.")
    elif problem.errno in (errno.EEXIST, errno.ENOTDIR):
        advice = translate("Remove it and start learn.py again: the environment belongs there.")
    else:
        advice = translate("The environment {folder} could not be made.", folder=VENV)
    return f"{reason}\n{advice}"


def set_variables() -> None:
    """Set the environment variables for the programs of the course.

    Modules are imported from the checkout and from .venv only, whatever the current folder is. A
    character that the terminal's encoding lacks (Windows: cp1252) is printed as a replacement;
    without this setting it raises UnicodeEncodeError and ends the program.
    """
    for name in ("PYTHONHOME", "PYTHONSAFEPATH"):
        os.environ.pop(name, None)
    os.environ["PYTHONPATH"] = str(ROOT)
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    os.environ["PYTHONIOENCODING"] = f"{encoding}:{errors or 'replace'}"


def exec_command(command: list[str]) -> int:
    """Replace this process by `command`; on Windows run `command` and return its exit status.

    Windows cannot replace a process.
    """
    sys.stdout.flush()
    if sys.platform != "win32":
        os.execv(command[0], command)
    import subprocess

    with subprocess.Popen(command) as child:
        while True:
            # Ctrl-C goes to the child process too, and the child handles it.
            with contextlib.suppress(KeyboardInterrupt):
                return child.wait()
