"""Edits of templates, by their lines alone: what is not written out is refused."""

from __future__ import annotations

import pytest

from gracegate.manifests.source_operations import SourceOperation
from gracegate.manifests.template_edits import edit_template
from gracegate.model import Operation
from gracegate.yaml_edit import EditRefused, apply_edits

TEMPLATE = """{{- if .Values.on }}
spec:
  paused: false # for now
  name: "{{ .Values.name }}"
  containers:
    - name: web
      image: {{ .Values.image }}
      probe:
        port: 80

        path: /
      {{- with .Values.env }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    - image: >-
        web
    - "x": 1
  list:
  - a
  last: {a: b}
{{- end }}
"""
NESTED = "a:\n          b:\n          - c: 1\n"


def edited(text: str, *steps: tuple[int, Operation]) -> str:
    return apply_edits(text, edit_template(text, [SourceOperation("a.yaml", 0, step, line) for line, step in steps]))


@pytest.mark.parametrize(
    ("line", "operation", "change"),
    [
        (7, Operation("add", ("tty",), True), ("      image: {{", "      tty: true\n      image: {{")),
        (6, Operation("add", ("tty",), True), ("name: web\n", "name: web\n      tty: true\n")),
        (
            7,
            Operation("add", ("a",), {"b": [{"c": 1}]}),
            ("      image: {{", "      a:\n        b:\n        - c: 1\n      image: {{"),
        ),
        (13, Operation("add", ("tty",), True), ("      env:", "      tty: true\n      env:")),
        (18, Operation("add", ("tty",), True), ('"x": 1\n', '"x": 1\n      tty: true\n')),
        (3, Operation("replace", ("paused",), True), ("false #", "true #")),
        (9, Operation("replace", ("port",), "http"), ("port: 80", "port: http")),
        (18, Operation("replace", ("x",), 2), ("1\n  list", "2\n  list")),
        (20, Operation("replace", (0,), "b"), ("  - a\n", "  - b\n")),
        (3, Operation("remove", ("paused",)), ("  paused: false # for now\n", "")),
        (8, Operation("remove", ("probe",)), ("      probe:\n        port: 80\n\n        path: /\n", "")),
        (7, Operation("remove", ("image",)), ("      image: {{ .Values.image }}\n", "")),
        (19, Operation("remove", ("list",)), ("  list:\n  - a\n", "")),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_edits(line: int, operation: Operation, change: tuple[str, str], newline: str) -> None:
    assert TEMPLATE.count(change[0]) == 1
    expected = TEMPLATE.replace(*change).replace("\n", newline)
    assert edited(TEMPLATE.replace("\n", newline), (line, operation)) == expected


def test_edits_of_one_template_are_made_together() -> None:
    steps = [
        (9, Operation("add", ("b",), 1)),
        (9, Operation("replace", ("port",), 81)),
        (7, Operation("add", ("c",), 2)),
    ]
    assert edited(TEMPLATE, *steps) == TEMPLATE.replace("      image: {{", "      c: 2\n      image: {{").replace(
        "        port: 80", "        b: 1\n        port: 81"
    )


@pytest.mark.parametrize(
    ("line", "operation", "reason"),
    [
        (1, Operation("add", ("a",), 1), "unsupported_layout"),
        (99, Operation("add", ("a",), 1), "unsupported_layout"),
        (16, Operation("add", ("a",), 1), "unsupported_layout"),
        (3, Operation("add", ("a", "b"), 1), "no_such_path"),
        (3, Operation("add", ("a",), "{{ .x }}"), "templated"),
        (3, Operation("replace", ("other",), 1), "no_such_path"),
        (3, Operation("replace", ("paused",), "{{ .x }}"), "templated"),
        (4, Operation("replace", ("name",), 1), "templated"),
        (8, Operation("replace", ("probe",), 1), "unsupported_layout"),
        (6, Operation("replace", (0,), 1), "unsupported_layout"),
        (9, Operation("replace", (0,), 1), "unsupported_layout"),
        (7, Operation("replace", (0,), 1), "templated"),
        (16, Operation("replace", ("image",), 1), "unsupported_layout"),
        (21, Operation("replace", ("last",), 1), "unsupported_layout"),
        (6, Operation("remove", ("name",)), "unsupported_layout"),
        (13, Operation("remove", ("env",)), "templated"),
    ],
)
def test_refusals(line: int, operation: Operation, reason: str) -> None:
    with pytest.raises(EditRefused) as refused:
        edited(TEMPLATE, (line, operation))
    assert refused.value.reason == reason


def test_edits_that_overlap_are_refused() -> None:
    steps = [(8, Operation("remove", ("probe",))), (9, Operation("replace", ("port",), 1))]
    with pytest.raises(EditRefused, match=r"^unsupported_layout$"):
        edited(TEMPLATE, *steps)
