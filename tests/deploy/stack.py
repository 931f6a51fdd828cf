"""The chat as an operator runs it: nginx, supervisor, processes, from the files in deploy/.

Only what differs from host to host is changed in them: see `Stack.values`.
"""

import contextlib
import http.client
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa

from fault_injection.harness.servers import read_deploy_file
from tests.support.browser_person import Person
from tests.support.chat_accounts import ChatAccounts
from tests.support.services import require

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "capstone_chat" / "deploy"
PATIENCE = 60
"""Seconds to wait for what will surely come; two cores may be busy."""

# The tests write more than one user may.
PATIENT = {"send_rate": 1e6, "send_burst": 1_000_000, "request_rate": 1e6, "request_burst": 1000000}

# What a distribution's own main files do: include ours, and say where the programs may write.
NGINX = """
{user}
worker_processes 1;
pid {root}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    include {mime_types};
    default_type application/octet-stream;
    access_log off;
    {paths}
    include {root}/conf.d/*.conf;
    include {root}/sites-enabled/*;
}}
"""
SUPERVISOR = """
[unix_http_server]
file={root}/supervisor.sock
[supervisord]
logfile={root}/log/supervisord.log
pidfile={root}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{root}/supervisor.sock
[include]
files={root}/supervisor/chat.conf
"""
# The same routes but for one line: what a proxy that forgets Host does.
WITHOUT_HOST = "server {{ listen 127.0.0.1:{port}; include {root}/snippets/without_host.conf; }}\n"


def free_ports() -> str:
    """Return what the ports of this run begin with, as 80 in 8001.

    They are below those that the system gives to whoever asks for any.
    """
    while True:
        prefix = str(random.randint(110, 320))
        with contextlib.suppress(OSError), contextlib.ExitStack() as taken:
            for number in range(1, 15):
                taken.enter_context(
                    socket.create_server(("127.0.0.1", int(f"{prefix}{number:02}")))
                )
            return prefix


def wait_until(ready: Callable[[], bool], what: str) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < deadline, f"after {PATIENCE} seconds still not: {what}"


class Stack(ChatAccounts):
    """All of it, on free ports.

    Attributes:
        ports: of the two processes.
        port: of nginx; `tls_port` with TLS, `port_without_host` where it does not pass Host on.
    """

    def __init__(self, root: Path, database: str, redis: str) -> None:
        super().__init__(sa.create_engine(database), root / "data" / "secret")
        self.root = root
        prefix = free_ports()
        self.ports = [int(f"{prefix}01"), int(f"{prefix}02")]
        self.port, self.redirect_port, self.tls_port, self.port_without_host = (
            int(f"{prefix}{number}") for number in range(10, 14)
        )
        self.url = f"http://localhost:{self.port}"
        self.servers: list[subprocess.Popen[bytes]] = []
        self.values = {
            "/srv/chat/.venv/bin/python": sys.executable,
            "/srv/chat": str(ROOT),
            "/etc/chat/chat.conf": f"{root}/chat.conf",
            "/var/lib/chat": f"{root}/data",
            "/var/log/chat/": f"{root}/log/",
            "/var/log/nginx/": f"{root}/log/nginx-",
            "/etc/nginx/snippets/": f"{root}/snippets/",
            "/etc/letsencrypt/live/chat.example.org/": f"{root}/",
            "chat.example.org": "localhost",
            "127.0.0.1:80": f"127.0.0.1:{prefix}",
            "80%(process_num)": f"{prefix}%(process_num)",
            "user=chat": "",
            "listen [::]:80;": "",
            "listen [::]:443 ssl http2;": "",
            "listen 443 ": f"listen 127.0.0.1:{self.tls_port} ",
            "mysql+pymysql://chat:PASSWORD@127.0.0.1/chat": database,
            "redis://127.0.0.1:6379/0": redis,
            "secure = True": "secure = False",
        }

    def place(self, source: str, target: str, **more: str) -> None:
        """Put a file of deploy/ where it belongs, with the values of this host."""
        path = self.root / target
        path.parent.mkdir(exist_ok=True)
        path.write_text(read_deploy_file(source, self.values | more))

    def start(self) -> None:
        """Start everything, and return when all processes are ready."""
        for folder in "data", "log", "supervisor", "temporary":
            (self.root / folder).mkdir()
        self.place("chat.conf", "chat.conf")
        with (self.root / "chat.conf").open("a") as config:
            config.writelines(f"{name} = {value}\n" for name, value in PATIENT.items())
        self.place("supervisor/chat.conf", "supervisor/chat.conf")
        self.place("nginx/chat.conf", "conf.d/chat.conf")
        self.place("nginx/routes.conf", "snippets/chat.conf")
        self.place("nginx/http.conf", "sites-enabled/chat", **self.listen(self.port))
        self.place("nginx/https.conf", "sites-enabled/chat-tls", **self.listen(self.redirect_port))
        routes = (self.root / "snippets" / "chat.conf").read_text()
        without, lines = re.subn(r"proxy_set_header Host .*", "", routes)
        assert lines == 1
        (self.root / "snippets" / "without_host.conf").write_text(without)
        server = WITHOUT_HOST.format(root=self.root, port=self.port_without_host)
        (self.root / "sites-enabled" / "without-host").write_text(server)
        self.make_certificate()
        self.start_supervisor()
        for port in self.ports:
            self.wait_until_ready(port)
        self.start_nginx()

    @staticmethod
    def listen(port: int) -> dict[str, str]:
        return {"listen 80;": f"listen 127.0.0.1:{port};"}

    def make_certificate(self) -> None:
        command = (
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
            " -subj /CN=localhost -addext subjectAltName=DNS:localhost"
            " -keyout privkey.pem -out fullchain.pem"
        )
        subprocess.run(command.split(), cwd=self.root, check=True, capture_output=True)

    def start_nginx(self) -> None:
        kinds = "client_body", "proxy", "fastcgi", "uwsgi", "scgi"
        paths = " ".join(f"{kind}_temp_path {self.root}/temporary/{kind};" for kind in kinds)
        user = (
            "user root root;" if os.geteuid() == 0 else ""
        )  # the folders are of who runs the tests
        types = "/etc/nginx/mime.types"
        text = NGINX.format(root=self.root, user=user, paths=paths, mime_types=types)
        (self.root / "nginx.conf").write_text(text)
        self.begin(
            *(require("nginx"), "-p", str(self.root), "-c", f"{self.root}/nginx.conf"),
            *("-e", "stderr", "-g", "daemon off;"),
        )
        self.wait_until_ready(self.port, "/healthz")

    def begin(self, *command: str) -> None:
        """Start a server that runs until the end."""
        with (self.root / "log" / "servers.log").open("a") as log:
            self.servers.append(subprocess.Popen(command, stdout=log, stderr=log))

    def start_supervisor(self) -> None:
        text = SUPERVISOR.format(root=self.root)
        (self.root / "supervisord.conf").write_text(text)
        self.begin(require("supervisor"), "--nodaemon", "-c", f"{self.root}/supervisord.conf")

    def supervisorctl(self, *words: str) -> str:
        """Ask supervisor for something and return what it says."""
        command = [*self.supervisorctl_command, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    @property
    def supervisorctl_command(self) -> list[str]:
        ctl = shutil.which("supervisorctl") or "supervisorctl"
        return [ctl, "-c", f"{self.root}/supervisord.conf"]

    def pid(self, port: int) -> int:
        """Return the process that serves on a port, 0 when there is none."""
        said = self.supervisorctl("pid", f"chat:chat-{port}")
        return int(said) if said.isdecimal() else 0

    def restarts(self) -> subprocess.Popen[str]:
        """Begin a rolling restart of all processes."""
        ctl = " ".join(self.supervisorctl_command)
        return subprocess.Popen(
            [DEPLOY / "rolling-restart", *map(str, self.ports)],
            env={**os.environ, "RESTART": f"{ctl} restart chat:chat-PORT"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def stop(self) -> None:
        for server in reversed(self.servers):
            server.terminate()
        for server in self.servers:
            server.wait(PATIENCE)
        self.engine.dispose()

    # What a visitor, a stranger or the operator asks

    def ask(
        self,
        path: str,
        *,
        port: int = 0,
        method: str = "GET",
        body: bytes | None = None,
        tls: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send one request through nginx, or to the process on another port."""
        if tls:
            trust = ssl.create_default_context(cafile=f"{self.root}/fullchain.pem")
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                "localhost", self.tls_port, timeout=PATIENCE, context=trust
            )
        else:
            connection = http.client.HTTPConnection(
                "localhost", port or self.port, timeout=PATIENCE
            )
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return (
                response.status,
                response.headers,
                (b"" if response.status == 101 else response.read()),
            )

    def wait_until_ready(self, port: int, path: str = "/readyz") -> None:
        def ready() -> bool:
            assert all(server.poll() is None for server in self.servers), self.logs()
            try:
                return self.ask(path, port=port)[0] == 200
            except OSError:
                return False

        wait_until(ready, f"ready on {port}; see {self.root}/log")

    def sockets(self, port: int) -> int:
        """Return how many sockets a process has, by its own figures."""
        found = re.search(rb"^chat_sockets ([\d.]+)$", self.ask("/metrics", port=port)[2], re.M)
        assert found
        return int(float(found[1]))

    def logs(self, pattern: str = "*.log") -> str:
        return "".join(path.read_text() for path in sorted((self.root / "log").glob(pattern)))


def two_people(stack: Stack, person: Callable[[str], Person]) -> tuple[Person, Person]:
    """Return two people in a group who use different processes, and who see a first message."""
    ann, ben = person("Ann").arrive(), person("Ben").arrive()
    while 0 in map(stack.sockets, stack.ports):  # nginx looks at the requests under way as well
        ben.enter()
    ann.make_group("Garden")
    ben.join_group("Garden")
    ann.say("The tomatoes are ready.")
    ben.sees("The tomatoes are ready.")
    return ann, ben


@contextlib.contextmanager
def own_database() -> Iterator[str]:
    """A database of this run alone, on the server that the tests use."""
    url = sa.make_url(require("mariadb"))
    name = f"learn_tornado_deploy_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name}"))
        engine.dispose()


@contextlib.contextmanager
def serving(root: Path, database: str) -> Iterator[Stack]:
    stack = Stack(root, database, require("redis"))
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
