"""Untrusted text in Markdown: it is shown, and nothing of it takes effect."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gracegate.outputs.markdown import Section, code, code_block, details, page, printable, prose, size
from tests.outputs.sample_reports import EVIL

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
LIVE = re.compile(r"@|#\d|://|www\.|&|<|\|")

PIECES = ["`", "``", "```", "@org/team", "<b>", "-->", "<!--", "|", "&#64;", "\n", " ", '"', "*", "_", "~~", "!", "\\"]
PIECES += ["[x](http://e)", "https://evil.example", "www.evil.example", "#1", "- ", "1. ", "web"]
PIECES += ["\u202e", "\x1b", "\ud800"]
hostile = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def tokens(markdown: str) -> Iterator[Token]:
    for block in PARSER.parse(markdown):
        yield block
        yield from block.children or []


def plain_text(markdown: str) -> str:
    return "".join(token.content for token in tokens(markdown) if token.type == "text")


def kinds(markdown: str) -> set[str]:
    return {token.type for token in tokens(markdown)}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("web", "`web`", id="a name"),
        pytest.param("", '`""`', id="nothing"),
        pytest.param("  a \n\t b ", "`a b`", id="white space"),
        pytest.param("a`b", "``a`b``", id="backtick inside"),
        pytest.param("`a", "`` `a ``", id="backtick at the start"),
        pytest.param("a```", "```` a``` ````", id="run at the end"),
        pytest.param("\x1b[31mred\u202e\u200b", "`[31mred`", id="control and format characters"),
        pytest.param("x" * 300, "`" + "x" * 199 + "…`", id="long"),
    ],
)
def test_code(text: str, shown: str) -> None:
    assert code(text) == shown


@given(hostile)
def test_code_shows_the_text_and_nothing_else(text: str) -> None:
    inline = [token for token in tokens(f"in {code(text)} out") if token.type in {"text", "code_inline"}]
    assert [(t.type, t.content) for t in inline] == [
        ("text", "in "),
        ("code_inline", printable(text) or '""'),
        ("text", " out"),
    ]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        pytest.param("All pods go at once: maxUnavailable is 100%.", None, id="no names"),
        pytest.param(
            'Container "web" stops, 60 s is over (30 s).', "Container `web` stops, 60 s is over (30 s).", id="name"
        ),
        pytest.param("Chart `a` is not `b c`.", "Chart `a` is not `b c`.", id="names in backticks"),
        pytest.param("60 s >= 30 s", "60 s `>=` 30 s", id="a sign that HTML knows"),
        pytest.param("see spec.containers[0].", "see `spec.containers[0]`.", id="full stop stays outside"),
        pytest.param("@team and a_b_c", "`@team` and `a_b_c`", id="mention and emphasis"),
        pytest.param("fixes 0123456789abcdef", "fixes `0123456789abcdef`", id="a commit"),
        pytest.param('"a"@b', "`a` `@b`", id="spans that touch"),
        pytest.param('an open " quote', 'an open `"` quote', id="one quote"),
    ],
)
def test_prose(message: str, shown: str | None) -> None:
    assert prose(message) == (message if shown is None else shown)


@given(hostile)
def test_prose_is_inert(text: str) -> None:
    markdown = "x " + prose(f'Container "{text}" is {text}')
    assert kinds(markdown) <= {"paragraph_open", "inline", "text", "code_inline", "paragraph_close"}
    assert not LIVE.search(plain_text(markdown))


@given(hostile, hostile)
def test_fence_holds_any_text(text: str, more: str) -> None:
    body = f"{text}\n{more}".replace("\x1b", "").replace("\ud800", "")
    (block,) = [token for token in tokens(f"{code_block(body, 'diff')}\n\nafter") if token.type == "fence"]
    assert (block.info, block.content) == ("diff", f"{body}\n")


@pytest.mark.parametrize(
    ("text", "block"),
    [
        pytest.param("", "```suggestion\n```", id="delete the lines"),
        pytest.param("a: 1", "```suggestion\na: 1\n```", id="one line"),
        pytest.param("a: |\n  ```", "````suggestion\na: |\n  ```\n````", id="an indented fence"),
    ],
)
def test_suggestion_fence(text: str, block: str) -> None:
    assert code_block(text, "suggestion") == block


def test_a_page_keeps_what_fits_and_says_what_it_left_out() -> None:
    items = [f"item {n} " + "x" * 80 for n in range(20)]
    assert page([Section(["first"]), Section(items, "Many", "open"), Section(["last"])], 500, "foot") == "\n\n".join(
        [
            "first",
            "### Many\n\n"
            + details("open", "\n\n".join([*items[:4], "… and 16 more, left out because this page is full."])),
            "last",
            "foot",
        ]
    )


@given(st.lists(st.text(max_size=60), max_size=12), st.integers(min_value=120, max_value=400))
def test_a_page_is_never_too_long(items: list[str], limit: int) -> None:
    assert size(page([Section(items, "Title"), Section(items, "", "open")], limit, "foot")) <= limit


def test_the_hostile_sample_is_inert_as_a_list_item() -> None:
    assert not LIVE.search(plain_text(f"- {prose(EVIL)}"))
