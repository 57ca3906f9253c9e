"""JSON patch operations on values: the value that an edited document must have, and the smallest operations to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gracegate.errors import GracegateError
from gracegate.model import NoSuggestion, Operation, Pointer


class EditRefused(GracegateError):
    """An edit cannot be made, or its result cannot be verified.

    `reason` is no_such_path, shared_anchor (aliases repeat the text elsewhere), merge_key (`<<` brings it in),
    templated, variable (the edit would replace one), unsupported_layout or would_change_more.
    """

    def __init__(self, reason: NoSuggestion) -> None:
        super().__init__(reason)
        self.reason = reason


def apply_operation(value: Any, operation: Operation) -> Any:
    """A new value, which shares its unchanged parts with the old one. `add` creates missing parents."""
    if not operation.path:
        raise EditRefused("no_such_path")
    return _apply_below(value, operation.path, operation)


def _apply_below(value: Any, path: Pointer, operation: Operation) -> Any:
    segment, rest = path[0], path[1:]
    if value is None and operation.op == "add":
        value = {} if isinstance(segment, str) and segment != "-" else []
    if isinstance(value, dict) and isinstance(segment, str):
        return _apply_in_mapping(value, segment, rest, operation)
    if isinstance(value, list):
        return _apply_in_list(value, segment, rest, operation)
    raise EditRefused("no_such_path")


def _apply_in_mapping(value: dict[str, Any], key: str, rest: Pointer, operation: Operation) -> dict[str, Any]:
    if key not in value and operation.op != "add":
        raise EditRefused("no_such_path")
    if rest:
        return {**value, key: _apply_below(value.get(key), rest, operation)}
    if operation.op == "remove":
        return {name: child for name, child in value.items() if name != key}
    return {**value, key: operation.value}


def _apply_in_list(value: list[Any], segment: str | int, rest: Pointer, operation: Operation) -> list[Any]:
    index = len(value) if segment == "-" else segment
    is_new = index == len(value) and operation.op == "add"
    if not isinstance(index, int) or not (0 <= index < len(value) or is_new):
        raise EditRefused("no_such_path")
    before, after = value[:index], value[index + 1 :]
    if rest:
        return [*before, _apply_below(None if is_new else value[index], rest, operation), *after]
    if operation.op == "remove":
        return [*before, *after]
    return [*before, operation.value, *(value[index:] if operation.op == "add" else after)]


def minimal_operations(value: Any, operation: Operation) -> tuple[Operation, ...]:
    """The same change as operations on the parts that differ, which edit fewer lines and keep comments."""
    if operation.op == "remove" or not operation.path:
        return (operation,)
    parent, last = _value_at(value, operation.path[:-1]), operation.path[-1]
    replaces = isinstance(parent, dict) and last in parent
    if isinstance(parent, list) and isinstance(last, int):
        replaces = operation.op == "replace" and last < len(parent)
    if not replaces:
        return (operation,)
    return tuple(_differences(parent[last], replace(operation, op="replace")))


def _value_at(value: Any, path: Pointer) -> Any:
    for segment in path:
        is_key = isinstance(value, dict) and segment in value
        is_index = isinstance(value, list) and isinstance(segment, int) and segment < len(value)
        if not is_key and not is_index:
            return None
        value = value[segment]
    return value


def _differences(old: Any, operation: Operation) -> Iterator[Operation]:
    """Operations that turn `old`, the value at the operation's path, into the operation's value."""
    new = operation.value
    if not old or not new or type(old) is not type(new) or not isinstance(old, dict | list):
        if canonical_json(old) != canonical_json(new):
            yield operation
    elif isinstance(old, dict):
        yield from _mapping_differences(old, new, operation)
    else:
        yield from _list_differences(old, new, operation)


def _mapping_differences(old: dict[str, Any], new: dict[str, Any], operation: Operation) -> Iterator[Operation]:
    for key, child in new.items():
        part = replace(operation, path=(*operation.path, key), value=child)
        if key in old:
            yield from _differences(old[key], part)
        else:
            yield replace(part, op="add")
    for key in old:
        if key not in new:
            yield replace(operation, op="remove", path=(*operation.path, key), value=None)


def _list_differences(old: list[Any], new: list[Any], operation: Operation) -> Iterator[Operation]:
    for index, (old_item, new_item) in enumerate(zip(old, new, strict=False)):
        yield from _differences(old_item, replace(operation, path=(*operation.path, index), value=new_item))
    for index in range(len(old), len(new)):
        yield replace(operation, op="add", path=(*operation.path, index), value=new[index])
    for index in reversed(range(len(new), len(old))):
        yield replace(operation, op="remove", path=(*operation.path, index), value=None)


def canonical_json(value: Any) -> str:
    """Text that is the same only for equal JSON values (to Python, 1, 1.0 and True are equal)."""
    return json.dumps(value, sort_keys=True)
