"""Values -> YAML and JSON text in the style of the text around them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from gracegate.yaml import is_plain_safe

# Line breaks or byte order marks to YAML, ordinary characters to JSON: only their escapes are safe in both.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class BlockStyle:
    """How a file indents: a mapping by `step`, a list's dashes by `offset`; `gap` spaces follow a dash."""

    step: int = 2
    offset: int = 0
    gap: int = 1


@dataclass(frozen=True, slots=True)
class FlowStyle:
    """How a file writes collections in brackets: if as JSON, and what separates entries, and key and value."""

    is_json: bool
    comma: str = ", "
    colon: str = ": "


def scalar_text(value: Any, *, quoted: bool = False, in_flow: bool = False) -> str:
    """One line; a string is written plain unless `quoted`, or if a YAML parser could read it as anything else."""
    if isinstance(value, str) and not quoted and is_plain_safe(value, in_flow=in_flow):
        return value
    return _escape(json.dumps(value, ensure_ascii=False))


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def is_inline(value: Any) -> bool:
    """True for scalars and empty collections, which are on the line of their key even in block style."""
    return not isinstance(value, dict | list) or not value


def inline_text(value: Any, style: FlowStyle) -> str:
    """A value on one line, a collection in brackets or braces."""
    if isinstance(value, dict):
        entries = (flow_key_text(key, style) + inline_text(child, style) for key, child in value.items())
        return "{" + style.comma.join(entries) + "}"
    if isinstance(value, list):
        return "[" + style.comma.join(inline_text(child, style) for child in value) + "]"
    return scalar_text(value, quoted=style.is_json, in_flow=True)


def flow_key_text(key: str, style: FlowStyle) -> str:
    """A key inside braces, with its colon."""
    return scalar_text(key, quoted=style.is_json, in_flow=True) + style.colon


def pretty_json_text(value: Any, indent: str, step: str) -> str:
    """JSON on several lines; every line but the first starts with `indent`, and each level adds `step`."""
    return _escape(json.dumps(value, ensure_ascii=False, indent=step)).replace("\n", "\n" + indent)


def block_entry_lines(key: str, value: Any, column: int, style: BlockStyle) -> list[str]:
    """The lines of a mapping's entry with its key at `column`."""
    head = " " * column + scalar_text(key) + ":"
    if is_inline(value):
        return [f"{head} {scalar_text(value)}"]
    return [head, *block_value_lines(value, column, style)]


def entry_lines(key: str, value: Any, column: int) -> list[str]:
    """The lines of a mapping's entry with its key at `column`, where the text around it says nothing of its style."""
    return block_entry_lines(key, value, column, BlockStyle())


def block_value_lines(value: dict[str, Any] | list[Any], column: int, style: BlockStyle) -> list[str]:
    """The lines of a collection that is not empty, under a key at `column`."""
    return block_lines(value, column + (style.step if isinstance(value, dict) else style.offset), style)


def block_item_lines(value: Any, column: int, style: BlockStyle) -> list[str]:
    """The lines of a list's item with its dash at `column`."""
    dash = " " * column + "-" + " " * style.gap
    if is_inline(value):
        return [dash + scalar_text(value)]
    lines = block_lines(value, column + 1 + style.gap, style)
    return [dash + lines[0].lstrip(" "), *lines[1:]]


def block_lines(value: dict[str, Any] | list[Any], column: int, style: BlockStyle) -> list[str]:
    """The lines of a collection that is not empty, with its keys or dashes at `column`."""
    if isinstance(value, dict):
        return [line for key, child in value.items() for line in block_entry_lines(key, child, column, style)]
    return [line for child in value for line in block_item_lines(child, column, style)]
