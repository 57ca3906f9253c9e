"""Edits of one YAML document: complete texts before and after, and edits that are refused."""

from __future__ import annotations

from typing import Any

import pytest

from gracegate.model import Hunk, Operation
from gracegate.yaml import LineIndex, YamlDocument, parse_yaml
from gracegate.yaml_edit import EditedDocument, EditRefused, LineEdit, apply_edits, edit_document

PROBE = {"httpGet": {"path": "/healthz", "port": 80}}


def edit(text: str, *operations: Operation, preferred: tuple[Hunk, ...] = ()) -> EditedDocument:
    root = parse_yaml(text)
    assert root is not None
    return edit_document(YamlDocument(text, root, LineIndex(text), first_line=1), operations, preferred)


def pod(body: str) -> str:
    return f"apiVersion: v1\nkind: Pod\n{body}"


def add(*path: str | int, value: Any = 1) -> Operation:
    return Operation("add", path, value)


def replace(*path: str | int, value: Any = 1) -> Operation:
    return Operation("replace", path, value)


def remove(*path: str | int) -> Operation:
    return Operation("remove", path)


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        pytest.param("spec: {a: 1}\n", replace("spec", "a", value=1), id="the same value"),
        pytest.param("spec:\n  a: 0x10 # hex\n", add("spec", "a", value=16), id="the same number in other digits"),
        pytest.param("spec:\n  a: [1, {b: c}]\n", replace("spec", "a", value=[1, {"b": "c"}]), id="the same list"),
    ],
)
def test_a_value_that_is_already_there_is_not_rewritten(body: str, operation: Operation) -> None:
    text = pod(body)
    edited = edit(text, operation)
    assert (edited.edits, edited.text) == ((), text)


CASES = [
    pytest.param(
        "spec:\n  a: run $A ${B}\n  b: $C\n",
        [replace("spec", "a", value="exec run $A ${B}"), remove("spec", "b"), add("spec", "c", value="$C")],
        'spec:\n  a: "exec run $A ${B}"\n  c: "$C"\n',
        id="variables that are kept",
    ),
    pytest.param(
        "spec:\n  containers:\n  - name: web\n    image: web:1 # pinned\n    ports:\n"
        "    - containerPort: 80\n    env: []\n",
        [add("spec", "containers", 0, "readinessProbe", value=PROBE)],
        "spec:\n  containers:\n  - name: web\n    image: web:1 # pinned\n    ports:\n    - containerPort: 80\n"
        "    readinessProbe:\n      httpGet:\n        path: /healthz\n        port: 80\n    env: []\n",
        id="a probe goes after the ports",
    ),
    pytest.param(
        "spec:\n  containers:\n  - name: web\n    image: web:1\n    # a comment\n\n  # another comment\n",
        [add("spec", "containers", 0, "lifecycle", "preStop", "sleep", "seconds", value=10)],
        "spec:\n  containers:\n  - name: web\n    image: web:1\n    lifecycle:\n      preStop:\n        sleep:\n"
        "          seconds: 10\n    # a comment\n\n  # another comment\n",
        id="missing parents, with comments and blank lines below",
    ),
    pytest.param(
        "spec:\n  containers:\n  - name: web\n",
        [add("spec", "terminationGracePeriodSeconds", value=40)],
        "spec:\n  terminationGracePeriodSeconds: 40\n  containers:\n  - name: web\n",
        id="a short key goes before the containers",
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
        id="a probe inside braces",
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
        [add("spec", "z"), remove("spec", "a")],
        "spec:\n\n  b: |+\n    text\n\n  z: 1\n# end\n",
        id="after a block scalar that keeps its blank lines",
    ),
    pytest.param(
        "spec:\n  a: 1\n  b: |\n    no newline",
        [add("spec", "z")],
        "spec:\n  a: 1\n  z: 1\n  b: |\n    no newline",
        id="not after a block scalar that would change",
    ),
    pytest.param(
        "spec:\n  a: 1",
        [add("metadata", "name", value="x")],
        "metadata:\n  name: x\nspec:\n  a: 1",
        id="not at the end of a file without a final newline",
    ),
    pytest.param(
        "spec:\n  a: 'x' # s\n  b: \"x\"\n  c: x\n  d: &unused x\n  e: |\n    x\n  f: !!str 5\n",
        [replace("spec", k, value="it's") for k in "abcdef"],
        "spec:\n  a: 'it''s' # s\n  b: \"it's\"\n" + "".join(f'  {k}: "it\'s"\n' for k in "cdef"),
        id="scalars keep their quotes",
    ),
    pytest.param(
        "spec:\n  a:\n    # inner\n    x: 1 # one\n    y: 2\n    z: [1, 2]\n",
        [replace("spec", "a", value={"x": 1, "z": [1, 3], "w": {"v": True}})],
        "spec:\n  a:\n    # inner\n    x: 1 # one\n    z: [1, 3]\n    w:\n      v: true\n",
        id="a replaced mapping changes only where it differs",
    ),
    pytest.param(
        "spec:\n  a: # list\n  - 1\n  - x: 2\n  b: 1 # one\n  c: [1]\n",
        [
            replace("spec", "a", value="s"),
            replace("spec", "b", value={"k": [1]}),
            replace("spec", "c", value={"k": 1}),
        ],
        "spec:\n  a: s # list\n  b: # one\n    k:\n    - 1\n  c:\n    k: 1\n",
        id="a block becomes a scalar, and scalars become blocks",
    ),
    pytest.param(
        "spec:\n  a:\n  - x: 1\n    y: 2\n  - - 1\n    - 2\n  - only: 1\n",
        [remove("spec", "a", 0, "x"), remove("spec", "a", 1, 0), remove("spec", "a", 2, "only")],
        "spec:\n  a:\n  - y: 2\n  - - 2\n  - {}\n",
        id="the entry on the line of a dash is removed",
    ),
    pytest.param(
        "spec: {a: 1, b: [1, 2, 3], c: {d: 1}}\n",
        [remove("spec", "a"), remove("spec", "b", 2), remove("spec", "b", 0), remove("spec", "c", "d")],
        "spec: {b: [2], c: {}}\n",
        id="removals inside brackets",
    ),
    pytest.param(
        "spec:\n  a: ['web']\n",
        [add("spec", "a", 0, value="web:1"), add("spec", "b", value="web:1")],
        "spec:\n  a: [\"web:1\", 'web']\n  b: web:1\n",
        id="a colon needs quotes only inside brackets",
    ),
    pytest.param(
        "spec: &s\n  a: 1\nother:\n  <<: &t {b: 2}\n  c: 3\n",
        [add("spec", "x"), add("other", "b", value=5), add("other", "z")],
        "spec: &s\n  a: 1\n  x: 1\nother:\n  <<: &t {b: 2}\n  c: 3\n  b: 5\n  z: 1\n",
        id="an anchor without aliases, and a key that overrides a merged one",
    ),
    pytest.param(
        "spec:\n  a: '{{ x }}'\n  b: |\n    {% raw %}\n",
        [add("spec", "z")],
        "spec:\n  a: '{{ x }}'\n  b: |\n    {% raw %}\n  z: 1\n",
        id="template braces inside quotes do not make a template",
    ),
    pytest.param(
        'spec:\n  "a": "y"\n',
        [
            add("spec", k, value=k)
            for k in ("yes", "0x1f", "1:30", "2001-01-01", "null", "100m", "a: b", "-c", "=", "é")
        ],
        'spec:\n  "a": "y"\n  "yes": "yes"\n  "0x1f": "0x1f"\n  "1:30": "1:30"\n  "2001-01-01": "2001-01-01"\n'
        '  "null": "null"\n  100m: 100m\n  "a: b": "a: b"\n  "-c": "-c"\n  "=": "="\n  "é": "é"\n',
        id="quotes where a parser could read something other than text",
    ),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["", "bom"])
@pytest.mark.parametrize(("before", "operations", "after"), CASES)
def test_edits_of_yaml(before: str, operations: list[Operation], after: str, newline: str, bom: str) -> None:
    text = bom + pod(before).replace("\n", newline)
    edited = edit(text, *operations)
    assert edited.text == bom + pod(after).replace("\n", newline)
    assert apply_edits(text, edited.edits) == edited.text


JSON_CASES = [
    pytest.param(
        '{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"name":"a"}]}}',
        [add("spec", "containers", 0, "readinessProbe", value=PROBE), remove("apiVersion")],
        '{"kind":"Pod","spec":{"containers":[{"name":"a","readinessProbe":{"httpGet":{"path":"/healthz","port":80}}}]}}',
        id="minified",
    ),
    pytest.param(
        '{\n\t"kind": "Pod",\n\t"spec": {\n\t\t"containers": [\n\t\t\t{\n\t\t\t\t"name": "a"\n\t\t\t}\n\t\t]\n\t}\n}\n',
        [add("spec", "containers", 0, "x", "y", value=["yes"]), replace("spec", "containers", 0, "name", value="b")],
        '{\n\t"kind": "Pod",\n\t"spec": {\n\t\t"containers": [\n\t\t\t{\n\t\t\t\t"name": "b",\n'
        '\t\t\t\t"x": {\n\t\t\t\t\t"y": [\n'
        '\t\t\t\t\t\t"yes"\n\t\t\t\t\t]\n\t\t\t\t}\n\t\t\t}\n\t\t]\n\t}\n}\n',
        id="pretty with tabs",
    ),
    pytest.param(
        '{\n  "kind": "Pod",\n  "spec": {\n    "a": [\n      1,\n      2\n    ],\n    "b": {}\n  }\n}\n',
        [add("spec", "a", 1, value="x"), add("spec", "b", "c"), remove("spec", "a", 0), add("spec", "a", "-")],
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
    edited = edit(before, *operations)
    assert edited.text == after
    assert apply_edits(before, edited.edits) == after


REFUSALS = [
    pytest.param("spec:\n  a: 1\n", remove("spec", "b"), "no_such_path", id="nothing to remove"),
    pytest.param("spec:\n  a: 1\n", replace("spec", "b"), "no_such_path", id="nothing to replace"),
    pytest.param("spec:\n  a: 1\n", add("spec", "a", "b"), "no_such_path", id="below a number"),
    pytest.param("spec:\n  a: [1]\n", add("spec", "a", 2), "no_such_path", id="past the end"),
    pytest.param("spec:\n  a: 1\n", remove(), "no_such_path", id="the whole object"),
    pytest.param(
        "spec:\n  a: &x {k: 1}\n  b: *x\n", add("spec", "b", "c"), "shared_anchor", id="a path through an alias"
    ),
    pytest.param(
        "spec:\n  a: &x {k: 1}\n  b: *x\n", add("spec", "a", "c"), "shared_anchor", id="a node that an alias repeats"
    ),
    pytest.param(
        "spec:\n  a: &x {k: 1}\n  b: *x\n", remove("spec", "a"), "shared_anchor", id="the node with the anchor"
    ),
    pytest.param(
        "spec:\n  a:\n    <<: {b: {c: 1}}\n", add("spec", "a", "b", "d"), "merge_key", id="inside a merged value"
    ),
    pytest.param("spec:\n  a:\n    <<: {b: 1}\n", remove("spec", "a", "b"), "merge_key", id="a merged value"),
    pytest.param("spec:\n  a: 1\n  a: 2\n", remove("spec", "a"), "would_change_more", id="a key that appears twice"),
    pytest.param("spec:\n  a: web-{{ .x }}\n", add("spec", "b"), "templated", id="a template that is YAML too"),
    pytest.param(
        "# {{- if .x }}\nspec:\n  a: '{{'\n", add("spec", "b"), "templated", id="template braces in a comment"
    ),
    pytest.param("spec:\n  a: 1\n  #@ if x:\n  b: 2\n", add("spec", "c"), "templated", id="a comment of ytt"),
    pytest.param("spec:\n  a: ${A:=3}\n", replace("spec", "a"), "variable", id="a variable"),
    pytest.param("spec:\n  a: '{{ .a }}'\n", replace("spec", "a"), "variable", id="a variable in quotes"),
    pytest.param("spec:\n  a: ${A}\n", remove("spec", "a"), "variable", id="a variable that is removed"),
    pytest.param("spec:\n  a: {$A: b}\n", replace("spec", "a"), "variable", id="a variable in a key"),
    pytest.param(
        "spec:\n  a: run $(A) --port @B@\n", replace("spec", "a", value="run $(A)"), "variable", id="one of two"
    ),
    pytest.param("spec:\n  a: [<name>, '%B%']\n", replace("spec", "a"), "variable", id="other variables"),
]


@pytest.mark.parametrize(("body", "operation", "reason"), REFUSALS)
def test_edits_that_would_be_wrong_are_refused(body: str, operation: Operation, reason: str) -> None:
    with pytest.raises(EditRefused) as refused:
        edit(pod(body), operation)
    assert refused.value.reason == reason


SIBLINGS = pod("spec:\n  containers:\n  - name: web\n    image: web\n    env: []\n    stdin: true\n")


@pytest.mark.parametrize(
    ("preferred", "expected"),
    [
        pytest.param((), LineEdit(6, 6, ("    image: web", "    lifecycle: 1")), id="no preferred lines"),
        pytest.param((Hunk(5, 5),), LineEdit(5, 5, ("  - name: web", "    lifecycle: 1")), id="line of the first key"),
        pytest.param((Hunk(8, 9),), LineEdit(8, 8, ("    stdin: true", "    lifecycle: 1")), id="last line"),
        pytest.param(
            (Hunk(1, 2),), LineEdit(5, 5, ("  - name: web", "    lifecycle: 1")), id="nearest possible line from above"
        ),
        pytest.param(
            (Hunk(20, 30),),
            LineEdit(8, 8, ("    stdin: true", "    lifecycle: 1")),
            id="nearest possible line from below",
        ),
        pytest.param(
            (Hunk(1, 4),),
            LineEdit(5, 5, ("  - name: web", "    lifecycle: 1")),
            id="not above a dash, although it is nearer",
        ),
    ],
)
def test_additions_go_to_preferred_lines(preferred: tuple[Hunk, ...], expected: LineEdit) -> None:
    operation = add("spec", "containers", 0, "lifecycle")
    assert edit(SIBLINGS, operation, preferred=preferred).edits == (expected,)


def test_an_insertion_above_a_preferred_line_replaces_that_line() -> None:
    edits = edit(SIBLINGS, add("spec", "a"), preferred=(Hunk(4, 4),)).edits
    assert edits == (LineEdit(4, 4, ("  a: 1", "  containers:")),)
