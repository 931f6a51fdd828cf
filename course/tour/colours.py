"""The colours of code on the pages: `python -m course.tour.colours` writes static/text.css.

Each colour has a contrast of at least 4.5 to 1 on the background of code (WCAG 2.2, 1.4.3).
"""

from pathlib import Path

STYLESHEET = Path(__file__).parent / "static" / "text.css"
BACKGROUNDS = {"light": "#f5f7f9", "dark": "#1c2228"}
"""`--code` in static/style.css."""
# The classes of Pygments, then their colour in light and dark.
COLOURS = (
    ("k kc kd kn kp kr kt ow", "#9a2f8f", "#e19ae0"),  # keywords
    ("s s1 s2 sa sb sc sd se sh si sr ss sx dl", "#116b3f", "#8ed2a4"),  # strings
    ("c c1 ch cm cp cpf cs", "#5d6772", "#9da7b1"),  # comments
    ("m mb mf mh mi mo il", "#9c4a00", "#f0b072"),  # numbers
    ("nc nf fm nt nn nd", "#0b5cad", "#7cb8f5"),  # names that are defined, tags, decorators
    ("nb bp na nv ne", "#8a3a1c", "#efa58a"),  # built-in names, attributes
    ("gd", "#a3242b", "#ff9d98"),  # lines that a diff deletes
    ("gi", "#116b3f", "#8ed2a4"),  # lines that a diff inserts
    ("gh gu", "#5d6772", "#9da7b1"),  # heads of a diff
)


def stylesheet() -> str:
    """Return the style sheet for the classes of Pygments, in light and dark."""
    light = "".join(_rule(classes, colour) for classes, colour, _ in COLOURS)
    dark = "".join(_rule(classes, colour, "  ") for classes, _, colour in COLOURS)
    head = "/* Written by python -m course.tour.colours. */\n\n"
    return f"{head}{light}\n@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _rule(classes: str, colour: str, indent: str = "") -> str:
    selectors = ", ".join(f".{name}" for name in classes.split())
    return f"{indent}.highlight :is({selectors}) {{ color: {colour}; }}\n"


if __name__ == "__main__":
    STYLESHEET.write_text(stylesheet(), encoding="utf-8")
