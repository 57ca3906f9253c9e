"""What only the change does wrong, through the whole check: files, renamed objects, rendered roots, and fixes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gracegate.check import check
from gracegate.check.check import CheckRequest
from gracegate.model import Finding, Suggestion
from gracegate.rendering import WasmRenderer
from tests.check.reports import report_of, request_of
from tests.shop import DEPLOYMENT, SERVICE

Files = Mapping[str, str]

DROPPED, REFUSED = "service-drops-old-pods", "immutable-field-changed"
PODS = "labels: {app: web}"
SELECTOR = "  selector: {app: web}\n"


def labelled(release: str) -> str:
    return DEPLOYMENT.replace(PODS, f"labels: {{app: web, release: {release}}}")


def selecting(release: str) -> str:
    return SERVICE.replace(SELECTOR, f"  selector: {{app: web, release: {release}}}\n")


def files(release: str, folder: str = "apps") -> dict[str, str]:
    return {f"{folder}/web.yaml": labelled(release), f"{folder}/service.yaml": selecting(release)}


def named(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.severity, f"{finding.file}:{finding.line}") for finding in findings]


V1, V2 = files("v1"), files("v2")
NARROWED = DEPLOYMENT.replace("{app: web}", "{app: web, tier: front}")
CHANGES: Mapping[str, tuple[Files, Files, list[tuple[str, str, str]]]] = {
    "no change": (V1, V1, []),
    "labels and selector": (V1, V2, [(DROPPED, "error", "apps/service.yaml:5")]),
    "in another order": (V1, dict(reversed(V2.items())), [(DROPPED, "error", "apps/service.yaml:5")]),
    "moved to another folder": (V1, files("v2", "web"), [(DROPPED, "error", "web/service.yaml:5")]),
    "both new": ({}, V2, []),
    "a new copy": (V1, V1 | files("v2", "prod"), []),
    "a file that could not be read before": (V1 | {"apps/web.yaml": "kind: [Deployment\n"}, V2, []),
    "another Deployment": (
        V1,
        V2 | {"apps/web.yaml": labelled("v2").replace("name: web\nspec", "name: web2\nspec")},
        [("workload-renamed", "warning", "apps/web.yaml:4")],
    ),
    "an immutable field": (
        {"web.yaml": DEPLOYMENT, "service.yaml": SERVICE},
        {"web.yaml": NARROWED, "service.yaml": SERVICE},
        [(REFUSED, "error", "web.yaml:7")],
    ),
}


@pytest.mark.parametrize(("base", "head", "findings"), CHANGES.values(), ids=CHANGES.keys())
def test_changes(base: Files, head: Files, findings: list[tuple[str, str, str]]) -> None:
    assert named(report_of(base, head).findings) == findings


def test_a_tree_without_a_base_has_no_changes() -> None:
    assert named(report_of(None, V2).findings) == []


def test_a_merged_change_is_no_finding_any_more() -> None:
    assert (
        named(report_of(V2, V2 | {"apps/web.yaml": labelled("v2").replace("replicas: 2", "replicas: 3")}).findings)
        == []
    )


def test_the_fix_is_suggested_after_it_was_compared_with_the_same_base() -> None:
    report = report_of(V1, V2)
    [finding] = report.findings
    assert report.suggestions == (
        Suggestion(finding.suggestion or "", "apps/service.yaml", 5, 5, "  selector: {app: web}"),
    )
    assert report.verdict == "fail"


KUSTOMIZATION = "resources:\n- web.yaml\n- service.yaml\n"
ROOTED: Mapping[str, tuple[str, str, list[tuple[str, str, str]]]] = {
    "labels of a patch": (
        f"{KUSTOMIZATION}labels:\n- pairs: {{release: v1}}\n  includeSelectors: false\n  includeTemplates: true\n",
        f"{KUSTOMIZATION}labels:\n- pairs: {{release: v2}}\n  includeSelectors: false\n  includeTemplates: true\n",
        [],
    ),
    "labels of selectors": (
        f"{KUSTOMIZATION}labels:\n- pairs: {{release: v1}}\n  includeSelectors: true\n",
        f"{KUSTOMIZATION}labels:\n- pairs: {{release: v2}}\n  includeSelectors: true\n",
        [(REFUSED, "error", "apps/kustomization.yaml:5")],
    ),
    "rendered now": (
        KUSTOMIZATION,
        f"{KUSTOMIZATION}labels:\n- pairs: {{release: v2}}\n  includeSelectors: true\n",
        [(REFUSED, "error", "apps/kustomization.yaml:4")],
    ),
    "another name": (KUSTOMIZATION, f"{KUSTOMIZATION}nameSuffix: -2\n", []),
}


def rooted(text: str) -> Files:
    return {"apps/kustomization.yaml": text, "apps/web.yaml": DEPLOYMENT, "apps/service.yaml": SERVICE}


def rendered(base: Files, head: Files) -> CheckRequest:
    return request_of(base, head)


@pytest.mark.parametrize(("base", "head", "findings"), ROOTED.values(), ids=ROOTED.keys())
def test_rendered_changes(renderer: WasmRenderer, base: str, head: str, findings: list[tuple[str, str, str]]) -> None:
    report = check(request_of(rooted(base), rooted(head)), renderer.render)
    assert named(report.findings) == findings
