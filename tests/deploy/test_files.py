"""The files in deploy/, read: what they say twice, and what they say about the chat, agrees."""

import configparser
import re
import subprocess

from capstone_chat.accounts import picture_files
from capstone_chat.handlers import base
from capstone_chat.options import Options, parse
from tests.deploy.stack import DEPLOY

UNITS = {"k": 1 << 10, "m": 1 << 20, "s": 1}


def nginx(name: str) -> list[int]:
    """Return the values of a directive, in bytes or seconds, in the order of routes.conf."""
    routes = (DEPLOY / "nginx" / "routes.conf").read_text()
    found = re.findall(rf"^ *{name} (\d+)([kms]);", routes, re.M)
    return [int(number) * UNITS[unit] for number, unit in found]


def program(path: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / path)
    return parser


def test_nginx_takes_what_the_chat_takes() -> None:
    assert nginx("client_max_body_size") == [base.MAX_BODY_BYTES, picture_files.MAX_UPLOAD_BYTES]


def test_nginx_keeps_the_limits_that_the_chat_cannot_keep_behind_it() -> None:
    routes = (DEPLOY / "nginx" / "routes.conf").read_text()
    limits = re.findall(r"^limit_conn chat_address (\d+);", routes, re.M)
    assert limits == [str(Options.connections_per_address)]
    zone = "limit_conn_zone $binary_remote_addr zone=chat_address:"
    assert zone in (DEPLOY / "nginx" / "chat.conf").read_text()
    assert nginx("client_body_timeout") == [Options.body_timeout]
    assert nginx("send_timeout") == [Options.response_timeout]


def test_nginx_waits_for_a_silent_socket_longer_than_the_chat() -> None:
    assert nginx("proxy_read_timeout")[0] > Options.ping_interval + Options.ping_timeout


def test_the_config_is_one_that_the_chat_reads() -> None:
    options = parse([f"--config={DEPLOY / 'chat.conf'}"])
    assert options.secure
    assert options.xheaders
    assert options.address == "127.0.0.1"


def test_supervisor_and_systemd_start_the_same() -> None:
    supervisor = program("supervisor/chat.conf")["program:chat"]
    unit = program("systemd/chat@.service")["Service"]
    command = supervisor["command"].replace("80%(process_num)02d", "%i")
    assert unit["ExecStart"] == command
    assert unit["WorkingDirectory"] == supervisor["directory"]
    assert unit["User"] == supervisor["user"]
    assert int(unit["TimeoutStopSec"]) == int(supervisor["stopwaitsecs"]) > Options.drain


def test_nginx_has_a_line_for_each_process_that_supervisor_starts() -> None:
    supervisor = program("supervisor/chat.conf")["program:chat"]
    first = int(supervisor["numprocs_start"])
    expected = [f"127.0.0.1:80{first + n:02}" for n in range(int(supervisor["numprocs"]))]
    upstream = (DEPLOY / "nginx" / "chat.conf").read_text()
    assert re.findall(r"^ *server (\S+)", upstream, re.M) == expected


def test_the_readme_installs_what_is_there_and_lets_the_chat_into_its_database() -> None:
    readme = (DEPLOY / "README.md").read_text()
    named = set(re.findall(r"capstone_chat/deploy/(\S+)", readme))
    there = {str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob("*") if path.is_file()}
    there -= {"README.md", "nginx/http.conf"}  # which is for those who try it
    # The compose files use them.
    there -= {"Dockerfile", "Dockerfile.dockerignore", "container.conf", "nginx/container.sh"}
    assert named == there
    url = parse([f"--config={DEPLOY / 'chat.conf'}"]).database_url
    assert f"CREATE USER {url.username}@'{url.host}'" in readme
    assert f"GRANT ALL ON {url.database}.* TO {url.username}@'{url.host}'" in readme


def test_a_rolling_restart_stops_at_a_process_that_does_not_come_back() -> None:
    done = subprocess.run(
        [DEPLOY / "rolling-restart", "1", "2"],
        env={"RESTART": "echo restarting process PORT", "PATIENCE": "0", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "restarting process 1" in done.stdout
    assert "2" not in done.stdout
    assert "1: not ready" in done.stderr
