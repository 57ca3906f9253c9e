"""Unsafe changes in safe steps: what they are, and that the rules are silent in each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from gracegate.check import PlannedChange, plan_change
from gracegate.manifests import render_nothing
from gracegate.model import Report
from gracegate.rendering import WasmRenderer
from tests.check.reports import CATALOG, report_of, request_of
from tests.check.unsafe_changes import (
    BASE,
    BUDGET,
    DEPLOYMENT,
    SERVICE,
    TO_SHOP,
    UNSAFE_CHANGES,
    V2,
    Files,
    UnsafeChange,
    edited,
    everywhere,
)

each_change = pytest.mark.parametrize("change", [pytest.param(c, id=name) for name, c in UNSAFE_CHANGES.items()])


def planned(base: Files, head: Files, config: str = "") -> PlannedChange:
    return plan_change(request_of(base, head, config), render_nothing)


def found_in(report: Report) -> set[tuple[str, str]]:
    """What a change is blamed for: new warnings and errors, and all that rules on changes find."""
    counting = [f for f in report.findings if f.counts]
    return {(f.rule, f.severity) for f in counting if f.severity != "info" or CATALOG.rules[f.rule].group == "change"}


def actions_of(report: Report) -> list[list[str]]:
    numbers = range(1, len(report.steps) + 1)
    return [[a.title for f in report.findings for a in f.steps if a.number == number] for number in numbers]


def states(base: Files, head: Files, plan: PlannedChange) -> Iterator[Files]:
    yield base
    for texts in plan.texts:
        yield {**head, **texts}


@each_change
def test_the_change_is_named_with_its_steps(change: UnsafeChange) -> None:
    report = planned(change.base, change.head).report
    [finding] = [f for f in report.findings if f.counts]
    assert (finding.rule, finding.no_steps) == (change.rule, change.no_steps)
    assert actions_of(report) == [[title] for title in change.steps]
    assert tuple(action.by_hand for action in finding.steps if action.by_hand is not None) == change.by_hand


@each_change
def test_the_same_change_in_this_order_is_silent(change: UnsafeChange) -> None:
    plan = planned(change.base, change.head)
    by_hand = [
        any(action.by_hand for f in plan.report.findings for action in f.steps if action.number == number)
        for number, _ in enumerate(plan.report.steps, 1)
    ]
    found = [found_in(report_of(*pair)) for pair in pairwise(states(change.base, change.head, plan))]
    # What is done by hand shows in no manifest: it is taken as done.
    assert [rules for rules, is_by_hand in zip(found, by_hand, strict=True) if not is_by_hand and rules] == []
    assert {rule for rules in found for rule, _ in rules} <= {change.rule}
    assert not plan.texts or plan.texts[-1] == {}


API = everywhere(BASE, "web", "api")
TWO_APPS = {**BASE, **{path.replace("web", "api").replace(".", "-api."): text for path, text in API.items()}}
UNPROTECTED = {path: text for path, text in BASE.items() if path != "budget.yaml"}
IN_A_LIST = {
    **BASE,
    "service.yaml": "apiVersion: v1\nkind: List\nitems:\n- " + SERVICE.strip().replace("\n", "\n  ") + "\n",
}
WAIVED = "waivers: [{rules: [service-drops-old-pods], reason: Nobody uses it at night, path: '**'}]\n"


@pytest.mark.parametrize(
    ("base", "head", "config", "steps", "reasons"),
    [
        pytest.param(BASE, BASE, "", [], set(), id="no change"),
        pytest.param({}, BASE, "", [], set(), id="all is new"),
        pytest.param(BASE, {}, "", [], set(), id="all is gone"),
        pytest.param(BASE, edited(BASE, web=(":1.4.2", ":1.4.3")), "", [], set(), id="another image"),
        pytest.param(BASE, edited(BASE, web=V2, service=V2), WAIVED, [], set(), id="waived"),
        pytest.param(
            TWO_APPS,
            everywhere(TWO_APPS, *V2),
            "",
            [
                [
                    'Service "api" selects old and new pods, by "app=api" alone.',
                    'Service "web" selects old and new pods, by "app=web" alone.',
                ],
                [
                    'Service "api" selects only new pods: no old one runs any more.',
                    'Service "web" selects only new pods: no old one runs any more.',
                ],
            ],
            set(),
            id="two apps go together",
        ),
        pytest.param(
            BASE,
            edited(edited(BASE, web=V2, service=V2), web=("Seconds: 60", "Seconds: 50")),
            "",
            [
                ['Service "web" selects old and new pods, by "app=web" alone.'],
                ['Service "web" selects only new pods: no old one runs any more.'],
            ],
            {"order_is_no_help"},
            id="what no order helps is in the steps of the rest",
        ),
        pytest.param(
            UNPROTECTED,
            edited(UNPROTECTED, web=TO_SHOP),
            "",
            [[title] for title in UNSAFE_CHANGES["workload renamed"].steps],
            set(),
            id="the new object has the faults of the old one",
        ),
        pytest.param(
            IN_A_LIST,
            everywhere(IN_A_LIST, *V2),
            "",
            [
                ['Service "web" selects old and new pods, by "app=web" alone.'],
                ['Service "web" selects only new pods: no old one runs any more.'],
            ],
            set(),
            id="edits in a List",
        ),
    ],
)
def test_steps(base: Files, head: Files, config: str, steps: list[list[str]], reasons: set[str]) -> None:
    report = planned(base, head, config).report
    assert actions_of(report) == steps
    assert {finding.no_steps for finding in report.findings} - {None} == reasons


def test_no_steps_are_looked_for_where_there_are_more_findings_than_are_verified() -> None:
    change = UNSAFE_CHANGES["selector and labels in step"]
    report = report_of(change.base, change.head, max_verified_fixes=0)
    assert (report.steps, [f.no_steps for f in report.findings]) == ((), [None])


def test_the_files_of_steps() -> None:
    """Comments and order stay; objects that no rule reads stay with what may need them."""
    change = UNSAFE_CHANGES["another namespace"]
    plan = planned(change.base, change.head)
    assert plan.texts == ({path: f"{change.head[path]}---\n{text}" for path, text in change.base.items()}, {})
    change = UNSAFE_CHANGES["selector and labels in step"]
    plan = planned(change.base, change.head)
    assert plan.texts == ({"service.yaml": SERVICE.replace("    release: v1\n", "")}, {})


def test_the_diffs_of_steps() -> None:
    change = UNSAFE_CHANGES["selector and labels in step"]
    first, second = planned(change.base, change.head).report.steps
    assert (first.files, second.files) == (("service.yaml", "web.yaml"), ("service.yaml",))
    assert [line for line in first.diff.split("\n") if line[0] in "+-"] == [
        "--- a/service.yaml",
        "+++ b/service.yaml",
        "-    release: v1",
    ]
    assert [line for line in second.diff.split("\n") if line[0] in "+-"] == [
        "--- a/service.yaml",
        "+++ b/service.yaml",
        "+    release: v2",
    ]


@pytest.mark.parametrize(
    ("text", "step"),
    [
        pytest.param(DEPLOYMENT, "{new}---\n{old}", id="a file of its own"),
        pytest.param(f"---\n{DEPLOYMENT}", "{new}{old}", id="behind a marker"),
        pytest.param(f"{DEPLOYMENT}---\n{SERVICE}", "{new}---\n{old}---\n{rest}", id="before another document"),
        pytest.param(DEPLOYMENT.removesuffix("\n"), "{new}\n---\n{old}", id="no newline at the end"),
        pytest.param(DEPLOYMENT.replace("\n", "\r\n"), "{new}---\r\n{old}", id="lines of Windows"),
        pytest.param(f"# Our app\n{DEPLOYMENT}", "{new}---\n{old}", id="a comment at the top"),
    ],
)
def test_an_object_that_stays(text: str, step: str) -> None:
    has_service = "kind: Service" in text
    base = {"web.yaml": text, "budget.yaml": BUDGET} | ({} if has_service else {"service.yaml": SERVICE})
    old = text.removesuffix(f"---\n{SERVICE}")
    head = {**base, "web.yaml": text.replace("name: web", "name: shop", 1)}
    plan = planned(base, head)
    expected = step.format(new=old.replace("name: web", "name: shop", 1), old=old, rest=SERVICE)
    assert plan.texts == ({"web.yaml": expected}, {})


ROOTS = {
    "base/kustomization.yaml": "resources: [web.yaml, service.yaml, budget.yaml]\n",
    "prod/kustomization.yaml": "resources: [../base]\nnamespace: prod\n",
    "dev/kustomization.yaml": "resources: [../base]\nnamespace: dev\n",
}
NAMED_ROOTS = {**ROOTS, "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\n"}


def in_base(files: Files) -> Files:
    return {f"base/{path}": text.replace("  namespace: shop\n", "") for path, text in files.items()}


@pytest.mark.parametrize(
    ("name", "roots", "texts", "no_steps"),
    [
        pytest.param(
            "selector and labels in step",
            ROOTS,
            ({"base/service.yaml": in_base(BASE)["base/service.yaml"].replace("    release: v1\n", "")}, {}),
            {None},
            id="an edit",
        ),
        pytest.param(
            "workload renamed",
            ROOTS,
            ({"base/web.yaml": "{head}---\n{base}"}, {}),
            {None},
            id="an object of two overlays that stays once",
        ),
        pytest.param(
            "workload renamed", NAMED_ROOTS, ({"base/web.yaml": "{head}---\n{base}"}, {}), {None}, id="a prefix"
        ),
        pytest.param(
            "workload renamed with its labels", NAMED_ROOTS, (), {"not_written"}, id="a copy whose name has a prefix"
        ),
    ],
)
def test_steps_of_what_is_rendered(
    renderer: WasmRenderer, name: str, roots: Files, texts: tuple[Files, ...], no_steps: set[str | None]
) -> None:
    change = UNSAFE_CHANGES[name]
    base, head = in_base(change.base), in_base(change.head)
    planned = plan_change(request_of({**roots, **base}, {**roots, **head}), renderer.render)
    filled = {"base": base["base/web.yaml"], "head": head["base/web.yaml"]}
    assert planned.texts == tuple({path: text.format(**filled) for path, text in of_step.items()} for of_step in texts)
    assert {f.no_steps for f in planned.report.findings if f.rule == change.rule} == no_steps
