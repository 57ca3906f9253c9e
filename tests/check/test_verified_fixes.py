"""A suggestion is made only of a fix that was evaluated again: by every rule, and without a new finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from gracegate.check import check
from gracegate.manifests import render_nothing
from tests.check.reports import ENGINE, report_of, request_of
from tests.shop import DRAIN, PRESTOP, READINESS, SERVICE, WITHOUT_DRAIN

BASE = {"service.yaml": SERVICE}
HEAD = BASE | {"web.yaml": WITHOUT_DRAIN}
Question = Mapping[str, Any]
Evaluate = Callable[[Question], dict[str, Any]]


def deployment_of(opa_input: Question) -> tuple[int, Any]:
    """The Deployment's number among the documents, and its container."""
    for number, document in enumerate(opa_input["documents"]):
        if document["object"]["kind"] == "Deployment":
            return number, document["object"]["spec"]["template"]["spec"]["containers"][0]
    return 0, {}


def after_the_fix(change: Callable[[int, dict[str, Any]], None]) -> Evaluate:
    """Evaluates as the engine does; `change` alters the report about the Deployment once it has its drain."""

    def evaluate(opa_input: Question) -> dict[str, Any]:
        report = ENGINE.evaluate(opa_input)
        number, container = deployment_of(opa_input)
        if "lifecycle" in container:
            change(number, report)
        return report

    return evaluate


def test_the_fix_of_these_files_is_suggested() -> None:
    (finding,) = report_of(BASE, HEAD).findings
    assert (finding.rule, finding.suggestion is not None, finding.no_suggestion) == (PRESTOP, True, None)


@pytest.mark.parametrize("level", ["error", "warning"])
def test_a_fix_that_brings_a_new_finding_is_refused(level: str) -> None:
    def find_another(number: int, report: dict[str, Any]) -> None:
        at = {"document": number, "path": ["spec", "replicas"]}
        report["violations"].append({"rule": READINESS, "at": at, "message": "New.", "level": level})

    (finding,) = report_of(BASE, HEAD, evaluate=after_the_fix(find_another)).findings
    assert (finding.rule, finding.suggestion, finding.no_suggestion) == (PRESTOP, None, "new_finding")


@pytest.mark.parametrize("rule", [PRESTOP, READINESS])
def test_a_fix_that_not_every_rule_has_evaluated_is_refused(rule: str) -> None:
    def lose_a_rule(_number: int, report: dict[str, Any]) -> None:
        report["rules"] = [name for name in report["rules"] if name != rule]
        report["violations"] = [v for v in report["violations"] if v["rule"] != rule]

    (finding,) = report_of(BASE, HEAD, evaluate=after_the_fix(lose_a_rule)).findings
    assert (finding.rule, finding.suggestion, finding.no_suggestion) == (PRESTOP, None, "not_fixed")


TWO_PORTS = SERVICE.replace(
    "[{port: 80, targetPort: http}]", "[{name: a, port: 80, targetPort: 8080}, {name: b, port: 81, targetPort: 8081}]"
)
CONTAINER = '{name: NAME, image: "NAME:1", ports: [{containerPort: PORT}], readinessProbe: {tcpSocket: {port: PORT}}}'
ON_ONE_LINE = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{CONTAINER.replace("NAME", "a").replace("PORT", "8080")}, \
{CONTAINER.replace("NAME", "b").replace("PORT", "8081")}]}}
"""


def test_two_fixes_on_one_line_are_one_suggestion_that_holds_both() -> None:
    report = report_of({"service.yaml": TWO_PORTS}, {"service.yaml": TWO_PORTS, "web.yaml": ON_ONE_LINE})
    (suggestion,) = report.suggestions
    assert sorted((f.rule, f.container, f.suggestion) for f in report.findings) == [
        (PRESTOP, "a", suggestion.id),
        (PRESTOP, "b", suggestion.id),
    ]
    assert (suggestion.start_line, suggestion.end_line, suggestion.text.count("preStop")) == (9, 9, 2)


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        ("", []),
        ("app_drain_seconds: 20\n", []),
        ("app_drain_seconds: 21\n", ["grace-period-exhausted"]),
        ("app_drain_seconds: 0\n", []),
    ],
)
def test_the_time_that_apps_need_counts_against_the_grace_period(config: str, rules: list[str]) -> None:
    # The hook takes 10 s of the 30 s of grace.
    head = HEAD | {"web.yaml": WITHOUT_DRAIN + "          lifecycle: {preStop: {sleep: {seconds: 10}}}\n"}
    assert [f.rule for f in report_of(BASE, head, config=config).findings] == rules


def test_a_fix_is_the_same_whichever_rules_are_evaluated() -> None:
    sleep = DRAIN.replace("seconds: 10", "seconds: 25")
    balanced = SERVICE.replace("spec:\n", "spec:\n  type: LoadBalancer\n", 1).replace(
        "metadata: {name: web}",
        "metadata: {name: web, annotations: {service.beta.kubernetes.io/aws-load-balancer-type: nlb-ip}}",
        1,
    )
    request = request_of(None, {"service.yaml": balanced, "web.yaml": WITHOUT_DRAIN + sleep})
    patches = [
        finding.fix.patch
        for only in (None, frozenset({"grace-period-exhausted"}))
        for finding in check(replace(request, only=only), render_nothing).findings
        if finding.rule == "grace-period-exhausted"
    ]
    (step,) = [step for step in patches[0] if step.path[-1] == "terminationGracePeriodSeconds"]
    assert (step.value, patches) == (195, [patches[0]] * 2)
