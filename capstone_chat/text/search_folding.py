"""Folding of texts for a search: `елка` finds `ёлка`, and `don't` finds `don’t`.

The rule is the search collation of CLDR's root locale at its primary level (UTS #10, sections 1.1
and 8; UTS #35, part 5), in a form that any database can compare with LIKE:

1. Ignore Default_Ignorable_Code_Point: soft hyphens, joiners, direction marks.
2. Replace typographic apostrophes, quotation marks and dashes by ASCII (CLDR's transform
   Latin-ASCII).
3. Decompose (NFKD) and ignore the accents of Latin, Greek and Cyrillic and the points of Hebrew and
   Arabic, which have no primary weight. й stays: in CLDR's root й and и are different letters,
   while ё is е with an accent.
4. Ignore case: lower, upper, lower case, so that ß and ẞ are ss, and ς is σ.
5. Replace each run of white space by one space, and compose (NFC).

Vowel signs of Indic scripts and the voicing marks of Kana stay, because they distinguish words. The
page has the same rule in `static/js/text/search_folding.js`, for its own lists and to highlight the
matches.
"""

import re
import unicodedata

from capstone_chat.text.visible_text import DEFAULT_IGNORABLE, WHITE_SPACE

MAX_MARKS = 30
"""Maximum number of consecutive combining marks that are compared, as in the Stream-Safe Text
Format (UAX #15, section 13). Sorting a run takes quadratic time: 12 ms for 4000 marks."""

MAX_FOLDED_LENGTH = 16_000
"""Maximum length of a folded text, in characters: four times the length of a message. Without it, a
message of 4000 characters U+FDFA, which decomposes into 18 letters, would have 72,000."""

CHUNK_SIZE = 500
"""Number of characters that are decomposed at a time."""

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
    """Return the folded form of a text: a search compares these forms.

    Folding takes less than 5 ms for any 4000 characters. The result is cut after MAX_FOLDED_LENGTH
    characters.
    """
    if text.isascii():
        return _SPACES.sub(" ", text.lower())
    text = _drop_marks(_IGNORED.sub("", text).translate(_ASCII))
    text = _drop_marks(_decompose(_shorten_runs(text)))
    text = text.lower().upper().lower().replace("ς", "σ")
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text))


def _decompose(text: str) -> str:
    """Return the first MAX_FOLDED_LENGTH characters of the NFKD form.

    The rest of the text is not decomposed. For 4000 characters U+FDFA, which become 18 characters
    each, this saves more than three quarters of the work.
    """
    chunks: list[str] = []
    length = start = 0
    while start < len(text) and length < MAX_FOLDED_LENGTH:
        end = start + CHUNK_SIZE
        # A chunk must not end between a character and its marks, which NFKD sorts together.
        while end < len(text) and _continues(text[end]):
            end += 1
        chunk = unicodedata.normalize("NFKD", text[start:end])
        chunks.append(chunk)
        length += len(chunk)
        start = end
    return "".join(chunks)[:MAX_FOLDED_LENGTH]


def _continues(character: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) != 0


def _drop_marks(text: str) -> str:
    return _MARKS.sub("", text.replace("\u0438\u0306", "\u0439").replace("\u0418\u0306", "\u0419"))


def _shorten_runs(text: str) -> str:
    """Remove combining marks after MAX_MARKS consecutive ones."""
    if len(text) <= MAX_MARKS:
        return text
    kept = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)
