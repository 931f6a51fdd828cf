"""Translation of the texts that a learner reads.

Every text of the runner and of the checks, every goal and every hint goes through `translate`. All
are English today. A catalogue of translations can be added here without a change in any lesson.
"""


def translate(message: str, /, **values: object) -> str:
    """Return a text of the interface with its values filled in.

    Args:
        message: the English text, which is the key of its translations. It is a constant, so that
            tools can find it in the source, with {name} at the place of each value.
        values: the value for each name. A text without values may contain braces.
    """
    return message.format(**values) if values else message
