"""Edits of YAML in a block scalar of another document: exactly the intended change, and no line outside of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from gracegate.model import Hunk, Operation
from gracegate.yaml import LineIndex, YamlDocument, parse_yaml, variables
from gracegate.yaml_edit import EditedDocument, EditRefused, apply_edits, edit_document
from tests.manifests.test_edits import operations_on
from tests.yaml import layouts, oracle

PATCH = ("patches", 1, "patch")


def kustomization(patch: str, indent: str = "    ", header: str = "|-") -> str:
    lines = "\n".join(indent + line if line else "" for line in patch.removesuffix("\n").split("\n"))
    return f"# top\npatches:\n- path: a.yaml\n- patch: {header} # why\n{lines}\n  target: {{kind: Pod}} # end\nx: [1]\n"


def edit(text: str, *operations: Operation, preferred: tuple[Hunk, ...] = ()) -> EditedDocument:
    root = parse_yaml(text)
    assert root is not None
    return edit_document(YamlDocument(text, root, LineIndex(text), 1), operations, preferred)


def inside(operation: Operation) -> Operation:
    return Operation(operation.op, (*PATCH, *operation.path), operation.value)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("indent", "header"), [("    ", "|-"), ("      ", "|"), ("    ", "|2-")])
def test_patches_of_both_kinds(indent: str, header: str, newline: str) -> None:
    strategic = "spec:\n  a: 1 # one\n\n  b: {}\n"
    text = kustomization(strategic, indent, header).replace("\n", newline)
    edited = edit(
        text, inside(Operation("add", ("spec", "b", "c"), [1])), inside(Operation("replace", ("spec", "a"), 2))
    )
    expected = kustomization(strategic.replace("a: 1", "a: 2").replace("b: {}", "b:\n    c:\n    - 1"), indent, header)
    assert edited.text == expected.replace("\n", newline)
    assert apply_edits(text, edited.edits) == edited.text
    steps = "- op: remove\n  path: /a\n- {op: add, path: /b, value: 1}\n"
    text = kustomization(steps, indent, header).replace("\n", newline)
    edited = edit(text, inside(Operation("replace", (1, "value"), 2)), inside(Operation("remove", (0,))))
    assert edited.text == kustomization("- {op: add, path: /b, value: 2}\n", indent, header).replace("\n", newline)


@pytest.mark.parametrize(("header", "left"), [("|-", "a: 1"), ("|", "a: 1\n"), ("|+ ", "a: 1\n\n"), ("|-   ", "a: 1")])
def test_a_blank_line_that_comes_to_stand_last(header: str, left: str) -> None:
    edited = edit(kustomization("a: 1\n\nb: 1\n", header=header), inside(Operation("remove", ("b",))))
    assert oracle.load_all(edited.text)[0]["patches"][1]["patch"] == left


def test_lines_that_a_diff_shows_come_first() -> None:
    text = kustomization("spec:\n  a: 1\n  b: 1\n  c: 1\n")
    edited = edit(text, inside(Operation("add", ("spec", "z"), 0)), preferred=(Hunk(6, 6),))
    assert [(e.start_line, e.end_line, e.lines) for e in edited.edits] == [(6, 6, ("      a: 1", "      z: 0"))]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (kustomization("spec: {a: 1}\n", header=">-"), "no_such_path"),
        ("patches: [a, {patch: 'spec: {a: 1}'}]\n", "no_such_path"),
        (kustomization("spec: {a: [}\n"), "no_such_path"),
        (kustomization("spec: {{ .x }}\n"), "templated"),
        (kustomization("just text\n"), "no_such_path"),
        (kustomization("spec: &a {a: 1}\nb: *a\n"), "shared_anchor"),
    ],
)
def test_refusals(text: str, reason: str) -> None:
    with pytest.raises(EditRefused) as refused:
        edit(text, inside(Operation("replace", ("spec", "a"), 2)))
    assert refused.value.reason == reason


@given(st.data(), layouts.layouts, layouts.entries, st.sampled_from(["    ", "      "]))
def test_random_edits(data: st.DataObject, layout: layouts.Layout, entries: dict[str, Any], indent: str) -> None:
    value = {"kind": "Pod", "spec": entries}
    text = kustomization(layouts.Writer(layout).document(value), indent)
    (before,) = oracle.load_all(text)
    if oracle.load_all(before["patches"][1]["patch"]) != [value]:  # an indented text may say something else
        return
    operations, expected = data.draw(operations_on(value))
    note(text)
    # Each operation is an edit of its own, so one must not lose a variable that another one has brought either.
    if variables([value, *(operation.value for operation in operations)]) - variables(expected):
        return
    edited = edit(text, *map(inside, operations))
    note(edited.text)
    (after,) = oracle.load_all(edited.text)
    patch = after["patches"][1].pop("patch")
    before["patches"][1].pop("patch")
    assert after == before
    assert json.dumps(oracle.load_all(patch), sort_keys=True) == json.dumps([expected], sort_keys=True)
    assert apply_edits(text, edited.edits) == edited.text
    assert edited.text.split("\n")[:4] == text.split("\n")[:4]
