"""Changes of overlays and charts, rendered: what is found, on which line, and in which roots."""

from __future__ import annotations

import pytest

from gracegate.check import check
from gracegate.rendering import WasmRenderer
from tests import shop
from tests.check.reports import ENGINE, request_of
from tests.shop import DEPLOYMENT, PRESTOP, READINESS, SERVICE

SPEC = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
CONTAINER = f"{SPEC}  template:\n    spec:\n      containers:\n      - name: web\n"
NO_PROBE = f"{CONTAINER}        readinessProbe: null\n"
DRAIN = f"{CONTAINER}        lifecycle: {{preStop: {{sleep: {{seconds: 15}}}}}}\n"
PATCHES = "patches:\n- path: patch.yaml\n"
BASE = {
    "base/kustomization.yaml": "resources:\n- web.yaml\n- service.yaml\n",
    "base/web.yaml": DEPLOYMENT,
    "base/service.yaml": SERVICE,
    "prod/kustomization.yaml": "resources:\n- ../base\nnamespace: prod\n",
    "dev/kustomization.yaml": "resources:\n- ../base\nnamespace: dev\nnameSuffix: -dev\n",
}
PROD = BASE["prod/kustomization.yaml"]
WITHOUT_DRAIN = BASE | {"base/web.yaml": shop.WITHOUT_DRAIN}
CURED = WITHOUT_DRAIN | {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": DRAIN}
CURED_ALONE = {path: text for path, text in CURED.items() if not path.startswith("dev")}

# The files at base, those that change (None: it is removed), and for each finding that is new: rule, severity, place,
# roots, and the file that a suggestion changes, else why there is none; then the problems' codes and files, and the
# verdict.
CHANGES = {
    "nothing": (BASE, {}, [], [], "pass"),
    "image tags alone": (
        BASE,
        {"prod/kustomization.yaml": f"{PROD}images: [{{name: web, newTag: '2'}}]\n"},
        [],
        [],
        "pass",
    ),
    "a patch that removes a probe": (
        BASE,
        {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": NO_PROBE},
        [(READINESS, "error", "prod/patch.yaml:8", ("prod",), "prod/patch.yaml")],
        [],
        "fail",
    ),
    "a JSON patch in the kustomization that removes a probe": (
        BASE,
        {
            "prod/kustomization.yaml": PROD + "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: remove\n"
            "      path: /spec/template/spec/containers/0/readinessProbe\n"
        },
        [(READINESS, "error", "prod/kustomization.yaml:1", ("prod",), "prod/kustomization.yaml")],
        [],
        "fail",
    ),
    "a drain taken out of the base": (
        BASE,
        {"base/web.yaml": shop.WITHOUT_DRAIN},
        [(PRESTOP, "error", "base/web.yaml:14", ("dev", "prod"), "base/web.yaml")],
        [],
        "fail",
    ),
    "a drain taken out of the base, that one overlay has": (
        CURED | {"base/web.yaml": DEPLOYMENT},
        {"base/web.yaml": shop.WITHOUT_DRAIN},
        [(PRESTOP, "error", "base/web.yaml:14", ("dev",), "base/web.yaml")],
        [],
        "fail",
    ),
    "a drain taken out of the base, that the only overlay has": (
        CURED_ALONE | {"base/web.yaml": DEPLOYMENT},
        {"base/web.yaml": shop.WITHOUT_DRAIN},
        [],
        [],
        "pass",
    ),
    "a patch that cures": (
        WITHOUT_DRAIN,
        {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": DRAIN},
        [],
        [],
        "pass",
    ),
    "a cure taken out": (
        CURED,
        {"prod/kustomization.yaml": PROD, "prod/patch.yaml": None},
        [(PRESTOP, "error", "prod/kustomization.yaml:1", ("prod",), "outside_diff")],
        [],
        "fail",
    ),
    "a new overlay of a base with a fault": (
        WITHOUT_DRAIN,
        {"qa/kustomization.yaml": "resources:\n- ../base\nnamespace: qa\n"},
        [(PRESTOP, "warning", "qa/kustomization.yaml:1", ("qa",), "outside_diff")],
        [],
        "pass",
    ),
    "an overlay under another name": (
        WITHOUT_DRAIN,
        {"prod/kustomization.yaml": None, "live/kustomization.yaml": PROD},
        [],
        [],
        "pass",
    ),
    "a file that is read by a kustomization from now on": (
        {"base/web.yaml": shop.WITHOUT_DRAIN, "base/service.yaml": SERVICE},
        {"base/kustomization.yaml": "resources:\n- web.yaml\n- service.yaml\nnamePrefix: x-\n"},
        [],
        [],
        "pass",
    ),
    "Recreate in a patch": (
        BASE,
        {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": f"{SPEC}  strategy:\n    type: Recreate\n"},
        [("strategy-recreate", "warning", "prod/patch.yaml:6", (), "assumes")],
        [],
        "pass",
    ),
    "replicas": (
        BASE,
        {"prod/kustomization.yaml": f"{PROD}replicas:\n- name: web\n  count: 1\n"},
        [("single-replica", "warning", "prod/kustomization.yaml:1", ("prod",), "assumes")],
        [],
        "pass",
    ),
    "a patch without a target": (
        BASE,
        {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": NO_PROBE.replace("name: web", "name: wob", 1)},
        [],
        [("build", "prod/kustomization.yaml")],
        "incomplete",
    ),
    "what was broken before": (
        BASE
        | {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": NO_PROBE.replace("name: web", "name: wob", 1)},
        {"prod/kustomization.yaml": f"{PROD}{PATCHES}nameSuffix: -x\n"},
        [],
        [("not_rendered", "prod/kustomization.yaml")],
        "pass",
    ),
    "a file that does not exist": (
        BASE,
        {"prod/kustomization.yaml": PROD + PATCHES},
        [],
        [("build", "prod/kustomization.yaml")],
        "incomplete",
    ),
}


@pytest.mark.parametrize(("base", "changes", "findings", "problems", "verdict"), CHANGES.values(), ids=CHANGES.keys())
def test_changes(renderer: WasmRenderer, base, changes, findings, problems, verdict) -> None:
    files = {path: text for path, text in (base | changes).items() if text is not None}
    report = check(request_of(base, files), ENGINE.evaluate, renderer.render)
    new = [f for f in report.findings if f.status != "pre-existing" and f.rule != "pdb-missing"]
    changed = {suggestion.id: suggestion.file for suggestion in report.suggestions}
    assert [
        (f.rule, f.severity, f"{f.file}:{f.line}", f.roots, changed.get(f.suggestion or "", f.no_suggestion))
        for f in new
    ] == findings
    assert [(p.code, p.file) for p in report.problems] == problems
    assert report.verdict == verdict
