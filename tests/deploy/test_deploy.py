"""The files of deploy/ at work: two processes, nginx, supervisor, MariaDB, Redis."""

import io
import json
import os
import random
import secrets
import signal
from collections.abc import Callable

import PIL.Image
import pytest

from tests.deploy.load import load
from tests.deploy.stack import Stack, two_people, wait_until
from tests.support.api_session import token_of
from tests.support.browser_person import Person
from tests.support.websocket_frames import UPGRADE_HEADERS

pytestmark = pytest.mark.service("nginx", "supervisor", "mariadb", "redis", "chromium", "curl")

PROCESSES = "?????.log"
"""The logs of the processes, by their ports."""


def test_two_people_on_different_processes_write_to_each_other(
    stack: Stack, person: Callable[[str], Person]
) -> None:
    ann, ben = two_people(stack, person)
    ben.say("I bring a basket.")
    ann.sees("I bring a basket.")


def test_a_killed_process_comes_back_and_nobody_loses_a_message(stack: Stack) -> None:
    victim = stack.ports[0]
    pid = stack.pid(victim)
    with load(stack) as writers:
        wait_until(lambda: min(map(stack.sockets, stack.ports)) > 0, "on both processes")
        os.kill(pid, signal.SIGKILL)
        writers.wait("broken off", lambda: len(writers.closes()) > 0)
        writers.go_on()  # with the process that is left
        wait_until(lambda: stack.pid(victim) not in (0, pid), "supervisor has started a new one")
        stack.wait_until_ready(victim)
        writers.go_on()
        writers.expect_nothing_lost()
        assert 1001 not in writers.closes()


def test_a_rolling_restart_loses_nothing_and_tells_everybody_to_come_back(
    stack: Stack, person: Callable[[str], Person]
) -> None:
    before = [stack.pid(port) for port in stack.ports]
    ann = person("Ann").arrive()
    ann.make_group("Rolling")
    with load(stack) as writers:
        rolling = stack.restarts()
        said, _ = rolling.communicate()
        assert rolling.returncode == 0, said
        assert said.count(": ready") == 2
        ann.say("Still here.")
        writers.go_on()
        writers.expect_nothing_lost()
        assert writers.closes() == {1001}
        assert all(client.closes for client in writers.pool.clients)
    ann.sees("Still here.")
    after = [stack.pid(port) for port in stack.ports]
    assert not set(before) & set(after)


def test_requests_are_answered_while_processes_are_away(stack: Stack) -> None:
    stack.supervisorctl("stop", f"chat:chat-{stack.ports[0]}")
    answers = {stack.ask("/login")[0] for _ in range(10)}
    posts = {stack.ask("/login", method="POST", body=b"")[0] for _ in range(10)}
    stack.supervisorctl("start", f"chat:chat-{stack.ports[0]}")
    stack.wait_until_ready(stack.ports[0])
    assert answers == {200}
    assert posts == {403}  # by the chat: the form has no token


def test_a_socket_needs_a_proxy_that_passes_the_host_on(stack: Stack) -> None:
    cookie = stack.cookie_of_new_user(secrets.token_hex(8), "Socket")
    for port, expected in (stack.port, 101), (stack.port_without_host, 403):
        page = f"http://localhost:{port}"
        headers = UPGRADE_HEADERS | {"Cookie": cookie, "Origin": page}
        status, _, _ = stack.ask("/ws", port=port, headers=headers)
        assert status == expected


def test_with_tls_a_socket_opens_and_http_leads_to_https(stack: Stack) -> None:
    cookie = stack.cookie_of_new_user(secrets.token_hex(8), "Safe")
    page = f"https://localhost:{stack.tls_port}"
    headers = UPGRADE_HEADERS | {"Cookie": cookie, "Origin": page}
    assert stack.ask("/ws", tls=True, headers=headers)[0] == 101
    status, answered, _ = stack.ask("/login?next=%2F", port=stack.redirect_port)
    assert (status, answered["Location"]) == (301, "https://localhost/login?next=%2F")


def test_an_address_that_a_stranger_claims_is_not_believed(stack: Stack) -> None:
    claims = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.8"}
    path = f"/claims-{secrets.token_hex(4)}"
    stack.ask(path, headers=claims)
    stack.ask(path, port=stack.ports[0], headers=claims)  # past nginx the chat would believe it
    wait_until(lambda: stack.logs(PROCESSES).count(path) == 2, "both in the log")
    lines = [json.loads(line) for line in stack.logs(PROCESSES).splitlines() if path in line]
    assert sorted(line["address"] for line in lines) == ["127.0.0.1", "203.0.113.8"]


def test_nginx_serves_the_static_files_for_ever_by_their_version(stack: Stack) -> None:
    page = stack.ask("/login")[2].decode()
    address = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    status, headers, body = stack.ask(address)
    assert (status, headers["Content-Type"]) == (200, "text/css")
    assert "max-age=315360000" in headers["Cache-Control"]
    path, _, version = address.partition("?")
    assert version.startswith("v=")
    status, headers, same = stack.ask(path)
    assert (status, headers["Cache-Control"], same) == (200, "no-cache", body)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] == "nginx"
    lines = map(json.loads, stack.logs("nginx-chat.log").splitlines())
    assert {line["process"] for line in lines if line["path"] == path} == {""}  # none was asked


def test_a_picture_may_be_large_and_anything_else_may_not(stack: Stack) -> None:
    cookie = stack.cookie_of_new_user(secrets.token_hex(8), "Large")
    page = stack.ask("/", headers={"Cookie": cookie})
    xsrf = page[1]["Set-Cookie"].partition(";")[0]
    headers = {"Cookie": f"{cookie}; {xsrf}", "X-XSRFToken": token_of(page[2].decode())}

    noise = PIL.Image.frombytes("RGB", (800, 800), random.Random(1).randbytes(800 * 800 * 3))
    picture = io.BytesIO()
    noise.save(picture, "PNG")
    assert 1 << 20 < len(picture.getvalue()) < 5 << 20
    put = stack.ask("/api/me/picture", method="PUT", body=picture.getvalue(), headers=headers)
    assert put[0] == 200, put

    for path, method, size in (
        ("/api/me/picture", "PUT", (5 << 20) + 1),
        ("/api/groups", "POST", (64 << 10) + 1),
    ):
        status, _, body = stack.ask(path, method=method, body=b"x" * size, headers=headers)
        assert (status, json.loads(body)["error"]["code"]) == (413, "too_large")


def test_the_figures_are_the_operators(stack: Stack) -> None:
    for path in "/metrics", "/readyz":
        assert stack.ask(path)[0] == 404
        assert stack.ask(path, port=stack.ports[0])[0] == 200
    assert stack.ask("/healthz")[0] == 200


def test_no_log_holds_what_somebody_searches_for_nor_a_cookie(stack: Stack) -> None:
    cookie = stack.cookie_of_new_user(secrets.token_hex(8), "Secret")
    path = f"/api/conversations/{random.randint(10**9, 10**10)}/search"
    headers = {"Cookie": cookie, "Referer": "/?a-secret-page"}
    stack.ask(f"{path}?query=a-secret-wish", headers=headers)
    stack.supervisorctl("stop", "chat:*")
    assert stack.ask(f"{path}?query=a-secret-wish")[0] == 502  # nginx's error log hears of it
    stack.supervisorctl("start", "chat:*")
    for port in stack.ports:
        stack.wait_until_ready(port)
    wait_until(lambda: path in stack.logs(PROCESSES), "in the log of a process")
    said = stack.logs()
    assert said.count(path) == 3  # nginx logged both, and a process the one that came so far
    assert "a-secret" not in said
    assert cookie.partition("=")[2] not in said
