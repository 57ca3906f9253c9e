"""The packaged Markdown as HTML: the pages of the rules, and the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markupsafe import Markup

from gracegate.outputs import SEVERITY_MARKS
from gracegate.policy import builtin_policies, load_builtin

_COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_PAGE_OF_RULE = re.compile(r"\(pages/([a-z0-9-]+)\.md\)")
_PAGE_OF_DOCUMENTATION = re.compile(r"\(([a-z-]+)\.md(#[a-z-]+)?\)")
_DIFF = re.compile(r'<pre><code class="language-diff">(.*?)</code></pre>', re.DOTALL)
_LINE_KINDS = {"+": "added", "-": "removed", "@": "place"}
_LINK_INTO_REPOSITORY = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")


class Document(NamedTuple):
    """A page of packaged Markdown; `body` is HTML."""

    title: str
    body: Markup


@cache
def rule_index() -> Document:
    """All built-in rules in their groups."""
    text = (builtin_policies() / "README.md").read_text(encoding="utf-8")
    return _document(_PAGE_OF_RULE.sub(r"(/rules/\1)", text))


def rule_id(name: str) -> str | None:
    """The id of the built-in rule that has this id or had it before, None if there is none."""
    rules = load_builtin().rules
    if name in rules:
        return name
    return next((rule.id for rule in rules.values() if name in rule.aliases), None)


@cache
def rule_page(rule: str) -> Document:
    """The page of a built-in rule."""
    return _document((builtin_policies() / "pages" / f"{rule}.md").read_text(encoding="utf-8"))


def own_rule_page(text: bytes) -> Document:
    """The page of a rule of the operator's policy sets, of its Markdown."""
    return _document(text.decode())


def rule_picture(rule: str) -> bytes | None:
    """The SVG on the page of a built-in rule, None where it has none."""
    file = builtin_policies() / "pages" / f"{rule}.svg"
    return file.read_bytes() if file.is_file() else None


INDEX = "README"
"""The page of the documentation that lists the others."""


@cache
def documentation() -> Mapping[str, Document]:
    """The pages of the documentation by name."""
    pages = (page for page in (files("gracegate") / "docs").iterdir() if page.name.endswith(".md"))
    return {Path(page.name).stem: _documentation_page(page.read_text(encoding="utf-8")) for page in pages}


def _documentation_page(text: str) -> Document:
    """Links to other pages lead to where they are served; what they lead to in a checkout is not here."""
    text = _LINK_INTO_REPOSITORY.sub(r"\1", text)
    return _document(_PAGE_OF_DOCUMENTATION.sub(r"(/docs/\1\2)", text))


def _document(text: str) -> Document:
    # Not every reader has a font with the signs of GitHub; the words beside them are enough.
    for mark in SEVERITY_MARKS.values():
        text = text.replace(mark, mark.partition(" ")[2])
    title = _TITLE.search(text)
    # What is packaged is ours, but it quotes manifests: HTML in it is text.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(_COMMENT.sub("", text))
    for heading, content in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", "-".join(re.findall(r"\w+", content.content.lower())))
    html = markdown.renderer.render(tokens, markdown.options, {})
    html = _DIFF.sub(lambda block: f'<pre class="diff"><code>{"".join(_diff_lines(block[1]))}</code></pre>', html)
    html = html.replace("<img ", '<img class="rollout" ')
    # A block that is wider than the page is scrolled, also with the keyboard.
    html = html.replace("<pre", '<pre tabindex="0"')
    html = html.replace("<table>", '<div class="wide" tabindex="0"><table>').replace("</table>", "</table></div>")
    return Document(title[1] if title else "gracegate", Markup(html))  # noqa: S704 - made of escaped text


def _diff_lines(diff: str) -> Iterator[str]:
    """Each line in an element of its own."""
    for line in diff.splitlines():
        yield f'<span class="{_LINE_KINDS.get(line[:1], "same")}">{line}\n</span>'
