"""learn.py makes the environment once, and says clearly why it cannot.

Each test has a small course of its own, whose lock names small packages that a server in the test
hands out: learn.py, venv and pip are the real ones. Only pip's modules are compiled in advance:
each of some forty installations would compile them anew.
"""

import ast
import ensurepip
import errno
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from course import environment
from tests.support.checkout import ROOT, clean_environment, learn, read_until, start_learn

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def wheel(name: str, version: str, module: str = "") -> bytes:
    """A package with one module, `module` or one whose VERSION is its version."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": module or f"VERSION = {version!r}\n",
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
        held: a package whose page is held back until a client hangs up.
        after_held: a package whose page is held back until a client has asked for that of `held`.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.wheels: dict[str, bytes] = {}
        self.gate, self.asked, self.hung_up = (threading.Event() for _ in range(3))
        self.gate.set()
        self.held = self.after_held = ""
        self.held_asked = threading.Event()

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
        }


class Answer(http.server.BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        self.server.asked.set()
        name = self.path.strip("/").rpartition("/")[2]
        if name == self.server.held:
            self.server.held_asked.set()
            self._hold_back(self.server.hung_up)
        elif name == self.server.after_held:
            self.server.held_asked.wait(60)
        elif not self.server.gate.is_set():
            self._hold_back(self.server.gate)
        if name in self.server.wheels:
            self._send("application/zip", self.server.wheels[name])
        else:
            links = [
                f'<a href="/files/{file}">{file}</a>'
                for file in self.server.wheels
                if file.startswith(f"{name}-")
            ]
            self._send("text/html", "".join(links).encode())

    def _hold_back(self, until: threading.Event) -> None:
        # Until the event comes, or the client hangs up, whichever comes first.
        def watch() -> None:
            try:
                gone = not self.connection.recv(1, socket.MSG_PEEK)
            except OSError:
                gone = True
            if gone:
                self.server.hung_up.set()
                self.server.gate.set()

        threading.Thread(target=watch, daemon=True).start()
        until.wait()

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


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield server
        server.gate.set()
        server.shutdown()
        serving.join()


@pytest.fixture(scope="session")
def compiled_pip(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A stand-in for the package `ensurepip`: its wheel of pip holds compiled modules too.

    It is None where `ensurepip` has its wheel in another folder, as on Debian. There each
    installation compiles pip.
    """
    bundled = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"), None)
    if bundled is None:
        return None
    folder = tmp_path_factory.mktemp("compiled pip")
    package, unpacked = folder / "ensurepip", folder / "unpacked"
    (package / "_bundled").mkdir(parents=True)
    (package / "__init__.py").touch()
    with zipfile.ZipFile(bundled) as archive:
        archive.extractall(unpacked)
    # An installation that fails at once has imported most of what any installation imports.
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-index", "nothing"],
        cwd=unpacked,
        env=clean_environment(PIP_CONFIG_FILE=os.devnull),
        capture_output=True,
        check=False,
    )
    with zipfile.ZipFile(package / "_bundled" / bundled.name, "w") as archive:
        for file in unpacked.rglob("*"):
            content = b"" if file.is_dir() else file.read_bytes()
            if file.suffix == ".pyc":
                # Valid whatever the date of the source, which is that of the unpacking (PEP 552).
                content = content[:4] + struct.pack("<L8x", 1) + content[16:]
            if not file.is_dir():
                archive.writestr(file.relative_to(unpacked).as_posix(), content)
    return package


@pytest.fixture
def course(tmp_path: Path, index: Index, compiled_pip: Path | None) -> Path:
    """A course that prints its arguments and what is installed; its name has a space in it."""
    folder = tmp_path / "a course"
    (folder / "course").mkdir(parents=True)
    (folder / "requirements").mkdir()
    for part in "learn.py", "course/environment.py", "course/translation.py", "course/__init__.py":
        shutil.copyfile(ROOT / part, folder / part)
    (folder / "course" / "__main__.py").write_text(
        "import importlib.util, sys, tiny\n"
        "there = [n for n in ('small', 'larger') if importlib.util.find_spec(n)]\n"
        "print('arguments', sys.argv[1:], 'tiny', tiny.VERSION, 'and', *there)\n"
        "sys.exit(7)\n"
    )
    lock(folder, index, "1.0")
    if compiled_pip:
        shutil.copytree(
            compiled_pip, folder / "ensurepip"
        )  # learn.py imports from its folder first
    return folder


def lock(folder: Path, index: Index, version: str) -> None:
    """Lock `tiny` for the chat, `small` for the lessons, `larger` for dev, at a version."""
    lines = ""
    imports = ""
    for kind, name in ("chat", "tiny"), ("lessons", "small"), ("dev", "larger"):
        lines += index.add(name, version)
        imports += f"{kind} = ['{name}']\n"
        (folder / "requirements" / f"{kind}.txt").write_text(lines)
    (folder / "requirements" / "imports.toml").write_text(imports)


def test_it_installs_once_and_again_only_for_a_new_lock_or_python(
    course: Path, index: Index
) -> None:
    # This one installs Python's own pip as it is.
    shutil.rmtree(course / "ensurepip", ignore_errors=True)
    first = learn(course, "run", "01", "--port=1", env=index.settings)
    assert "Preparing" in first.stdout, first.stderr
    assert "arguments ['run', '01', '--port=1'] tiny 1.0 and small" in first.stdout
    assert first.returncode == 7, "the exit status is the command's"

    untouched = course / ".venv" / "untouched"
    untouched.touch()
    index.wheels.clear()
    second = learn(course, "list", env=index.settings)
    assert second.stdout == "arguments ['list'] tiny 1.0 and small\n"
    assert second.stderr == ""

    lock(course, index, "1.0")
    tests = learn(course, "test", env=index.settings)
    assert "and small larger" in tests.stdout, "test needs more than list does"
    assert learn(course, "list", env=index.settings).stdout.count("\n") == 1, (
        "dev covers the others"
    )

    lock(course, index, "2.0")
    changed = learn(course, "list", env=index.settings)
    assert "tiny 2.0 and small larger" in changed.stdout, "a new lock is installed"
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
    assert "Preparing" in learn(course, "list", env=index.settings).stdout
    assert not untouched.exists(), "another Python needs another environment"


def test_each_list_is_installed_when_it_is_first_needed(course: Path, index: Index) -> None:
    chat = learn(course, "chat", env=index.settings)
    assert chat.stdout.endswith("arguments ['chat'] tiny 1.0 and\n"), "the chat needs no more"
    assert "and small\n" in learn(course, "list", env=index.settings).stdout
    assert learn(course, "chat", env=index.settings).stdout.count("\n") == 1, "lessons covers chat"
    assert "and small larger\n" in learn(course, "bench", env=index.settings).stdout


def python_of(course: Path) -> Path:
    return course / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def test_it_can_be_started_from_another_folder(course: Path, index: Index, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "tiny 1.0" in learn(course, "list", env=index.settings).stdout
    command = [sys.executable, str(course / "learn.py"), "list"]
    started = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert started.stdout == "arguments ['list'] tiny 1.0 and small\n", started.stderr


def test_a_failed_download_says_what_to_do_and_leaves_what_was_there(
    course: Path, index: Index
) -> None:
    nothing_listens = index.settings | {"PIP_INDEX_URL": "http://127.0.0.1:9/"}
    failed = learn(course, "list", env=nothing_listens)
    assert_not_ready(
        failed, "tiny==1.0 could not be installed", "cannot be reached", "start learn.py again"
    )

    assert learn(course, "list", env=index.settings).returncode == 7, "with a network it works"
    assert_not_ready(learn(course, "test", env=nothing_listens), "could not be installed")
    still = learn(course, "list", env=nothing_listens)
    assert still.stdout == "arguments ['list'] tiny 1.0 and small\n", still.stderr


def test_a_package_that_is_not_the_locked_one_is_refused(course: Path, index: Index) -> None:
    index.wheels["tiny-1.0-py3-none-any.whl"] = wheel("tiny", "1.0") + b" "
    assert_not_ready(
        learn(course, "list", env=index.settings), "tiny==1.0 could not be", "another file"
    )

    (course / "requirements" / "lessons.txt").write_text("small==1.0\n")
    assert_not_ready(learn(course, "list", env=index.settings), "could not be installed", "hash")


def test_a_file_in_the_place_of_the_environment(course: Path, index: Index) -> None:
    (course / ".venv").write_text("not a folder")
    assert_not_ready(learn(course, "list", env=index.settings), ".venv", "Remove it")


def test_a_missing_lock(course: Path, index: Index) -> None:
    (course / "requirements" / "lessons.txt").unlink()
    assert_not_ready(learn(course, "list", env=index.settings), "lessons.txt")


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_names_the_package(course: Path, module: str) -> None:
    # As on Debian without python3-venv. A sitecustomize runs before any program does.
    (course / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
    failed = learn(course, "list", env={"PYTHONPATH": str(course)})
    assert_not_ready(failed, f"'{module}'", "apt install python3-venv")


def test_an_old_python_is_told_so(course: Path) -> None:
    (course / "sitecustomize.py").write_text("import sys\nsys.version_info = (3, 10, 0)\n")
    failed = learn(course, "list", env={"PYTHONPATH": str(course)})
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
def test_a_disk_that_takes_nothing(course: Path, number: int, advice: str) -> None:
    (course / "sitecustomize.py").write_text(
        "import os, venv\n"
        "def refuse(place, **options):\n"
        f"    raise OSError({number}, os.strerror({number}), str(place))\n"
        "venv.create = refuse\n"
    )
    failed = learn(course, "list", env={"PYTHONPATH": str(course)})
    assert_not_ready(failed, os.strerror(number), advice)


# What pip 23 to 26 say when it fails in ways that a test has no means for.
RETRY = (
    "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by '{}': /simple/x/"
)
NOTHING = "ERROR: No matching distribution found for x==1"
FAILURES = {
    "no name server": (
        RETRY.format(
            "NewConnectionError('Failed to establish a new connection: [Errno -3] Temporary "
            "failure in name resolution')"
        ),
        NOTHING,
        ["x==1 could not be installed: the package index cannot be reached", "Is there a network?"],
    ),
    "a proxy": (
        RETRY.format(
            "ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 "
            "Proxy Authentication Required'))"
        ),
        NOTHING,
        ["x==1 could not be installed: the proxy refuses", "HTTPS_PROXY"],
    ),
    "a certificate": (
        RETRY.format(
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate "
            "verify failed: self-signed certificate in certificate chain'))"
        ),
        NOTHING,
        ["x==1 could not be installed: the certificate", "PIP_CERT"],
    ),
    "a full disk": (
        "Installing collected packages: y, x",
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        ["the packages could not be installed: the disk is full", "Make room"],
    ),
    "a folder that became read-only": (
        "Installing collected packages: y, x",
        "ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system",
        ["the packages could not be installed: this folder cannot be written", "Copy the course"],
    ),
    "no compiler": (
        "  Building wheel for x (pyproject.toml): finished with status 'error'\n"
        "  error: command 'gcc' failed: No such file or directory\n"
        "  ERROR: Failed building wheel for x",
        "ERROR: Could not build wheels for x, which is required to install pyproject.toml-based "
        "projects",
        ["x could not be installed: there is no ready-made file of it for Python", "C compiler"],
    ),
    "no file for this Python": (
        "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: 0.9)",
        NOTHING,
        ["x==1 could not be installed: the package index has no file of it for Python"],
    ),
    "no access": (
        "ERROR: HTTP error 403 while getting https://index.example/x-1.whl",
        "ERROR: Could not install requirement x==1 because of HTTP error 403 Client Error",
        ["x==1 could not be installed: the package index refuses access"],
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_names_the_package_and_the_cause(failure: str) -> None:
    before, last, expected = FAILURES[failure]
    said = environment.explain_pip_failure(f"Collecting y==1\nCollecting x==1\n{before}\n{last}\n")
    for text in (*expected, last.removeprefix("ERROR: "), str(environment.PIP_LOG)):
        assert text in said


def test_a_pip_that_was_killed() -> None:
    assert "signal 9" in environment.explain_pip_failure("Collecting x==1\n", -9)


def test_a_certificate_that_nobody_knows_is_the_cause(course: Path, index: Index) -> None:
    make_certificate(course)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(course / "cert.pem", course / "key.pem")
    index.socket = context.wrap_socket(index.socket, server_side=True)
    # By name: pip of Python 3.13 cannot ask an address for its certificate.
    address = f"https://localhost:{index.server_address[1]}/simple/"
    secure = index.settings | {"PIP_INDEX_URL": address}
    failed = learn(course, "chat", env=secure)
    assert_not_ready(failed, "tiny==1.0 could not be installed: the certificate")
    # pip prefers the other two to its own setting, and a machine may have them.
    trusting = secure | {"PIP_CERT": str(course / "cert.pem")}
    trusting |= {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}
    ended = learn(course, "chat", env=trusting)
    assert ended.returncode == 7, f"a company's own is kept: {ended.stderr}"


def make_certificate(folder: Path) -> None:
    """Write cert.pem and key.pem for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "index")])
    now = datetime.now(UTC)
    own = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(own, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(secret)


@pytest.mark.parametrize("place", ["variables", "file"])
def test_settings_of_other_people_do_not_break_the_environment(
    course: Path, index: Index, tmp_path: Path, place: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    hurtful = {
        "user": "1",
        "target": str(elsewhere),
        "prefix": str(elsewhere),
        "root": str(elsewhere),
        "require-virtualenv": "1",
        "no-index": "1",
        "no-binary": ":all:",
        "constraint": str(tmp_path / "nowhere.txt"),
        "dry-run": "1",
        "quiet": "3",
        "log": str(tmp_path / "nowhere" / "log"),
    }
    # Where Python looks for modules before it looks into .venv.
    (elsewhere / "tiny").mkdir(parents=True)
    (elsewhere / "tiny" / "__init__.py").write_text("VERSION = 'of another project'")
    settings = index.settings | {"PYTHONPATH": str(elsewhere), "PYTHONSAFEPATH": "1"}
    if place == "variables":
        settings |= {f"PIP_{name.upper().replace('-', '_')}": v for name, v in hurtful.items()}
    else:
        address = settings.pop("PIP_INDEX_URL")
        lines = [f"{name} = {value}" for name, value in hurtful.items()]
        file = tmp_path / "pip.conf"
        text = "\n".join(["[global]", *lines, "[install]", f"index-url = {address}"])
        file.write_text(text, encoding="utf-8")
        settings |= {"PIP_CONFIG_FILE": str(file)}
    first = learn(course, "list", env=settings)
    assert first.stdout.endswith("arguments ['list'] tiny 1.0 and small\n"), first.stderr
    assert [path.name for path in elsewhere.iterdir()] == ["tiny"]
    second = learn(course, "list", env=settings)
    assert second.stdout == "arguments ['list'] tiny 1.0 and small\n"


def test_pythonhome_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # With one that is wrong learn.py itself cannot start; with one that is right for the system's
    # Python, that of .venv may not.
    for name, value in ("PYTHONHOME", "/usr"), ("PYTHONPATH", "/x"), ("PYTHONIOENCODING", "ascii"):
        monkeypatch.setenv(name, value)
    environment.set_variables()
    assert "PYTHONHOME" not in os.environ
    assert os.environ["PYTHONPATH"] == str(ROOT)
    assert os.environ["PYTHONIOENCODING"] == "ascii:replace"


def test_no_index_is_kept_with_a_folder_of_packages(
    course: Path, index: Index, tmp_path: Path
) -> None:
    # As a company without the Internet has it.
    for name, content in index.wheels.items():
        (tmp_path / name).write_bytes(content)
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    ended = learn(course, "list", env=offline)
    assert ended.stdout.endswith("tiny 1.0 and small\n"), ended.stderr


def test_a_broken_configuration_of_pip_is_named(course: Path, index: Index) -> None:
    broken = course / "pip.conf"
    broken.write_text("no section\n")
    failed = learn(course, "list", env=index.settings | {"PIP_CONFIG_FILE": str(broken)})
    assert_not_ready(failed, "pip cannot read its configuration", str(broken))


@pytest.mark.parametrize(
    ("settings", "maker"), [("uv = 0.13.8\n", "uv"), ("version = 3.11.7\n", "another program")]
)
def test_an_environment_of_somebody_else_is_left_alone(
    course: Path, index: Index, settings: str, maker: str
) -> None:
    venv = course / ".venv"
    venv.mkdir()
    (venv / "pyvenv.cfg").write_text(settings)
    (venv / "precious").touch()
    failed = learn(course, "list", env=index.settings)
    assert_not_ready(failed, f".venv was made by {maker}", "Rename or remove")
    assert failed.stderr.count("\n") == 1
    assert (venv / "precious").exists()


@posix_only
def test_the_environment_of_another_checkout_is_left_alone(
    course: Path, index: Index, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "learn-stamp.json").write_text("{}")
    (course / ".venv").symlink_to(other)
    assert_not_ready(learn(course, "list", env=index.settings), f"is a link to {other}")
    assert [path.name for path in other.iterdir()] == ["learn-stamp.json"]


def test_a_package_that_cannot_be_imported_does_not_count_as_installed(
    course: Path, index: Index
) -> None:
    good = index.wheels["tiny-1.0-py3-none-any.whl"]
    content = wheel("tiny", "1.0", "raise ImportError('libmissing.so.1')\n")
    digest = hashlib.sha256(content).hexdigest()
    index.wheels["tiny-1.0-py3-none-any.whl"] = content
    whole = (course / "requirements" / "chat.txt").read_text()
    (course / "requirements" / "chat.txt").write_text(f"tiny==1.0 --hash=sha256:{digest}\n")
    assert_not_ready(learn(course, "chat", env=index.settings), "do not work", "libmissing.so.1")

    index.wheels["tiny-1.0-py3-none-any.whl"] = good
    (course / "requirements" / "chat.txt").write_text(whole)
    assert "tiny 1.0" in learn(course, "chat", env=index.settings).stdout


def test_a_damaged_package_is_named_and_installed_anew(course: Path, index: Index) -> None:
    shutil.copyfile(ROOT / "course" / "__main__.py", course / "course" / "__main__.py")
    (course / "course" / "cli.py").write_text(
        "import tiny\ndef main(): print('tiny', tiny.VERSION)\n"
    )
    assert learn(course, "list", env=index.settings).stdout.endswith("tiny 1.0\n")
    next((course / ".venv").rglob("tiny.py")).unlink()
    assert_not_ready(learn(course, "list"), "is damaged: ModuleNotFoundError", "'tiny'")
    assert learn(course, "list", env=index.settings).stdout.endswith("tiny 1.0\n")

    (course / "course" / "cli.py").write_text("import no_such_thing\n")
    other = learn(course, "list")
    assert "No module named 'no_such_thing'" in other.stderr, "our own mistake is not hidden"
    assert "is damaged" not in other.stderr


def test_progress_is_printed_though_the_output_is_no_terminal(course: Path, index: Index) -> None:
    lines = "".join(index.add(f"part{number}", "1.0") for number in range(25))
    elsewhere = "other==1.0 ; sys_platform == 'none' --hash=sha256:" + "0" * 64 + "\n"
    (course / "requirements" / "chat.txt").write_text(lines + elsewhere + index.add("tiny", "1.0"))
    said = learn(course, "chat", env=index.settings).stdout.splitlines()
    assert said[0].startswith("Preparing ")
    assert said[1:4] == ["10 of 26 packages", "20 of 26 packages", "Installing 26 packages"]


@pytest.mark.parametrize("count", [1, 2, 4, 100])
@pytest.mark.parametrize("kind", environment.KINDS)
def test_the_parts_of_a_list_hold_each_package_once(kind: str, count: int) -> None:
    text = (ROOT / "requirements" / f"{kind}.txt").read_text()
    packages = re.findall(r"^[\w.-]+==\S+", text, re.M)
    parts = environment.split_list(text, count)
    assert len(parts) == min(count, len(packages) // environment.PACKAGES_PER_PIP)
    assert sorted(re.findall(r"^[\w.-]+==\S+", "".join(parts), re.M)) == sorted(packages)
    assert all(part.startswith(tuple(packages)) for part in parts)
    hashes = re.findall(r"--hash=(\S+)", text)
    assert sorted(re.findall(r"--hash=(\S+)", "".join(parts))) == sorted(hashes)


def test_one_part_that_fails_ends_the_others(course: Path, index: Index) -> None:
    # The answer for `slow` comes only when its pip hangs up, and that for `missing` when both pips
    # are at work. `missing` is so long that it is alone.
    missing = "missing==1.0" + 10 * (" --hash=sha256:" + "0" * 64) + "\n"
    others = "".join(index.add(f"part{number}", "1.0") for number in range(8))
    (course / "requirements" / "chat.txt").write_text(missing + index.add("slow", "1.0") + others)
    index.held, index.after_held = "slow", "missing"
    patient = index.settings | {"PIP_TIMEOUT": "120"}  # seconds: pip does not hang up by itself
    failed = learn(course, "chat", env=patient)
    assert_not_ready(failed, "missing==1.0 could not be installed", "has no file of it")
    assert index.hung_up.wait(60)


def test_a_path_that_the_output_cannot_hold(course: Path, index: Index) -> None:
    # Windows writes cp1252 into a pipe or a file.
    moved = course.rename(course.with_name("\N{BLACK SPADE SUIT} course"))
    narrow = index.settings | {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    made = learn(moved, "list", env=narrow)
    assert made.returncode == 7, made.stderr
    assert "? course" in made.stdout.splitlines()[0]


def test_an_environment_from_before_the_three_lists_is_brought_up_to_date_once(
    course: Path, index: Index
) -> None:
    learn(course, "list", env=index.settings)
    stamp = course / ".venv" / "learn-stamp.json"
    before = json.loads(stamp.read_text())
    old = {name: before[name] for name in ("python", "path")} | {
        "kind": "runtime",
        "lock": "0" * 64,
    }
    stamp.write_text(json.dumps(old))
    untouched = course / ".venv" / "untouched"
    untouched.touch()
    assert "Preparing" in learn(course, "list", env=index.settings).stdout
    assert json.loads(stamp.read_text()) == before
    assert untouched.exists(), "nothing is made anew"
    assert "Preparing" not in learn(course, "list", env=index.settings).stdout


def test_uv_runs_learn_py_and_makes_no_environment(course: Path, index: Index) -> None:
    shutil.copyfile(ROOT / "pyproject.toml", course / "pyproject.toml")
    uv = [sys.executable, "-m", "uv", "--offline", "--no-config"]
    environment = {name: text for name, text in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= index.settings | {"UV_PYTHON": sys.executable}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*uv, *arguments],
            cwd=course,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    ran = run("run", "learn.py", "list")
    assert ran.stdout.endswith("arguments ['list'] tiny 1.0 and small\n"), ran.stderr
    made = sorted((course / ".venv").iterdir())
    synced = run("sync")
    assert synced.returncode == 2
    assert "unmanaged" in synced.stderr
    assert sorted((course / ".venv").iterdir()) == made


@posix_only
def test_a_colon_in_the_path_is_refused(course: Path, index: Index) -> None:
    moved = course.rename(course.with_name("lessons: tornado"))
    failed = learn(moved, "list", env=index.settings)
    assert_not_ready(failed, "a ':' in it", "Rename the folder")
    assert failed.stderr.count("\n") == 1
    assert not (moved / ".venv").exists()


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_installation_is_repaired(
    course: Path, index: Index, number: signal.Signals
) -> None:
    assert "tiny 1.0" in learn(course, "list", env=index.settings).stdout
    index.asked.clear()
    index.gate.clear()
    process = start_learn(course, "test", env=index.settings)
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

    again = learn(course, "list", env=index.settings)
    assert "tiny 1.0" in again.stdout, again.stderr


def test_a_second_start_waits_for_the_first(course: Path, index: Index) -> None:
    index.gate.clear()
    first = start_learn(course, "list", env=index.settings)
    assert index.asked.wait(60), "the first is in the middle of it"
    second = start_learn(course, "list", env=index.settings)
    waiting = read_until(second, "Another start")
    index.gate.set()
    told_first, _ = first.communicate(timeout=60)
    told_second, _ = second.communicate(timeout=60)
    assert "tiny 1.0" in told_first
    assert "tiny 1.0" in told_second
    assert "Preparing" not in waiting + told_second, "it is made only once"


def assert_not_ready(ended: subprocess.CompletedProcess[str], *texts: str) -> None:
    """It ended with the status for this, each text is in the message, and no traceback."""
    assert ended.returncode == 3, ended.stderr
    assert ended.stderr.startswith("learn.py: ")
    for text in texts:
        assert text in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
