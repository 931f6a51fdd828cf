"""Captchas: one use, one form, one browser, a few minutes, and an answer that nobody can read."""

import asyncio
import io
import re
import wave

import sqlalchemy as sa
import tornado.testing
from PIL import Image

from capstone_chat.accounts.captcha import ALPHABET, ANSWER_LENGTH, Captchas
from capstone_chat.handlers.auth import MISSING_CAPTCHA, WRONG_CAPTCHA
from capstone_chat.handlers.cookies import DEVICE
from capstone_chat.purge import Purge
from capstone_chat.storage.tables import captchas
from tests.capstone.chat_case import PASSWORD, ChatCase, DatabaseCase, Person

FORM, BROWSER = "login", "a browser"


class CaptchasTest(DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.time = 1_700_000_000_000
        self.captchas = Captchas(self.database, lifetime=300, clock=lambda: self.time)
        self.addCleanup(self.captchas.close)

    async def issue(self) -> tuple[str, str]:
        """Return a new challenge and its answer."""
        challenge = await self.captchas.create(FORM, BROWSER)
        query = sa.select(captchas.c.answer).where(captchas.c.id == challenge)
        return challenge, str(await self.database.read(lambda c: c.scalar(query)))

    async def kept(self) -> int:
        query = sa.select(sa.func.count()).select_from(captchas)
        return await self.database.read(lambda c: c.scalars(query).one())

    @tornado.testing.gen_test
    async def test_a_right_answer_is_right_once(self) -> None:
        """C271"""
        challenge, answer = await self.issue()
        self.assertTrue(await self.captchas.verify(challenge, FORM, BROWSER, answer))
        self.assertFalse(await self.captchas.verify(challenge, FORM, BROWSER, answer))

    @tornado.testing.gen_test
    async def test_a_wrong_answer_uses_it_up_as_well(self) -> None:
        for wrong in "?????", "", "x" * 100_000, "ÄÖÜ", "\0":
            with self.subTest(wrong=wrong[:9]):
                challenge, answer = await self.issue()
                self.assertFalse(await self.captchas.verify(challenge, FORM, BROWSER, wrong))
                self.assertFalse(await self.captchas.verify(challenge, FORM, BROWSER, answer))
                self.assertEqual(await self.kept(), 0)

    @tornado.testing.gen_test
    async def test_of_two_right_answers_at_once_one_wins(self) -> None:
        challenge, answer = await self.issue()
        right = await asyncio.gather(
            *(self.captchas.verify(challenge, FORM, BROWSER, answer) for _ in range(5))
        )
        self.assertEqual(sorted(right), [False] * 4 + [True])

    @tornado.testing.gen_test
    async def test_case_and_blanks_do_not_matter(self) -> None:
        challenge, answer = await self.issue()
        typed = " " + "  ".join(answer.lower()) + "\t"
        self.assertTrue(await self.captchas.verify(challenge, FORM, BROWSER, typed))

    @tornado.testing.gen_test
    async def test_it_serves_the_form_and_the_browser_that_it_was_made_for(self) -> None:
        for form, browser in ("register", BROWSER), (FORM, "another browser"), (FORM, ""):
            with self.subTest(form=form, browser=browser):
                challenge, answer = await self.issue()
                self.assertFalse(await self.captchas.verify(challenge, form, browser, answer))
                self.assertFalse(await self.captchas.verify(challenge, FORM, BROWSER, answer))

    @tornado.testing.gen_test
    async def test_an_unknown_challenge_is_wrong(self) -> None:
        for challenge in "0" * 32, "", "' OR '1'='1":
            self.assertFalse(await self.captchas.verify(challenge, FORM, BROWSER, "AAAAA"))

    @tornado.testing.gen_test
    async def test_it_expires(self) -> None:
        challenge, answer = await self.issue()
        self.time += 299_999
        self.assertIsNotNone(await self.captchas.image(challenge, BROWSER))
        self.time += 1
        self.assertIsNone(await self.captchas.image(challenge, BROWSER))
        self.assertIsNone(await self.captchas.audio(challenge, BROWSER))
        self.assertFalse(await self.captchas.verify(challenge, FORM, BROWSER, answer))

    @tornado.testing.gen_test
    async def test_those_that_nobody_answered_are_swept_away(self) -> None:
        for _ in range(5):
            await self.issue()
        self.time += 300_000
        await self.issue()
        purge = Purge(self.database, idle=1, lifetime=1, pause=0, clock=lambda: self.time)
        await purge.run()
        self.assertEqual(await self.kept(), 1)

    @tornado.testing.gen_test
    async def test_no_two_are_alike_and_all_can_be_told_apart(self) -> None:
        issued = [await self.issue() for _ in range(50)]
        self.assertEqual(len({challenge for challenge, _ in issued}), 50)
        self.assertGreater(len({answer for _, answer in issued}), 45)
        for _, answer in issued:
            self.assertEqual(len(answer), ANSWER_LENGTH)
            self.assertLessEqual(set(answer), set(ALPHABET))
        for alike in "0O", "1I", "2Z", "5S", "8B", "UV", "GQ", "D0":
            self.assertLess(len(set(alike) & set(ALPHABET)), 2, alike)

    @tornado.testing.gen_test
    async def test_the_picture_shows_what_is_asked_and_differs_each_time(self) -> None:
        challenge, _ = await self.issue()
        one = await self.captchas.image(challenge, BROWSER)
        two = await self.captchas.image(challenge, BROWSER)
        assert one is not None and two is not None
        self.assertNotEqual(one, two)  # so that a picture cannot be looked up in a table
        for data in one, two:
            picture = Image.open(io.BytesIO(data))
            self.assertEqual((picture.format, picture.size), ("PNG", (280, 90)))
            greys = picture.convert("L").tobytes()
            self.assertGreater(max(greys) - min(greys), 60)  # something can be seen on it


class CaptchaPageTest(ChatCase):
    async def challenge(self, person: Person, form: str = "login") -> str:
        return (await person.hidden_fields(f"/{form}"))["captcha_id"]

    @tornado.testing.gen_test
    async def test_the_picture_has_the_size_that_the_page_announces(self) -> None:
        anna = Person(self, "anna")
        page = (await anna.fetch("/login")).body.decode()
        tag = re.search(r'<img src="(/captcha/[^"]+\.png)" width="(\d+)" height="(\d+)"', page)
        assert tag is not None
        response = await anna.fetch(tag[1])
        self.assertEqual((response.code, response.headers["Content-Type"]), (200, "image/png"))
        picture = Image.open(io.BytesIO(response.body))
        self.assertEqual((picture.format, picture.size), ("PNG", (int(tag[2]), int(tag[3]))))

    @tornado.testing.gen_test
    async def test_the_sound_is_a_wav_file_that_can_be_played(self) -> None:
        anna = Person(self, "anna")
        response = await anna.fetch(f"/captcha/{await self.challenge(anna)}.wav")
        self.assertEqual((response.code, response.headers["Content-Type"]), (200, "audio/wav"))
        with wave.open(io.BytesIO(response.body)) as sound:
            seconds = sound.getnframes() / sound.getframerate()
            self.assertEqual(sound.getnchannels(), 1)
            samples = sound.readframes(sound.getnframes())
        self.assertTrue(1 < seconds < 60, seconds)
        self.assertGreater(len(set(samples)), 50)  # not silence

    @tornado.testing.gen_test
    async def test_pictures_and_sounds_are_kept_by_no_cache(self) -> None:
        anna = Person(self, "anna")
        challenge = await self.challenge(anna)
        for kind in "png", "wav":
            response = await anna.fetch(f"/captcha/{challenge}.{kind}")
            self.assertEqual(response.headers["Cache-Control"], "no-store")

    @tornado.testing.gen_test
    async def test_the_answer_is_in_no_page_cookie_or_header(self) -> None:
        anna = Person(self, "anna")
        for form in "login", "register":
            page = await anna.fetch(f"/{form}")
            challenge = (await anna.hidden_fields(f"/{form}"))["captcha_id"]
            answer = self.answer(challenge)
            picture = await anna.fetch(f"/captcha/{challenge}.png")
            another = await anna.fetch(f"/{form}")
            for response in page, picture, another:
                head = "\n".join(f"{k}: {v}" for k, v in response.headers.get_all())
                self.assertNotIn(answer, head.upper())
            self.assertNotIn(answer, anna.cookie.upper())
            self.assertNotIn(answer, another.body.decode().upper())
            self.assertNotIn(answer.encode(), picture.body)

    @tornado.testing.gen_test
    async def test_a_used_up_challenge_has_no_picture_and_no_sound(self) -> None:
        anna = await self.person("anna")
        other = Person(self, "anna")
        hidden = await other.hidden_fields("/login")
        await other.submit("/login", {**hidden, "captcha": "?"})
        for kind in "png", "wav":
            response = await other.fetch(f"/captcha/{hidden['captcha_id']}.{kind}")
            self.assertEqual(response.code, 404)
            self.assertIn("cannot be used any more", response.body.decode())
        del anna

    @tornado.testing.gen_test
    async def test_another_browser_sees_neither_picture_nor_sound(self) -> None:
        challenge = await self.challenge(Person(self, "anna"))
        mallory = Person(self, "mallory")
        await mallory.fetch("/login")
        for kind in "png", "wav":
            self.assertEqual((await mallory.fetch(f"/captcha/{challenge}.{kind}")).code, 404)

    @tornado.testing.gen_test
    async def test_an_answer_stolen_for_another_browser_or_form_is_wrong(self) -> None:
        await self.person("anna")
        good = {"name": "anna", "password": "correct horse battery"}
        anna, mallory = Person(self, "anna"), Person(self, "mallory")
        challenge = await self.challenge(anna)
        stolen = {"captcha_id": challenge, "captcha": self.answer(challenge)}
        token = {"_xsrf": (await mallory.hidden_fields("/login"))["_xsrf"]}
        self.assertEqual((await mallory.submit("/login", token | good | stolen)).code, 400)
        other = await self.challenge(anna, "register")
        wrong_form = {"captcha_id": other, "captcha": self.answer(other)}
        token = {"_xsrf": (await anna.hidden_fields("/login"))["_xsrf"]}
        self.assertEqual((await anna.submit("/login", token | good | wrong_form)).code, 400)

    @tornado.testing.gen_test
    async def test_a_form_without_the_field_is_refused(self) -> None:
        await self.person("anna")
        anna = Person(self, "anna")
        good = {"name": "anna", "password": "correct horse battery"}
        for missing, problem in ("captcha", WRONG_CAPTCHA), ("captcha_id", MISSING_CAPTCHA):
            with self.subTest(missing=missing):
                hidden = await anna.hidden_fields("/login")
                fields = hidden | good | {"captcha": self.answer(hidden["captcha_id"])}
                del fields[missing]
                response = await anna.submit("/login", fields)
                self.assertEqual(response.code, 400)
                self.assertIn(problem, response.body.decode())

    @tornado.testing.gen_test
    async def test_two_logins_with_one_captcha_give_one_session(self) -> None:
        await self.person("anna")
        anna = Person(self, "anna")
        hidden = await anna.hidden_fields("/login")
        fields = {"name": "anna", "password": "correct horse battery"}
        fields |= hidden | {"captcha": self.answer(hidden["captcha_id"])}
        responses = await asyncio.gather(*(anna.submit("/login", fields) for _ in range(3)))
        self.assertEqual(sorted(response.code for response in responses), [303, 400, 400])

    @tornado.testing.gen_test
    async def test_another_picture_can_be_asked_for(self) -> None:
        anna = Person(self, "anna")
        for form in "login", "register":
            hidden = await anna.hidden_fields(f"/{form}")
            response = await anna.fetch(
                f"/captcha/{form}",
                method="POST",
                body="",
                headers={"X-XSRFToken": hidden["_xsrf"]},
            )
            self.assertEqual(response.code, 200)
            fresh = re.fullmatch(rb'{"captcha_id": "([0-9a-f]{32})"}', response.body)
            assert fresh is not None, response.body
            self.assertNotEqual(fresh[1].decode(), hidden["captcha_id"])
            self.assertEqual((await anna.fetch(f"/captcha/{fresh[1].decode()}.png")).code, 200)

    @tornado.testing.gen_test
    async def test_an_unknown_form_or_picture_does_not_exist(self) -> None:
        anna = Person(self, "anna")
        token = (await anna.hidden_fields("/login"))["_xsrf"]
        response = await anna.fetch(
            "/captcha/profile", method="POST", body="", headers={"X-XSRFToken": token}
        )
        self.assertEqual(response.code, 404)
        for path in (
            "/captcha/" + "0" * 32 + ".png",
            "/captcha/x.png",
            "/captcha/" + "0" * 32 + ".svg",
        ):
            self.assertEqual((await anna.fetch(path)).code, 404)


class NeededTest(ChatCase):
    options = {"login_captcha": "needed"}  # noqa: RUF012

    async def attempt(self, person: Person, **given: str) -> tuple[int, bool]:
        """Send the form without an answer; return the status, and whether it has a captcha now."""
        fields = await person.hidden_fields("/login")
        fields |= {"name": person.name, "password": PASSWORD} | given
        response = await person.submit("/login", fields)
        return response.code, b'name="captcha"' in response.body

    async def log_out(self, person: Person) -> None:
        await person.log_out()

    async def known(self, name: str) -> Person:
        """Return somebody whose browser was logged in before."""
        person = Person(self, name)
        self.assertEqual((await person.register()).code, 303)
        await self.log_out(person)
        return person

    @tornado.testing.gen_test
    async def test_a_known_browser_needs_a_captcha_only_after_a_failure(self) -> None:
        anna = await self.known("anna")
        self.assertNotIn(b'name="captcha"', (await anna.fetch("/login")).body)
        self.assertEqual(await self.attempt(anna), (303, False))
        await self.log_out(anna)
        self.assertEqual(await self.attempt(anna, password="not it at all"), (400, True))
        self.assertEqual(await self.attempt(anna), (400, True))  # the right password alone
        self.assertEqual((await anna.login()).code, 303)  # with the answer
        await self.log_out(anna)
        self.assertEqual(await self.attempt(anna), (303, False))

    @tornado.testing.gen_test
    async def test_an_unknown_browser_and_another_name_need_one(self) -> None:
        anna = await self.known("anna")
        await self.person("bob")
        self.assertEqual(await self.attempt(Person(self, "anna")), (400, True))
        self.assertEqual(await self.attempt(anna, name="bob"), (400, True))
        device = self.cookie_name(DEVICE)
        anna.cookies[device] = anna.cookies[device][:-4] + "0000"  # forged
        self.assertEqual(await self.attempt(anna), (400, True))
