"""Markdown to HTML: tables, highlighted code, headings with anchors, links between the pages of the guide."""

import posixpath
import re
from collections.abc import Callable
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

FORMATTER = HtmlFormatter(nowrap=True)
DARK_FORMATTER = HtmlFormatter(style="github-dark")


def highlighting_styles() -> str:
    """CSS of highlighted code, light and dark."""
    light, dark = (one.get_style_defs(".code") for one in (FORMATTER, DARK_FORMATTER))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _highlight(code: str, language: str, _: str) -> str:
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return escape(code)
    html: str = highlight(code, lexer, FORMATTER)
    return html


_PARSER = MarkdownIt("commonmark", {"html": False, "highlight": _highlight}).enable("table")


def render(text: str, path: str, find_url: Callable[[str], str | None]) -> tuple[str, str]:
    """The title and the HTML of a page. `path`: of the file in docs/; `find_url`: the URL of the page that is made of a
    file in docs/, or None. A link to any other file becomes plain text."""
    tokens = _PARSER.parse(text)
    title = ""
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[position + 1].content
            title = title or heading
            token.attrSet("id", re.sub(r"\W+", "-", heading.lower()).strip("-"))
        elif token.type == "fence":
            token.attrJoin("class", "code")
        elif token.children:
            _link(token.children, posixpath.dirname(path), find_url)
    return title, _PARSER.renderer.render(tokens, _PARSER.options, {})


def _link(tokens: list[Token], folder: str, find_url: Callable[[str], str | None]) -> None:
    for position, token in enumerate(tokens):
        target = str(token.attrGet("href") or "")
        if token.type != "link_open" or target.startswith(("http:", "https:", "#")):
            continue
        file, _, anchor = target.partition("#")
        url = find_url(posixpath.normpath(posixpath.join(folder, file)))
        if url is None:
            token.hidden = next(one for one in tokens[position:] if one.type == "link_close").hidden = True
        else:
            token.attrSet("href", url + (f"#{anchor}" if anchor else ""))
