"""Words that docs/glossary.md has replaced do not come back as names in the chat's code."""

import ast
import re
import unittest

from tests.capstone.test_layers import files, module
from tests.support.identifiers import identifiers, identifiers_in

RETIRED = {
    "realtime": {
        *("hear", "heard", "hears", "hearing", "obey", "settle", "settled", "enter", "leave"),
        *("drop", "correct", "carrier_listen", "hint", "renew", "look_again", "is_behind"),
        *("Bus", "LocalBus", "RedisBus", "Elsewhere", "Socket", "bus", "elsewhere", "listen"),
        *("listener", "socket", "said", "came", "went", "Own", "Writing", "ReadUpTo", "text_of"),
        *("TEXT_LIMIT", "FRAME_LIMIT", "LARGEST_ID", "TOO_BIG", "NOT_UTF8", "NotLetIn"),
    },
    "conversations": {
        *("admit", "dismiss", "announce", "told", "tell", "heir", "place", "places", "was"),
        *("draft", "drafts", "refused", "known", "pair_of", "require_room", "open_private"),
        *("require_may_write", "Person", "columns", "of", "find", "to_group"),
        *("PAGE", "MEMBERS_PAGE", "FOUND", "hand_over", "groups_of", "log"),
    },
    "handlers": {
        *("ask", "patience", "require_patience", "require_pace", "enforce_pace", "require_read"),
        *("kept", "show", "enter", "captcha_right", "local_path", "agent", "written"),
        *("text_of", "flag", "whole", "checked_text", "tell_sockets", "tell_heads", "sent"),
        *("modules", "policy", "POLICY", "CHUNK", "FOUND", "WAITING_SENDS", "KNOWN_DAYS", "heir"),
        *("SocketHandler", "OneAtATime", "AliveHandler", "ReadyHandler", "READY_WITHIN"),
    },
    "accounts": {
        *("ALIVE", "USER", "DELETED", "told", "square", "NotAPicture", "PIXELS", "SIZE", "issue"),
        *("UPLOAD_LIMIT", "SEEN_EVERY", "ends_at", "FREE", "LONGEST", "SHORTEST"),
        *("problem", "outdated", "_nobody", "known", "attempt", "succeeded", "Throttle"),
        *("announce_end", "require_open", "end_others", "note_use", "place"),
    },
    "storage": {
        *("Lookups", "look_up", "TRIPS", "SEATS", "lost_a_race", "ends_transaction", "patience"),
        *("PATIENCE", "LOCKED_AT_MOST", "CONNECT_WITHIN", "STARTS", "BATCH", "PAIRS", "now", "Key"),
        *("_hand_over", "_hand_back", "_trust", "_attempt", "_Doubt", "_Job", "_leave", "_tell"),
        *("_waiting", "_committing", "_trips", "committed", "problem", "_alone", "failures"),
    },
    "text": {
        *("key", "clean", "name_problem", "label_problem", "text_problem", "nickname_problem"),
        *(
            "NAME_SHORTEST",
            "NAME_LONGEST",
            "TITLE_LONGEST",
            "_UNSEEN",
            "_BLANK",
            "has_ink",
            "PIECE",
        ),
    },
    "options": {"alone", "VAR", "_take", "_lines", "cookie_secret"},
    "admin": {"Data", "Url", "Redis", "at", "DUMP", "end_sockets", "complain", "place"},
    "__main__": {"BODY_LIMIT", "no_place", "complain", "opened", "leave"},
    "app": {"unhurried", "HERE", "pool", "sends", "signals", "reads"},
    "services": {"pool", "requests", "sends", "signals", "reads", "frames", "sockets", "throttle"},
    "logs": {"set_up", "QUIET", "OWN"},
    "purge": {"BATCH", "PAGE", "PAUSE", "REST", "GRACE", "Key", "dead", "steady"},
    "server": {"connections_that_fit", "SELECTABLE", "Connection", "Incoming", "_tell", "_take"},
    "": {
        *("Limit", "Underway", "underway", "Bus", "RedisBus", "Refused", "make_bus", "make_chat"),
        *("either", "insert_row", "Unreachable", "ALIVE", "lock_alive", "Gone"),
    },
}
"""Retired names by package; those of "" are retired everywhere in the chat."""


def described(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the names in the section Args of a docstring."""
    section = re.search(r"^Args:\n((?: {4}.*\n?|\n)+)", ast.get_docstring(node) or "", re.MULTILINE)
    return set(re.findall(r"^ {4}(\w+):", section[1], re.MULTILINE)) if section else set()


def parameters(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the parameters of a function, or those with which a class is called."""
    if not isinstance(node, ast.ClassDef):
        return {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
    found = set()
    for each in node.body:
        match each:
            case ast.FunctionDef(name="__init__" | "initialize"):
                found |= parameters(each)
            case ast.AnnAssign(target=ast.Name(id=name)):  # a field of a dataclass
                found.add(name)
    return found


class VocabularyTest(unittest.TestCase):
    def test_no_retired_word_is_a_name(self) -> None:
        for path in files():
            package = module(path).split(".")[0]
            retired = RETIRED[""] | RETIRED.get(package, set())
            with self.subTest(file=module(path)):
                self.assertEqual(identifiers_in(path) & retired, set(), "see docs/glossary.md")

    def test_docstrings_describe_parameters_that_exist(self) -> None:
        for path in files():
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    with self.subTest(file=module(path), name=node.name):
                        self.assertLessEqual(described(node), parameters(node))

    def test_names_of_every_kind_are_seen(self) -> None:
        code = "class A:\n    async def b(self, c):\n        self.d = e\n"
        self.assertLessEqual({"A", "b", "c", "d", "e"}, identifiers(ast.parse(code)))
