"""learn.py makes the environment once, and says clearly why it cannot.

Each test has a small course of its own, whose lock names small packages that a server in the test
hands out: learn.py, venv and pip are the real ones. Only what ensurepip makes, which is always the
same and costs most of a test, is made once for all of them; the first start does without that.
"""

import ast
import errno
import hashlib
import http.server
import importlib.util
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import types
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.course.checkout import ROOT, learn, read_until, start_learn

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def wheel(name: str, version: str) -> bytes:
    """A package with one module, whose VERSION is its version."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return content.getvalue()


class Index(http.server.ThreadingHTTPServer):
    """A package index on loopback, which holds its answers back while `gate` is closed.

    Attributes:
        asked: set when the first request has come.
        hung_up: set when a client went away without waiting for its answer.
        more: settings besides its own.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.wheels: dict[str, bytes] = {}
        self.more: dict[str, str] = {}
        self.gate, self.asked, self.hung_up = (threading.Event() for _ in range(3))
        self.gate.set()

    def add(self, name: str, version: str) -> str:
        """Offer a package; return its line in a lock."""
        content = wheel(name, version)
        self.wheels[f"{name}-{version}-py3-none-any.whl"] = content
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(content).hexdigest()}\n"

    @property
    def settings(self) -> dict[str, str]:
        """What makes pip use this index and nothing else."""
        return {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"http://127.0.0.1:{self.server_address[1]}/simple/",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "0",
            "NO_PROXY": "127.0.0.1",
        } | self.more


class Answer(http.server.BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        self.server.asked.set()
        if not self.server.gate.is_set():
            self._hold_back()
        name = self.path.strip("/").rpartition("/")[2]
        if name in self.server.wheels:
            self._send("application/zip", self.server.wheels[name])
        else:
            links = [
                f'<a href="/files/{file}">{file}</a>'
                for file in self.server.wheels
                if file.startswith(f"{name}-")
            ]
            self._send("text/html", "".join(links).encode())

    def _hold_back(self) -> None:
        # Until the gate opens, or the client hangs up, whichever comes first.
        def watch() -> None:
            try:
                gone = not self.connection.recv(1, socket.MSG_PEEK)
            except OSError:
                gone = True
            if gone:
                self.server.hung_up.set()
                self.server.gate.set()

        threading.Thread(target=watch, daemon=True).start()
        self.server.gate.wait()

    def _send(self, kind: str, content: bytes) -> None:
        try:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def packed_pip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings with which venv borrows a pip that ensurepip has installed once."""
    folder = tmp_path_factory.mktemp("pip")
    found = importlib.util.find_spec("pip")
    if found and found.origin:  # in the environment that runs the tests, as learn.py has made it
        installed = Path(found.origin).parents[1]
    else:
        venv.create(folder / "made", with_pip=True, symlinks=os.name != "nt")
        installed = next((folder / "made").rglob("site-packages"))
    for part in installed / "pip", *installed.glob("pip-*.dist-info"):
        shutil.copytree(part, folder / "packed" / part.name)
    # A sitecustomize runs before any program does.
    (folder / "sitecustomize.py").write_text(
        "import os, pathlib, shutil, venv\n"
        f"PACKED = pathlib.Path({str(folder / 'packed')!r})\n"
        "def borrow(builder, context):\n"
        "    site = next(pathlib.Path(context.env_dir).rglob('site-packages'))\n"
        "    if os.name == 'nt':\n"
        "        shutil.copytree(PACKED, site, dirs_exist_ok=True)\n"
        "    else:\n"
        "        for part in PACKED.iterdir():\n"
        "            (site / part.name).symlink_to(part)\n"
        "venv.EnvBuilder._setup_pip = borrow\n"
    )
    return {"PYTHONPATH": str(folder)}


@pytest.fixture
def index(packed_pip: dict[str, str]) -> Iterator[Index]:
    with Index() as server:
        server.more = packed_pip
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield server
        server.gate.set()
        server.shutdown()
        serving.join()


@pytest.fixture
def course(tmp_path: Path, index: Index) -> Path:
    """A course that prints its arguments and what is installed; its name has a space in it."""
    folder = tmp_path / "a course"
    (folder / "course").mkdir(parents=True)
    (folder / "requirements").mkdir()
    shutil.copyfile(ROOT / "learn.py", folder / "learn.py")
    (folder / "course" / "__init__.py").touch()
    (folder / "course" / "__main__.py").write_text(
        "import importlib.util, sys, small\n"
        "dev = importlib.util.find_spec('larger') is not None\n"
        "print('arguments', sys.argv[1:], 'small', small.VERSION, 'dev', dev)\n"
        "sys.exit(7)\n"
    )
    lock(folder, index, "1.0")
    return folder


def lock(folder: Path, index: Index, version: str) -> None:
    """Lock `small`, and for dev `larger` too, at a version."""
    small, larger = index.add("small", version), index.add("larger", version)
    (folder / "requirements" / "runtime.txt").write_text(small)
    (folder / "requirements" / "dev.txt").write_text(small + larger)


def test_it_installs_once_and_again_only_for_a_new_lock_or_python(
    course: Path, index: Index
) -> None:
    with_ensurepip = index.settings | {"PYTHONPATH": ""}
    first = learn(course, "run", "01", "--port=1", **with_ensurepip)
    assert "Preparing" in first.stdout, first.stderr
    assert "arguments ['run', '01', '--port=1'] small 1.0 dev False" in first.stdout
    assert first.returncode == 7, "the exit status is the command's"

    untouched = course / ".venv" / "untouched"
    untouched.touch()
    index.wheels.clear()
    second = learn(course, "list", **index.settings)
    assert second.stdout == "arguments ['list'] small 1.0 dev False\n"
    assert second.stderr == ""

    lock(course, index, "1.0")
    tests = learn(course, "test", **index.settings)
    assert "dev True" in tests.stdout, "test needs more than list does"
    assert learn(course, "list", **index.settings).stdout.count("\n") == 1, "dev covers runtime"

    lock(course, index, "2.0")
    changed = learn(course, "list", **index.settings)
    assert "small 2.0 dev True" in changed.stdout, "a new lock is installed"
    assert untouched.exists(), "into the same environment"
    larger = subprocess.run(
        [python_of(course), "-c", "import larger; print(larger.VERSION)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert larger.stdout.strip() == "2.0", "and for the tests' packages too"

    stamp = course / ".venv" / "learn-stamp.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"python": "3.11.0"}))
    assert "Preparing" in learn(course, "list", **index.settings).stdout
    assert not untouched.exists(), "another Python needs another environment"


def python_of(course: Path) -> Path:
    return course / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def test_it_can_be_started_from_another_folder(course: Path, index: Index, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "small 1.0" in learn(course, "list", **index.settings).stdout
    command = [sys.executable, str(course / "learn.py"), "list"]
    started = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert started.stdout == "arguments ['list'] small 1.0 dev False\n", started.stderr


def test_a_failed_download_says_what_to_do_and_leaves_what_was_there(
    course: Path, index: Index
) -> None:
    nothing_listens = index.settings | {"PIP_INDEX_URL": "http://127.0.0.1:9/"}
    failed = learn(course, "list", **nothing_listens)
    assert_not_ready(failed, "could not be installed", "HTTPS_PROXY", "start learn.py again")

    assert learn(course, "list", **index.settings).returncode == 7, "with a network it works"
    assert_not_ready(learn(course, "test", **nothing_listens), "could not be installed")
    still = learn(course, "list", **nothing_listens)
    assert still.stdout == "arguments ['list'] small 1.0 dev False\n", still.stderr


def test_a_package_that_is_not_the_locked_one_is_refused(course: Path, index: Index) -> None:
    index.wheels["small-1.0-py3-none-any.whl"] = wheel("small", "1.0") + b" "
    assert_not_ready(learn(course, "list", **index.settings), "could not be installed", "HASHES")

    (course / "requirements" / "runtime.txt").write_text("small==1.0\n")
    assert_not_ready(learn(course, "list", **index.settings), "could not be installed", "hash")


def test_a_file_in_the_place_of_the_environment(course: Path, index: Index) -> None:
    (course / ".venv").write_text("not a folder")
    assert_not_ready(learn(course, "list", **index.settings), ".venv", "Remove it")


def test_a_missing_lock(course: Path, index: Index) -> None:
    (course / "requirements" / "runtime.txt").unlink()
    assert_not_ready(learn(course, "list", **index.settings), "runtime.txt")


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_names_the_package(course: Path, module: str) -> None:
    # As on Debian without python3-venv. A sitecustomize runs before any program does.
    (course / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
    failed = learn(course, "list", PYTHONPATH=str(course))
    assert_not_ready(failed, f"'{module}'", "apt install python3-venv")


def test_an_old_python_is_told_so(course: Path) -> None:
    (course / "sitecustomize.py").write_text("import sys\nsys.version_info = (3, 10, 0)\n")
    failed = learn(course, "list", PYTHONPATH=str(course))
    assert_not_ready(failed, "needs Python 3.11 or newer, and this is Python 3.10")


def test_the_file_parses_on_an_old_python(course: Path) -> None:
    # Without that an old Python could not say more than SyntaxError.
    ast.parse((ROOT / "learn.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    names = [f"python3.{minor}" for minor in range(6, 11)]
    installed = [path for name in names if (path := shutil.which(name))]
    installed += map(str, Path.home().glob(".pyenv/versions/3.[6-9].*/bin/python"))
    installed += map(str, Path.home().glob(".pyenv/versions/3.10.*/bin/python"))
    for python in installed:
        works = subprocess.run([python, "--version"], capture_output=True, check=False)
        if works.returncode:  # a shim for a version that is not there
            continue
        started = subprocess.run(
            [python, "learn.py"], cwd=course, capture_output=True, text=True, check=False
        )
        assert_not_ready(started, "needs Python 3.11 or newer")


@posix_only
def test_a_folder_that_cannot_be_written(course: Path) -> None:
    course.chmod(0o555)
    try:
        command = [sys.executable, "learn.py", "list"]
        if os.geteuid() == 0:  # root writes everywhere, unless it gives that power away
            command = ["setpriv", "--bounding-set=-dac_override", *command]
        failed = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    finally:
        course.chmod(0o755)
    assert_not_ready(failed, "Permission denied", "folder that you may write to")


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.EROFS, "folder that you may write to"), (errno.ENOSPC, "Make room on this disk")],
)
def test_a_disk_that_takes_nothing(
    course: Path,
    number: int,
    advice: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(course / ".venv"))

    monkeypatch.setattr("venv.create", refuse)
    assert load(course).main(["list"]) == 3
    said = capsys.readouterr()
    assert os.strerror(number) in said.err
    assert advice in said.err


def test_a_disk_that_fills_while_pip_installs(course: Path) -> None:
    # pip's own words, which no test can make it say without a disk to fill.
    said = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    assert "Make room on this disk" in load(course).explain_pip(said)


def load(course: Path) -> types.ModuleType:
    """The course's learn.py as a module."""
    spec = importlib.util.spec_from_file_location("learn_under_test", course / "learn.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_installation_is_repaired(
    course: Path, index: Index, number: signal.Signals
) -> None:
    assert "small 1.0" in learn(course, "list", **index.settings).stdout
    index.asked.clear()
    index.gate.clear()
    process = start_learn(course, "test", **index.settings)
    assert index.asked.wait(60), "pip is in the middle of it"
    process.send_signal(number)
    if number == signal.SIGKILL:
        process.wait(30)
        index.gate.set()
        process.communicate(timeout=30)  # the end of the pipe: pip has gone too
    else:
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "Start it again" in said
        assert "Traceback" not in said
        assert index.hung_up.wait(30), "pip has ended with it"
    # What a half-installed package looks like.
    broken = next((course / ".venv").rglob("site-packages")) / "small.py"
    broken.write_text("raise RuntimeError('half of a file')\n")
    index.gate.set()

    again = learn(course, "list", **index.settings)
    assert "small 1.0" in again.stdout, again.stderr


def test_a_second_start_waits_for_the_first(course: Path, index: Index) -> None:
    index.gate.clear()
    first = start_learn(course, "list", **index.settings)
    assert index.asked.wait(60), "the first is in the middle of it"
    second = start_learn(course, "list", **index.settings)
    waiting = read_until(second, "Another start")
    index.gate.set()
    told_first, _ = first.communicate(timeout=60)
    told_second, _ = second.communicate(timeout=60)
    assert "small 1.0" in told_first
    assert "small 1.0" in told_second
    assert "Preparing" not in waiting + told_second, "it is made only once"


def assert_not_ready(ended: subprocess.CompletedProcess[str], *texts: str) -> None:
    """It ended with the status for this, each text is in the message, and no traceback."""
    assert ended.returncode == 3, ended.stderr
    assert ended.stderr.startswith("learn.py: ")
    for text in texts:
        assert text in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
