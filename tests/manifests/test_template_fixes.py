"""Fixes of what Helm rendered, in values and templates: real charts, each fix made, rendered again, and compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gracegate.manifests.components import read_components
from gracegate.manifests.proof import intended_operations, why_not_proved
from gracegate.manifests.rendered_trees import RenderContext, render_roots, trace_roots
from gracegate.manifests.source_edits import edit_source
from gracegate.manifests.source_fixes import source_fixes
from gracegate.manifests.source_places import SourcePlaces
from gracegate.model import Limits, Operation, Pointer, Repository, SourceFile, Tree
from gracegate.rendering import WasmRenderer
from gracegate.yaml_edit import EditRefused

LIMITS = Limits()
CONTAINER: Pointer = ("spec", "template", "spec", "containers", 0)
PROBE = {"tcpSocket": {"port": 81}}
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      containers:
        - name: web
          image: web:1
          terminationMessagePath: /dev/log
          {{- with .Values.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
"""
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "chart/templates/web.yaml": DEPLOYMENT,
    "chart/values.yaml": "replicas: 2\nresources:\n  limits:\n    memory: 1Gi\n",
}
WITH_KEY = CHART | {
    "chart/templates/web.yaml": DEPLOYMENT
    + "          {{- with .Values.readinessProbe }}\n          readinessProbe:\n"
    + "            {{- toYaml . | nindent 12 }}\n          {{- end }}\n",
    "chart/values.yaml": "replicas: 2\nreadinessProbe: {}\n",
}
APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec:
  destination: {namespace: prod}
  source:
    repoURL: https://github.com/o/r
    path: chart
    helm:
"""
INSTALLED = CHART | {"app.yaml": f"{APPLICATION}      valuesObject:\n        replicas: 3\n"}
WITH_FILE = CHART | {"app.yaml": f"{APPLICATION}      valueFiles: [prod.yaml]\n", "chart/prod.yaml": "replicas: 3\n"}
WITH_TEXT = CHART | {"app.yaml": f"{APPLICATION}      values: |\n        replicas: 3\n"}
PARENT = {
    **{path.replace("chart/", "all/charts/web/"): text for path, text in WITH_KEY.items()},
    "all/Chart.yaml": "apiVersion: v2\nname: all\nversion: 1.0.0\n",
    "all/values.yaml": "web:\n  replicas: 3\n",
}
ADDED = "readinessProbe:\n{0}  tcpSocket:\n{0}    port: 81\n"


def proved(files: Mapping[str, str], operation: Operation, renderer: WasmRenderer) -> list[dict[str, str]]:
    """The texts that each fix changes that does what it is for."""
    tree = Tree({path: SourceFile(path, text.encode()) for path, text in files.items()})
    components = read_components(tree, LIMITS, repository=Repository(urls=("https://github.com/o/r",)))
    places = SourcePlaces(tree.files, LIMITS)
    context = RenderContext(renderer.render, 30, LIMITS)
    (root,) = trace_roots(
        components, render_roots(components, components.roots, context).values(), {}, context
    ).values()
    (document,) = root.documents
    found = []
    for fix in source_fixes(document, operation, components, places):
        (path,) = {step.path for step in fix.operations}
        try:
            text = edit_source(places, path, fix.operations).text
        except EditRefused:
            continue
        edited = Tree({**tree.files, path: SourceFile(path, text.encode())})
        edited_components = read_components(edited, LIMITS, repository=components.repository)
        (after,) = render_roots(edited_components, [root.root], context).values()
        assert document.rendered is not None
        intended = {document.rendered.number: [*intended_operations(document.rendered, fix.changes)]}
        if after.text != root.text and why_not_proved(root.text, after.text, intended, LIMITS) is None:
            found.append({path: text})
    return found


def container(op: Any, *path: str | int, value: Any = None) -> Operation:
    return Operation(op, (*CONTAINER, *path), value)


REPLICAS = Operation("replace", ("spec", "replicas"), 5)


@pytest.mark.parametrize(
    ("files", "operation", "path", "change"),
    [
        # A missing key goes to the values where the chart has a key for it, else to the template.
        (
            CHART,
            container("add", "readinessProbe", value=PROBE),
            "chart/templates/web.yaml",
            ("          image", f"          {ADDED.format(' ' * 10)}          image"),
        ),
        (
            WITH_KEY,
            container("add", "readinessProbe", value=PROBE),
            "chart/values.yaml",
            ("readinessProbe: {}\n", ADDED.format("")),
        ),
        (
            PARENT,
            container("add", "readinessProbe", value=PROBE),
            "all/charts/web/values.yaml",
            ("readinessProbe: {}\n", ADDED.format("")),
        ),
        (
            CHART,
            Operation("add", ("spec", "strategy", "type"), "Recreate"),
            "chart/templates/web.yaml",
            ("  replicas:", "  strategy:\n    type: Recreate\n  replicas:"),
        ),
        # A value is changed where it is set last.
        (CHART, REPLICAS, "chart/values.yaml", ("replicas: 2", "replicas: 5")),
        (
            CHART | {"chart/values.yaml": "# {{ .Release.Name }}\nreplicas: 2\ntext: '{{ .x }}'\n"},
            REPLICAS,
            "chart/values.yaml",
            ("replicas: 2", "replicas: 5"),
        ),
        (INSTALLED, REPLICAS, "app.yaml", ("replicas: 3", "replicas: 5")),
        (WITH_FILE, REPLICAS, "chart/prod.yaml", ("replicas: 3", "replicas: 5")),
        (WITH_TEXT, REPLICAS, "app.yaml", ("replicas: 3", "replicas: 5")),
        (PARENT, REPLICAS, "all/values.yaml", ("replicas: 3", "replicas: 5")),
        (
            CHART,
            container("replace", "resources", "limits", "memory", value="2Gi"),
            "chart/values.yaml",
            ("1Gi", "2Gi"),
        ),
        (
            CHART,
            container("replace", "terminationMessagePath", value="/dev/other"),
            "chart/templates/web.yaml",
            ("/dev/log", "/dev/other"),
        ),
        (
            CHART,
            container("remove", "terminationMessagePath"),
            "chart/templates/web.yaml",
            ("          terminationMessagePath: /dev/log\n", ""),
        ),
        (
            CHART,
            container("remove", "resources"),
            "chart/values.yaml",
            ("resources:\n  limits:\n    memory: 1Gi\n", ""),
        ),
    ],
)
def test_the_first_proved_fix(
    files: dict[str, str], operation: Operation, path: str, change: tuple[str, str], renderer: WasmRenderer
) -> None:
    first, *_ = proved(files, operation, renderer)
    assert first == {path: files[path].replace(*change)}
