"""Constraint templates and constraints, asked about the objects of a pull request by a real OPA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gracegate.policy.foreign.gatekeeper import GatekeeperPolicies, Skipped, chosen_by, gatekeeper_policies
from tests.policy.foreign.evaluation import found_in

REPOS = """package repos

violation[{"msg": msg}] {
  container := input.review.object.spec.containers[_]
  not startswith(container.image, input.parameters.repo)
  msg := sprintf("%v: %v", [container.name, container.image])
}
"""
REVIEW = """package repos

violation[{"msg": msg}] {
  msg := json.marshal([input.review.kind, input.review.name, input.review.namespace, input.review.operation])
}
"""
CALLING = """package repos

import data.lib.names

violation[{"msg": names.of(input.review.object)}] { true }
"""
NAMES = """package lib.names

of(thing) = name { name := thing.metadata.name }
"""
V1 = """package repos

violation contains {"msg": "said"} if input.review.object.kind == "Pod"
"""


def template(kind: str = "Repos", rego: str = REPOS, *, libs: Sequence[str] = (), code: Any = None) -> dict[str, Any]:
    source = {"rego": rego, "libs": list(libs)} if code is None else {"code": code}
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": kind.lower()},
        "spec": {
            "crd": {"spec": {"names": {"kind": kind}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", **source}],
        },
    }


def constraint(match: Any = None, *, kind: str = "Repos", name: str = "our-repos", **spec: Any) -> dict[str, Any]:
    spec = {"parameters": {"repo": "ours/"}, **({} if match is None else {"match": match}), **spec}
    return {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": name}, "spec": spec}


CONTAINERS = [{"name": "web", "image": "ours/web"}, {"name": "log", "image": "theirs/log"}]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "one", "labels": {"app": "web"}},
    "spec": {"containers": CONTAINERS},
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": CONTAINERS}}},
}
IN_POD = ["spec", "containers", 1, "image"]
IN_DEPLOYMENT = ["spec", "template", "spec", "containers", 1, "image"]
PODS = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}


@pytest.fixture(scope="module")
def found(opa: Path) -> Any:
    def find(policies: GatekeeperPolicies, manifest: Mapping[str, Any]) -> list[Any]:
        return found_in(manifest, policies.policies, opa)

    return find


@pytest.mark.parametrize(
    ("match", "manifest", "expected"),
    [
        pytest.param(PODS, POD, IN_POD, id="a Pod"),
        pytest.param(PODS, DEPLOYMENT, IN_DEPLOYMENT, id="the Pods of a workload"),
        pytest.param(PODS, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}, None, id="no Pods"),
        pytest.param(
            {"kinds": [{"apiGroups": ["apps"], "kinds": ["Deployment"]}]}, DEPLOYMENT, None, id="the workload"
        ),
    ],
)
def test_what_is_asked(found: Any, match: Any, manifest: Any, expected: Any) -> None:
    policies = gatekeeper_policies([template(), constraint(match)])
    assert found(policies, manifest) == (
        [] if expected is None else [("gatekeeper.our-repos", expected, "log: theirs/log")]
    )


def test_what_a_policy_reads(found: Any) -> None:
    policies = gatekeeper_policies([constraint(name="a.b_C"), template(rego=REVIEW)])
    names = '[{"group": "apps", "kind": "Deployment", "version": "v1"}, "web", "", "CREATE"]'
    assert found(policies, DEPLOYMENT) == [("gatekeeper.a.b-c", [], names.replace(", ", ",").replace(": ", ":"))]


def test_templates_share_names_of_packages_and_libraries(found: Any) -> None:
    others = NAMES.replace("thing.metadata.name }", '"other" }')
    policies = gatekeeper_policies(
        [
            template("One", CALLING, libs=[NAMES]),
            template("Two", CALLING, libs=[others]),
            template("Three", code=[{"engine": "Rego", "source": {"rego": V1, "version": "v1"}}]),
            *(constraint(kind=kind, name=kind.lower()) for kind in ("One", "Two", "Three")),
        ]
    )
    one = ("gatekeeper.one", [], "one")
    assert found(policies, POD) == [one, ("gatekeeper.two", [], "other"), ("gatekeeper.three", [], "said")]


@pytest.mark.parametrize(
    ("match", "namespace", "is_asked"),
    [
        ({}, "shop", True),
        ({"kinds": []}, "shop", True),
        ({"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]}, "shop", True),
        ({"kinds": [{"apiGroups": ["apps"]}]}, "shop", False),
        ({"kinds": [{"kinds": ["Pod"]}]}, "shop", True),
        ({"kinds": [{"apiGroups": ["apps"], "kinds": ["Pod"]}]}, "shop", False),
        ({"namespaces": ["shop"]}, "shop", True),
        ({"namespaces": ["sh*"]}, "shop", True),
        ({"namespaces": ["pay"]}, "shop", False),
        ({"namespaces": ["pay"]}, "", True),
        ({"excludedNamespaces": ["kube-*"]}, "kube-system", False),
        ({"excludedNamespaces": ["kube-*"]}, "shop", True),
        ({"excludedNamespaces": ["*"]}, "", True),
        ({"name": "on*"}, "shop", True),
        ({"name": "two"}, "shop", False),
        ({"labelSelector": {"matchLabels": {"app": "web"}}}, "shop", True),
        ({"labelSelector": {"matchLabels": {"app": "log"}}}, "shop", False),
        ({"labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}}, "shop", True),
        (
            {"labelSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}},
            "shop",
            False,
        ),
        ({"labelSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}, "shop", False),
        ({"labelSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}, "shop", True),
    ],
)
def test_match(match: Any, namespace: str, is_asked: bool) -> None:
    policies = gatekeeper_policies([template(), constraint(match)])
    document = {"object": POD, "path": "a.yaml", "namespace": namespace}
    choose = chosen_by(policies.policies.matches)
    assert bool([*choose(document, ["gatekeeper.our-repos"])]) is is_asked


@pytest.mark.parametrize(
    ("spec", "level"),
    [
        ({}, "error"),
        ({"enforcementAction": "deny"}, "error"),
        ({"enforcementAction": "warn"}, "warning"),
        ({"enforcementAction": "dryrun"}, "info"),
        ({"enforcementAction": "ours"}, "warning"),
        (
            {"enforcementAction": "scoped", "scopedEnforcementActions": [{"action": "warn"}, {"action": "dryrun"}]},
            "warning",
        ),
        (
            {"enforcementAction": "scoped", "scopedEnforcementActions": [{"action": "warn"}, {"action": "deny"}]},
            "error",
        ),
        ({"enforcementAction": "scoped"}, "warning"),
    ],
)
def test_level(spec: Any, level: str) -> None:
    (rule,) = gatekeeper_policies([template(), constraint(**spec)]).policies.rules
    assert rule.rule.severity == level


@pytest.mark.parametrize(
    ("templates", "reason"),
    [
        ([], "there is no template of its kind"),
        ([template(rego="")], "its template has no Rego"),
        ([template(code=[{"engine": "K8sNativeValidation", "source": {}}])], "its template has no Rego"),
        ([template(rego=f"{REPOS}x {{ data.inventory.a }}")], "it reads data.inventory, the objects of a cluster"),
        ([template(rego=f"{REPOS}x {{ input.review.userInfo }}")], "it reads who applies the object"),
    ],
)
def test_skipped(templates: Any, reason: str) -> None:
    policies = gatekeeper_policies([constraint(), *templates])
    assert (policies.policies.rules, policies.skipped) == ((), (Skipped("Repos/our-repos", reason),))


def test_other_kinds_are_passed_over() -> None:
    assert gatekeeper_policies([POD, template()]).policies.rules == ()
