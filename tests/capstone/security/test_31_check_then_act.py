"""What was checked before a wait is checked again in the transaction that relies on it."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar
from unittest import mock

import argon2
import PIL.Image
import pytest
import sqlalchemy as sa
import tornado.testing
import tornado.web

from capstone_chat import admin
from capstone_chat.accounts.accounts import Login, NameTaken
from capstone_chat.accounts.sessions import Session
from capstone_chat.conversations.conversations import _require_reachable
from capstone_chat.conversations.errors import NotAllowed, NotFound, SessionEnded
from capstone_chat.conversations.users import lock_active_users
from capstone_chat.storage import engines
from capstone_chat.storage.tables import contacts, conversations, members, pictures, sessions, users
from tests.capstone.chat_case import PASSWORD, ChatCase, Person
from tests.capstone.two_nodes_case import TwoNodesCase

NEW = "a staple for the horse"
WRONG = "The user name or the password is wrong."


class Gate:
    """Holds up the first calls of a method, before or after they do their work.

    Attributes:
        reached: set when all of them wait.
        opened: set to let them go on.
    """

    def __init__(
        self, case: ChatCase, owner: object, name: str, *, count: int, after: bool
    ) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self._count, self._after = count, after
        self._real: Callable[..., Awaitable[Any]] = getattr(owner, name)
        case.enterContext(mock.patch.object(owner, name, self._call))

    async def _call(self, *arguments: Any, **more: Any) -> Any:
        if self.reached.is_set():
            return await self._real(*arguments, **more)
        if self._after:
            result = await self._real(*arguments, **more)
            await self._wait()
            return result
        await self._wait()
        return await self._real(*arguments, **more)

    async def _wait(self) -> None:
        self._count -= 1
        if self._count == 0:
            self.reached.set()
        await self.opened.wait()


class CheckCase(ChatCase):
    options = {"request_burst": 1000}  # noqa: RUF012

    async def gather(self) -> None:
        self.anna = await self.person("anna")
        await self.anna.token()

    def before(self, owner: object, name: str, count: int = 1) -> Gate:
        return Gate(self, owner, name, count=count, after=False)

    def verified(self, count: int = 1) -> Gate:
        """Hold up those whose password has been compared with the stored hash."""
        return Gate(self, self.chat.accounts._passwords, "verify", count=count, after=True)

    async def amid(self, gate: Gate, work: Awaitable[Any], meanwhile: Awaitable[Any]) -> Any:
        """Begin some work, do something else while it waits, and return how the work ended."""
        task = asyncio.ensure_future(work)
        await gate.reached.wait()
        await meanwhile
        gate.opened.set()
        return await task

    async def rows(self, query: sa.Select[Any]) -> list[Any]:
        return list(await self.chat.database.read(lambda c: c.execute(query).all()))

    async def execute(self, change: sa.Executable) -> None:
        await self.chat.database.write(lambda connection: connection.execute(change))

    async def delete(self, person: Person) -> None:
        """Delete an account, as in another browser, and with it all sessions."""
        session = await self.session(await self.another_browser(person))
        deleted = await self.chat.accounts.delete(session, PASSWORD)
        self.assertTrue(deleted)

    async def end(self, person: Person) -> None:
        """End the session of a browser, as in another browser."""
        session = await self.session(person)
        self.assertTrue(await self.chat.sessions.revoke(session, session.id))

    async def session(self, person: Person) -> Session:
        name, secret = self.cookie_name("session"), self._app.settings["cookie_secret"]
        token = tornado.web.decode_signed_value(secret, name, person.cookies[name])
        assert token is not None
        session = await self.chat.sessions.get(token.decode())
        assert session is not None
        return session

    async def change(self, old: str, new: str, person: Person | None = None) -> tuple[int, str]:
        body = {"old": old, "new": new}
        code, answer = await (person or self.anna).call("PUT", "/api/me/password", body)
        return code, answer.get("error", {}).get("code", "")


class LoginTest(CheckCase):
    @tornado.testing.gen_test
    async def test_no_login_with_the_old_password_survives_a_new_one(self) -> None:
        gate = self.verified(4)
        strangers = [Person(self, "anna") for _ in range(4)]
        logins = [asyncio.ensure_future(stranger.login()) for stranger in strangers]
        await gate.reached.wait()
        self.assertEqual(await self.change(PASSWORD, NEW), (204, ""))
        gate.opened.set()
        for page in await asyncio.gather(*logins):
            self.assertEqual(page.code, 400)
            self.assertIn(WRONG, page.body.decode())
        for stranger in strangers:
            self.assertNotIn(self.cookie_name("session"), stranger.cookies)
        self.assertEqual(len(await self.rows(sa.select(sessions.c.id))), 1)

    @tornado.testing.gen_test
    async def test_a_login_does_not_bring_an_old_password_back(self) -> None:
        weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        await self.execute(users.update().values(password=weak))
        page = await self.amid(
            self.verified(), Person(self, "anna").login(), self.change(PASSWORD, NEW)
        )
        self.assertEqual(page.code, 400)
        self.assertEqual((await Person(self, "anna").login()).code, 400)
        self.assertEqual((await Person(self, "anna").login(password=NEW)).code, 303)

    @tornado.testing.gen_test
    async def test_of_two_logins_that_renew_a_hash_both_get_in(self) -> None:
        weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        await self.execute(users.update().values(password=weak))
        gate = self.verified(2)
        logins = [asyncio.ensure_future(Person(self, "anna").login()) for _ in range(2)]
        await gate.reached.wait()
        gate.opened.set()
        self.assertEqual([page.code for page in await asyncio.gather(*logins)], [303, 303])

    @tornado.testing.gen_test
    async def test_a_password_that_became_right_meanwhile_is_not_the_one_that_was_typed(
        self,
    ) -> None:
        page = await self.amid(
            self.verified(), Person(self, "anna").login(password=NEW), self.change(PASSWORD, NEW)
        )
        self.assertEqual(page.code, 400)  # it was wrong when it was verified

    @tornado.testing.gen_test
    async def test_a_user_who_is_disabled_meanwhile_does_not_get_in(self) -> None:
        page = await self.amid(
            self.verified(),
            Person(self, "anna").login(),
            self.execute(users.update().values(disabled_at=1)),
        )
        self.assertEqual(page.code, 400)
        self.assertIn(WRONG, page.body.decode())
        self.assertEqual(len(await self.rows(sa.select(sessions.c.id))), 1)

    @tornado.testing.gen_test
    async def test_a_user_who_is_deleted_meanwhile_does_not_get_in(self) -> None:
        page = await self.amid(
            self.verified(), Person(self, "anna").login(), self.delete(self.anna)
        )
        self.assertEqual(page.code, 400)
        self.assertIn(WRONG, page.body.decode())
        self.assertEqual(await self.rows(sa.select(sessions.c.id)), [])

    @tornado.testing.gen_test
    async def test_a_registration_that_loses_its_name_leaves_no_session(self) -> None:
        tries = [self.chat.accounts.register("bob", PASSWORD, "Bob") for _ in range(3)]
        ended = await asyncio.gather(*tries, return_exceptions=True)
        self.assertEqual(sum(isinstance(one, Login) for one in ended), 1)
        self.assertEqual(sum(isinstance(one, NameTaken) for one in ended), 2)
        self.assertEqual(len(await self.rows(sa.select(sessions.c.id))), 2)  # and anna's

    @tornado.testing.gen_test
    async def test_a_user_and_the_first_session_are_stored_together_or_not_at_all(self) -> None:
        broken = mock.patch.object(self.chat.sessions, "create", side_effect=OSError)
        with broken, self.assertRaises(OSError):
            await self.chat.accounts.register("bob", PASSWORD, "Bob")
        await self.chat.accounts.register("bob", PASSWORD, "Bob")


class PasswordTest(CheckCase):
    @tornado.testing.gen_test
    async def test_of_two_changes_that_know_the_old_password_one_is_made(self) -> None:
        gate = self.verified(2)
        changes = [asyncio.ensure_future(self.change(PASSWORD, f"{NEW} {n}")) for n in range(2)]
        await gate.reached.wait()
        gate.opened.set()
        ended = await asyncio.gather(*changes)
        self.assertEqual(sorted(ended), [(204, ""), (400, "password_wrong")])
        kept = f"{NEW} {ended.index((204, ''))}"
        self.assertEqual((await Person(self, "anna").login(password=kept)).code, 303)

    @tornado.testing.gen_test
    async def test_a_session_that_a_change_has_ended_changes_nothing_more(self) -> None:
        phone = await self.another_browser(self.anna)
        await phone.token()
        ended = await self.amid(
            self.verified(), self.change(PASSWORD, "of a thief", phone), self.change(PASSWORD, NEW)
        )
        self.assertIn(ended, [(400, "password_wrong"), (401, "session_ended")])
        self.assertEqual((await Person(self, "anna").login(password=NEW)).code, 303)

    @tornado.testing.gen_test
    async def test_a_session_that_was_ended_changes_no_password(self) -> None:
        ended = await self.amid(self.verified(), self.change(PASSWORD, NEW), self.end(self.anna))
        self.assertEqual(ended, (401, "session_ended"))
        self.assertEqual((await Person(self, "anna").login()).code, 303)

    @tornado.testing.gen_test
    async def test_a_new_password_and_the_end_of_other_sessions_are_one_write(self) -> None:
        # In between, somebody who logs in with the new password would be logged out again.
        await self.another_browser(self.anna)
        session, before = await self.session(self.anna), self.chat.database.writes
        self.assertTrue(await self.chat.accounts.change_password(session, PASSWORD, NEW))
        self.assertEqual(self.chat.database.writes - before, 1)
        self.assertEqual(await self.rows(sa.select(sessions.c.id)), [(session.id,)])

    @tornado.testing.gen_test
    async def test_a_renewed_hash_is_no_other_password(self) -> None:
        weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        await self.execute(users.update().values(password=weak))
        ended = await self.amid(
            self.verified(), self.change(PASSWORD, NEW), Person(self, "anna").login()
        )
        self.assertEqual(ended, (204, ""))
        self.assertEqual((await Person(self, "anna").login(password=NEW)).code, 303)


class DeletionTest(CheckCase):
    async def delete_own(self) -> int:
        code, _ = await self.anna.call("DELETE", "/api/me", {"password": PASSWORD})
        return code

    async def is_there(self) -> bool:
        return await self.rows(sa.select(users.c.deleted_at)) == [(None,)]

    @tornado.testing.gen_test
    async def test_a_new_password_saves_the_account(self) -> None:
        code = await self.amid(self.verified(), self.delete_own(), self.change(PASSWORD, NEW))
        self.assertEqual(code, 400)
        self.assertTrue(await self.is_there())

    @tornado.testing.gen_test
    async def test_a_session_that_was_ended_deletes_no_account(self) -> None:
        code = await self.amid(self.verified(), self.delete_own(), self.end(self.anna))
        self.assertEqual(code, 401)
        self.assertTrue(await self.is_there())

    @tornado.testing.gen_test
    async def test_an_account_and_its_sessions_go_in_one_write(self) -> None:
        await self.another_browser(self.anna)
        session, before = await self.session(self.anna), self.chat.database.writes
        self.assertTrue(await self.chat.accounts.delete(session, PASSWORD))
        self.assertEqual(self.chat.database.writes - before, 1)
        self.assertEqual(await self.rows(sa.select(sessions.c.id)), [])

    @tornado.testing.gen_test
    async def test_the_sockets_of_a_deleted_account_are_closed(self) -> None:
        line = await self.anna.connect()
        self.assertEqual(await self.delete_own(), 204)
        self.assertEqual(await line.closed(), 3500)


def a_picture() -> bytes:
    data = io.BytesIO()
    PIL.Image.new("RGB", (64, 64), "green").save(data, "PNG")
    return data.getvalue()


class ProfileTest(CheckCase):
    """A request that waits while its account or its session ends."""

    ways: ClassVar[tuple[str, ...]] = ("deleted", "disabled", "ended")

    async def shut_out(self, way: str, person: Person) -> None:
        match way:
            case "deleted":
                await self.delete(person)
            case "disabled":
                mine = users.c.id == person.id
                await self.execute(users.update().where(mine).values(disabled_at=1))
            case "ended":
                await self.end(person)

    @tornado.testing.gen_test
    async def test_no_picture_is_stored_after_the_end(self) -> None:
        for way in self.ways:
            with self.subTest(way=way):
                person = await self.person(f"who-is-{way}")
                await person.token()
                gate = self.before(self.chat.accounts, "change_picture")
                gone = self.shut_out(way, person)
                response = await self.amid(gate, person.put_picture(a_picture()), gone)
                self.assertEqual(response.code, 401)
                self.assertEqual(await self.rows(sa.select(pictures.c.name)), [])
                named = sa.select(users.c.picture).where(users.c.picture.is_not(None))
                self.assertEqual(await self.rows(named), [])

    @tornado.testing.gen_test
    async def test_no_profile_is_changed_after_the_end(self) -> None:
        for way in self.ways:
            with self.subTest(way=way):
                person = await self.person(f"who-is-{way}")
                await person.token()
                gate = self.before(self.chat.accounts, "change_profile")
                call = person.call("PATCH", "/api/me", {"nickname": "Mallory", "theme": "dark"})
                code, answer = await self.amid(gate, call, self.shut_out(way, person))
                self.assertEqual((code, answer["error"]["code"]), (401, "session_ended"))
        changed = sa.select(users.c.id).where(users.c.nickname == "Mallory")
        self.assertEqual(await self.rows(changed), [])

    @tornado.testing.gen_test
    async def test_a_session_that_was_ended_ends_no_other(self) -> None:
        thief = await self.another_browser(self.anna)
        await thief.token()
        victim = await self.session(self.anna)
        gate = self.before(self.chat.sessions, "revoke")
        call = thief.call("DELETE", f"/api/me/sessions/{victim.id}")
        of_thief = await self.session(thief)

        async def end() -> None:
            await self.execute(sessions.delete().where(sessions.c.id == of_thief.id))

        code, _ = await self.amid(gate, call, end())
        self.assertEqual(code, 401)
        self.assertEqual((await self.anna.fetch("/api/state")).code, 200)

    @tornado.testing.gen_test
    async def test_a_session_that_ends_while_its_use_is_noted_is_refused(self) -> None:
        start = self.chat.sessions._clock()
        self.chat.sessions._clock = lambda: start + 90_000
        mine = await self.session(self.anna)
        self.chat.sessions._clock = lambda: start + 180_000
        gate = Gate(self, self.chat.database, "read_batched", count=1, after=True)
        response = await self.amid(
            gate,
            self.anna.fetch("/api/state"),
            self.execute(sessions.delete().where(sessions.c.id == mine.id)),
        )
        self.assertEqual(response.code, 401)


class MembershipTest(CheckCase):
    """Nobody whose account has ended becomes a member of anything or gets contacts."""

    async def gather(self) -> None:
        await super().gather()
        self.bob = await self.person("bob")
        self.conv = await self.anna.group()
        await self.bob.call("POST", "/api/contacts", {"name": "anna"})

    async def traces(self) -> tuple[int, int]:
        """Return in how many conversations bob is, and how many contacts he has."""
        mine = sa.select(members.c.user_id).where(members.c.user_id == self.bob.id)
        theirs = sa.select(contacts.c.user_id).where(
            (contacts.c.user_id == self.bob.id) | (contacts.c.other_id == self.bob.id)
        )
        return len(await self.rows(mine)), len(await self.rows(theirs))

    @tornado.testing.gen_test
    async def test_who_is_deleted_makes_and_joins_nothing_more(self) -> None:
        chat = self.chat
        for owner, name, call in (
            (chat.groups, "create", self.bob.call("POST", "/api/groups", {"title": "x"})),
            (chat.groups, "join", self.bob.call("POST", f"/api/groups/{self.conv}/join")),
            (
                chat.contacts,
                "update_or_create",
                self.bob.call("PUT", f"/api/contacts/{self.anna.id}", {}),
            ),
            (
                chat.conversations,
                "get_or_create_private",
                self.bob.call("POST", f"/api/private/{self.anna.id}"),
            ),
        ):
            gate = self.before(owner, name)
            task = asyncio.ensure_future(call)
            await gate.reached.wait()
            self.waiting = [*getattr(self, "waiting", []), (name, gate, task)]
        await self.delete(self.bob)
        for name, gate, task in self.waiting:
            with self.subTest(call=name):
                gate.opened.set()
                code, answer = await task
                self.assertEqual((code, answer["error"]["code"]), (401, "session_ended"))
        self.assertEqual(await self.traces(), (0, 0))

    @tornado.testing.gen_test
    async def test_who_is_deleted_is_added_to_nothing_more(self) -> None:
        session = await self.session(self.anna)
        await self.delete(self.bob)
        with self.assertRaises(NotAllowed):
            await self.chat.groups.add_member(session.user, self.conv, "bob")
        with self.assertRaises(NotFound):
            await self.chat.contacts.update_or_create(session.user, self.bob.id, blocked=False)
        self.assertEqual(await self.traces(), (0, 0))

    @tornado.testing.gen_test
    async def test_an_account_that_ended_is_refused_by_the_domain_itself(self) -> None:
        user = (await self.session(self.bob)).user
        await self.execute(users.update().where(users.c.id == user.id).values(disabled_at=1))
        for work in (
            self.chat.groups.create(user, "x", "", public=True),
            self.chat.groups.join(user, self.conv),
            self.chat.contacts.update_or_create(user, self.anna.id, blocked=True),
            self.chat.conversations.get_or_create_private(user, self.anna.id),
        ):
            with self.assertRaises(SessionEnded):
                await work


class LockCase(TwoNodesCase):
    """Two processes on a database server: what one relies on the other cannot change meanwhile."""

    __test__ = False
    options = {"request_burst": 1000}  # noqa: RUF012

    def taken(self, table: str, row: int, strength: str) -> bool:
        """Tell whether another transaction keeps a row from being locked."""
        statement = sa.text(f"SELECT id FROM {table} WHERE id = {row} FOR {strength} NOWAIT")
        engine = engines.create_engine(self.own.database, connections=1)
        try:
            with engine.begin() as connection:
                connection.execute(statement)
            return False
        except engines.DATABASE_ERRORS:
            return True
        finally:
            engine.dispose()

    @tornado.testing.gen_test
    async def test_accounts_and_sessions_stay_as_they_were_checked_until_the_commit(self) -> None:
        session = self.own_session(self.anna)
        found = await self.chat.sessions.get(session)
        assert found is not None
        engine, anna, bob = self.chat.database.engine, self.anna.id, self.bob.id
        share = "SHARE" if self.server == "postgresql" else "UPDATE"
        with engine.begin() as connection:
            self.assertEqual(lock_active_users(connection, anna), {anna})
            self.assertTrue(self.taken("users", anna, "UPDATE"))
            self.assertFalse(self.taken("users", bob, "UPDATE"))
        with engine.begin() as connection:
            lock_active_users(connection, anna, bob, change=True)
            self.assertTrue(self.taken("users", anna, share))
            self.assertTrue(self.taken("users", bob, share))
        with engine.begin() as connection:
            self.chat.sessions.require_valid(connection, found)
            self.assertTrue(self.taken("sessions", found.id, "UPDATE"))
        with engine.begin() as connection:  # so that neither blocks the other just now
            _require_reachable(connection, anna, bob)
            self.assertTrue(self.taken("users", anna, "UPDATE"))
            self.assertTrue(self.taken("users", bob, "UPDATE"))
        self.assertFalse(self.taken("users", anna, "UPDATE"))

    async def column(self, query: sa.Select[Any]) -> list[Any]:
        """Return the first column of what a query finds."""
        return list(await self.chat.database.read(lambda c: c.scalars(query).all()))

    def own_session(self, person: Person) -> str:
        name, secret = self.cookie_name("session"), self._app.settings["cookie_secret"]
        token = tornado.web.decode_signed_value(secret, name, person.cookies[name])
        assert token is not None
        return token.decode()

    @tornado.testing.gen_test
    async def test_logins_in_one_process_and_a_new_password_in_the_other(self) -> None:
        old = PASSWORD
        token = self.own_session(self.anna)
        for turn in range(5):
            new = f"{NEW} {turn}"
            session = await self.chat.sessions.get(token)
            assert session is not None
            logins = [self.second.chat.accounts.log_in("anna", old, "") for _ in range(4)]
            changed, *_ = await asyncio.gather(
                self.chat.accounts.change_password(session, old, new), *logins
            )
            self.assertTrue(changed)
            query = sa.select(sessions.c.id).where(sessions.c.user_id == self.anna.id)
            left = await self.column(query)
            self.assertEqual(left, [session.id])
            self.assertIsNotNone(await self.second.chat.accounts.log_in("anna", new, ""))
            old = new

    @tornado.testing.gen_test
    async def test_the_operator_disables_in_one_while_logins_run_in_the_other(self) -> None:
        for _ in range(5):
            logins = [self.second.chat.accounts.log_in("anna", PASSWORD, "") for _ in range(4)]
            disable = asyncio.to_thread(
                admin.set_disabled, "anna", str(self.data), self.own.database, 1
            )
            await asyncio.gather(disable, *logins)
            query = sa.select(sessions.c.id).where(sessions.c.user_id == self.anna.id)
            self.assertEqual(await self.column(query), [])
            await asyncio.to_thread(
                admin.set_disabled, "anna", str(self.data), self.own.database, None
            )

    @tornado.testing.gen_test
    async def test_a_deletion_in_one_and_invitations_in_the_other_leave_no_trace(self) -> None:
        session = await self.chat.sessions.get(self.own_session(self.anna))
        assert session is not None
        owner = await self.chat.sessions.get(self.own_session(self.bob))
        assert owner is not None
        there = self.second.chat
        groups = [await there.groups.create(owner.user, f"{n}", "", public=True) for n in range(4)]
        await asyncio.gather(
            self.chat.accounts.delete(session, PASSWORD),
            *(there.groups.add_member(owner.user, conv, "anna") for conv in groups),
            there.contacts.update_or_create(owner.user, self.anna.id, blocked=False),
            there.conversations.get_or_create_private(owner.user, self.anna.id),
            return_exceptions=True,
        )
        for column, where in (
            (members.c.user_id, members.c.user_id == self.anna.id),
            (contacts.c.other_id, contacts.c.other_id == self.anna.id),
        ):
            query = sa.select(column).where(where)
            if column is members.c.user_id:
                query = query.join(conversations).where(conversations.c.kind == "group")
            left = await self.column(query)
            self.assertEqual(left, [])


@pytest.mark.service("mariadb", "redis")
class MariaDBTest(LockCase):
    __test__ = True
    server = "mariadb"


@pytest.mark.service("postgresql", "redis")
class PostgreSQLTest(LockCase):
    __test__ = True
    server = "postgresql"
