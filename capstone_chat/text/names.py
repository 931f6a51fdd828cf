"""Normalization, comparison and validation of the names of users and groups.

A name that looks like another name can deceive users. Invisible characters, characters that change
the direction of text, and many combining marks on one letter are therefore refused (Unicode
Technical Standard 39).

A user name is an identifier: it has one script and no emoji, and it does not look like another user
name. A nickname, a title or a description is free text, in which only invisible characters are
refused. Nicknames need not be unique: the page shows the user names of two users called Anna beside
their nicknames. A nickname may therefore equal a user name. It may not imitate the operator, a
deleted user, or the form of user names ("@anna").
"""

import functools
import re
import unicodedata
from itertools import pairwise
from typing import Literal

from capstone_chat.text import confusables

MIN_NAME_LENGTH = 3
MAX_NAME_LENGTH = 32
MAX_NICKNAME_LENGTH = 40
MAX_TITLE_LENGTH = 80
MAX_DESCRIPTION_LENGTH = 300

MAX_MARKS = 4
"""Maximum number of consecutive nonspacing marks (UTS 39, 5.4)."""

MAX_RAW_LENGTH = 4 * MAX_DESCRIPTION_LENGTH
"""Maximum length of a text that is normalized: NFC composes at most four characters into one, so a
longer text is too long in any case."""

MAX_MARKS_NORMALIZED = 30
"""Maximum number of marks that are normalized together (Stream-Safe Text Format, UAX 15, 13)."""

MAX_SKELETON_LENGTH = 255
"""Number of characters of a skeleton that are stored and compared."""

# Control, format (zero width, bidi), surrogate, private, unassigned; line and paragraph separators.
INVISIBLE_CHARACTERS = "It has invisible characters."
RESERVED = "This name is reserved. Choose another one."

_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


# Invisible letters and marks (Unicode property Default_Ignorable_Code_Point). U+FE0F is not among
# them: it selects the emoji form of the character before it.
_INVISIBLE_CHARACTERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0e\uffa0"
    "\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)

_NAME_SHAPE = re.compile(r"(a m{0,4} | n)+", re.VERBOSE)
"""Shape of a user name: letters (a), each with up to four marks (m), and other characters (n)."""


def normalize_unicode(form: Literal["NFC", "NFD", "NFKC"], text: str) -> str:
    """Return a text in a Unicode normalization form, in linear time.

    Normalization sorts the marks on a letter, for which Python takes quadratic time: 0.3 seconds
    for 20,000 marks. A run longer than `MAX_MARKS_NORMALIZED`, which no language has, is therefore
    sorted in parts.
    """
    step = MAX_MARKS_NORMALIZED
    # A run of `step` marks covers at least one of the positions step - 1, 2 * step - 1, ...
    if not any(map(unicodedata.combining, text[step - 1 :: step])):
        return unicodedata.normalize(form, text)
    parts, start, marks = [], 0, 0
    for position, character in enumerate(text):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks == step:
            parts.append(unicodedata.normalize(form, text[start : position + 1]))
            start, marks = position + 1, 0
    return "".join([*parts, unicodedata.normalize(form, text[start:])])


def canonical_key(text: str) -> str:
    """Return the key for comparison: two texts with the same key are the same name."""
    return normalize_unicode("NFKC", normalize_unicode("NFKC", text).casefold())


def skeleton(name: str) -> str:
    """Return the skeleton of a user name, which is equal for names that look alike.

    See `confusables.skeleton`. A run of one punctuation mark counts as a single mark, because the
    number of consecutive underscores is hard to see.

    Args:
        name: a user name for which `could_exist` is true.
    """
    found = confusables.skeleton(normalize_unicode("NFKC", name))
    return re.sub(r"([._-])\1+", r"\1", found)[:MAX_SKELETON_LENGTH]


def normalize(text: str) -> str:
    """Return a name in the form that is stored: NFC, without surrounding white space."""
    text = text.strip()
    return text if len(text) > MAX_RAW_LENGTH else normalize_unicode("NFC", text).strip()


def could_exist(name: str) -> bool:
    """Return whether a user may have this name; older names passed fewer rules than new ones."""
    return _find_shape_problem(name) is None


def find_username_problem(name: str) -> str | None:
    """Return the reason why a new user name is not allowed, or None."""
    if problem := _find_shape_problem(name):
        return problem
    if not any(character.isalnum() for character in name):
        return "Use at least one letter or digit."
    if confusables.mixes_scripts(normalize_unicode("NFKC", name)):
        return "Use letters of one script only."
    reserved = NAMES_OF_PROGRAMS + NAMES_OF_OPERATORS + NAMES_OF_THE_DELETED
    if _imitates(name, _reserved_skeletons(reserved)):
        return RESERVED
    return None


def _find_shape_problem(name: str) -> str | None:
    compared = normalize_unicode("NFKC", name) if len(name) <= MAX_NAME_LENGTH else name
    if len(compared) < MIN_NAME_LENGTH or max(len(compared), len(name)) > MAX_NAME_LENGTH:
        return f"Use {MIN_NAME_LENGTH} to {MAX_NAME_LENGTH} characters."
    twice = any(one == other and _shape_class(one) == "m" for one, other in pairwise(name))
    shape = "".join(map(_shape_class, name))
    if twice or _INVISIBLE_CHARACTERS.search(name) or not _NAME_SHAPE.fullmatch(shape):
        return "Use letters, digits, dots, dashes and underscores only."
    return None


def _shape_class(character: str) -> str:
    """Return the class of a character in a name, see `_NAME_SHAPE`; x if it is not allowed."""
    if character in _EXTENDERS:
        return "x"
    if character.isalpha():
        return "a"
    if unicodedata.category(character) in ("Mn", "Mc") and character != "\ufe0f":
        return "m"
    return "n" if character.isalnum() or character in "._-" else "x"


_EXTENDERS = set("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")
"""Letters and marks that lengthen or repeat the character before them (RFC 5892, 2.6)."""

NAMES_OF_PROGRAMS = (
    *("all", "everyone", "here", "channel", "anonymous", "null", "none", "undefined"),
    *("api", "noreply", "no-reply", "postmaster", "hostmaster", "webmaster", "abuse"),
)
"""User names with a meaning for programs, for mail (RFC 2142) or in a list of users."""

NAMES_OF_OPERATORS = (
    *("admin", "administrator", "root", "superuser", "sysadmin", "system", "operator"),
    *("moderator", "support", "helpdesk", "security", "staff", "official", "tornado chat"),
    *("админ", "администратор", "администрация", "модератор", "оператор", "поддержка"),
    *("техподдержка", "служба поддержки", "система"),
    *("管理员", "系统管理员", "超级管理员", "版主", "客服", "官方", "系统", "系统消息"),
)
"""Names that claim the authority of an operator."""

NAMES_OF_THE_DELETED = (
    *("deleted", "deleted user", "deleted account"),
    *("удалённый пользователь", "удаленный пользователь", "已注销用户"),
)
"""The chat's names of users who have deleted their accounts, in the languages of its pages."""


def _imitates(text: str, reserved: frozenset[str]) -> bool:
    """Return whether a text looks like a reserved one, apart from punctuation and a final number.

    Args:
        text: a user name or a nickname.
        reserved: skeletons.
    """
    words = "".join(filter(str.isalnum, normalize_unicode("NFKC", text)))
    for bare in words, words.rstrip("0123456789"):
        forms = {bare.casefold()}
        if not bare.isupper():  # the I of ALI is read as I, not as l
            forms.add(bare)
        if reserved.intersection(map(confusables.skeleton, forms)):
            return True
    return False


@functools.cache
def _reserved_skeletons(names: tuple[str, ...]) -> frozenset[str]:
    bare = ["".join(filter(str.isalnum, name)) for name in names]
    # In "ADM1N" the digit looks like a capital I, in "adm1n" like a small l.
    return frozenset(confusables.skeleton(form) for name in bare for form in (name, name.upper()))


def find_nickname_problem(nickname: str) -> str | None:
    """Return the reason why a nickname is refused, or None."""
    if problem := find_label_problem(nickname, MAX_NICKNAME_LENGTH):
        return problem
    if "@" in normalize_unicode("NFKC", nickname):
        return "A nickname cannot contain @, which stands before user names."
    if _imitates(nickname, _reserved_skeletons(NAMES_OF_OPERATORS + NAMES_OF_THE_DELETED)):
        return RESERVED
    return None


def find_label_problem(label: str, max_length: int) -> str | None:
    """Return the reason why a nickname or title is refused, or None."""
    if not label:
        return "Fill this in."
    if len(label) > max_length:
        return f"Use {max_length} characters or fewer."
    return find_line_problem(label)


def find_line_problem(text: str) -> str | None:
    """Return the reason why a line of text is not allowed, or None."""
    text = _EMOJI.sub("\u25a1", text)  # joiners inside of emoji are allowed
    joins = [found.start() for found in re.finditer("[\u200c\u200d]", text)]
    if not all(_may_join(text, position) for position in joins):
        return INVISIBLE_CHARACTERS
    text = re.sub("[\u200c\u200d]", "", text)
    unseen = any(unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in text)
    if unseen or "\ufe0f" in text or _INVISIBLE_CHARACTERS.search(text):
        return INVISIBLE_CHARACTERS
    text = normalize_unicode("NFD", text)
    marks = "".join(map(_mark_class, text))
    twice = any(one == other and _mark_class(one) == "m" for one, other in pairwise(text))
    if twice or re.search(rf"(^|\s)[mc]|m{{{MAX_MARKS + 1}}}", marks):
        return f"An accent stands on a letter, and a letter has at most {MAX_MARKS}."
    return None


def _mark_class(character: str) -> str:
    """Return m for a nonspacing or enclosing mark, c for a spacing one, a space for a space."""
    kind = unicodedata.category(character)
    return {"Mn": "m", "Me": "m", "Mc": "c", "Zs": " "}.get(kind, "a")


_PICTURE = (
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf"
    r"\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001fbff]"
)
_ELEMENT = rf"{_PICTURE}(?:[\ufe0e\ufe0f]|[\U0001f3fb-\U0001f3ff])?"
_EMOJI = re.compile(
    "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
    rf"|[0-9#*]\ufe0f?\u20e3|{_ELEMENT}(?:\u200d{_ELEMENT}){{0,9}}"
)
"""Emoji as UTS 51 (1.4.9) composes them: flags of regions, such as England (at most 6 tags),
keycaps, and pictures with a variation selector or a skin tone, joined by U+200D."""

_JOINING = {"Adlm", "Arab", "Mand", "Mani", "Mong", "Nkoo", "Ougr", "Phag", "Phlp", "Rohg", "Syrc"}
"""Scripts whose letters are connected (UAX 31, 2.3, A1)."""

_VIRAMA = 9
"""The combining class of the marks that join consonants in the scripts of India (UAX 31, 2.3)."""


def _may_join(text: str, position: int) -> bool:
    """Return whether a joiner (U+200C, U+200D) changes the form of the letters around it.

    A joiner does so between connected letters, such as those of Persian, after a virama, and
    (U+200D) before a virama (UAX 31, 2.3, A1, A2 and B; RFC 5892, A.1 and A.2).
    """
    before, after = text[:position], text[position + 1 : position + 2]
    if before and unicodedata.combining(before[-1]) == _VIRAMA:
        return True
    letter = re.sub(r"[\u064b-\u065f\u0670]+$", "", before)[-1:]  # without Arabic vowel marks
    if not letter.isalpha() or not after:
        return False
    if text[position] == "\u200d" and unicodedata.combining(after) == _VIRAMA:
        return True
    together = confusables.scripts(letter) & confusables.scripts(after)
    return after.isalpha() and bool(together & _JOINING)
