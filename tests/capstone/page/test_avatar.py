"""The initials of users and groups."""

import pytest

from tests.capstone.page import javascript

pytestmark = pytest.mark.service("node")

INITIALS = {
    "Ann Walker": "AW",
    "ann": "A",
    "(Ann) [Walker]": "AW",
    "Team - Berlin!": "TB",
    "Ann 👩‍🚀": "A👩‍🚀",
    "Ann & Bob (2)": "A2",
    "«Ёлка»": "Ё",
    "Reise 🇩🇪": "R🇩🇪",
    "<b>bold</b> move": "BM",
    "...": ".",
}


def test_initials_leave_punctuation_out() -> None:
    found = javascript.run(
        """
        const body = { dataset: {} };
        globalThis.document = { body, documentElement: {}, querySelectorAll: () => [] };
        const { initials } = await import("./accounts/avatar.js");
        console.log(JSON.stringify(given.map(initials)));
        """,
        list(INITIALS),
    )
    assert dict(zip(INITIALS, found, strict=True)) == INITIALS
