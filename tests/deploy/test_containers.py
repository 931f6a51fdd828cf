"""The container files, without Docker: the files of the image are made in a folder.

`scripts/bare_system` runs all steps of the Dockerfile in a bare Debian, as root and as its user.
"""

import contextlib
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from capstone_chat import __main__ as start
from capstone_chat.app import ROUTES
from capstone_chat.options import parse
from tests.deploy.stack import DEPLOY, ROOT
from tests.support.identifiers import imported_packages
from tests.support.script_modules import load

Step = tuple[str, str]

OPTIONAL = {"psycopg"}
"""Packages that a chat on another database needs: the image is for SQLite and MariaDB."""


class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no annotations
    """Reads the tag with which Compose lets one file empty a list of another."""


Loader.add_constructor("!reset", lambda _loader, _node: [])


def steps() -> list[Step]:
    """Return the instructions of the Dockerfile with their arguments."""
    found: list[Step] = load("bare_system").instructions((DEPLOY / "Dockerfile").read_text())
    return found


def only(instruction: str) -> str:
    """Return the arguments of an instruction that comes once."""
    (arguments,) = [rest for name, rest in steps() if name == instruction]
    return arguments


def compose(name: str) -> dict[str, Any]:
    """Return a compose file."""
    found: dict[str, Any] = yaml.load((DEPLOY / name).read_text(), Loader)
    return found


def health_check() -> list[str]:
    """Return the command of the health check."""
    command: list[str] = json.loads(only("HEALTHCHECK").partition("CMD")[2])
    return command


def requirements() -> Path:
    """Return the list of packages that the image installs."""
    (source,) = [rest.split()[0] for name, rest in steps() if name == "COPY" and ".txt" in rest]
    return ROOT / source


class Image:
    """The files of the image, made in a folder as the Dockerfile says.

    Args:
        root: stands for / of the container.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root
        for name, rest in steps():
            match name:
                case "COPY":
                    *sources, target = shlex.split(rest)
                    for source in sources:
                        self.copy(ROOT / source, self.place(target))
                case "WORKDIR":
                    self.folder = self.place(rest)
                case "RUN" if "compileall" in rest:
                    subprocess.run(self.translate(shlex.split(rest)), check=True)
                case "VOLUME":
                    self.place(rest).mkdir(parents=True, mode=0o700)

    def place(self, path: str) -> Path:
        """Return where a path of the container is."""
        return self.root / path.lstrip("/")

    def copy(self, source: Path, target: Path) -> None:
        """Copy a file, or what is in a folder, unless .dockerignore keeps it out."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            shutil.copy(source, target)
        else:
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "deploy"))

    def translate(self, command: list[str]) -> list[str]:
        """Return a command of the container for this host."""
        words = [re.sub(r"(^|=)/(srv|var)/", rf"\1{self.root}/\2/", word) for word in command]
        return [sys.executable if word == "python" else word for word in words]

    def files(self) -> set[Path]:
        """Return all files outside the volume."""
        volume = self.place(only("VOLUME"))
        return {
            path for path in self.root.rglob("*") if path.is_file() and volume not in path.parents
        }


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image(tmp_path_factory.mktemp("image"))


@contextlib.contextmanager
def running(image: Image, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the chat as the image does, on a free port; give the process and its address."""
    command = image.translate(json.loads(only("ENTRYPOINT")))
    with subprocess.Popen(
        [*command, "--port=0", *options],
        cwd=image.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
    ) as process:
        try:
            assert process.stdout is not None
            found = re.fullmatch(r"Open (http://localhost:\d+)\n", process.stdout.readline())
            assert found, process.communicate()
            yield process, found[1]
        finally:
            process.kill()


def test_the_image_starts_answers_its_health_check_and_stops_cleanly(image: Image) -> None:
    before = image.files()
    with running(image) as (process, url):
        command = [word.replace("http://127.0.0.1:8888", url) for word in health_check()]
        assert command != health_check(), "the health check asks the port that is exposed"
        subprocess.run(image.translate(command), check=True, timeout=30)
        with urllib.request.urlopen(f"{url}/static/js/main.js", timeout=30) as response:
            assert response.status == 200
        process.send_signal(getattr(signal, only("STOPSIGNAL")))
        _, said = process.communicate(timeout=15)
        assert process.returncode == 0, said
        down = subprocess.run(image.translate(command), check=False, capture_output=True)
        assert down.returncode == 1, "a chat that is away is not healthy"
    assert image.files() == before, "nothing but the volume is written to"
    assert image.place(only("VOLUME")).joinpath("chat.db").is_file()


def test_the_image_is_small_and_its_user_is_nobody_of_importance() -> None:
    assert only("FROM").endswith("-slim")
    (user,) = [rest for name, rest in steps() if name == "USER"]
    made = [rest for name, rest in steps() if name == "RUN" and "useradd" in rest]
    assert user not in ("root", "0")
    assert made and f" {user} " in made[0]
    last = max(n for n, (name, _) in enumerate(steps()) if name in ("RUN", "COPY"))
    assert steps().index(("USER", user)) > last, "the code belongs to root"
    assert getattr(signal, only("STOPSIGNAL")) in start.STOP_SIGNALS
    assert any(re.search(r"/healthz\b", word) for word in health_check())
    assert any(route.regex.match("/healthz") for route in ROUTES)
    for word in health_check()[2], json.dumps(compose("compose.yaml")):
        assert f":{only('EXPOSE')}" in word


def test_the_build_sees_what_it_copies_and_no_more() -> None:
    rules = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert rules[1] == "*"
    sources = [source for name, rest in steps() if name == "COPY" for source in rest.split()[:-1]]
    for source in sources:
        assert (ROOT / source).exists()
        assert any(fnmatch(source.split("/")[0], rule[1:]) for rule in rules if rule[:1] == "!")


def test_the_packages_are_those_that_the_chat_imports() -> None:
    listed = set(re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==", requirements().read_text(), re.M))
    assert "--require-hashes" in str(steps())
    providers = importlib.metadata.packages_distributions()
    for file in (ROOT / "capstone_chat").rglob("*.py"):
        for top in imported_packages(file) - sys.stdlib_module_names - OPTIONAL - {"capstone_chat"}:
            found = {re.sub("[._]+", "-", name).lower() for name in providers[top]}
            assert found & listed, f"{file}: {top}"


def test_the_container_has_no_rights_and_keeps_its_data_in_a_volume() -> None:
    chat = compose("compose.yaml")["services"]["chat"]
    assert chat["read_only"] is True
    assert chat["cap_drop"] == ["ALL"]
    assert chat["volumes"] == [f"data:{only('VOLUME')}"]
    assert "data" in compose("compose.yaml")["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in chat["ports"])
    build = chat["build"]
    context = (DEPLOY / build["context"]).resolve()
    assert context == ROOT
    assert context / build["dockerfile"] == DEPLOY / "Dockerfile"


def test_the_processes_find_their_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    services = compose("compose.servers.yaml")["services"]
    monkeypatch.setenv("DB_PASSWORD", "p@ss/w:rd")
    options = parse([f"--config={DEPLOY / 'container.conf'}"])
    assert options.xheaders
    url = options.database_url
    database = services["mariadb"]["environment"]
    assert (url.host, url.password) == ("mariadb", "p@ss/w:rd")
    assert (url.username, url.database) == (database["MARIADB_USER"], database["MARIADB_DATABASE"])
    assert options.redis.startswith("redis://redis:")
    assert set(services["chat"]["depends_on"]) == {"mariadb", "redis"}
    for name in "mariadb", "redis":
        assert services[name]["healthcheck"]["test"]
    for name, service in services.items():
        assert name == "chat" or re.search(r":\d", service["image"]), "a version is named"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith(".") or (DEPLOY / source).exists()
    (config,) = services["chat"]["command"]
    (volume,) = services["chat"]["volumes"]
    assert volume == f"./container.conf:{config.partition('=')[2]}:ro"
    assert services["chat"]["ports"] == [], "nginx alone reaches the processes"


def test_nginx_in_a_container_has_the_files_of_a_host(tmp_path: Path) -> None:
    assert os.access(DEPLOY / "nginx" / "container.sh", os.X_OK), "or nginx's image leaves it out"
    script = (DEPLOY / "nginx" / "container.sh").read_text()
    (tmp_path / "conf.d").mkdir()
    here = script.replace("/etc/nginx", str(tmp_path)).replace(
        "/srv/chat/capstone_chat/deploy", str(DEPLOY)
    )
    subprocess.run(["sh", "-c", here], check=True)
    chat = (tmp_path / "conf.d" / "chat.conf").read_text()
    servers = re.findall(r"^ *server (.*);$", chat, re.M)
    assert servers == [f"chat:{only('EXPOSE')} resolve max_fails=0"]
    assert not re.search(r"127\.0\.0\.1\b", chat)
    assert "limit_conn_zone" in chat
    routes = (tmp_path / "snippets" / "chat.conf").read_text()
    assert re.findall(r"^(?:access|error)_log (\S+)", routes, re.M) == [
        "/dev/stdout",
        "/dev/stderr",
    ]
    assert "listen 80" in (tmp_path / "conf.d" / "default.conf").read_text()
