"""Text to plain JSON values, for files that are read for what they name and not for the lines they have."""

from __future__ import annotations

from typing import Any

from gracegate.model import Limits
from gracegate.yaml import YamlError, json_value, parse_yaml, split_documents


def read_values(data: bytes | str, limits: Limits) -> list[Any] | None:
    """The value of each YAML document; None for what cannot be read, and for more than the limits allow."""
    if len(data) > limits.bytes:
        return None
    try:
        text = data.decode() if isinstance(data, bytes) else data
        parts = [text[span.start : span.end] for span in split_documents(text)]
        return [json_value(part, parse_yaml(part, limits)) for part in parts[: limits.documents]]
    except (UnicodeDecodeError, YamlError):
        return None


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""
