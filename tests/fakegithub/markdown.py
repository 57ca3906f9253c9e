"""GitHub's Markdown, near enough for a page that people look at: tables, `<details>`, suggestions, nothing unsafe."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

TAGS = "details|summary|sub|sup|br|kbd|b|i|strong|em|del|s|p|hr|code|pre|table|thead|tbody|tr|th|td|ul|ol|li"
ALLOWED = re.compile(rf"</?(?:{TAGS})\s*/?>|<details open>", re.IGNORECASE)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def _html(_self: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    """Raw HTML: comments vanish, harmless tags stay, the rest is shown as text."""
    text = COMMENT.sub("", tokens[index].content)
    kept, at = [], 0
    for tag in ALLOWED.finditer(text):
        kept += [html.escape(text[at : tag.start()]), tag[0]]
        at = tag.end()
    return "".join([*kept, html.escape(text[at:])])


def _fence(_self: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    info, lines = tokens[index].info.strip().lower(), tokens[index].content.split("\n")[:-1]
    if info == "suggestion":
        rows = [("-", line) for line in env.get("replaced", ())] + [("+", line) for line in lines]
        return f'<div class="suggestion"><div class="cap">Suggested change</div>{_rows(rows)}</div>'
    if info == "diff":
        return f'<div class="suggestion">{_rows([_diff_line(line) for line in lines])}</div>'
    return f'<pre class="code" tabindex="0"><code>{html.escape(tokens[index].content)}</code></pre>'


def _diff_line(line: str) -> tuple[str, str]:
    """The sign and the text of a line of a unified diff; its headers are all text."""
    return ("@", line) if line.startswith(("--- ", "+++ ", "@@ ")) else (line[:1] or " ", line[1:])


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    return f'<table class="code">{"".join(_row(*row) for row in rows)}</table>'


def _row(sign: str, text: str) -> str:
    kind = {"-": "del", "+": "add", "@": "head"}.get(sign, "ctx")
    shown = sign if kind in {"del", "add"} else ""
    return f'<tr class="{kind}"><td class="sign">{shown}</td><td>{html.escape(text)}</td></tr>'


def _engine() -> MarkdownIt:
    engine = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for name, rule in (("html_block", _html), ("html_inline", _html), ("fence", _fence)):
        engine.add_render_rule(name, rule)
    return engine


ENGINE = _engine()


def render(text: str | None, replaced: Sequence[str] = ()) -> Markup:
    """The text as HTML; `replaced` are the lines that a suggestion block in it would replace."""
    return Markup(ENGINE.render(text or "", {"replaced": list(replaced)}))  # noqa: S704  # _html lets nothing else by
