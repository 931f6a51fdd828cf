"""The characters that look alike, and the scripts that they belong to, as the chat keeps them.

    python -m tests.capstone.unicode_data FOLDER

writes `capstone_chat/text/confusables.txt` from four files of one Unicode version in FOLDER:
`confusables.txt` (https://www.unicode.org/Public/security/latest/), and `Scripts.txt`,
`ScriptExtensions.txt` and `PropertyValueAliases.txt`, which has the short names of the scripts
(https://www.unicode.org/Public/UCD/latest/ucd/).
"""

import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
TARGET = Path(__file__).resolve().parents[2] / "capstone_chat" / "text" / "confusables.txt"
ANY = {"Zyyy", "Zinh", "Common", "Inherited"}

HEADER = """\
# Made by: python -m tests.capstone.unicode_data, from confusables.txt, Scripts.txt and
# ScriptExtensions.txt of Unicode {version}.
# Copyright (C) 1991-2026 Unicode, Inc. Unicode License V3: https://www.unicode.org/license.txt
# prototype = characters that look like it; or scripts : first-last of the characters in them.
"""


def rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the first two fields of each line of a Unicode data file."""
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        fields = [field.strip() for field in line.partition("#")[0].split(";")]
        if len(fields) > 1:
            yield fields[0], fields[1]


def confusables(folder: Path) -> dict[str, list[str]]:
    """Return for each prototype the characters that look like it, all in hexadecimal.

    A skeleton is made of text in NFKC, so characters that NFKC replaces are left out.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for source, prototype in rows(folder / "confusables.txt"):
        character = chr(int(source, 16))
        if unicodedata.normalize("NFKC", character) == character:
            found[prototype].append(source)
    return found


def scripts(folder: Path) -> dict[str, list[str]]:
    """Return the ranges of characters of each set of scripts, without Common and Inherited.

    Ranges with only unassigned code points between them are joined.
    """
    short = {
        fields[2]: fields[1]
        for line in (folder / "PropertyValueAliases.txt").read_text(encoding="utf-8").splitlines()
        if len(fields := [field.strip() for field in line.partition("#")[0].split(";")]) > 2
        and fields[0] == "sc"
    }
    of: dict[int, str] = {}
    for name in "Scripts.txt", "ScriptExtensions.txt":
        for codes, value in rows(folder / name):
            first, _, last = codes.partition("..")
            for code in range(int(first, 16), int(last or first, 16) + 1):
                of[code] = " ".join(sorted(short.get(one, one) for one in value.split()))
    ranges: defaultdict[str, list[str]] = defaultdict(list)
    codes_ = sorted(of)
    start = codes_[0]
    for code, following in zip(codes_, [*codes_[1:], -1], strict=True):
        if of.get(following) != of[code]:
            if of[code] not in ANY:
                ranges[of[code]].append(f"{start:04X}-{code:04X}")
            start = following
    return ranges


def main(folder: Path) -> None:
    """Write the file."""
    version = re.search(r"[Vv]ersion: ([\d.]+)", (folder / "confusables.txt").read_text("utf-8"))
    assert version is not None
    lines = [f"{name} = {' '.join(places)}" for name, places in confusables(folder).items()]
    lines += [f"{name} : {' '.join(places)}" for name, places in scripts(folder).items()]
    text = HEADER.format(version=version[1]) + "".join(f"{line}\n" for line in sorted(lines))
    TARGET.write_text(text, encoding="ascii")
    print(f"{TARGET}: {len(lines)} lines, {len(text)} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
