"""Fixes of rendered objects in their sources: real overlays, each fix made, rendered again, and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gracegate.manifests.components import read_components
from gracegate.manifests.proof import intended_operations, why_not_proved
from gracegate.manifests.provenance import mark_sources, read_origins
from gracegate.manifests.source_edits import edit_source
from gracegate.manifests.source_fixes import source_fixes
from gracegate.manifests.source_operations import SourceFix
from gracegate.manifests.source_places import SourcePlaces
from gracegate.model import (
    Document,
    Limits,
    ObjectRef,
    Operation,
    Pointer,
    RenderBatch,
    RenderRequest,
    Root,
    SourceFile,
    Tree,
)
from gracegate.rendering import WasmRenderer
from gracegate.yaml_edit import EditRefused

LIMITS = Limits()
CONTAINER: Pointer = ("spec", "template", "spec", "containers", 0)
PROBE = {"tcpSocket": {"port": 81}}
HEAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
BASE = f"""{HEAD}spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: web
        image: web:1
"""
WITH_PROBE = f"""{BASE}        readinessProbe:
          httpGet: {{port: 80}}
          periodSeconds: 5
"""
INLINE = "patches:\n- patch: |-\n    "
PROD = "resources: [../base]\n"


def strategic(container: str) -> str:
    """A patch of the container, written out in a kustomization."""
    lines = f"{HEAD}spec:\n  template:\n    spec:\n      containers:\n      - name: web\n        {container}\n"
    return INLINE + lines.replace("\n", "\n    ").rstrip() + "\n"


def json_patch(*steps: str) -> str:
    """A JSON patch of the Deployment, written out in a kustomization."""
    target = "  target: {kind: Deployment, name: web}\n"
    return INLINE + "\n    ".join(f"- {step}" for step in steps) + "\n" + target


PATCH_OF_THE_PROBE = json_patch("{op: remove, path: /spec/template/spec/containers/0/readinessProbe}")


@dataclass(frozen=True)
class Overlay:
    """An overlay `prod` of a base and what it renders to."""

    files: Mapping[str, str]
    renderer: WasmRenderer

    def render(self, replaced: Mapping[str, str]) -> str:
        files = {path: text.encode() for path, text in self.files.items()}
        request = RenderRequest(Root("kustomize", "prod"), replaced=replaced)
        (rendering,) = self.renderer.render([RenderBatch(files, [request])], 30)
        assert rendering.problem is None
        return rendering.text

    def fixes(self, operation: Operation, preferred: tuple[str, ...] = ()) -> list[tuple[SourceFix, dict[str, str]]]:
        """The fixes that are proved, each with the texts that it changes."""
        sources = {path: SourceFile(path, text.encode()) for path, text in self.files.items()}
        marks = mark_sources(sources, sources, LIMITS)
        plain = self.render({})
        (found,) = read_origins(plain, self.render(marks.texts), marks, Root("kustomize", "prod"), LIMITS)
        ref = ObjectRef("Deployment", "", found.object["metadata"]["name"], "apps")
        document = Document("base/web.yaml", 0, (), found.object, ref, False, "base", rendered=found.rendered)
        components = read_components(Tree(sources), LIMITS)
        proved = []
        places = SourcePlaces(sources, LIMITS)
        for fix in source_fixes(document, operation, components, places, preferred):
            texts: dict[str, str] = {}
            try:
                for path in {change.path for change in fix.operations}:
                    changes = [change for change in fix.operations if change.path == path]
                    texts[path] = edit_source(places, path, changes).text
            except EditRefused:
                continue
            after = self.render(texts)
            intended = {found.rendered.number: [*intended_operations(found.rendered, fix.changes)]}
            if after != plain and why_not_proved(plain, after, intended, LIMITS) is None:
                proved.append((fix, texts))
        return proved


def added(*path: str | int, value: Any = PROBE) -> Operation:
    return Operation("add", (*CONTAINER, *path), value)


def replaced(*path: str | int, value: Any = 9) -> Operation:
    return Operation("replace", (*CONTAINER, *path), value)


def removed(*path: str | int) -> Operation:
    return Operation("remove", (*CONTAINER, *path))


ADDED = "readinessProbe:\n          tcpSocket:\n            port: 81\n"


@pytest.mark.parametrize(
    ("base", "overlay", "operation", "path", "change"),
    [
        # A missing key goes to the base, whatever patches there are.
        (BASE, PROD, added("readinessProbe"), "base/web.yaml", ("web:1\n", f"web:1\n        {ADDED}")),
        (
            BASE,
            PROD + strategic("tty: true"),
            added("readinessProbe"),
            "base/web.yaml",
            ("web:1\n", f"web:1\n        {ADDED}"),
        ),
        # A value is changed where it is set last.
        (WITH_PROBE, PROD, replaced("readinessProbe", "periodSeconds"), "base/web.yaml", ("Seconds: 5", "Seconds: 9")),
        (
            WITH_PROBE,
            PROD + strategic("readinessProbe: {periodSeconds: 7}"),
            replaced("readinessProbe", "periodSeconds"),
            "prod/kustomization.yaml",
            ("Seconds: 7", "Seconds: 9"),
        ),
        (
            WITH_PROBE,
            PROD
            + json_patch(
                "{op: replace, path: /spec/template/spec/containers/0/readinessProbe/periodSeconds, value: 7}"
            ),
            replaced("readinessProbe", "periodSeconds"),
            "prod/kustomization.yaml",
            ("value: 7", "value: 9"),
        ),
        (
            WITH_PROBE,
            PROD
            + json_patch("{op: add, path: /spec/template/spec/containers/0/startupProbe, value: {periodSeconds: 7}}"),
            replaced("startupProbe", "periodSeconds"),
            "prod/kustomization.yaml",
            ("Seconds: 7", "Seconds: 9"),
        ),
        (
            BASE,
            PROD + "replicas:\n- name: web\n  count: 1\n",
            Operation("replace", ("spec", "replicas"), 3),
            "prod/kustomization.yaml",
            ("count: 1", "count: 3"),
        ),
        (
            BASE,
            PROD + "namePrefix: x-\nreplicas:\n- {name: web, count: 1}\n",
            Operation("replace", ("spec", "replicas"), 3),
            "prod/kustomization.yaml",
            ("web, count: 1", "web, count: 3"),
        ),
        # What goes away goes everywhere, or is taken away where it was set last.
        (
            WITH_PROBE,
            PROD,
            removed("readinessProbe", "periodSeconds"),
            "base/web.yaml",
            ("          periodSeconds: 5\n", ""),
        ),
        (
            WITH_PROBE,
            PROD + strategic("readinessProbe: {periodSeconds: 7}"),
            removed("readinessProbe", "periodSeconds"),
            "prod/kustomization.yaml",
            ("Seconds: 7", "Seconds: null"),
        ),
        (
            BASE,
            PROD
            + json_patch(
                "{op: add, path: /spec/minReadySeconds, value: 7}", "{op: add, path: /spec/paused, value: true}"
            ),
            Operation("remove", ("spec", "minReadySeconds")),
            "prod/kustomization.yaml",
            ("    - {op: add, path: /spec/minReadySeconds, value: 7}\n", ""),
        ),
        # What a patch takes away comes back as the base has it.
        (
            WITH_PROBE,
            PROD + strategic("readinessProbe: null\n        tty: true"),
            added("readinessProbe"),
            "prod/kustomization.yaml",
            ("            readinessProbe: null\n", ""),
        ),
        (
            WITH_PROBE,
            PROD + strategic("readinessProbe: {$patch: delete}\n        tty: true"),
            added("readinessProbe"),
            "prod/kustomization.yaml",
            ("            readinessProbe: {$patch: delete}\n", ""),
        ),
        (
            WITH_PROBE,
            PROD
            + json_patch(
                "op: remove\n      path: /spec/template/spec/containers/0/readinessProbe",
                "{op: add, path: /spec/paused, value: true}",
            ),
            added("readinessProbe"),
            "prod/kustomization.yaml",
            ("    - op: remove\n      path: /spec/template/spec/containers/0/readinessProbe\n", ""),
        ),
        (
            WITH_PROBE,
            PROD + PATCH_OF_THE_PROBE,
            added("readinessProbe"),
            "prod/kustomization.yaml",
            (PATCH_OF_THE_PROBE, ""),
        ),
    ],
)
def test_the_first_proved_fix(
    base: str, overlay: str, operation: Operation, path: str, change: tuple[str, str], renderer: WasmRenderer
) -> None:
    files = {
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": base,
        "prod/kustomization.yaml": overlay,
    }
    (_, texts), *_ = Overlay(files, renderer).fixes(operation)
    assert texts == {path: files[path].replace(*change)}


def test_a_file_of_the_diff_is_preferred_for_a_missing_key(renderer: WasmRenderer) -> None:
    files = {
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": BASE,
        "prod/kustomization.yaml": PROD + strategic("tty: true"),
    }
    paths = [
        [*texts] for _, texts in Overlay(files, renderer).fixes(added("readinessProbe"), ("prod/kustomization.yaml",))
    ]
    assert paths == [["prod/kustomization.yaml"], ["base/web.yaml"]]


def test_instead_of_what_a_patch_takes_away_it_can_set_something_else(renderer: WasmRenderer) -> None:
    files = {
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": WITH_PROBE,
        "prod/kustomization.yaml": PROD + strategic("readinessProbe: null"),
    }
    _, (_, texts) = Overlay(files, renderer).fixes(added("readinessProbe"))
    # The handler of the base must not be merged with the other one.
    probe = "readinessProbe:\n{0}  tcpSocket:\n{0}    port: 81\n{0}  httpGet: null\n{0}  periodSeconds: null"
    changed = files["prod/kustomization.yaml"].replace("readinessProbe: null", probe.format(" " * 12))
    assert texts == {"prod/kustomization.yaml": changed}
