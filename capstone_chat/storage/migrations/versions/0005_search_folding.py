"""Search: `елка` finds `ёлка`, and `don't` finds `don’t`.

What a search compares is made anew from the messages and the titles of groups. It may stop anywhere
and run again from the beginning: a row that is done is not written again.
"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ROWS = 1000


def upgrade() -> None:
    fold_messages(op.get_bind())
    fold_titles(op.get_bind())


def fold_messages(connection: sa.Connection) -> None:
    """Fold the messages, some at a time, in the order of their key."""
    names = ("conversation_id", "seq", "type", "text", "folded")
    events = sa.table("events", *map(sa.column, names))
    place = sa.tuple_(events.c.conversation_id, events.c.seq)
    query = sa.select(*events.c).where(events.c.type == "message", events.c.text.is_not(None))
    change = (
        events.update()
        .where(events.c.conversation_id == sa.bindparam("c"), events.c.seq == sa.bindparam("s"))
        .where(events.c.text.is_not(None))  # it may be deleted meanwhile
        .values(folded=sa.bindparam("f"))
    )
    last = (-1, -1)
    while True:
        page = query.where(place > sa.tuple_(*last)).order_by(*place.clauses).limit(ROWS)
        rows = connection.execute(page).all()
        if not rows:
            return
        keys = [(c, s, fold(text), old) for c, s, _type, text, old in rows]
        folded = [{"c": c, "s": s, "f": key} for c, s, key, old in keys if key != old]
        if folded:
            connection.execute(change, folded)
        last = rows[-1][0], rows[-1][1]


def fold_titles(connection: sa.Connection) -> None:
    """Fold the titles of the groups, some at a time."""
    names = ("id", "kind", "title", "title_key")
    conversations = sa.table("conversations", *map(sa.column, names))
    query = sa.select(*conversations.c).where(conversations.c.kind == "group")
    change = (
        conversations.update()
        .where(conversations.c.id == sa.bindparam("i"))
        .values(title_key=sa.bindparam("f"))
    )
    last = -1
    while True:
        page = query.where(conversations.c.id > last).order_by(conversations.c.id).limit(ROWS)
        rows = connection.execute(page).all()
        if not rows:
            return
        keys = [(i, fold(title)[:160], old) for i, _kind, title, old in rows]
        folded = [{"i": i, "f": key} for i, key, old in keys if key != old]
        if folded:
            connection.execute(change, folded)
        last = rows[-1][0]


# A copy of the chat's rule as it was when this migration was written.

WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
DEFAULT_IGNORABLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)


_ASCII = str.maketrans(
    dict.fromkeys("\u00b4\u02b9\u02bb\u02bc\u02bd\u1ffd\u2018\u2019\u201a\u201b\u2032", "'")
    | dict.fromkeys("\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\u301d\u301e\u301f", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-")
)
_IGNORED = re.compile(f"[{DEFAULT_IGNORABLE}]+")
_MARKS = re.compile(
    "["
    "\u0300-\u0337\u0339-\u0362\u1ab0-\u1abe\u1dc0-\u1dc9\u1df5-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
    "\u0483-\u0489"  # Cyrillic
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"  # Arabic
    "]+"
)
_SPACES = re.compile(f"(?:[{WHITE_SPACE.replace(' ', '')}]|[ ](?=[{WHITE_SPACE}]))[{WHITE_SPACE}]*")


def fold(text: str) -> str:
    if text.isascii():
        return _SPACES.sub(" ", text.lower())
    text = _drop_marks(_IGNORED.sub("", text).translate(_ASCII))
    text = _drop_marks(unicodedata.normalize("NFKD", _shorten_runs(text))[:16_000])
    text = text.lower().upper().lower().replace("ς", "σ")
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text))


def _drop_marks(text: str) -> str:
    return _MARKS.sub("", text.replace("\u0438\u0306", "\u0439").replace("\u0418\u0306", "\u0419"))


def _shorten_runs(text: str) -> str:
    if len(text) <= 30:
        return text
    kept = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= 30:
            kept.append(character)
    return "".join(kept)
