"""What people may call themselves and their groups.

A name that looks like another one is an attack: characters that cannot be seen or that turn the
text around are refused, and so are heaps of marks on one letter (Unicode Technical Standard 39).
"""

import re
import unicodedata
from itertools import pairwise

NAME_SHORTEST = 3
NAME_LONGEST = 32
NICKNAME_LONGEST = 40
TITLE_LONGEST = 80
DESCRIPTION_LONGEST = 300

# Control, format (zero width, bidi), surrogate, private, unassigned; line and paragraph separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


# Letters and marks that cannot be seen (Unicode property Default_Ignorable_Code_Point); U+FE0F only
# says that the sign before it is an emoji.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0e\uffa0"
    "\U000e0100-\U000e01ef]"
)

_SHAPE = re.compile(r"(a m{0,4} | n)+", re.VERBOSE)
"""Of a user name: letters (a), each with up to four marks (m), and what stands alone (n)."""


def key(text: str) -> str:
    """Return what is compared: two texts with one key are one name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def clean(text: str) -> str:
    """Return a name as it is stored: composed, without blanks around it."""
    return unicodedata.normalize("NFC", text).strip()


def name_problem(name: str) -> str | None:
    """Return why a user name is not allowed, or None."""
    compared = unicodedata.normalize("NFKC", name)
    if len(compared) < NAME_SHORTEST or max(len(compared), len(name)) > NAME_LONGEST:
        return f"Use {NAME_SHORTEST} to {NAME_LONGEST} characters."
    twice = any(one == other and _shape(one) == "m" for one, other in pairwise(name))
    if twice or _BLANK.search(name) or not _SHAPE.fullmatch("".join(map(_shape, name))):
        return "Use letters, digits, dots, dashes and underscores only."
    return None


def _shape(character: str) -> str:
    """Return what a character is in a name, see `_SHAPE`; x for what has no place there."""
    if character.isalpha():
        return "a"
    if unicodedata.category(character) in ("Mn", "Mc") and character != "\ufe0f":
        return "m"
    return "n" if character.isalnum() or character in "._-" else "x"


def label_problem(label: str, longest: int) -> str | None:
    """Return why a nickname or title, of at most `longest` characters, is refused; or None."""
    if not label:
        return "This field is needed."
    if len(label) > longest:
        return f"Use {longest} characters or fewer."
    return text_problem(label)


def text_problem(text: str) -> str | None:
    """Return why a line of text is not allowed, or None."""
    unseen = any(unicodedata.category(character) in _UNSEEN for character in text)
    if unseen or _BLANK.search(text):
        return "There are characters in it that cannot be seen."
    return None
