"""Rule 37: a link for a new password is signed, expires, works once, and ends other sessions."""

import secrets
from typing import Any, ClassVar
from unittest import mock

import sqlalchemy as sa
from tornado.testing import gen_test

from capstone_chat.accounts.password_resets import LIFETIME_MS, make_token
from capstone_chat.options import load_or_create_secret
from capstone_chat.storage.database import now_ms
from capstone_chat.storage.tables import metadata, users
from tests.capstone.chat_case import PASSWORD, ChatCase, Person
from tests.capstone.test_admin import give

NEW = "nine violet kettles"


class ResetCase(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        self.secret = load_or_create_secret(self.data)

    async def link(self, person: Person) -> str:
        """Return the path and query of the link that the operator's command prints."""
        place = [f"--data={self.data}", f"--database={self.chat.options.database}"]
        code, out, said = await give("reset-password", person.name, "--chat=http://x", *place)
        self.assertEqual((code, said), (0, ""))
        link, validity = out.splitlines()
        self.assertRegex(validity, r"^valid once, until \d{4}-.* UTC$")
        self.assertTrue(link.startswith("http://x/reset?token="), link)
        return link.removeprefix("http://x")

    async def use(self, link: str, password: str = NEW, confirmation: str = "") -> tuple[int, str]:
        """Open the link in a new browser and send the form; return the status and the page."""
        visitor = Person(self, "visitor")
        page = await visitor.fetch(link)
        if page.code != 200:
            return page.code, page.body.decode()
        fields = await visitor.hidden_fields(link)
        fields |= {"password": password, "confirmation": confirmation or password}
        answer = await visitor.submit("/reset", fields)
        if answer.code == 303:
            self.assertEqual((await visitor.fetch("/")).code, 200)
        return answer.code, answer.body.decode()

    async def stored_hash(self, person: Person) -> str:
        query = sa.select(users.c.password).where(users.c.id == person.id)
        found = await self.chat.database.read(lambda connection: connection.scalar(query))
        return str(found)


class LinkTest(ResetCase):
    @gen_test
    async def test_a_link_sets_a_new_password_once_and_ends_all_other_sessions(self) -> None:
        anna, ben = await self.person("anna"), await self.person("ben")
        line, other = await anna.connect(), await ben.connect()
        link = await self.link(anna)
        self.assertEqual((await anna.fetch("/")).code, 200)  # a link alone changes nothing
        self.assertEqual((await self.use(link))[0], 303)
        self.assertEqual(await line.closed(), 3500)
        self.assertEqual((await anna.fetch("/")).code, 302)
        self.assertEqual(await other.heard(), [])
        self.assertEqual((await ben.fetch("/")).code, 200)
        self.assertEqual((await Person(self, "anna").login(password=PASSWORD)).code, 400)
        self.assertEqual((await Person(self, "anna").login(password=NEW)).code, 303)
        code, page = await self.use(link, "seven green kettles")
        self.assertEqual(code, 404)
        self.assertIn("This link has been used, or it is too old.", page)

    @gen_test
    async def test_of_two_uses_at_the_same_time_one_counts(self) -> None:
        anna = await self.person("anna")
        token = (await self.link(anna)).partition("=")[2]
        resets = self.chat.password_resets
        called, go, over = self.hold(self.chat.accounts._passwords, "hash")
        first = resets.set_password(token, NEW, "")
        waiting = self.io_loop.asyncio_loop.create_task(first)  # type: ignore[attr-defined]
        await called.wait()
        self.assertIsNotNone(await resets.set_password(token, "seven green kettles", ""))
        go.set()
        await over.wait()
        self.assertIsNone(await waiting)

    @gen_test
    async def test_a_refused_password_does_not_use_the_link_up(self) -> None:
        link = await self.link(await self.person("anna"))
        for password, confirmation in ("short", ""), ("anna", ""), (NEW, "another one"):
            self.assertEqual((await self.use(link, password, confirmation))[0], 400)
        self.assertEqual((await self.use(link))[0], 303)

    @gen_test
    async def test_a_change_of_the_password_or_the_end_of_the_account_ends_the_link(self) -> None:
        anna, ben, carl = [await self.person(name) for name in ("anna", "ben", "carl")]
        links = [await self.link(person) for person in (anna, ben, carl)]
        body = {"old": PASSWORD, "new": NEW, "password": PASSWORD}
        code, answer = await anna.call("PUT", "/api/me/password", body)
        self.assertEqual(code, 204, answer)
        place = [f"--data={self.data}", f"--database={self.chat.options.database}"]
        self.assertEqual((await give("disable", "ben", *place))[0], 0)
        self.assertEqual((await carl.call("DELETE", "/api/me", body))[0], 204)
        self.assertEqual([(await self.use(link))[0] for link in links], [404, 404, 404])

    @gen_test
    async def test_a_link_expires(self) -> None:
        anna = await self.person("anna")
        link = await self.link(anna)
        later = now_ms() + LIFETIME_MS + 60_000
        with mock.patch("capstone_chat.accounts.password_resets.now_ms", lambda: later):
            self.assertEqual((await self.use(link))[0], 404)

    @gen_test
    async def test_no_other_token_is_accepted_and_nothing_of_one_is_stored(self) -> None:
        anna, ben = await self.person("anna"), await self.person("ben")
        token = (await self.link(anna)).partition("=")[2]
        user, expires, signature = token.split("-")
        at = int(expires)
        for wrong in (
            "",
            "x",
            f"{user}-{at + 1}-{signature}",  # later
            f"{ben.id}-{expires}-{signature}",  # of another user
            f"{user}-{expires}-{'0' * 64}",
            f"{user}-{expires}-{signature[:-1]}",
            f"{token}0",
            "9" * 15 + f"-{expires}-{signature}",
            make_token(secrets.token_hex(32), anna.id, await self.stored_hash(anna), at),
            make_token(self.secret, anna.id, "", at),
        ):
            with self.subTest(token=wrong):
                self.assertEqual((await self.use(f"/reset?token={wrong}"))[0], 404)

        def everything(connection: sa.Connection) -> str:
            tables = metadata.tables.values()
            return str([connection.execute(sa.select(table)).all() for table in tables])

        self.assertNotIn(signature, await self.chat.database.read(everything))


class RateTest(ResetCase):
    options: ClassVar[dict[str, Any]] = {"request_burst": 5, "request_rate": 0.001}

    @gen_test
    async def test_guesses_have_a_rate_limit(self) -> None:
        codes = [(await self.use("/reset?token=x"))[0] for _ in range(7)]
        self.assertEqual(codes, [404] * 5 + [429] * 2)
