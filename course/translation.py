"""The texts that a learner reads, in the learner's language.

Every text of the runner and of the checks, every goal and every hint goes through `translate`. All
are English today. A catalogue of translations is asked in this one place; no lesson changes.
"""


def translate(message: str, /, **values: object) -> str:
    """Return a text with its values filled in.

    Args:
        message: the English text, which is the key of its translations. It is a constant, which
            can be found in the source; where values belong, it has {names}.
        values: what replaces the names. A text without values may contain braces.
    """
    return message.format(**values) if values else message
