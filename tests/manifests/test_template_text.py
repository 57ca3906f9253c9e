"""Conditions and loops of templates, told by their lines."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gracegate.manifests.template_text import control_depths, is_alone_in_condition, is_balanced


@pytest.mark.parametrize(
    ("lines", "depths", "expected"),
    [
        ([], [], True),
        (["a: b", "c: {{ .Values.end }}"], [0, 0], True),
        (["{{- if .a }}", "b: 1", "{{- end }}"], [0, 1, 1], True),
        (["{{ if .a }}", "{{- else }}", "{{ end }}"], [0, 1, 1], True),
        (["a: {{ with .b }}{{ . }}{{ end }}", "c: d"], [0, 0], True),
        (["{{ range .a }}", "b: 1"], [0, 1], False),
        (["b: 1", "{{- end }}"], [0, 0], False),
        (["b: 1", "{{- else if .c }}"], [0, 0], False),
        (["{{ end }}", "{{ if .a }}"], [0, -1], False),
    ],
)
def test_controls(lines: Sequence[str], depths: Sequence[int], expected: bool) -> None:
    assert (control_depths(lines), is_balanced(lines)) == (depths, expected)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", False),
        ("a: b", "{{ end }}", False),
        ("{{- end }}", "{{- end }}", False),
        ("{{ if .a }}", "{{ if .b }}", False),
        ("{{ if .a }}{{ end }}", "{{ end }}", False),
        ("{{- with .a }}", "{{- end }}", True),
        ("{{ if .a }}", "{{ else }}", True),
        ("{{ else }}", "{{ end }}", True),
    ],
)
def test_what_stands_alone_in_a_condition(before: str, after: str, expected: bool) -> None:
    assert is_alone_in_condition(before, after) is expected
