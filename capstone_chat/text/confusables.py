"""Confusable characters, and the scripts of characters.

Unicode Technical Standard 39 defines both (https://www.unicode.org/reports/tr39/).
`confusables.txt` holds the data; the Unicode version is in the first lines of that file.
"""

import bisect
import functools
import unicodedata
from pathlib import Path

ALLOWED_COMBINATIONS = (
    {"Latn", "Hani", "Hira", "Kana"},
    {"Latn", "Hani", "Bopo"},
    {"Latn", "Hani", "Hang"},
)
"""Scripts that one word may combine at the restriction level "Highly Restrictive" (UTS 39, 5.2).
Japanese, Chinese and Korean texts combine several scripts and contain Latin words."""


def skeleton(text: str) -> str:
    """Return the skeleton of a text: two texts with equal skeletons look alike (UTS 39, 4).

    Case is folded, too: "B0B" looks like "BOB", which equals "bob" as a name. The letter "I" has
    the skeleton "l"; "i" does not.

    Args:
        text: a text in NFKC. The caller limits its length.
    """
    return _skeleton(_skeleton(text).casefold())


def _skeleton(text: str) -> str:
    prototypes = _prototypes()
    parts = (prototypes.get(char, char) for char in unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFD", "".join(parts))


def scripts(character: str) -> frozenset[str]:
    """Return the scripts in which a character is used: the ISO 15924 codes of Script_Extensions.

    The result is empty for a character of all scripts, such as a digit.
    """
    starts, ranges = _ranges_of_scripts()
    position = bisect.bisect_right(starts, ord(character)) - 1
    if position >= 0 and ord(character) <= ranges[position][0]:
        return ranges[position][1]
    return frozenset()


def mixes_scripts(text: str) -> bool:
    """Return whether a text combines scripts, or digits, that are not written together.

    One script, or one of `ALLOWED_COMBINATIONS`, is allowed ("Highly Restrictive", UTS 39, 5.2),
    with the decimal digits of one kind (UTS 39, 5.3).
    """
    found = [known for known in map(scripts, text) if known]
    together = not found or bool(frozenset.intersection(*found))
    together = together or any(
        all(known & some for known in found) for some in ALLOWED_COMBINATIONS
    )
    zeros = {ord(char) - unicodedata.decimal(char) for char in text if char.isdecimal()}
    return not together or len(zeros) > 1


def _data_lines(sign: str) -> list[tuple[str, list[str]]]:
    text = Path(__file__).with_suffix(".txt").read_text(encoding="ascii")
    parts = (line.partition(f" {sign} ") for line in text.splitlines() if line[0] != "#")
    return [(name, places.split()) for name, found, places in parts if found]


@functools.cache
def _prototypes() -> dict[str, str]:
    return {
        chr(int(source, 16)): "".join(chr(int(code, 16)) for code in prototype.split())
        for prototype, sources in _data_lines("=")
        for source in sources
    }


@functools.cache
def _ranges_of_scripts() -> tuple[list[int], list[tuple[int, frozenset[str]]]]:
    ranges: list[tuple[int, int, frozenset[str]]] = []
    for names, places in _data_lines(":"):
        for place in places:
            first, last = (int(code, 16) for code in place.split("-"))
            ranges.append((first, last, frozenset(names.split())))
    ranges.sort(key=lambda found: found[0])
    return [first for first, _, _ in ranges], [(last, known) for _, last, known in ranges]
