"""Manifests that no kustomization lists after a change, and what is said of them."""

from __future__ import annotations

import pytest

from tests.check.reports import report_of
from tests.shop import DEPLOYMENT, SERVICE

LISTED = "resources:\n- web.yaml\n- service.yaml\n"
BASE = {"apps/kustomization.yaml": LISTED, "apps/web.yaml": DEPLOYMENT, "apps/service.yaml": SERVICE}
BUDGET = (
    "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
    "spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}\n"
)
NOT_APPLIED = "PodDisruptionBudget `web` is not applied: `apps/kustomization.yaml` does not list the file."
PRUNED = (
    "Deployment `web` is no longer applied, and deleted by a tool that prunes: "
    "`apps/kustomization.yaml` does not list the file."
)


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        pytest.param(BASE, BASE | {"apps/readme.md": "x"}, [], id="nothing"),
        pytest.param(None, BASE | {"apps/pdb.yaml": BUDGET}, [], id="no base"),
        pytest.param(BASE, BASE | {"apps/pdb.yaml": BUDGET}, [("apps/pdb.yaml", NOT_APPLIED)], id="a new file"),
        pytest.param(
            BASE,
            BASE | {"apps/pdb.yaml": f"{BUDGET}---\n{SERVICE}"},
            [("apps/pdb.yaml", NOT_APPLIED.replace("`web` is", "`web` and 2 more are"))],
            id="a new file of several objects",
        ),
        pytest.param(
            BASE,
            BASE | {"apps/pdb.yaml": BUDGET, "apps/kustomization.yaml": f"{LISTED}- pdb.yaml\n"},
            [],
            id="a new file that is listed",
        ),
        pytest.param(
            BASE,
            BASE | {"apps/pdb.yaml": BUDGET, "prod/kustomization.yaml": "resources: [../apps, ../apps/pdb.yaml]\n"},
            [],
            id="a new file that another kustomization lists",
        ),
        pytest.param(
            BASE,
            BASE
            | {
                "apps/pdb.yaml": BUDGET,
                "apps/kustomization.yaml": f"{LISTED}configMapGenerator: [{{files: [pdb.yaml]}}]\n",
            },
            [],
            id="a new file that is data",
        ),
        pytest.param(BASE, BASE | {"apps/more/pdb.yaml": BUDGET}, [], id="a new file of another directory"),
        pytest.param(BASE, BASE | {"apps/map.yaml": "apiVersion: v1\nkind: ConfigMap\n"}, [], id="another kind"),
        pytest.param(
            BASE,
            BASE | {"apps/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"},
            [],
            id="a patch",
        ),
        pytest.param(
            BASE | {"apps/pdb.yaml": BUDGET},
            BASE | {"apps/pdb.yaml": BUDGET.replace(": 1", ": 2")},
            [],
            id="a file that was not listed before",
        ),
        pytest.param(
            BASE,
            BASE | {"apps/kustomization.yaml": "resources:\n- service.yaml\n"},
            [("apps/web.yaml", PRUNED)],
            id="a file that is not listed any more",
        ),
        pytest.param(
            BASE,
            {"apps/kustomization.yaml": "resources:\n- service.yaml\n", "apps/service.yaml": SERVICE},
            [],
            id="a file that is removed with its line",
        ),
        pytest.param(
            {"apps/web.yaml": DEPLOYMENT, "apps/service.yaml": SERVICE},
            BASE | {"apps/kustomization.yaml": "resources:\n- service.yaml\n"},
            [("apps/web.yaml", PRUNED)],
            id="a new kustomization",
        ),
    ],
)
def test_unlisted(base, head, expected) -> None:
    problems = report_of(base, head).problems
    assert [(one.file, one.message) for one in problems if one.code == "not_listed"] == expected


def test_it_is_a_remark() -> None:
    report = report_of(BASE, BASE | {"apps/pdb.yaml": BUDGET})
    assert (report.verdict, report.has_remarks) == ("pass", True)
