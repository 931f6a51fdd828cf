"""Captchas: a picture with a text that a person can read and a program cannot easily read."""

import base64
import secrets
import sqlite3
import time

from accounts import FormError
from captcha.image import ImageCaptcha

LETTERS = "ABCDEFHKLMNPRTUVWXY34679"  # without those that look like others
LENGTH = 5  # characters
LIFETIME = 300  # seconds


def create_captcha(connection: sqlite3.Connection, form: str) -> tuple[str, str]:
    """Store a captcha for a form and return its id and its answer."""
    connection.execute("DELETE FROM captchas WHERE expires < ?", (time.time(),))
    captcha_id = secrets.token_urlsafe(16)
    answer = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    row = (captcha_id, form, answer, int(time.time()) + LIFETIME)
    connection.execute("INSERT INTO captchas VALUES (?, ?, ?, ?)", row)
    return captcha_id, answer


def use_captcha(connection: sqlite3.Connection, captcha_id: str, form: str, answer: str) -> bool:
    """Return whether the answer is right. The captcha is deleted, right or wrong: one use."""
    row = connection.execute(
        "DELETE FROM captchas WHERE id = ? RETURNING form, answer, expires", (captcha_id,)
    ).fetchone()
    if not row or row["form"] != form or row["expires"] < time.time():
        return False
    return secrets.compare_digest(row["answer"].encode(), answer.strip().upper().encode())


def draw_captcha(answer: str) -> str:
    """Return the picture of a text, as the address of an <img>. It takes some milliseconds."""
    picture = ImageCaptcha(width=200, height=70).generate(answer).getvalue()
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def wrong_answer() -> FormError:
    """Return the error of a form whose captcha is wrong, used or expired."""
    return FormError("The text on the picture was another one. Here is a new picture.")
