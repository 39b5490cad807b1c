"""Handouts as HTML: Markdown without raw HTML, addresses we know, and nothing that the page's policy would block."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape

_ALIGN = re.compile(r"text-align:(left|center|right)")
_FORMULA = re.compile(r"\$\$(?P<block>[^$]+)\$\$|\$(?P<inline>[^\s$](?:[^$\n]*[^\s$])?)\$(?!\d)")

# The TeX that handouts use, on one line; what is not here stays as it was written. Works on escaped text.
_TEX = (
    (r"\\\\|\\[,!;]", " "),
    (r"\\q?quad\b", "   "),
    (r"\\(left|right)\b", ""),
    (r"\\(?:text|mathrm|operatorname)\{([^{}]*)\}", r"\1"),
    (r"\\tfrac12", "½"),
    (r"\\tilde\s*(\w)", "\\1\u0303"),
    (r"\\sigma\b", "σ"),
    (r"\\sum(?![a-z])", "Σ"),
    (r"\\top\b", "T"),
    (r"\\sqrt\{([^{}]*)\}", r"√\1"),
    (r"_\{([^{}]*)\}|_(\w)", r"<sub>\1\2</sub>"),
    (r"\^\{([^{}]*)\}|\^(\w)", r"<sup>\1\2</sup>"),
    (r"\\frac1(\w)", r"1/\1"),
    (r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1) / (\2)"),
)


def render(text: str, address_of: Callable[[str], str | None]) -> Markup:
    """Markdown (CommonMark with tables) as HTML for the inside of a page; its first heading becomes an h2.

    address_of: the address of a file that the text names relative to itself, None if there is no such file. Links lead
    to such files or to http(s) addresses; of any other link the words stay, of any other picture its description.
    """
    tokens = _parser().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 1, 6)}"
        elif token.type in ("th_open", "td_open"):
            _align(token)
        if token.children:
            token.children = [_picture(child, address_of) for child in _links(token.children, address_of)]
    # raw HTML is off and every other text escaped by the renderer
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))  # noqa: S704


def _parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    made.inline.ruler.before("escape", "formula", _formula)
    for name, html in (("table_open", '<div class="scroll"><table>\n'), ("table_close", "</table></div>\n")):
        made.add_render_rule(name, lambda *_, html=html: html)
    made.add_render_rule("formula", lambda _renderer, tokens, at, *_: _shown(tokens[at]))
    return made


def _align(token: Token) -> None:
    """A class in place of the style attribute, which the page's policy blocks."""
    found = _ALIGN.search(str(token.attrs.pop("style", "")))
    if found:
        token.attrSet("class", found.group(1))


def _links(tokens: Sequence[Token], address_of: Callable[[str], str | None]) -> list[Token]:
    kept: list[Token] = []
    open_links: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            address, foreign = _address(str(token.attrs["href"]), address_of)
            open_links.append(address is not None)
            token.attrs = {"href": address or ""}
            if foreign:
                token.attrs |= {"rel": "noopener noreferrer", "target": "_blank"}
        if token.type == "link_close":
            if not open_links.pop():
                continue
        elif token.type == "link_open" and not open_links[-1]:
            continue
        kept.append(token)
    return kept


def _picture(token: Token, address_of: Callable[[str], str | None]) -> Token:
    if token.type != "image":
        return token
    address, foreign = _address(str(token.attrs["src"]), address_of)
    if address is None or foreign:
        return Token("text", "", 0, content=token.content)
    token.attrs["src"] = address
    return token


def _address(written: str, address_of: Callable[[str], str | None]) -> tuple[str | None, bool]:
    """Where a link leads, and whether that is elsewhere; None if it may not lead there."""
    try:
        parts = urlsplit(written)
    except ValueError:
        return None, False
    if parts.scheme in ("http", "https") and parts.netloc:
        return written, True
    if parts.scheme or parts.netloc or not parts.path:
        return None, False
    return address_of(posixpath.normpath(unquote(parts.path))), False


def _formula(state: StateInline, silent: bool) -> bool:
    """Takes $…$ and $$…$$ out before anything in them is read as Markdown."""
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = found["block"] or found["inline"]
        token.block = found["block"] is not None
    state.pos = found.end()
    return True


def _shown(token: Token) -> str:
    kind = "formula block" if token.block else "formula"
    text = str(escape(token.content.strip()))
    for pattern, html in _TEX:
        text = re.sub(pattern, html, text)
    return f'<code class="{kind}">{text}</code>'
