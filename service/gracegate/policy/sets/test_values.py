"""The values in a line of a Rego test that is not true, from the trace that `opa test` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SIGNS = {"eq": "==", "equal": "==", "neq": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_MAX_VALUE = 300
"""Characters of one value that are shown."""


def failing_values(event: Mapping[str, Any], expression: str) -> str:
    """A line for what the comparison of a failing expression came to, and one for each name in it.

    `event` is the event of the trace that says where the evaluation failed.
    """
    values = {one["name"]: _text(one) for one in event.get("Locals") or ()}
    names = {local: about.get("name", local) for local, about in (event.get("LocalMetadata") or {}).items()}
    named = {names.get(local, local): value for local, value in values.items()}
    shown = {name: value for name, value in named.items() if re.search(rf"\b{re.escape(name)}\b", expression)}
    return "\n".join((*_comparison(event, values), *(f"{name} = {value}" for name, value in shown.items())))


def _comparison(event: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    terms = event.get("Node", {}).get("terms")
    if not isinstance(terms, list) or len(terms) != 3:
        return
    operator, *sides = terms
    name = operator["value"][0].get("value") if operator.get("type") == "ref" else None
    shown = [values.get(side["value"]) if side.get("type") == "var" else _text(side) for side in sides]
    if name in _SIGNS and None not in shown:
        yield f"{shown[0]} {_SIGNS[name]} {shown[1]}"


def _text(term: Mapping[str, Any]) -> str:
    text = _rego(term)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"


def _rego(term: Mapping[str, Any]) -> str:
    """A value as Rego writes it."""
    kind, value = term.get("type"), term.get("value")
    match kind:
        case "object":
            return "{" + ", ".join(f"{_rego(key)}: {_rego(item)}" for key, item in value or ()) + "}"
        case "array":
            return "[" + ", ".join(map(_rego, value or ())) + "]"
        case "set":
            return "{" + ", ".join(map(_rego, value)) + "}" if value else "set()"
        case "string" | "number" | "boolean" | "null":
            return json.dumps(value, ensure_ascii=False)
    return str(kind)
