"""Text to plain JSON values, for files that are read for what they name and not for the lines they have."""

from __future__ import annotations

from typing import Any

from gracegate.model import Limits, Pointer
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


def value_at(value: Any, pointer: Pointer) -> Any:
    """What is at a pointer, None for nothing."""
    for segment in pointer:
        if not _has(value, segment):
            return None
        value = value[segment]
    return value


def has_value(value: Any, pointer: Pointer) -> bool:
    """Whether there is anything at a pointer, be it null."""
    return not pointer or _has(value_at(value, pointer[:-1]), pointer[-1])


def _has(value: Any, segment: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(segment, int) and 0 <= segment < len(value)
    return isinstance(value, dict) and segment in value
