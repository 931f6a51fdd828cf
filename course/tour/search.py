"""The index with which the site is searched in the browser, without a server."""

import html
import json
import re
from collections import defaultdict

from course.tour.text import Page, is_document

WORD = re.compile(r"[^\W\d_][\w]{2,}")
TAG = re.compile(r"<[^>]*>")
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.S)
SUMMARY_LENGTH = 160
"""Characters of a page's first paragraph that a result shows."""


def make_index(pages: list[Page]) -> str:
    """Return the index as JSON: the pages, and for each word the pages that hold it.

    A page is `[address, title, lesson, summary]`. A word has the numbers of its pages in this list;
    those that have it in their title come first and are negative, minus one.
    """
    entries: list[list[str]] = []
    words: dict[str, list[int]] = defaultdict(list)
    for each in pages:
        place = each.place
        if place.kind == "map" or (place.kind == "file" and not is_document(place)):
            continue
        number = len(entries)
        lesson = place.lesson.title if place.lesson else ""
        entries.append([place.address, each.title, lesson, _summary(each.html)])
        title = _words(each.title)
        for word in title:
            words[word].append(-number - 1)
        for word in _words(plain(each.html)) - title:
            words[word].append(number)
    index = {"pages": entries, "words": {word: words[word] for word in sorted(words)}}
    return json.dumps(index, ensure_ascii=False, separators=(",", ":"))


def plain(markup: str) -> str:
    """Return the text of HTML."""
    return html.unescape(TAG.sub("", markup))


def _words(text: str) -> set[str]:
    """Return the words of a text, and the parts of names such as `set_default_headers`."""
    found = {word.lower() for word in WORD.findall(text)}
    return found | {part for word in found for part in word.split("_") if len(part) > 2}


def _summary(markup: str) -> str:
    first = PARAGRAPH.search(markup)
    text = " ".join(plain(first[1]).split()) if first else ""
    if len(text) <= SUMMARY_LENGTH:
        return text
    return text[:SUMMARY_LENGTH].rpartition(" ")[0] + " ..."
