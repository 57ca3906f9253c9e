"""Marks in templates, and the lines that come out: never a wrong one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.manifests.template_provenance import (
    MarkedTemplates,
    changed_lines,
    is_same_without_marks,
    lines_in,
    mark_templates,
    read_template_lines,
    read_template_objects,
)
from gracegate.model import Limits, RenderBatch, Rendered, RenderRequest, Root, SourceFile, SourceLine
from gracegate.rendering import WasmRenderer

WEB = Root("helm", "")


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


def render(chart: Mapping[str, str], renderer: WasmRenderer) -> tuple[str, str, MarkedTemplates]:
    """What a chart renders to, without and with marks."""
    files = {path: SourceFile(path, text.encode()) for path, text in chart.items()}
    templates = mark_templates(files, [path for path in files if path.startswith("templates/")])
    requests = [RenderRequest(WEB), RenderRequest(WEB, replaced=templates.texts)]
    plain, marked = renderer.render([RenderBatch({path: source.data for path, source in files.items()}, requests)], 30)
    return plain.text, marked.text, templates


def test_the_lines_of_a_chart(renderer: WasmRenderer) -> None:
    plain, marked, templates = render(CHART, renderer)
    lines = read_template_lines(plain, marked, templates)
    found = [
        (text, origin.path, origin.line)
        for text, origin in zip(plain.split("\n"), lines, strict=True)
        if origin is not None and text != "---"
    ]
    assert found == [
        (text.format(name), "templates/_labels.tpl" if text.startswith("    ") else "templates/a.yaml", line)
        for name in ("a", "b")
        for text, line in SERVICE
    ]


def test_the_lines_of_its_objects(renderer: WasmRenderer) -> None:
    plain, marked, templates = render(CHART, renderer)
    objects = [*read_template_objects(plain, read_template_lines(plain, marked, templates), WEB, Limits())]
    assert [found.object["metadata"]["name"] for found in objects] == ["a", "b"]
    lines = {
        ("kind",): SourceLine("templates/a.yaml", 3),
        ("metadata",): SourceLine("templates/a.yaml", 4),
        ("metadata", "name"): SourceLine("templates/a.yaml", 5),
        ("metadata", "labels"): SourceLine("templates/a.yaml", 6),
        ("metadata", "labels", "app"): SourceLine("templates/_labels.tpl", 2),
        ("metadata", "labels", "tier"): SourceLine("templates/_labels.tpl", 3),
    }
    assert [found.rendered for found in objects] == [Rendered(WEB, number, lines=lines) for number in (1, 2)]


def test_items_of_lists_have_lines() -> None:
    text = "kind: Service\nspec:\n  ports:\n  - port: 80\n    name: a\n  - {port: 81}\n"
    lines = [SourceLine("a", number) for number in range(1, 8)]
    (found,) = read_template_objects(f"kind: ConfigMap\n---\n{text}", [None, None, *lines], WEB, Limits())
    assert {pointer[1:]: line.line for pointer, line in found.rendered.lines.items() if pointer[:1] == ("spec",)} == {
        (): 2,
        ("ports",): 3,
        ("ports", 0): 4,
        ("ports", 0, "port"): 4,
        ("ports", 0, "name"): 5,
        ("ports", 1): 6,
        ("ports", 1, "port"): 6,
    }


def test_a_chart_that_computes_with_the_text_of_a_helper(renderer: WasmRenderer) -> None:
    helper = '{{- $labels := include "labels" . | fromYaml }}\nkind: Service\nmetadata:\n  name: {{ $labels.tier }}\n'
    chart = CHART | {"templates/a.yaml": helper}
    plain, marked, templates = render(chart, renderer)
    assert not is_same_without_marks(plain, marked)
    names = ["a.yaml", "_labels.tpl"]
    assert sorted(path for path in templates.texts) == sorted(f"templates/{name}" for name in names)
    assert [*templates.without_helpers.texts] == ["templates/a.yaml"]
    files = {path: text.encode() for path, text in chart.items()}
    (again,) = renderer.render([RenderBatch(files, [RenderRequest(WEB, replaced=templates.without_helpers.texts)])], 30)
    assert is_same_without_marks(plain, again.text)
    assert read_template_lines(plain, again.text, templates)[-2] == SourceLine("templates/a.yaml", 4)


OPTIONAL = "kind: Service\n{{ if .x }}\nc: d\n{{ end }}\n"


@pytest.mark.parametrize(
    ("path", "before", "after", "lines"),
    [
        ("templates/a.yaml", OPTIONAL, OPTIONAL, set()),
        ("templates/a.yaml", OPTIONAL.replace(".x", ".y"), OPTIONAL, set()),
        ("templates/a.yaml", OPTIONAL.replace("c: d", "c: e"), OPTIONAL, {3}),
        ("templates/a.yaml", None, OPTIONAL, {1, 3}),
        ("templates/a.yaml", None, "kind: ServiceMonitor\n", set()),
        ("templates/a.yaml", None, "kind: Service\nmetadata:\n  annotations: {helm.sh/hook: test}\n", set()),
        ("templates/_a.tpl", None, "a: b\n", {1}),
        ("templates/tests/a.yaml", None, OPTIONAL, set()),
        ("templates/NOTES.txt", None, OPTIONAL, set()),
        ("templates/a.yaml", None, "kind: Service\n{{ not closed\n", set()),
    ],
)
def test_lines_that_a_change_adds(path: str, before: str | None, after: str, lines: set[int]) -> None:
    old = None if before is None else SourceFile(path, before.encode())
    assert changed_lines(old, SourceFile(path, after.encode()), Limits()) == {SourceLine(path, line) for line in lines}


def test_the_lines_of_templates_in_a_rendering() -> None:
    paths = ["templates/a.yaml", "templates/b.yaml"]
    templates = mark_templates({path: SourceFile(path, OPTIONAL.encode()) for path in paths}, paths)
    marked = "\ue0000:1\ue001kind: Service\n\ue0001:3\ue001c: \ue0000:3\ue001d\n\ue0007:1\ue001a\n"
    expected = {SourceLine(paths[0], 1), SourceLine(paths[1], 3), SourceLine(paths[0], 3)}
    assert lines_in(marked, templates) == expected
