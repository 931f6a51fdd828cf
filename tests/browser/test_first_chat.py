"""Two people meet: from the registration to a conversation that outlives the server."""

import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.support.browser_person import PHONE, Person
from tests.support.chat_server import ChatServer

pytestmark = pytest.mark.service("chromium")

GROUP = "Allotment gardeners"
ABOUT = "Who waters what, and when"


def test_two_people_talk_over_reloads_and_restarts(
    own_server: ChatServer, person: Callable[..., Person]
) -> None:
    ann: Person = person("Ann Walker", network_errors=True)
    bob: Person = person("Bob Marsh", size=PHONE, scheme="dark", network_errors=True)
    ann.register()
    bob.register()
    ann.picture("first-chat-empty")

    ann.log_out()
    ann.log_in()
    ann.wait_until_live()

    ann.make_group(GROUP, ABOUT)
    bob.join_group(GROUP)
    expect(ann.log.get_by_text("Bob Marsh joined")).to_be_visible()
    expect(ann.page.locator("#talk-subtitle")).to_have_text("2 members")

    ann.say("The tomatoes are ready.")
    bob.sees("The tomatoes are ready.")
    bob.say("I bring a basket!")
    ann.sees("I bring a basket!")
    bob.sees("I bring a basket!")
    expect(bob.log.get_by_role("img", name="Sent")).to_be_visible()

    for someone in ann, bob:
        someone.page.reload()
        someone.wait_until_live()
        someone.sees("The tomatoes are ready.")
        someone.sees("I bring a basket!")

    # The server ends as at an upgrade, then as in a crash; no page is touched in between.
    for number, text in (signal.SIGTERM, "Back after a restart"), (signal.SIGKILL, "And a crash"):
        own_server.stop(number)
        expect(ann.page.locator("#connection")).to_contain_text("Reconnecting…")
        own_server.start()
        for someone in ann, bob:
            someone.wait_until_live()
        expect(ann.page.locator("#connection")).to_be_empty()
        ann.say(text)
        bob.sees(text)
        bob.say(f"{text}, says Bob")
        ann.sees(f"{text}, says Bob")

    ann.sees("The tomatoes are ready.")
    ann.picture("first-chat-talk-light")
    bob.picture("first-chat-talk-phone-dark")


def test_messages_written_while_the_server_is_away_go_out_once(
    own_server: ChatServer, person: Callable[..., Person]
) -> None:
    ann: Person = person("Ann", network_errors=True)
    bob: Person = person("Bob", network_errors=True)
    ann.arrive().make_group(GROUP)
    bob.arrive().join_group(GROUP)

    own_server.stop(signal.SIGKILL)
    expect(ann.page.locator("#connection")).to_contain_text("Reconnecting…")
    for number in range(3):
        ann.say(f"While you were away {number}")
    expect(ann.log.get_by_role("img", name="Sending")).to_have_count(3)
    ann.picture("pending")
    ann.expect_accessible()

    own_server.start()
    ann.wake()
    bob.wake()
    for number in range(3):
        bob.sees(f"While you were away {number}")
        ann.sees(f"While you were away {number}")
    expect(ann.log.locator("[data-cid]")).to_have_count(0)


def test_what_came_while_a_page_was_cut_off_is_fetched_in_order(
    own_server: ChatServer, person: Callable[..., Person]
) -> None:
    ann: Person = person("Ann", network_errors=True)
    bob: Person = person("Bob", network_errors=True)
    ann.arrive().make_group(GROUP)
    # Bob's way to the server: a socket that the test can cut while the server lives on.
    sockets: list[WebSocketRoute] = []
    cut = False

    def route(socket: WebSocketRoute) -> None:
        if cut:
            sockets.append(socket)
        else:
            socket.connect_to_server()

    bob.page.route_web_socket("**/ws", route)
    bob.arrive().join_group(GROUP)
    ann.say("before")
    bob.sees("before")

    cut = True
    own_server.restart()
    ann.wake()
    ann.wait_until_live()
    expect(bob.page.locator("body")).to_have_attribute("data-connection", "lost")
    ann.say_many([f"missed {number}" for number in range(130)])
    ann.sees("missed 129")
    cut = False
    for socket in sockets:
        socket.close()
    bob.wake()
    bob.wait_until_live()
    bob.sees("missed 129")
    texts = bob.log.locator("[data-seq] .text").all_text_contents()
    assert texts == [f"missed {number}" for number in range(130)][-len(texts) :]
    ann.say("after")
    bob.sees("after")


def test_the_reader_reconnects_at_once(
    own_server: ChatServer, person: Callable[..., Person]
) -> None:
    ann: Person = person("Ann", network_errors=True)
    ben: Person = person("Ben", network_errors=True, size=PHONE, scheme="dark")
    for someone in ann, ben:
        someone.arrive()
        someone.page.evaluate("Math.random = () => 1000")  # the page waits for minutes
    own_server.stop(signal.SIGKILL)
    for someone in ann, ben:
        expect(someone.page.locator("#connection")).to_have_text("Reconnecting… Try now")
        someone.picture(f"try-now-{someone.nickname}")
        someone.expect_accessible()
    own_server.start()
    for someone in ann, ben:
        someone.page.get_by_role("button", name="Try now").click()
        someone.wait_until_live()
        expect(someone.page.locator("#connection")).to_be_empty()
