"""The oldest cluster that manifests are for decides what a fix looks like, and nothing but what is listed here."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from gracegate.check.matches import Match
from gracegate.check.trees import compare_trees
from gracegate.manifests import render_nothing
from tests.closure.corpora import CATALOG, before, corpora, request

MINORS = (28, 29, 30, 33, 34, 36, 37)

# Rules about what a native sleep is worth, and the one about versions; every other one finds the same on all of them.
ABOUT_VERSIONS = {
    "field-unsupported",
    "prestop-drain-too-short",
    "prestop-prefer-native-sleep",
    "prestop-sleep-unsupported",
}
# From here on a fix may sleep natively, which needs no program in the image; 1.33 is the first to accept 0 s.
NATIVE_SLEEP, SLEEP_OF_ZERO = 30, 33

each_corpus = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in corpora()])


@cache
def matches_of(name: str, minor: int) -> tuple[Match, ...]:
    head = compare_trees(
        request(corpora()[name], f"min_kubernetes_version: '1.{minor}'", before(name)), render_nothing
    ).head
    assert head.problems == ()
    return head.matches


def steps(answers: list[Any]) -> list[int]:
    """The versions at which an answer differs from the one before."""
    return [MINORS[n] for n in range(1, len(MINORS)) if answers[n] != answers[n - 1]]


@each_corpus
def test_what_is_found_is_the_same_on_every_version(name: str) -> None:
    others = [[m for m in matches_of(name, minor) if m.violation.rule not in ABOUT_VERSIONS] for minor in MINORS]
    assert steps([[(m.id, m.violation.level, m.violation.measure) for m in found] for found in others]) == []


@each_corpus
def test_findings_and_fixes_change_with_the_sleep_alone(name: str) -> None:
    answers = [[(m.id, m.violation.level, m.violation.fix) for m in matches_of(name, minor)] for minor in MINORS]
    assert set(steps(answers)) <= {NATIVE_SLEEP, SLEEP_OF_ZERO}


@each_corpus
def test_no_fix_sleeps_natively_before_it_can(name: str) -> None:
    values = [
        o.value for minor in (28, 29) for m in matches_of(name, minor) if m.violation.fix for o in m.violation.fix.patch
    ]
    assert [value for value in values if "'sleep':" in repr(value)] == []


POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: docker.io/library/alpine:3.20
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /ready, port: http}}
        lifecycle: LIFECYCLE
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
"""
EXEC, NATIVE = {"exec": {"command": ["sleep", "10"]}}, {"sleep": {"seconds": 10}}
NOTHING = "nothing is found"


def answer(rule: str, lifecycle: str, minor: int) -> Any:
    """The value that the rule's fix writes; whether it finds anything where it has no fix."""
    files = {"web.yaml": POD.replace("LIFECYCLE", lifecycle)}
    matches = compare_trees(request(files, f"min_kubernetes_version: '1.{minor}'"), render_nothing).head.matches
    found = [m.violation for m in matches if m.violation.rule == rule]
    if not found:
        return NOTHING
    [violation] = found
    patch = violation.fix.patch if violation.fix else ()
    return patch[0].value if patch else None


@pytest.mark.parametrize(
    ("rule", "lifecycle", "expected"),
    [
        pytest.param(
            "prestop-drain-missing",
            "{}",
            {28: EXEC, 29: EXEC, 30: NATIVE, 33: NATIVE, 34: NATIVE, 36: NATIVE, 37: NATIVE},
            id="a drain",
        ),
        pytest.param(
            "prestop-command-malformed",
            "{preStop: {exec: {command: [sleep 10]}}}",
            {28: EXEC, 29: EXEC, 30: NATIVE, 33: NATIVE, 34: NATIVE, 36: NATIVE, 37: NATIVE},
            id="a broken drain",
        ),
    ],
)
def test_the_form_of_a_sleep(rule: str, lifecycle: str, expected: dict[int, Any]) -> None:
    assert {minor: answer(rule, lifecycle, minor) for minor in MINORS} == expected


@pytest.mark.parametrize(
    ("rule", "lifecycle", "found_on"),
    [
        pytest.param(
            "prestop-sleep-unsupported", "{preStop: {sleep: {seconds: 10}}}", [28, 29], id="a native sleep too early"
        ),
        pytest.param(
            "prestop-sleep-unsupported", "{preStop: {sleep: {seconds: 0}}}", [28, 29, 30], id="a sleep of nothing"
        ),
        pytest.param(
            "prestop-prefer-native-sleep",
            "{preStop: {exec: {command: [sleep, '10']}}}",
            [30, 33, 34, 36, 37],
            id="a program where none is needed",
        ),
        pytest.param("prestop-drain-missing", "{preStop: {sleep: {seconds: 10}}}", [], id="a drain is a drain"),
    ],
)
def test_what_depends_on_the_version(rule: str, lifecycle: str, found_on: list[int]) -> None:
    if rule not in CATALOG.rules:
        pytest.skip(f"there is no rule {rule}")
    assert [minor for minor in MINORS if answer(rule, lifecycle, minor) != NOTHING] == found_on
