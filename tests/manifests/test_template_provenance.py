"""Marks in templates, and the lines that come out: never a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.manifests.template_provenance import mark_templates, read_template_lines
from gracegate.model import RenderRequest, Root, SourceFile, SourceLine
from gracegate.rendering import WasmRenderer, find_renderer
from tests.conftest import ROOT


def marked(text: str) -> str:
    """The text with `<line>` for each mark."""
    texts = mark_templates({"a.yaml": SourceFile("a.yaml", text.encode())}, ["a.yaml", "missing"]).texts
    return texts.get("a.yaml", text).replace("\ue0000:", "<").replace("\ue001", ">")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\n \n", "\n \n"),
        ("{{ .x }}", "{{ .x }}"),
        ("a: b", "<1>a: b"),
        ("a: b\r\n\r\n  c: d\r\n", "<1>a: b\r\n\r\n  <3>c: d\r\n"),
        ("a: {{ .x }} b\n- c\n", "<1>a: {{ .x }} b\n<2>- c\n"),
        ("{{ .x }}a: b\nc: d", "{{ .x }}a: b\n<2>c: d"),
        ("  {{- if .x }}\n  a: b\n  {{- end }}\n", "  {{- if .x }}\n  <2>a: b\n  {{- end }}\n"),
        ("{{/* a }}\n b */}}\nc: d\n", "{{/* a }}\n b */}}\n<3>c: d\n"),
        ("{{- /* }} */ -}}\nc: d\n", "{{- /* }} */ -}}\n<2>c: d\n"),
        ('a: {{ "}}\\"\n" }}\nb: c', 'a: {{ "}}\\"\n" }}\nb: c'),
        ('a: {{ "}}\\"" }}\nb: c', '<1>a: {{ "}}\\"" }}\n<2>b: c'),
        ("a: {{ `}}\n{{` }}\nb: c", "<1>a: {{ `}}\n{{` }}\n<3>b: c"),
        ("a: {{ '}' }}\nb: c", "<1>a: {{ '}' }}\n<2>b: c"),
        ("a: {{ .x\nb: c", "a: {{ .x\nb: c"),
        ("a: {{ ' }}\nb: {{ .x }}", "a: {{ ' }}\nb: {{ .x }}"),
        ("a: {{ .x\n}}\nb: c", "<1>a: {{ .x\n}}\n<3>b: c"),
        ("a: \ue000\nb: c", "a: \ue000\nb: c"),
    ],
)
def test_where_marks_stand(text: str, expected: str) -> None:
    assert marked(text) == expected


pieces = st.sampled_from(
    ["a: b", "  ", "\n", "{{ .x }}", "{{- `}}` -}}", "{{/* }} */}}", '{{ "{{" }}', "{{", "}}", "'", "é"]
)


@given(st.lists(pieces, max_size=12).map("".join))
def test_a_text_without_its_marks_is_the_text(text: str) -> None:
    """As if each line of the template were rendered as it is: its origin is itself, where it has one."""
    source = {"a.yaml": SourceFile("a.yaml", text.encode())}
    templates = mark_templates(source, ["a.yaml"])
    lines = read_template_lines(text, templates.texts.get("a.yaml", text), templates)
    assert len(lines) == len(text.split("\n"))
    assert {
        number for number, origin in enumerate(lines, 1) if origin not in {None, SourceLine("a.yaml", number)}
    } == set()


@pytest.mark.parametrize(
    ("plain", "rendered", "lines"),
    [
        ("a\nb", "\ue0000:7\ue001a\nb", (SourceLine("a.yaml", 7), None)),
        ("a\nb", "\ue0000:7\ue001a\n\ue0001:2\ue001  \ue0000:8\ue001b", (SourceLine("a.yaml", 7), None)),
        ("a\n  b", "a\n\ue0001:2\ue001  \ue0000:8\ue001b", (None, SourceLine("a.yaml", 8))),
        ("a\nb", "\ue0000:7\ue001a\nc", (SourceLine("a.yaml", 7), None)),
        ("a\nb", "\ue0000:7\ue001a\nb\n", (None, None)),
        ("a", "\ue0009:7\ue001a", (None,)),
    ],
)
def test_which_lines_are_certain(plain: str, rendered: str, lines: tuple[SourceLine | None, ...]) -> None:
    templates = mark_templates(
        {"a.yaml": SourceFile("a.yaml", b"a"), "b.yaml": SourceFile("b.yaml", b"b")}, ["b.yaml", "a.yaml"]
    )
    assert templates.paths == ("a.yaml", "b.yaml")
    assert read_template_lines(plain, rendered, templates) == lines


CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "templates/_labels.tpl": '{{ define "labels" -}}\napp: web\ntier: {{ .Values.tier }}\n{{- end }}',
    "templates/a.yaml": "{{- range .Values.names }}\n---\nkind: Service\nmetadata:\n  name: {{ . }}\n"
    '  labels: {{- include "labels" $ | nindent 4 }}\n{{- end }}\n',
    "values.yaml": "names: [a, b]\ntier: front\n",
}
SERVICE = [
    ("kind: Service", 3),
    ("metadata:", 4),
    ("  name: {}", 5),
    ("  labels:", 6),
    ("    app: web", 2),
    ("    tier: front", 3),
]


def test_the_lines_of_a_chart() -> None:
    if (wasm := find_renderer()) is None:
        pytest.skip("needs the renderer: run `make tools`")
    files = {path: SourceFile(path, text.encode()) for path, text in CHART.items()}
    templates = mark_templates(files, [path for path in files if path.startswith("templates/")])
    plain, rendered = WasmRenderer(wasm, ROOT / ".tools" / "cache" / "gracegate").render(
        {path: source.data for path, source in files.items()},
        [RenderRequest(Root("helm", "")), RenderRequest(Root("helm", ""), replaced=templates.texts)],
        30,
    )
    lines = read_template_lines(plain.text, rendered.text, templates)
    found = [
        (text, origin.path, origin.line)
        for text, origin in zip(plain.text.split("\n"), lines, strict=True)
        if origin is not None and text != "---"
    ]
    assert found == [
        (text.format(name), "templates/_labels.tpl" if text.startswith("    ") else "templates/a.yaml", line)
        for name in ("a", "b")
        for text, line in SERVICE
    ]
