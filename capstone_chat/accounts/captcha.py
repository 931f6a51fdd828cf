"""Captchas: images and sounds that slow down automated logins and registrations.

A challenge is valid for one form in one browser, once, for a few minutes. Its answer is stored only
in the database. A captcha makes attempts expensive; it does not prove that the client is a person.

After the clock was set back, older challenges expire too late. The next new challenge corrects
their times.
"""

import asyncio
import functools
import secrets
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from capstone_chat.storage.database import Database, now_ms
from capstone_chat.storage.tables import captchas

if TYPE_CHECKING:
    from captcha.audio import AudioCaptcha

ALPHABET = "ACEFHJKLMNPRTWXY34679"
"""Characters that are easy to distinguish, in an image and in speech."""

ANSWER_LENGTH = 5
FORMS = ("login", "register")


class Captchas:
    """Creates challenges and verifies answers.

    Args:
        database: the database.
        lifetime: seconds after which a challenge expires.
        clock: function that returns milliseconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        *,
        lifetime: int = 300,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        # Separate threads: a sound takes 200 ms, eight times as long as verifying a password, so
        # logins and images (8 ms) must not wait in the same queue.
        self._image_pool = ThreadPoolExecutor(1, thread_name_prefix="captcha-image")
        self._audio_pool = ThreadPoolExecutor(1, thread_name_prefix="captcha-audio")
        self._lifetime = lifetime
        self._clock = clock

    async def create(self, form: str, browser_id: str) -> str:
        """Create a challenge for a form in one browser; return its id."""
        challenge_id = secrets.token_hex(16)
        answer = "".join(secrets.choice(ALPHABET) for _ in range(ANSWER_LENGTH))
        at = self._clock()
        expires_at = at + self._lifetime * 1000

        def insert(connection: sa.Connection) -> None:
            correction = captchas.update().where(captchas.c.expires_at > expires_at)
            connection.execute(correction.values(expires_at=expires_at))
            connection.execute(
                captchas.insert().values(
                    id=challenge_id,
                    form=form,
                    browser=browser_id,
                    answer=answer,
                    expires_at=expires_at,
                )
            )

        await self._database.write(insert)
        return challenge_id

    async def verify(self, challenge_id: str, form: str, browser_id: str, answer: str) -> bool:
        """Return whether an answer is right. The challenge is deleted in any case."""

        def consume(connection: sa.Connection) -> Any:
            row = connection.execute(
                sa.select(
                    captchas.c.answer, captchas.c.form, captchas.c.browser, captchas.c.expires_at
                ).where(captchas.c.id == challenge_id)
            ).one_or_none()
            # Two concurrent requests can both read the row, but only one deletes it.
            deleted = connection.execute(captchas.delete().where(captchas.c.id == challenge_id))
            return row if deleted.rowcount == 1 else None

        row = await self._database.write(consume)
        return (
            row is not None
            and row.form == form
            and row.browser == browser_id
            and row.expires_at > self._clock()
            and compare_digest(row.answer.encode(), "".join(answer.upper().split()).encode())
        )

    async def image(self, challenge_id: str, browser_id: str) -> bytes | None:
        """Return a challenge as a PNG of 280x90 pixels, or None if it does not exist."""
        return await self._render(challenge_id, browser_id, self._image_pool, _generate_image)

    async def audio(self, challenge_id: str, browser_id: str) -> bytes | None:
        """Return a challenge as speech in a WAV file, or None if it does not exist."""
        return await self._render(challenge_id, browser_id, self._audio_pool, _generate_audio)

    async def _render(
        self, challenge_id: str, browser_id: str, pool: Executor, generate: Callable[[str], bytes]
    ) -> bytes | None:
        answer = await self._database.read(
            lambda connection: connection.execute(
                sa.select(captchas.c.answer).where(
                    captchas.c.id == challenge_id,
                    captchas.c.browser == browser_id,
                    captchas.c.expires_at > self._clock(),
                )
            ).scalar()
        )
        if answer is None:
            return None
        return await asyncio.get_running_loop().run_in_executor(pool, generate, answer)

    def close(self) -> None:
        """Stop the threads; queued images and sounds are cancelled."""
        for pool in self._image_pool, self._audio_pool:
            pool.shutdown(wait=False, cancel_futures=True)


def _generate_image(answer: str) -> bytes:
    import captcha.image  # here, in the thread that draws: importing Pillow takes long

    image = captcha.image.ImageCaptcha(width=280, height=90, font_sizes=(56, 60, 64))
    return image.generate(answer).getvalue()


@functools.cache
def _audio_captcha() -> "AudioCaptcha":
    import captcha.audio

    return captcha.audio.AudioCaptcha()


def _generate_audio(answer: str) -> bytes:
    return bytes(_audio_captcha().generate(answer))
