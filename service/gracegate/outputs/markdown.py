"""Markdown around untrusted text: what the author of a manifest wrote is shown and never takes effect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_CODE = 200

_BACKTICKS = re.compile(r"`+")
_QUOTED = re.compile(r'("[^"]*"|(?<!`)`[^`]+`(?!`))')
_SPACES = re.compile(r"(\s+)")
# A word of these characters means nothing to Markdown, wherever in a line it stands but at its start.
_HARMLESS = re.compile(r"[A-Za-z0-9.,:;()%'/+=?\u2013\u2014\u2026\u00d7\u2264\u2265\u2192-]*")
# ... unless GitHub links it: an address, a commit, an issue, a :shortcode:.
_LINKED = re.compile(r"://|www\.|^\W*[0-9a-f]{7,64}\W*$|\bGH-\d|:[\w+-]+:", re.IGNORECASE)
_TRAILING = re.compile(r"^(.+?)([.,:;)?]*)$")


def printable(text: str, limit: int = MAX_CODE) -> str:
    """One line without control, format and private characters, cut to `limit` characters."""
    shown = " ".join("".join(c if c.isprintable() else " " if c.isspace() else "" for c in text).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def code(text: str, limit: int = MAX_CODE) -> str:
    """A code span around any untrusted string: mentions, HTML, backticks and markers in it stay text."""
    shown = printable(text, limit) or '""'
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def prose(message: str) -> str:
    """A message as Markdown: what is in quotes or backticks, and every word that Markdown could read, in code spans.

    The result does not belong at the start of a line, where a dash or a number would begin a list.
    """
    shown = ""
    for number, part in enumerate(_QUOTED.split(message)):
        piece = code(part[1:-1]) if number % 2 else _words(part)
        # Two spans that touch would be one longer run of backticks.
        shown += f" {piece}" if shown.endswith("`") and piece.startswith("`") else piece
    return shown.strip()


def code_block(text: str, info: str = "") -> str:
    """A fenced block around any text, verbatim; GitHub reads an empty suggestion block as "delete these lines"."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return "\n".join([f"{ticks}{info}", *([text] if text else []), ticks])


def strikethrough(line: str) -> str:
    """One line, crossed out."""
    return f"~~{line}~~"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in lines)


def details(summary: str, body: str) -> str:
    """A collapsed part; `summary` must be trusted text, because Markdown does not escape inside HTML."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def size(text: str) -> int:
    """Bytes in UTF-8, never fewer than the characters or bytes that GitHub counts."""
    return len(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page. `collapsed` is the text to click on where the part is collapsed, else empty."""

    items: Sequence[str]
    title: str = ""
    collapsed: str = ""


def page(sections: Iterable[Section], limit: int, footer: str = "") -> str:
    """The sections in their order, cut between items so that the page has at most `limit` bytes."""
    room = limit - size(footer) - 2
    parts = []
    for section in sections:
        part = _fit(section, room - 2)
        if part:
            parts.append(part)
            room -= size(part) + 2
    return "\n\n".join([*parts, *([footer] if footer else [])])


def _fit(section: Section, limit: int) -> str:
    """The section with as many items as `limit` allows; empty where not even its title fits, or without items."""
    items = list(section.items)
    for kept in _item_counts(items, limit):
        more = len(items) - kept
        notice = [f"… and {more} more, left out because this page is full."] if more else []
        body = "\n\n".join([*items[:kept], *notice])
        body = details(section.collapsed, body) if section.collapsed else body
        titled = f"### {section.title}\n\n{body}" if section.title else body
        if size(titled) <= limit:
            return titled if items else ""
    return ""


def _item_counts(items: Sequence[str], limit: int) -> Iterable[int]:
    """How many items to try: from the most that could fit down to none."""
    total, most = 0, 0
    for item in items:
        total += size(item) + 2
        if total > limit:
            break
        most += 1
    return range(most, -1, -1)


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)


def _words(text: str) -> str:
    return "".join(" " if number % 2 else _word(word) for number, word in enumerate(_SPACES.split(text)))


def _word(word: str) -> str:
    if _HARMLESS.fullmatch(word) and not _LINKED.search(word):
        return word
    shown = printable(word)
    match = _TRAILING.match(shown)
    return code(match[1]) + match[2] if match else ""
