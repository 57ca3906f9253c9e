"""Comments above the mappings of a rendering: they name the right lines, and change nothing that YAML reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.manifests import comment_objects, comment_template, mark_sources, mark_templates
from gracegate.model import Limits, SourceFile
from gracegate.yaml import json_value, parse_yaml, split_documents
from tests.yaml.layouts import Layout, Writer, entries, join_documents, layouts

LIMITS = Limits()
SPEC = "kind: Service\nspec:\n  "


def source_files(texts: Mapping[str, str]) -> dict[str, SourceFile]:
    return {path: SourceFile(path, text.encode()) for path, text in texts.items()}


def commented(text: str) -> str:
    """The text as kustomize would print it if it changed nothing, with comments."""
    files = source_files({"a.yaml": text})
    sources = mark_sources(files, ["a.yaml"], LIMITS)
    return comment_objects(text, sources.texts.get("a.yaml", text), sources, files, LIMITS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("kind: ConfigMap\ndata:\n  a: b\n", "kind: ConfigMap\ndata:\n  a: b\n"),
        ("kind: Service\nspec: {}\n", "kind: Service\nspec: {}\n"),
        ("kind: Service\nspec:\n  type: x\n", "kind: Service\nspec:\n  # a.yaml:3\n  type: x\n"),
        (
            "kind: ConfigMap\n---\nkind: Service\nspec:\n  ports:\n  - port: 80\n",
            "kind: ConfigMap\n---\nkind: Service\nspec:\n  # a.yaml:5\n  ports:\n  # a.yaml:6\n  - port: 80\n",
        ),
        ("kind: Service\nspec: {ports: [{port: 80}]}\n", "kind: Service\n# a.yaml:2\nspec: {ports: [{port: 80}]}\n"),
    ],
)
def test_what_kustomize_made(text: str, expected: str) -> None:
    assert commented(text) == expected


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("\ue0000:7\ue001type: x", "# templates/a.yaml:7\n  type: x"),
        ("type: x", "type: x"),
        ("\ue0000:7\ue001type: y", "type: x"),
    ],
)
def test_what_helm_made(marked: str, expected: str) -> None:
    templates = mark_templates(source_files({"templates/a.yaml": "a: b\n"}), ["templates/a.yaml"])
    found = comment_template(f"{SPEC}type: x\n", f"{SPEC}{marked}\n", templates, LIMITS)
    assert found == f"{SPEC}{expected}\n"


def test_what_helm_made_that_is_no_yaml() -> None:
    templates = mark_templates(source_files({"templates/a.yaml": "a: b\n"}), ["templates/a.yaml"])
    text = "kind: Service\nspec: {{\n"
    assert comment_template(text, text, templates, LIMITS) == text


@given(st.lists(entries, min_size=1, max_size=2), layouts)
def test_comments_change_nothing(specs: list[dict[str, Any]], layout: Layout) -> None:
    writer = Writer(layout)
    text = join_documents(layout, [writer.document({"kind": "Service", "spec": spec}) for spec in specs])
    assert values(commented(text)) == values(text)


def values(text: str) -> list[Any]:
    return [json_value(text[s.start : s.end], parse_yaml(text[s.start : s.end])) for s in split_documents(text)]
