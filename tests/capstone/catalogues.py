"""What the server can say to people, and the catalogues that say it in other languages.

    python -m tests.capstone.catalogues

brings the catalogues in capstone_chat/locale up to the code: what is new is added, to be
translated, what is gone is dropped, and the .mo files are written from the .po files.

A message of the server is a whole sentence in its code: a text of some words that ends with a full
stop. A message of the templates stands in `_("...")`.
"""

import ast
import functools
import http
import importlib
from collections.abc import Iterator
from pathlib import Path

import tornado.template
from babel.messages import Catalog, mofile, pofile

from capstone_chat.handlers.errors import reason_phrase

PACKAGE = Path(__file__).resolve().parents[2] / "capstone_chat"
LANGUAGES = ("zh_CN", "ru")
# Says nothing to people who chat (the operator's command line, its logs and figures), or as one of
# them (the demo).
SILENT = (
    "__main__",
    "admin",
    "app",
    "server",
    "database",
    "demo",
    "logs",
    "metrics",
    "options",
    "health",
)
# Arguments that stand in a message, with every value that they can have.
ARGUMENTS = {"max_length": ("MAX_NICKNAME_LENGTH", "MAX_TITLE_LENGTH", "MAX_DESCRIPTION_LENGTH")}
STATUSES = (400, 401, 403, 404, 405, 413, 415, 429, 500, 503)


@functools.cache
def template_messages() -> frozenset[str]:
    """Return what the templates show."""
    loader = tornado.template.Loader(str(PACKAGE / "templates"))
    calls = (
        node
        for path in (PACKAGE / "templates").glob("*.html")
        for node in ast.walk(ast.parse(loader.load(path.name).code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
    )
    return frozenset(ast.literal_eval(call.args[0]) for call in calls)


@functools.cache
def server_messages() -> frozenset[str]:
    """Return what the server's code can answer."""
    found = {reason_phrase(http.HTTPStatus(status)) for status in STATUSES}
    for path in PACKAGE.rglob("*.py"):
        if path.stem not in SILENT and "migrations" not in path.parts:
            found.update(sentences(path))
    return frozenset(found)


def sentences(path: Path) -> Iterator[str]:
    """Yield the whole sentences in the code of a module, the numbers in them filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    documentation = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant | ast.JoinedStr) or id(node) in parts | documentation:
            continue
        module = vars(importlib.import_module(name))
        for text in values(node, module):
            if isinstance(text, str) and " " in text and text.endswith("."):
                yield text


def values(node: ast.Constant | ast.JoinedStr, module: dict[str, object]) -> Iterator[object]:
    """Yield every value that a text can have."""
    if isinstance(node, ast.Constant):
        yield node.value
        return
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    if not any(str(getattr(part, "value", "")).rstrip().endswith(".") for part in node.values[-1:]):
        return
    code = compile(ast.Expression(node), "message", "eval")
    unknown = names - module.keys()
    if not unknown:
        yield eval(code, dict(module))
        return
    (argument,) = unknown  # a message with an argument that is not in ARGUMENTS is a KeyError here
    for constant in ARGUMENTS[argument]:
        yield eval(code, {**module, argument: module[constant]})


def path_of(language: str, kind: str) -> Path:
    """Return the path of a catalogue: its source (po) or what gettext reads (mo)."""
    return PACKAGE / "locale" / language / "LC_MESSAGES" / f"chat.{kind}"


def load(language: str) -> Catalog:
    """Return a catalogue as its source has it."""
    with path_of(language, "po").open("rb") as file:
        return pofile.read_po(file, locale=language)


def update(language: str, messages: frozenset[str]) -> None:
    """Bring a catalogue up to the messages, and write both of its files."""
    old = load(language) if path_of(language, "po").exists() else Catalog()
    new = Catalog(
        locale=language,
        header_comment="# Made by: python -m tests.capstone.catalogues",
        project="Tornado Chat",
        version="1",
        creation_date=old.creation_date,  # or every update would be a change
        last_translator="Tornado Chat",
        language_team="Tornado Chat",
        fuzzy=False,
    )
    for message in sorted(messages):
        known = old.get(message)
        new.add(message, known.string if known else "")
    path_of(language, "po").parent.mkdir(parents=True, exist_ok=True)
    with path_of(language, "po").open("wb") as file:
        pofile.write_po(file, new, width=98)
    with path_of(language, "mo").open("wb") as file:
        mofile.write_mo(file, new)


if __name__ == "__main__":
    everything = template_messages() | server_messages()
    for each in LANGUAGES:
        update(each, everything)
        empty = [message.id for message in load(each) if message.id and not message.string]
        print(f"{each}: {len(everything)} messages, {len(empty)} to be translated")
