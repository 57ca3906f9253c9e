"""Values to YAML and JSON text in the style of their surroundings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from gracegate.yaml import is_plain_safe

# Line breaks and marks to YAML, plain characters to JSON: only escaped they are safe in both.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Block:
    """How a file indents: mappings by `step`, the dashes of lists by `offset`; `gap` spaces stand behind a dash."""

    step: int = 2
    offset: int = 0
    gap: int = 1


@dataclass(frozen=True, slots=True)
class Flow:
    """How a file writes collections in brackets: as JSON, and what stands between entries, and key and value."""

    json: bool
    comma: str = ", "
    colon: str = ": "


def scalar(value: Any, *, quoted: bool = False, in_flow: bool = False) -> str:
    """One line; a string is plain unless `quoted`, or where a reader of YAML could take it for anything else."""
    if isinstance(value, str) and not quoted and is_plain_safe(value, in_flow=in_flow):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def is_inline(value: Any) -> bool:
    """True for what stands on the line of its key even in block style: scalars and empty collections."""
    return not isinstance(value, dict | list) or not value


def inline(value: Any, style: Flow) -> str:
    """A value on one line, in brackets where it is a collection."""
    if isinstance(value, dict):
        return "{" + style.comma.join(flow_entry(key, child, style) for key, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + style.comma.join(inline(child, style) for child in value) + "]"
    return scalar(value, quoted=style.json, in_flow=True)


def flow_entry(key: str, value: Any, style: Flow) -> str:
    return scalar(key, quoted=style.json, in_flow=True) + style.colon + inline(value, style)


def pretty_json(value: Any, indent: str, unit: str) -> str:
    """JSON over several lines; every line but the first starts with `indent`, each level adds `unit`."""
    text = json.dumps(value, ensure_ascii=False, indent=unit)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text).replace("\n", "\n" + indent)


def block_entry(key: str, value: Any, column: int, style: Block) -> list[str]:
    """The lines of a mapping's entry whose key stands at `column`."""
    head = " " * column + scalar(key) + ":"
    if is_inline(value):
        return [f"{head} {scalar(value)}"]
    return [head, *block_value(value, column, style)]


def block_value(value: dict[str, Any] | list[Any], column: int, style: Block) -> list[str]:
    """The lines of a collection under a key that stands at `column`."""
    if isinstance(value, dict):
        return block_entries(value, column + style.step, style)
    return block_items(value, column + style.offset, style)


def block_entries(value: dict[str, Any], column: int, style: Block) -> list[str]:
    return [line for key, child in value.items() for line in block_entry(key, child, column, style)]


def block_items(value: list[Any], column: int, style: Block) -> list[str]:
    return [line for child in value for line in block_item(child, column, style)]


def block_item(value: Any, column: int, style: Block) -> list[str]:
    """The lines of a list's item whose dash stands at `column`."""
    dash = " " * column + "-" + " " * style.gap
    if is_inline(value):
        return [dash + scalar(value)]
    inner = column + 1 + style.gap
    lines = block_entries(value, inner, style) if isinstance(value, dict) else block_items(value, inner, style)
    return [dash + lines[0].lstrip(" "), *lines[1:]]
