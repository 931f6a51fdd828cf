"""The language of a visitor: a browser's list of languages is matched by RFC 4647, section 3.4."""

import re

BY_TAG = {"en": "en", "ru": "ru", "zh": "zh_CN"}
"""The chat's languages: a catalogue for each language tag. Lookup shortens a range from its end, so
that `zh` is found by every form of Chinese: zh-CN, zh-Hans-SG, zh-Hant-TW."""

CHINESE = {"cmn", "yue", "wuu", "nan", "hak", "gan", "hsn"}
"""Chinese languages that have tags of their own; `zh` contains them (RFC 5646, section 2.2.2)."""

MAX_RANGES = 50
"""Languages of a browser's list that are looked at; browsers send fewer than 20."""

_RANGE = re.compile(
    r"\s* ([a-z]{1,8} (?:[-_][a-z0-9]{1,8})*) \s*"
    r"(?:;\s* q\s*=\s* (0(?:\.\d*)? | 1(?:\.0*)?) \s*)?",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def match_language(accept_language: str, default: str = "en") -> str:
    """Return the catalogue that fits a browser's list best.

    Args:
        accept_language: the header Accept-Language (RFC 9110, section 12.5.4). What is malformed in
            it is left out; `*` stands for the default, which comes last in any case.
        default: returned when nothing fits.
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
    """Return the catalogue of a language range, shortened from its end until one is there."""
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
        ):  # the singleton of an extension, as in zh-u-nu-hanidec
            subtags.pop()
    return None
