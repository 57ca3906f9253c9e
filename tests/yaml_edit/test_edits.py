"""Edits of files: whole texts before and after, and random files against an independent reader."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from gracegate.manifests import EditedManifest, edit_manifest, read_manifest
from gracegate.model import Hunk, Operation, Pointer, SourceFile
from gracegate.yaml import has_final_newline, newline_style
from gracegate.yaml_edit import EditRefused, LineEdit, apply_edits
from tests.yaml import layouts, oracle

PROBE = {"httpGet": {"path": "/healthz", "port": 80}}


def edited(text: str, *operations: Operation, document: int = 0, preferred: tuple[Hunk, ...] = ()) -> EditedManifest:
    manifest = read_manifest(SourceFile("a.yaml", text.encode()), "")
    assert manifest.problems == ()
    return edit_manifest(manifest, [(manifest.documents[document], o) for o in operations], preferred)


def pod(body: str) -> str:
    return f"apiVersion: v1\nkind: Pod\n{body}"


def add(*path: str | int, value: Any = 1) -> Operation:
    return Operation("add", path, value)


def replaced(*path: str | int, value: Any = 1) -> Operation:
    return Operation("replace", path, value)


def removed(*path: str | int) -> Operation:
    return Operation("remove", path)


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        pytest.param("spec: {a: 1}\n", replaced("spec", "a", value=1), id="the value that stands there"),
        pytest.param("spec:\n  a: 0x10 # hex\n", add("spec", "a", value=16), id="the same number in other digits"),
        pytest.param("spec:\n  a: [1, {b: c}]\n", replaced("spec", "a", value=[1, {"b": "c"}]), id="the same list"),
    ],
)
def test_what_is_as_it_should_be_stays_as_it_stands(body: str, operation: Operation) -> None:
    text = pod(body)
    done = edited(text, operation)
    assert (done.edits, done.manifest.text) == ((), text)


CASES = [
    pytest.param(
        "spec:\n  containers:\n  - name: web\n    image: web:1 # pinned\n    ports:\n"
        "    - containerPort: 80\n    env: []\n",
        [add("spec", "containers", 0, "readinessProbe", value=PROBE)],
        "spec:\n  containers:\n  - name: web\n    image: web:1 # pinned\n    ports:\n    - containerPort: 80\n"
        "    readinessProbe:\n      httpGet:\n        path: /healthz\n        port: 80\n    env: []\n",
        id="a probe goes behind the ports",
    ),
    pytest.param(
        "spec:\n  containers:\n  - name: web\n    image: web:1\n    # said of nothing\n\n  # nor this\n",
        [add("spec", "containers", 0, "lifecycle", "preStop", "sleep", "seconds", value=10)],
        "spec:\n  containers:\n  - name: web\n    image: web:1\n    lifecycle:\n      preStop:\n        sleep:\n"
        "          seconds: 10\n    # said of nothing\n\n  # nor this\n",
        id="missing parents, comments and blank lines behind",
    ),
    pytest.param(
        "spec:\n  containers:\n  - name: web\n",
        [add("spec", "terminationGracePeriodSeconds", value=40)],
        "spec:\n  terminationGracePeriodSeconds: 40\n  containers:\n  - name: web\n",
        id="a short key is not hidden behind the containers",
    ),
    pytest.param(
        "spec:\n    containers:\n      -   name: web\n          env:\n            -   name: a\n",
        [add("spec", "containers", 0, "args", value=["a", {"b": "c"}]), add("spec", "containers", 0, "x", "z")],
        "spec:\n    containers:\n      -   name: web\n          env:\n            -   name: a\n"
        "          args:\n            -   a\n            -   b: c\n          x:\n              z: 1\n",
        id="the file's own indentation",
    ),
    pytest.param(
        "spec:\n  containers:\n  - {name: web, image: web}\n",
        [add("spec", "containers", 0, "livenessProbe", value=PROBE)],
        "spec:\n  containers:\n  - {name: web, image: web, livenessProbe: {httpGet: {path: /healthz, port: 80}}}\n",
        id="inside brackets",
    ),
    pytest.param(
        "spec:\n  a: {} # why\n  b:\n  c: null\n  d: ~ # none\n",
        [add("spec", k, "x") for k in "abcd"],
        "spec:\n  a: # why\n    x: 1\n  b:\n    x: 1\n  c:\n    x: 1\n  d: # none\n    x: 1\n",
        id="empty parents",
    ),
    pytest.param(
        "spec:\n  a: [] # why\n  b: [1]\n  c:\n  - 1\n  d:\n",
        [add("spec", k, "-", value="x") for k in "abc"] + [add("spec", "c", 0, value={"z": 2}), add("spec", "d", 0)],
        "spec:\n  a: # why\n  - x\n  b: [1, x]\n  c:\n  - z: 2\n  - 1\n  - x\n  d:\n  - 1\n",
        id="items of lists",
    ),
    pytest.param(
        "spec:\n  a: |\n    text\n\n  b: |+\n    text\n\n# end\n",
        [add("spec", "z"), removed("spec", "a")],
        "spec:\n\n  b: |+\n    text\n\n  z: 1\n# end\n",
        id="behind a text that keeps its blank lines",
    ),
    pytest.param(
        "spec:\n  a: 1\n  b: |\n    no newline",
        [add("spec", "z")],
        "spec:\n  a: 1\n  z: 1\n  b: |\n    no newline",
        id="not behind a text that would change",
    ),
    pytest.param(
        "spec:\n  a: 1", [add("metadata", "name", value="x")], "metadata:\n  name: x\nspec:\n  a: 1", id="eof"
    ),
    pytest.param(
        "spec:\n  a: 'x' # s\n  b: \"x\"\n  c: x\n  d: &unused x\n  e: |\n    x\n  f: !!str 5\n",
        [replaced("spec", k, value="it's") for k in "abcdef"],
        "spec:\n  a: 'it''s' # s\n  b: \"it's\"\n" + "".join(f'  {k}: "it\'s"\n' for k in "cdef"),
        id="scalars keep their quotes",
    ),
    pytest.param(
        "spec:\n  a:\n    # inner\n    x: 1 # one\n    y: 2\n    z: [1, 2]\n",
        [replaced("spec", "a", value={"x": 1, "z": [1, 3], "w": {"v": True}})],
        "spec:\n  a:\n    # inner\n    x: 1 # one\n    z: [1, 3]\n    w:\n      v: true\n",
        id="a replaced mapping changes only where it differs",
    ),
    pytest.param(
        "spec:\n  a: # list\n  - 1\n  - x: 2\n  b: 1 # one\n  c: [1]\n",
        [
            replaced("spec", "a", value="s"),
            replaced("spec", "b", value={"k": [1]}),
            replaced("spec", "c", value={"k": 1}),
        ],
        "spec:\n  a: s # list\n  b: # one\n    k:\n    - 1\n  c:\n    k: 1\n",
        id="from block to scalar and back",
    ),
    pytest.param(
        "spec:\n  a:\n  - x: 1\n    y: 2\n  - - 1\n    - 2\n  - only: 1\n",
        [removed("spec", "a", 0, "x"), removed("spec", "a", 1, 0), removed("spec", "a", 2, "only")],
        "spec:\n  a:\n  - y: 2\n  - - 2\n  - {}\n",
        id="what stands on the line of a dash",
    ),
    pytest.param(
        "spec: {a: 1, b: [1, 2, 3], c: {d: 1}}\n",
        [removed("spec", "a"), removed("spec", "b", 2), removed("spec", "b", 0), removed("spec", "c", "d")],
        "spec: {b: [2], c: {}}\n",
        id="out of brackets",
    ),
    pytest.param(
        "spec:\n  a: ['web']\n",
        [add("spec", "a", 0, value="web:1"), add("spec", "b", value="web:1")],
        "spec:\n  a: [\"web:1\", 'web']\n  b: web:1\n",
        id="a colon needs quotes inside brackets alone",
    ),
    pytest.param(
        "spec: &s\n  a: 1\nother:\n  <<: &t {b: 2}\n  c: 3\n",
        [add("spec", "x"), add("other", "b", value=5), add("other", "z")],
        "spec: &s\n  a: 1\n  x: 1\nother:\n  <<: &t {b: 2}\n  c: 3\n  b: 5\n  z: 1\n",
        id="an anchor that nobody names, and a key over an inherited one",
    ),
    pytest.param(
        "spec:\n  a: '{{ x }}'\n  b: |\n    {% raw %}\n",
        [add("spec", "z")],
        "spec:\n  a: '{{ x }}'\n  b: |\n    {% raw %}\n  z: 1\n",
        id="marks that are quoted are somebody else's",
    ),
    pytest.param(
        'spec:\n  "a": "y"\n',
        [
            add("spec", k, value=k)
            for k in ("yes", "0x1f", "1:30", "2001-01-01", "null", "100m", "a: b", "-c", "=", "é")
        ],
        'spec:\n  "a": "y"\n  "yes": "yes"\n  "0x1f": "0x1f"\n  "1:30": "1:30"\n  "2001-01-01": "2001-01-01"\n'
        '  "null": "null"\n  100m: 100m\n  "a: b": "a: b"\n  "-c": "-c"\n  "=": "="\n  "é": "é"\n',
        id="quotes where a reader could take it for something else",
    ),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["", "bom"])
@pytest.mark.parametrize(("before", "operations", "after"), CASES)
def test_edits_of_yaml(before: str, operations: list[Operation], after: str, newline: str, bom: str) -> None:
    text = bom + pod(before).replace("\n", newline)
    done = edited(text, *operations)
    assert done.manifest.text == bom + pod(after).replace("\n", newline)
    assert apply_edits(text, done.edits) == done.manifest.text


JSON_CASES = [
    pytest.param(
        '{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"name":"a"}]}}',
        [add("spec", "containers", 0, "readinessProbe", value=PROBE), removed("apiVersion")],
        '{"kind":"Pod","spec":{"containers":[{"name":"a","readinessProbe":{"httpGet":{"path":"/healthz","port":80}}}]}}',
        id="minified",
    ),
    pytest.param(
        '{\n\t"kind": "Pod",\n\t"spec": {\n\t\t"containers": [\n\t\t\t{\n\t\t\t\t"name": "a"\n\t\t\t}\n\t\t]\n\t}\n}\n',
        [add("spec", "containers", 0, "x", "y", value=["yes"]), replaced("spec", "containers", 0, "name", value="b")],
        '{\n\t"kind": "Pod",\n\t"spec": {\n\t\t"containers": [\n\t\t\t{\n\t\t\t\t"name": "b",\n'
        '\t\t\t\t"x": {\n\t\t\t\t\t"y": [\n'
        '\t\t\t\t\t\t"yes"\n\t\t\t\t\t]\n\t\t\t\t}\n\t\t\t}\n\t\t]\n\t}\n}\n',
        id="pretty with tabs",
    ),
    pytest.param(
        '{\n  "kind": "Pod",\n  "spec": {\n    "a": [\n      1,\n      2\n    ],\n    "b": {}\n  }\n}\n',
        [add("spec", "a", 1, value="x"), add("spec", "b", "c"), removed("spec", "a", 0), add("spec", "a", "-")],
        '{\n  "kind": "Pod",\n  "spec": {\n    "a": [\n      "x",\n      2,\n      1\n    ],\n'
        '    "b": {\n      "c": 1\n    }\n  }\n}\n',
        id="pretty lists and an empty object",
    ),
    pytest.param(
        '{"kind": "Pod", "s": "\\ud83d\\ude00 \\/", "spec": {"a": 1}}\n',
        [add("spec", "b", value="é😀")],
        '{"kind": "Pod", "s": "\\ud83d\\ude00 \\/", "spec": {"a": 1, "b": "é😀"}}\n',
        id="escapes that libyaml refuses",
    ),
]


@pytest.mark.parametrize(("before", "operations", "after"), JSON_CASES)
def test_edits_of_json(before: str, operations: list[Operation], after: str) -> None:
    done = edited(before, *operations)
    assert done.manifest.text == after
    assert apply_edits(before, done.edits) == after


REFUSALS = [
    pytest.param("spec:\n  a: 1\n", removed("spec", "b"), "no_such_path", id="nothing to remove"),
    pytest.param("spec:\n  a: 1\n", replaced("spec", "b"), "no_such_path", id="nothing to replace"),
    pytest.param("spec:\n  a: 1\n", add("spec", "a", "b"), "no_such_path", id="below a number"),
    pytest.param("spec:\n  a: [1]\n", add("spec", "a", 2), "no_such_path", id="past the end"),
    pytest.param("spec:\n  a: 1\n", removed(), "no_such_path", id="the whole object"),
    pytest.param("spec:\n  a: &x {k: 1}\n  b: *x\n", add("spec", "b", "c"), "shared_anchor", id="through an alias"),
    pytest.param("spec:\n  a: &x {k: 1}\n  b: *x\n", add("spec", "a", "c"), "shared_anchor", id="what aliases name"),
    pytest.param("spec:\n  a: &x {k: 1}\n  b: *x\n", removed("spec", "a"), "shared_anchor", id="the anchor itself"),
    pytest.param(
        "spec:\n  a:\n    <<: {b: {c: 1}}\n", add("spec", "a", "b", "d"), "merge_key", id="inside a merged one"
    ),
    pytest.param("spec:\n  a:\n    <<: {b: 1}\n", removed("spec", "a", "b"), "merge_key", id="a merged one"),
    pytest.param("spec:\n  a: 1\n  a: 2\n", removed("spec", "a"), "would_change_more", id="a key that stands twice"),
    pytest.param("spec:\n  a: web-{{ .x }}\n", add("spec", "b"), "templated", id="a template that is YAML too"),
    pytest.param("# {{- if .x }}\nspec:\n  a: '{{'\n", add("spec", "b"), "templated", id="marks in a comment"),
]


@pytest.mark.parametrize(("body", "operation", "reason"), REFUSALS)
def test_refusals(body: str, operation: Operation, reason: str) -> None:
    manifest = read_manifest(SourceFile("a.yaml", pod(body).encode()), "")
    with pytest.raises(EditRefused) as refused:
        edit_manifest(manifest, [(manifest.documents[0], operation)])
    assert refused.value.reason == reason


SIBLINGS = pod("spec:\n  containers:\n  - name: web\n    image: web\n    env: []\n    stdin: true\n")


@pytest.mark.parametrize(
    ("preferred", "expected"),
    [
        pytest.param((), LineEdit(6, 6, ("    image: web", "    lifecycle: 1")), id="natural"),
        pytest.param((Hunk(5, 5),), LineEdit(5, 5, ("  - name: web", "    lifecycle: 1")), id="line of the first key"),
        pytest.param((Hunk(8, 9),), LineEdit(8, 8, ("    stdin: true", "    lifecycle: 1")), id="last line"),
        pytest.param((Hunk(1, 2),), LineEdit(5, 5, ("  - name: web", "    lifecycle: 1")), id="as near as it gets"),
        pytest.param((Hunk(20, 30),), LineEdit(8, 8, ("    stdin: true", "    lifecycle: 1")), id="from below too"),
        pytest.param(
            (Hunk(1, 4),), LineEdit(5, 5, ("  - name: web", "    lifecycle: 1")), id="never before a dash for it"
        ),
    ],
)
def test_additions_prefer_lines_of_the_diff(preferred: tuple[Hunk, ...], expected: LineEdit) -> None:
    operation = add("spec", "containers", 0, "lifecycle")
    assert edited(SIBLINGS, operation, preferred=preferred).edits == (expected,)


def test_an_insertion_above_a_hunk_replaces_the_hunks_first_line() -> None:
    edits = edited(SIBLINGS, add("spec", "a"), preferred=(Hunk(4, 4),)).edits
    assert edits == (LineEdit(4, 4, ("  a: 1", "  containers:")),)


def test_documents_of_one_file_are_edited_together() -> None:
    text = "# first\n" + pod("a: 1\n") + "---\n{{ broken\n---\n" + pod("b: 1\n...\n") + "--- # last\n" + pod("c: 1\n")
    manifest = read_manifest(SourceFile("a.yaml", text.encode()), "")
    done = edit_manifest(manifest, [(d, add("z")) for d in reversed(manifest.documents)])
    assert done.manifest.text == re.sub(r"^([abc]: 1\n)", r"\1z: 1\n", text, flags=re.MULTILINE)
    assert [e.start_line for e in done.edits] == [4, 10, 15]
    assert done.manifest == read_manifest(done.manifest.source, "")


def test_items_of_a_list_are_edited_at_their_own_paths() -> None:
    text = "kind: List\nitems:\n- kind: Pod\n  spec: {}\n- kind: Pod\n  spec: {}\n"
    assert edited(text, add("spec", "a"), document=1).manifest.text == text.removesuffix(" {}\n") + "\n    a: 1\n"


@pytest.mark.parametrize(
    ("text", "style", "final"),
    [("", "\n", True), ("a\nb", "\n", False), ("a\r\nb\r\n", "\r\n", True), ("a\r\nb\n", "mixed", True)],
)
def test_line_breaks_of_a_file(text: str, style: str, *, final: bool) -> None:
    assert (newline_style(text), has_final_newline(text)) == (style, final)


def applied(value: Any, operation: Operation) -> Any:
    """What the operation means, by mutation: written apart from the code under test."""
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
    """Up to three operations that can be made one after the other, and what comes out."""
    chosen: list[Operation] = []
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([p for p in pointers(value["spec"], ("spec",)) if len(p) > 1] or [("spec",)]))
        op = draw(st.sampled_from(("add", "replace", "remove", "new")))
        new = draw(layouts.values)
        if op == "new" or len(path) == 1:
            holders = [p for p in pointers(value["spec"], ("spec",)) if isinstance(at(value, p), dict)]
            operation = Operation("add", (*draw(st.sampled_from(holders)), draw(st.sampled_from(layouts.KEYS))), new)
        else:
            operation = Operation(op, path, None if op == "remove" else new)
        chosen.append(operation)
        value = applied(value, operation)
    return chosen, value


def at(value: Any, pointer: Pointer) -> Any:
    for segment in pointer:
        value = value[segment]
    return value


def comments(text: str) -> Counter[str]:
    return Counter(re.findall(r"# (?:note|why|far|at the left)", text))


@given(st.data(), layouts.layouts, layouts.entries, st.booleans())
def test_random_edits_agree_with_an_independent_reader(
    data: st.DataObject,
    layout: layouts.Layout,
    entries: dict[str, Any],
    another: bool,
) -> None:
    value = {"apiVersion": "v1", "kind": "Pod", "spec": entries}
    other = {"kind": "Service", "spec": {"x": [1, "# no"]}}
    writer = layouts.Writer(layout)
    text = layouts.finished(layout, [writer.document(value), *([writer.document(other)] if another else [])])
    note(text)
    assert oracle.load_all(text) == [value, *([other] if another else [])]
    operations, wanted = data.draw(operations_on(value))
    manifest = read_manifest(SourceFile("a.yaml", text.encode()), "")
    assert [d.object for d in manifest.documents] == [value, *([other] if another else [])]
    preferred = [Hunk(line, line + 2) for line in data.draw(st.lists(st.integers(1, 30), max_size=2))]
    done = edit_manifest(manifest, [(manifest.documents[0], o) for o in operations], preferred)
    note(done.manifest.text)
    found = oracle.load_all(done.manifest.text)
    assert json.dumps(found, sort_keys=True) == json.dumps([wanted, *([other] if another else [])], sort_keys=True)
    assert_edits_are_whole(text, done)
    if all(adds_key(value, operation) for operation in operations):
        assert comments(done.manifest.text) == comments(text)


def adds_key(value: Any, operation: Operation) -> bool:
    """True if the operation brings a key that the original does not have into a mapping that it has."""
    parent = value
    for segment in operation.path[:-1]:
        if not isinstance(parent, dict) or segment not in parent:
            return False
        parent = parent[segment]
    return operation.op == "add" and isinstance(parent, dict) and operation.path[-1] not in parent


def assert_edits_are_whole(text: str, done: EditedManifest) -> None:
    assert apply_edits(text, done.edits) == done.manifest.text
    assert all(e.start_line <= e.end_line for e in done.edits)
    assert all(before.end_line < after.start_line for before, after in zip(done.edits, done.edits[1:], strict=False))
    assert done.manifest == read_manifest(done.manifest.source, "")


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
    operations, wanted = data.draw(operations_on(value))
    manifest = read_manifest(SourceFile("a.json", text.encode()), "")
    done = edit_manifest(manifest, [(manifest.documents[0], o) for o in operations])
    note(done.manifest.text)
    assert json.dumps(json.loads(done.manifest.text), sort_keys=True) == json.dumps(wanted, sort_keys=True)
    assert_edits_are_whole(text, done)
