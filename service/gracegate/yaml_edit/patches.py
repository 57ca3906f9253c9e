"""Operations on values: what an edited document must come out as, and the same change in smaller steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gracegate.errors import GracegateError
from gracegate.model import NoSuggestion, Operation, Pointer


class EditRefused(GracegateError):
    """An edit that cannot be made, or not proved.

    `reason` is no_such_path, shared_anchor (aliases show the same text elsewhere), merge_key (`<<` brings it in),
    templated, unsupported_layout or would_change_more.
    """

    def __init__(self, reason: NoSuggestion) -> None:
        super().__init__(reason)
        self.reason = reason


def patched(value: Any, operation: Operation) -> Any:
    """A new value; parts that do not change are shared with the old one. `add` makes missing parents."""
    if not operation.path:
        raise EditRefused("no_such_path")
    return _patched(value, operation.path, operation)


def _patched(value: Any, path: Pointer, operation: Operation) -> Any:
    head, rest = path[0], path[1:]
    if value is None and operation.op == "add":
        value = {} if isinstance(head, str) and head != "-" else []
    if isinstance(value, dict) and isinstance(head, str):
        return _in_mapping(value, head, rest, operation)
    if isinstance(value, list):
        return _in_list(value, head, rest, operation)
    raise EditRefused("no_such_path")


def _in_mapping(value: dict[str, Any], key: str, rest: Pointer, operation: Operation) -> dict[str, Any]:
    if key not in value and operation.op != "add":
        raise EditRefused("no_such_path")
    if rest:
        return {**value, key: _patched(value.get(key), rest, operation)}
    if operation.op == "remove":
        return {name: child for name, child in value.items() if name != key}
    return {**value, key: operation.value}


def _in_list(value: list[Any], segment: str | int, rest: Pointer, operation: Operation) -> list[Any]:
    index = len(value) if segment == "-" else segment
    is_new = index == len(value) and operation.op == "add"
    if not isinstance(index, int) or not (0 <= index < len(value) or is_new):
        raise EditRefused("no_such_path")
    before, after = value[:index], value[index + 1 :]
    if rest:
        return [*before, _patched(None if is_new else value[index], rest, operation), *after]
    if operation.op == "remove":
        return [*before, *after]
    return [*before, operation.value, *(value[index:] if operation.op == "add" else after)]


def smaller(value: Any, operation: Operation) -> tuple[Operation, ...]:
    """The same change as operations on the parts of a collection that differ: fewer lines, and comments stay."""
    if operation.op == "remove" or not operation.path:
        return (operation,)
    parent, last = _at(value, operation.path[:-1]), operation.path[-1]
    replaces = isinstance(parent, dict) and last in parent
    if isinstance(parent, list) and isinstance(last, int):
        replaces = operation.op == "replace" and last < len(parent)
    if not replaces:
        return (operation,)
    return tuple(_differences(parent[last], replace(operation, op="replace")))


def _at(value: Any, path: Pointer) -> Any:
    for segment in path:
        is_key = isinstance(value, dict) and segment in value
        is_index = isinstance(value, list) and isinstance(segment, int) and segment < len(value)
        if not is_key and not is_index:
            return None
        value = value[segment]
    return value


def _differences(old: Any, operation: Operation) -> Iterator[Operation]:
    new = operation.value
    if not old or not new or type(old) is not type(new) or not isinstance(old, dict | list):
        if canonical(old) != canonical(new):
            yield operation
    elif isinstance(old, dict):
        yield from _in_keys(old, new, operation)
    else:
        yield from _in_items(old, new, operation)


def _in_keys(old: dict[str, Any], new: dict[str, Any], operation: Operation) -> Iterator[Operation]:
    for key, child in new.items():
        step = replace(operation, path=(*operation.path, key), value=child)
        if key in old:
            yield from _differences(old[key], step)
        else:
            yield replace(step, op="add")
    for key in old:
        if key not in new:
            yield replace(operation, op="remove", path=(*operation.path, key), value=None)


def _in_items(old: list[Any], new: list[Any], operation: Operation) -> Iterator[Operation]:
    for index, (was, child) in enumerate(zip(old, new, strict=False)):
        yield from _differences(was, replace(operation, path=(*operation.path, index), value=child))
    for index in range(len(old), len(new)):
        yield replace(operation, op="add", path=(*operation.path, index), value=new[index])
    for index in reversed(range(len(new), len(old))):
        yield replace(operation, op="remove", path=(*operation.path, index), value=None)


def canonical(value: Any) -> str:
    """Text that is equal exactly for equal JSON values: Python takes 1, 1.0 and True for the same."""
    return json.dumps(value, sort_keys=True)
