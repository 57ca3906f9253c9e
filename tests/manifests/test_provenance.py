"""Marks in sources and the origins that come out of what they render to: never wrong, and left out where uncertain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.manifests.provenance import RenderedObject, mark_sources, read_origins
from gracegate.model import Limits, Origin, Pointer, RenderBatch, Rendered, RenderRequest, Root, SourceFile
from gracegate.rendering import WasmRenderer
from gracegate.yaml import json_value, parse_yaml, split_documents
from tests.yaml.layouts import Layout, Writer, entries, join_documents, layouts

LIMITS = Limits()
PROD = Root("kustomize", "prod")
WEB = """kind: Deployment
metadata:
  name: web
spec:
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - image: web:1 # the first
        name: web
      - {name: log, image: log, env: []}
"""
SPEC: Pointer = ("spec",)
POD: Pointer = (*SPEC, "template", "spec")


def sources(texts: Mapping[str, str]) -> dict[str, SourceFile]:
    return {path: SourceFile(path, text.encode()) for path, text in texts.items()}


def marked_values(text: str) -> list[Any]:
    return [json_value(text[s.start : s.end], parse_yaml(text[s.start : s.end])) for s in split_documents(text)]


def rendered_as_it_is(text: str) -> list[RenderedObject]:
    """A rendering that changes nothing: of the text without marks, and of the text with them."""
    marked = mark_sources(sources({"a.yaml": text}), ["a.yaml"], LIMITS)
    return [*read_origins(text, marked.texts.get("a.yaml", text), marked, PROD, LIMITS)]


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        ("", []),
        ("kind: ConfigMap\ndata: {a: {b: c}}\nspec: {a: b}\n", []),
        ("a: b\nspec: {a: b}\n", []),
        ("kind: Deployment\nspec: {}\n", []),
        ("kind: Deployment\nspec: [a, {}]\n", []),
        ("kind: Deployment\nspec: {a: [}\n", []),
        ("kind: Deployment\nspec: {{ .x }}\n", []),
        ("kind: Deployment\nspec:\n  gracegate-mark-0123456789abcdef-1: '0'\n", []),
        ("kind: Deployment\nmetadata: {a: {b: c}}\nspec: {selector: {a: {b: c}}}\n", [SPEC]),
        (WEB, [SPEC, (*SPEC, "template"), POD, (*POD, "containers", 0), (*POD, "containers", 1)]),
        (
            WEB.replace("\n", "\r\n"),
            [SPEC, (*SPEC, "template"), POD, (*POD, "containers", 0), (*POD, "containers", 1)],
        ),
        ('{"kind": "Service", "spec": {"ports": [{"port": 80}]}}', [SPEC, ("spec", "ports", 0)]),
        ("kind: List\nitems:\n- kind: Service\n  spec: {a: b}\n", [("items", 0, "spec")]),
        ("- op: add\n  path: /spec/x\n  value: {a: {b: c}}\n", [(0, "value"), (0, "value", "a")]),
        ("- op: test\n  path: /spec/x\n  value: {a: b}\n", []),
        ("- op: add\n  path: /metadata/labels\n  value: {a: b}\n", []),
        ("kind: Service\nspec:\n  ports:\n  - &p port: 80\n    name: *p\n", [SPEC, ("spec", "ports", 0)]),
        ("kind: Service\nspec:\n  ports:\n  - ? port\n    : 80\n", [SPEC, ("spec", "ports", 0)]),
    ],
)
def test_which_mappings_are_marked(text: str, pointers: list[Pointer]) -> None:
    marked = mark_sources(sources({"a.yaml": text}), ["a.yaml", "missing.yaml"], LIMITS)
    assert [o.pointer for of_file in marked.origins.values() for o in of_file] == pointers
    assert [*marked.texts] == (["a.yaml"] if pointers else [])


def test_each_document_has_its_own_marks() -> None:
    text = f"# first\n---\n{WEB}---\nkind: ConfigMap\n---\nkind: Service\nspec:\n  a: b\n...\n# end\n"
    found = rendered_as_it_is(text)
    assert [each.object["kind"] for each in found] == ["Deployment", "Service"]
    assert found[1].rendered == Rendered(
        PROD, 2, origins={(): (Origin("a.yaml", 2, ()),), SPEC: (Origin("a.yaml", 2, SPEC),)}
    )
    assert found[0].rendered.origins[(*POD, "containers", 0)] == (Origin("a.yaml", 0, (*POD, "containers", 0)),)


def test_aliases_and_merges_have_the_origin_of_their_anchor() -> None:
    text = "kind: Service\nspec:\n  a: &a {x: y}\n  b: *a\n  c:\n    <<: *a\n    z: y\n"
    (found,) = rendered_as_it_is(text)
    origin = Origin("a.yaml", 0, ("spec", "a"))
    origins = found.rendered.origins
    assert (origins["spec", "a"], origins["spec", "b"]) == ((origin,), (origin,))
    assert origins["spec", "c"] == (Origin("a.yaml", 0, ("spec", "c")),)


@pytest.mark.parametrize(
    ("plain", "change"),
    [
        (WEB, ("web:1", "web:2")),
        (WEB, ("name: log, ", "")),
        (WEB, ('"0"', '"99"')),
        (WEB, ('"0"', "[]")),
        (WEB, ("kind", "a: b\n---\nkind")),
    ],
)
def test_what_does_not_strip_to_the_plain_rendering_has_no_origins(plain: str, change: tuple[str, str]) -> None:
    marked = mark_sources(sources({"a.yaml": plain}), ["a.yaml"], LIMITS)
    text = marked.texts["a.yaml"]
    assert change[0] in text
    (found,) = read_origins(plain, text.replace(*change), marked, PROD, LIMITS)
    assert found == RenderedObject(marked_values(plain)[0], Rendered(PROD, 0))


def test_a_file_has_the_same_marks_whatever_else_is_marked() -> None:
    files, cache = sources({"a.yaml": WEB, "b.yaml": f"# other\n{WEB}", "c.yaml": "a: b\n"}), {}
    alone, together = (mark_sources(files, paths, LIMITS, cache) for paths in (["b.yaml"], files))
    assert together.texts["b.yaml"] == alone.texts["b.yaml"] == mark_sources(files, files, LIMITS).texts["b.yaml"]
    assert together.origins.items() > alone.origins.items()
    other = mark_sources(sources({"b.yaml": WEB}), ["b.yaml"], LIMITS, cache)
    assert other.texts["b.yaml"] == alone.texts["b.yaml"].removeprefix("# other\n")


@given(st.lists(entries, min_size=1, max_size=2), layouts)
def test_any_layout(specs: list[dict[str, Any]], layout: Layout) -> None:
    """Whatever a file looks like, what comes out is the object, and each origin is the mapping it is said to be."""
    writer = Writer(layout)
    text = join_documents(layout, [writer.document({"kind": "Service", "spec": spec}) for spec in specs])
    values = marked_values(text)
    for number, found in enumerate(rendered_as_it_is(text)):
        assert found.object == values[number]
        for pointer, origins in found.rendered.origins.items():
            assert origins == (Origin("a.yaml", number, pointer),)


INLINE = {
    "a/kustomization.yaml": """resources: [web.yaml]
patchesStrategicMerge:
- other.yaml
- |-
  kind: Service
  spec: {a: {b: c}}
- "{kind: Service, spec: {a: {b: c}}}"
patches:
- path: other.yaml
- patch: >
    kind: Service

    spec:
      a: {b: c}
- target: {kind: Deployment}
  patch: |
    - op: add
      path: /spec/x
      value: {a: b}
- patch: |-
    kind: Service
    spec: {a: {b: c}}
    ---
    kind: Service
    spec: {a: {b: c}}
- patch: "{kind: Service, spec: ["
data: {spec: {a: b}}
"""
}


def test_patches_in_kustomizations_are_marked() -> None:
    marked = mark_sources(sources(INLINE), ["a/kustomization.yaml"], LIMITS)
    places: list[Pointer] = [("patchesStrategicMerge", 1), ("patchesStrategicMerge", 2), ("patches", 1, "patch")]
    expected = [(*place, *rest) for place in places for rest in (("spec",), ("spec", "a"))]
    assert [o.pointer for of_file in marked.origins.values() for o in of_file] == [
        *expected,
        ("patches", 2, "patch", 0, "value"),
    ]
    before, after = (marked_values(text)[0] for text in (INLINE["a/kustomization.yaml"], *marked.texts.values()))
    assert {key: value for key, value in before.items() if not key.startswith("patches")} == {
        key: value for key, value in after.items() if not key.startswith("patches")
    }
    assert [item for item in before["patches"] if item not in after["patches"]] == before["patches"][1:3]


@pytest.mark.parametrize("text", ["", "a: [", "patches: {a: b}\n", "patches: [{path: a}, b, {patch: [c]}]\n"])
def test_nothing_to_mark_in_a_kustomization(text: str) -> None:
    marked = mark_sources(sources({"kustomization.yaml": text}), ["kustomization.yaml"], LIMITS)
    assert (marked.texts, marked.origins) == ({}, {})


OVERLAY = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": f"apiVersion: apps/v1\n{WEB}",
    "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\npatches:\n- path: patch.yaml\n"
    "- path: add.yaml\n  target: {kind: Deployment}\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n"
    "    metadata: {name: web}\n    spec: {template: {spec: {containers: [{name: log, tty: true}]}}}\n",
    "prod/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
    "spec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n      - name: web\n        stdin: true\n",
    "prod/add.yaml": "- op: add\n  path: /spec/template/spec/containers/-\n  value: {name: new, image: new}\n",
}


def test_origins_of_an_overlay(renderer: WasmRenderer) -> None:
    files = sources(OVERLAY)
    marked = mark_sources(files, files, LIMITS)
    plain, with_marks = renderer.render(
        [
            RenderBatch(
                {path: source.data for path, source in files.items()},
                [RenderRequest(PROD), RenderRequest(PROD, replaced=marked.texts)],
            )
        ],
        30,
    )
    (found,) = read_origins(plain.text, with_marks.text, marked, PROD, LIMITS)
    origins = found.rendered.origins
    assert found.object["metadata"] == {"name": "prod-web"}
    containers = {
        container["name"]: {(o.path, o.pointer) for o in origins[*POD, "containers", index]}
        for index, container in enumerate(found.object["spec"]["template"]["spec"]["containers"])
    }
    assert containers == {
        "web": {("base/web.yaml", (*POD, "containers", 0)), ("prod/patch.yaml", (*POD, "containers", 0))},
        "log": {
            ("base/web.yaml", (*POD, "containers", 1)),
            ("prod/kustomization.yaml", ("patches", 2, "patch", *POD, "containers", 0)),
        },
        "new": {("prod/add.yaml", (0, "value"))},
    }
    assert {origin.path for origin in origins[SPEC]} == {"base/web.yaml", "prod/patch.yaml", "prod/kustomization.yaml"}
    assert {origin.pointer for origin in origins[()]} == {(), ("patches", 2, "patch")}
