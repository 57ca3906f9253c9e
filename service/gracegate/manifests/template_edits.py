"""Operations on keys of a template -> the edit of its lines.

A template cannot be parsed, so that what an edit does is only seen in what is rendered of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from gracegate.manifests.source_operations import SourceOperation
from gracegate.manifests.template_text import ACTION, KeyLine, is_alone_in_condition, is_balanced, read_key
from gracegate.model import Operation
from gracegate.yaml import ScalarNode, YamlError, lookup_path, parse_yaml
from gracegate.yaml_edit import EditRefused, LineEdit, entry_lines, scalar_text


def edit_template(text: str, operations: Iterable[SourceOperation]) -> list[LineEdit]:
    """The edits, in order and disjoint. Raises EditRefused where lines do not show that a place is written out."""
    by_line: dict[int, list[Operation]] = defaultdict(list)
    for step in operations:
        by_line[step.line].append(step.operation)
    lines = text.split("\n")
    edits = [_edit_at(lines, line, of_line) for line, of_line in sorted(by_line.items())]
    if any(one.end_line >= other.start_line for one, other in pairwise(edits)):
        raise EditRefused("unsupported_layout")
    return edits


def _edit_at(lines: Sequence[str], number: int, operations: Sequence[Operation]) -> LineEdit:
    line = lines[number - 1] if number <= len(lines) else ""
    if len(operations) == 1 and operations[0].op == "replace" and isinstance(operations[0].path[-1], int):
        start = len(line) - len(line.lstrip(" "))
        return LineEdit(number, number, (_with_value(line, start, 0, operations[0].value),))
    key = read_key(line)
    if key is None:
        raise EditRefused("unsupported_layout")
    newline = "\r" if line.endswith("\r") else ""
    added = [new + newline for o in operations if o.op == "add" for new in _added_lines(o, key)]
    changes = [operation for operation in operations if operation.op != "add"]
    if len(changes) > 1 or any(operation.path != (key.key,) for operation in changes):
        raise EditRefused("no_such_path")
    if changes and changes[0].op == "remove":
        return _removal(lines, number, key, added)
    if changes:
        line = _with_value(line, key.column, key.key, changes[0].value)
    if not key.is_item:
        return LineEdit(number, number, (*added, line))
    # Before the first key of an item is its dash.
    if added and not key.is_whole:
        raise EditRefused("unsupported_layout")
    return LineEdit(number, number, (line, *added))


def _added_lines(operation: Operation, key: KeyLine) -> Iterator[str]:
    if len(operation.path) != 1:
        raise EditRefused("no_such_path")
    for line in entry_lines(str(operation.path[0]), operation.value, key.column):
        if ACTION in line:
            raise EditRefused("templated")
        yield line


def _with_value(line: str, start: int, name: str | int, value: object) -> str:
    """The line with another value of the key or the item that starts there, its comment kept."""
    try:
        root = parse_yaml(line[start:])
    except YamlError:
        root = None
    steps = () if root is None else lookup_path(root, (name,))
    node = steps[1].node if len(steps) > 1 else None
    new = scalar_text(value)
    if ACTION in line or ACTION in new:
        raise EditRefused("templated")
    if not isinstance(node, ScalarNode) or node.start == node.end or node.style in {"|", ">"}:
        raise EditRefused("unsupported_layout")
    return line[: start + node.start] + new + line[start + node.end :]


def _removal(lines: Sequence[str], number: int, key: KeyLine, added: Sequence[str]) -> LineEdit:
    end = number
    while end < len(lines) and _is_below(lines[end], key):
        end += 1
    while end > number and not lines[end - 1].strip():
        end -= 1
    before, after = lines[number - 2] if number > 1 else "", lines[end] if end < len(lines) else ""
    if not is_balanced(lines[number - 1 : end]) or is_alone_in_condition(before, after):
        raise EditRefused("templated")
    if key.is_item:
        raise EditRefused("unsupported_layout")
    return LineEdit(number, end, tuple(added))


def _is_below(line: str, key: KeyLine) -> bool:
    """Whether a line may belong to the value of a key above it."""
    text = line.lstrip(" ")
    indent = len(line) - len(text)
    return not text.strip() or indent > key.column or (indent == key.column and text.startswith("- "))
