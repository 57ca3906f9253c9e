"""Edits of files: all documents and lists of a file, and random files against an independent parser."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from gracegate.manifests import EditedSource, SourceOperation, edit_source, read_manifest
from gracegate.manifests.source_places import SourcePlaces
from gracegate.model import Document, Hunk, Limits, Operation, Pointer, SourceFile
from gracegate.yaml import variables
from gracegate.yaml_edit import EditRefused, apply_edits
from tests.yaml import layouts, oracle


def pod(body: str) -> str:
    return f"apiVersion: v1\nkind: Pod\n{body}"


def add(*path: str | int, value: Any = 1) -> Operation:
    return Operation("add", path, value)


def edit(
    source: SourceFile, operations: Iterable[tuple[Document, Operation]], preferred: Sequence[Hunk] = ()
) -> EditedSource:
    steps = [SourceOperation(d.path, d.number, replace(o, path=d.pointer + o.path)) for d, o in operations]
    return edit_source(SourcePlaces({source.path: source}, Limits()), source.path, steps, preferred)


def test_documents_of_one_file_are_edited_together() -> None:
    text = "# first\n" + pod("a: 1\n") + "---\n{{ broken\n---\n" + pod("b: 1\n...\n") + "--- # last\n" + pod("c: 1\n")
    manifest = read_manifest(SourceFile("a.yaml", text.encode()), "")
    edited = edit(manifest.source, [(d, add("z")) for d in reversed(manifest.documents)])
    assert edited.text == re.sub(r"^([abc]: 1\n)", r"\1z: 1\n", text, flags=re.MULTILINE)
    assert [e.start_line for e in edited.edits] == [4, 10, 15]


def test_items_of_a_list_are_edited_at_their_own_paths() -> None:
    text = "kind: List\nitems:\n- kind: Pod\n  spec: {}\n- kind: Pod\n  spec: {}\n"
    manifest = read_manifest(SourceFile("a.yaml", text.encode()), "")
    edited = edit(manifest.source, [(manifest.documents[1], add("spec", "a"))])
    assert edited.text == text.removesuffix(" {}\n") + "\n    a: 1\n"


def apply_by_mutation(value: Any, operation: Operation) -> Any:
    """The value after an operation, computed in another way than the code under test does it."""
    holder = value
    for segment in operation.path[:-1]:
        holder = holder[segment]
    last: Any = operation.path[-1]
    if operation.op == "remove":
        del holder[last]
    elif isinstance(holder, list) and operation.op == "add":
        holder.insert(last, copy.deepcopy(operation.value))
    else:
        holder[last] = copy.deepcopy(operation.value)
    return value


def pointers(value: Any, here: Pointer = ()) -> list[Pointer]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(p for key, child in children for p in pointers(child, (*here, key)))]


@st.composite
def operations_on(draw: st.DrawFn, value: dict[str, Any]) -> tuple[list[Operation], dict[str, Any]]:
    """Up to three operations that can be applied in order, and the value after them."""
    operations: list[Operation] = []
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([p for p in pointers(value["spec"], ("spec",)) if len(p) > 1] or [("spec",)]))
        op = draw(st.sampled_from(("add", "replace", "remove", "new")))
        new = draw(layouts.values)
        if op == "new" or len(path) == 1:
            mappings = [p for p in pointers(value["spec"], ("spec",)) if isinstance(value_at(value, p), dict)]
            operation = Operation("add", (*draw(st.sampled_from(mappings)), draw(st.sampled_from(layouts.KEYS))), new)
        else:
            operation = Operation(op, path, None if op == "remove" else new)
        operations.append(operation)
        value = apply_by_mutation(value, operation)
    return operations, value


def value_at(value: Any, pointer: Pointer) -> Any:
    for segment in pointer:
        value = value[segment]
    return value


def comments(text: str) -> Counter[str]:
    return Counter(re.findall(r"# (?:note|why|far|at the left)", text))


@given(st.data(), layouts.layouts, layouts.entries, st.booleans())
def test_random_edits_agree_with_an_independent_parser(
    data: st.DataObject,
    layout: layouts.Layout,
    entries: dict[str, Any],
    has_second_document: bool,
) -> None:
    value = {"apiVersion": "v1", "kind": "Pod", "spec": entries}
    other = {"kind": "Service", "spec": {"x": [1, "# no"]}}
    writer = layouts.Writer(layout)
    text = layouts.join_documents(
        layout, [writer.document(value), *([writer.document(other)] if has_second_document else [])]
    )
    note(text)
    assert oracle.load_all(text) == [value, *([other] if has_second_document else [])]
    operations, expected = data.draw(operations_on(value))
    manifest = read_manifest(SourceFile("a.yaml", text.encode()), "")
    assert [d.object for d in manifest.documents] == [value, *([other] if has_second_document else [])]
    preferred = [Hunk(line, line + 2) for line in data.draw(st.lists(st.integers(1, 30), max_size=2))]
    edits = [(manifest.documents[0], o) for o in operations]
    if variables(value) - variables(expected):
        with pytest.raises(EditRefused, match=r"^variable$"):
            edit(manifest.source, edits, preferred)
        return
    edited = edit(manifest.source, edits, preferred)
    note(edited.text)
    values = oracle.load_all(edited.text)
    assert json.dumps(values, sort_keys=True) == json.dumps(
        [expected, *([other] if has_second_document else [])], sort_keys=True
    )
    assert_edits_are_consistent(text, edited)
    if all(adds_key(value, operation) for operation in operations):
        assert comments(edited.text) == comments(text)


def adds_key(value: Any, operation: Operation) -> bool:
    """True if the operation adds a new key to a mapping of the original."""
    parent = value
    for segment in operation.path[:-1]:
        if not isinstance(parent, dict) or segment not in parent:
            return False
        parent = parent[segment]
    return operation.op == "add" and isinstance(parent, dict) and operation.path[-1] not in parent


def assert_edits_are_consistent(text: str, edited: EditedSource) -> None:
    assert apply_edits(text, edited.edits) == edited.text
    assert all(e.start_line <= e.end_line for e in edited.edits)
    assert all(
        before.end_line < after.start_line for before, after in zip(edited.edits, edited.edits[1:], strict=False)
    )


@given(st.data(), layouts.entries, st.sampled_from((None, 2, "\t")), st.booleans())
def test_random_edits_of_json(
    data: st.DataObject,
    entries: dict[str, Any],
    indent: int | str | None,
    escaped: bool,
) -> None:
    value = {"kind": "Pod", "spec": entries}
    separators = (",", ":") if indent is None and escaped else None
    text = json.dumps(value, indent=indent, ensure_ascii=escaped, separators=separators) + "\n"
    operations, expected = data.draw(operations_on(value))
    manifest = read_manifest(SourceFile("a.json", text.encode()), "")
    edits = [(manifest.documents[0], o) for o in operations]
    if variables(value) - variables(expected):
        with pytest.raises(EditRefused, match=r"^variable$"):
            edit(manifest.source, edits)
        return
    edited = edit(manifest.source, edits)
    note(edited.text)
    assert json.dumps(json.loads(edited.text), sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert_edits_are_consistent(text, edited)
