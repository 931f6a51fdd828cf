"""Match the header Accept-Language to a language of the chat (RFC 4647, section 3.4: lookup)."""

import functools
import re

BY_TAG = {"en": "en", "ru": "ru", "zh": "zh_CN"}
"""Catalogues of the chat by language tag.

Lookup removes subtags from the end of a language range until a tag matches. So `zh` matches every
form of Chinese: zh-CN, zh-Hans-SG, zh-Hant-TW.
"""

CHINESE = {"cmn", "yue", "wuu", "nan", "hak", "gan", "hsn"}
"""Tags of Chinese languages that the macrolanguage `zh` contains (RFC 5646, section 2.2.2)."""

MAX_RANGES = 50
"""Maximum number of language ranges that are read from a header; browsers send fewer than 20."""

_RANGE = re.compile(
    r"\s* ([a-z]{1,8} (?:[-_][a-z0-9]{1,8})*) \s*"
    r"(?:;\s* q\s*=\s* (0(?:\.\d*)? | 1(?:\.0*)?) \s*)?",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


@functools.lru_cache(256)
def match_language(accept_language: str, default: str = "en") -> str:
    """Return the name of the catalogue that matches a browser's languages best.

    Args:
        accept_language: the header Accept-Language (RFC 9110, section 12.5.4). Malformed ranges are
            ignored, and so is `*`, which would match the default.
        default: the catalogue to return if no range matches.
    """
    wanted: list[tuple[float, str]] = []
    for part in accept_language.split(",", MAX_RANGES)[:MAX_RANGES]:
        found = _RANGE.fullmatch(part)
        quality = float(found[2] or 1) if found else 0.0
        if found and quality > 0:  # 0 means "not acceptable"
            wanted.append((quality, found[1].lower().replace("_", "-")))
    for _quality, language in sorted(wanted, key=lambda item: -item[0]):
        catalogue = _catalogue(language)
        if catalogue is not None:
            return catalogue
    return default


def _catalogue(language: str) -> str | None:
    """Return the catalogue of the longest prefix of a language range that has one, or None."""
    subtags = language.split("-")
    if subtags[0] in CHINESE:
        subtags[0] = "zh"
    while subtags:
        found = BY_TAG.get("-".join(subtags))
        if found is not None:
            return found
        subtags.pop()
        if (
            subtags and len(subtags[-1]) == 1
        ):  # RFC 4647, 3.4: a singleton, as `u` in zh-u-nu-hanidec, is removed with its subtag
            subtags.pop()
    return None
