"""Detection of messages without visible characters, and trimming of white space."""

import re

WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""The Unicode property White_Space (PropList.txt)."""

DEFAULT_IGNORABLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""The Unicode property Default_Ignorable_Code_Point (DerivedCoreProperties.txt), as a character
class: joiners, direction marks, Hangul fillers, variation selectors, tags."""

_EMPTY_GLYPHS = "\u2800\ufff9-\ufffb\U00013430-\U0001343f\U00013441\U00013442\U00016fe4\U0001d159"
"""Characters outside both properties whose glyph is empty: Braille blank, annotation marks,
Egyptian format controls and blanks, Khitan filler, null notehead."""

_VISIBLE = re.compile(rf"[^\0-\x1f\x7f-\x9f{WHITE_SPACE}{DEFAULT_IGNORABLE}{_EMPTY_GLYPHS}]")
_NOT_SPACE = re.compile(f"[^{WHITE_SPACE}]")


def is_visible(text: str) -> bool:
    """Return whether a text has a visible character.

    A combining mark alone, a punctuation mark, and a character that is newer than this Python's
    Unicode data (a new emoji) count as visible.
    """
    return _VISIBLE.search(text) is not None


def trim_message(text: str) -> str:
    """Return a message without leading empty lines and trailing white space.

    The indentation of the first line stays, because it belongs to code. Joiners and direction marks
    are not white space: they belong to the text beside them.
    """
    text = text.rstrip(WHITE_SPACE)
    first = _NOT_SPACE.search(text)
    if first is None:
        return ""
    before = first.start()
    return text[max(text.rfind("\n", 0, before), text.rfind("\r", 0, before)) + 1 :]
