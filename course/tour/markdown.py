"""Turn the Markdown of a page into HTML.

HTML in the Markdown is shown as text. The comments in front of fenced blocks are read by
`course.pages` and not shown.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pygments
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from tornado.escape import xhtml_escape

from course.pages import Block, commands
from course.tour.diagrams import render_diagram
from course.tour.elements import element, text_element
from course.tour.links import Link, anchor
from course.translation import translate

CHECK_COMMAND = re.compile(r"learn\.py check (\d\d/[a-z_]+)$", re.M)
WITHOUT_COLOUR = re.compile(r'<span class="(?:n|o|p|w)">([^<]*)</span>')
"""Names, operators, punctuation and space, which have the colour of the text."""
STEP_AFTER_LINK = re.compile(r", step (\d+)")
TOP_LEVEL = 2
"""The level of the first headings below the title of a page."""


@dataclass
class Context:
    """Facts about a page that the renderer needs.

    Attributes:
        blocks: the fenced blocks with a comment, by the line of the fence in the Markdown.
        sessions: the ids of the sessions, by the same line; also at the lines of their changes.
        link: returns where a link leads, from its target and the number of the step after it.
        exercise: returns the address and title of an exercise, from its label.
        linked: filled with the targets of all links.
    """

    blocks: dict[int, Block]
    sessions: dict[int, str]
    link: Callable[[str, int], Link]
    file_link: Callable[[Block], Link]
    exercise: Callable[[str], tuple[str, str] | None]
    linked: list[str] = field(default_factory=list)


def render_markdown(text: str, context: Context) -> str:
    """Return the HTML of a page's Markdown, without its title.

    The headings begin at the second level, and no level is left out.
    """
    tokens = PARSER.parse(text, {})
    _arrange_headings(tokens)
    for token in tokens:
        _resolve_links(token.children or [], context)
    html: str = PARSER.renderer.render(tokens, PARSER.options, {"context": context})
    return html


def render_inline(text: str) -> str:
    """Return the HTML of a title."""
    html: str = PARSER.renderInline(text)
    return html


def plain_text(text: str) -> str:
    """Return the text of a title in Markdown without its marks."""
    return text.replace("`", "").replace("**", "").replace("\\", "")


def highlight(text: str, language: str) -> str:
    """Return code with a class for each kind of token; static/text.css has the colours."""
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        return str(xhtml_escape(text))
    html: str = pygments.highlight(text, lexer, HtmlFormatter(nowrap=True))
    return WITHOUT_COLOUR.sub(r"\1", html)


def code_block(
    text: str, language: str, caption: str = "", kind: str = "code", change: str = ""
) -> str:
    """Return the HTML of a block of code.

    Args:
        text: the code.
        language: its name for Pygments.
        caption: the line above, as HTML.
        kind: the class of the figure.
        change: the id of the session in whose script the reader makes this change.
    """
    head = element("figcaption", caption) if caption else ""
    # A block may be wider than the page: with tabindex it can be scrolled by keyboard.
    code = element(
        "pre", element("code", highlight(text, language)), class_="highlight", tabindex=0
    )
    return element("figure", head + code, class_=kind, data_change=change) + "\n"


def _arrange_headings(tokens: Sequence[Token]) -> None:
    """Give each heading an id, and a level without gaps below the title of the page."""
    top, level, used = 0, TOP_LEVEL, set[str]()
    for index, token in enumerate(tokens):
        if token.type not in ("heading_open", "heading_close"):
            continue
        if token.type == "heading_open":
            own = int(token.tag[1])
            top = top or own
            level = min(TOP_LEVEL + max(own - top, 0), level + 1)
            name = anchor(tokens[index + 1].content)
            while name in used:
                name += "-1"
            used.add(name)
            token.attrSet("id", name)
        token.tag = f"h{level}"


def _resolve_links(tokens: Sequence[Token], context: Context) -> None:
    for index, token in enumerate(tokens):
        if token.type == "image":  # the pictures of documents are not part of the tour
            token.type, token.tag = "text", ""
        if token.type != "link_open":
            continue
        end = next(i for i in range(index, len(tokens)) if tokens[i].type == "link_close")
        behind = tokens[end + 1].content if end + 1 < len(tokens) else ""
        step = STEP_AFTER_LINK.match(behind)
        target = str(token.attrGet("href"))
        context.linked.append(target)
        if re.match(r"\w+:", target):
            token.attrs = {"href": target, "target": "_blank", "rel": "noreferrer"}
            continue
        link = context.link(target, int(step[1]) if step else 0)
        if link.address:
            token.attrs = {"href": link.address}
            if link.file:
                token.attrs |= {"class": "file", "data-file": link.file}
        else:
            token.attrs = {"class": "path", "title": target}
            token.tag = tokens[end].tag = "span"


def _skip_comment(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Leave out a comment, which must be a line of its own."""
    text = state.src[state.bMarks[first] + state.tShift[first] : state.eMarks[first]]
    if not (text.startswith("<!--") and text.endswith("-->")):
        return False
    if not silent:
        state.line = first + 1
    return True


def _render_fence(
    _: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    token, context = tokens[index], env["context"]
    language = token.info.strip()
    line = token.map[0] if token.map else 0
    block: Block | None = context.blocks.get(line)
    if language == "mermaid":
        return render_diagram(token.content)
    if block and block.kind in ("session", "broken", "command"):
        return _render_session(block, context.sessions.get(line, ""))
    if block and block.source:
        caption = _caption(block, context.file_link(block))
        change = context.sessions.get(line, "")
        return code_block(token.content, language, caption, block.kind, change)
    if block and block.kind == "log":
        caption = translate("In the terminal of the server")
        return code_block(token.content, "text", caption, "log")
    kind = "code" if language and language != "text" else "plain"
    practice = [context.exercise(label) for label in CHECK_COMMAND.findall(token.content)]
    return code_block(token.content, language, kind=kind) + "".join(
        element("p", text_element("a", title, href=address), class_="practice") + "\n"
        for address, title in filter(None, practice)
    )


def _caption(block: Block, link: Link) -> str:
    """Return what stands above a block: the file that it is from."""
    before = {"diff": "What changes in", "change": "The change in"}.get(block.kind, "")
    name = block.script.name
    file = text_element("a", name, class_="file", href=link.address, data_file=link.file)
    return f"{translate(before)} {file}".strip()


def _render_session(block: Block, identifier: str) -> str:
    """Return the HTML of commands; the script of the page adds buttons to those of a session."""
    parts = []
    for number, (command, shown) in enumerate(commands(block.text)):
        code = text_element("code", command)
        parts.append(element("div", code, class_="command", data_command=number))
        if shown:
            parts.append(text_element("pre", shown, class_="shown"))
    return element("figure", "".join(parts), class_="session", data_session=identifier) + "\n"


def _table_open(*_: object) -> str:
    return '<div class="table" tabindex="0"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    ends = ["paragraph", "reference", "blockquote", "list"]  # what a comment ends
    parser.block.ruler.before("paragraph", "comment", _skip_comment, {"alt": ends})
    parser.add_render_rule("fence", _render_fence)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


PARSER = _make_parser()
