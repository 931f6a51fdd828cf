"""HTML elements, written by functions, so that every value in them is escaped."""

from tornado.escape import xhtml_escape


def element(tag: str, content: str = "", **attributes: str | int) -> str:
    """Return an element with its content, which is HTML already.

    Args:
        tag: the name of the element.
        content: what is inside.
        attributes: the values by their names; `class_` stands for class, and `data_file` for
            data-file. An attribute without a value is left out.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{xhtml_escape(str(value))}"'
        for name, value in attributes.items()
        if value != ""
    )
    return f"<{tag}{given}>{content}</{tag}>"


def text_element(tag: str, text: str, **attributes: str | int) -> str:
    """Return an element with a text in it."""
    return element(tag, xhtml_escape(text), **attributes)
