"""Random workloads, layouts and hunks in whole checks with the built-in rules: every suggestion is right."""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from gracegate.check import CheckRequest, check, fix_all
from gracegate.manifests import render_nothing
from gracegate.model import FileDiff, Hunk, NoSuggestion, Report
from gracegate.policy import PolicySet, load_builtin
from gracegate.policy.engines.opa_wasm import WasmEngine
from gracegate.repo_config import RepoConfig
from tests.check.reports import tree
from tests.yaml import layouts, oracle

ENGINE = WasmEngine()
CATALOG = load_builtin()
BUILTIN = PolicySet(CATALOG, ENGINE.engine, ENGINE.evaluate)
TODAY = dt.date(2026, 11, 24)
PATH = "web.yaml"
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
}
PROBE = {"httpGet": {"path": "/ready", "port": 8080}}
DRAINED = {"preStop": {"sleep": {"seconds": 10}}}
# A review costs what thirty edits cost; `make fuzz` sets the number of examples.
EXAMPLES = max(settings().max_examples // 3, 1)
RULES = frozenset({"prestop-drain-missing", "readiness-probe-missing", "grace-period-exhausted"})
FIXED_FIELDS = ("lifecycle", "readinessProbe", "terminationGracePeriodSeconds")
"""What the fixes of these rules may touch."""

optional = {
    "ports": st.just([{"name": "http", "containerPort": 8080}]),
    "env": st.lists(st.fixed_dictionaries({"name": st.just("A"), "value": st.sampled_from(layouts.WORDS)}), max_size=2),
    "args": st.lists(st.sampled_from(layouts.WORDS), max_size=3),
    "resources": st.sampled_from(({}, {"limits": {"cpu": "1"}})),
    "stdin": st.booleans(),
    "readinessProbe": st.just(PROBE),
    "livenessProbe": st.just(PROBE),
    "lifecycle": st.sampled_from((DRAINED, {})),
}


@st.composite
def containers(draw: st.DrawFn, name: str) -> dict[str, Any]:
    value = {"name": name, "image": "web:1"}
    value |= draw(st.fixed_dictionaries({}, optional=optional))
    return dict(draw(st.permutations(sorted(value.items(), key=lambda pair: pair[0]))))


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.sampled_from((["web"], ["web", "side"], ["a", "b", "c"])))
    pod = {
        "containers": [draw(containers(name)) for name in names],
        **draw(st.fixed_dictionaries({}, optional={"terminationGracePeriodSeconds": st.sampled_from((5, 15, 60))})),
        **draw(st.fixed_dictionaries({}, optional={"restartPolicy": st.just("Always"), "volumes": st.just([])})),
    }
    pod = dict(draw(st.permutations(sorted(pod.items(), key=lambda pair: pair[0]))))
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
        },
    }


@st.composite
def files(draw: st.DrawFn, newline: str | None = None) -> str:
    layout = draw(layouts.layouts)
    layout = layout if newline is None else replace(layout, newline=newline)
    writer = layouts.Writer(layout)
    return layouts.join_documents(layout, [writer.document(draw(deployments())), writer.document(SERVICE)])


@st.composite
def hunks(draw: st.DrawFn) -> tuple[Hunk, ...]:
    """Of a file of that many lines or fewer: not touching each other and in order, as a diff has them."""
    found, at = [], 1
    for _ in range(draw(st.integers(1, 4))):
        start = at + draw(st.integers(0, 25))
        found.append(Hunk(start, start + draw(st.integers(0, 20))))
        at = found[-1].end + 2
    return tuple(found)


def reviewed(text: str, shown: tuple[Hunk, ...]) -> Report:
    request = CheckRequest(
        head=tree({PATH: text}),
        config=RepoConfig(),
        policies=(BUILTIN,),
        today=TODAY,
        base=tree({}),
        diff=(FileDiff(PATH, "added", None, shown),),
        only=RULES,
    )
    return check(request, render_nothing)


def applied(text: str, report: Report) -> str:
    """Every suggestion, the last first, as GitHub applies a batch."""
    lines = text.split("\n")
    for suggestion in sorted(report.suggestions, key=lambda s: -s.start_line):
        lines[suggestion.start_line - 1 : suggestion.end_line] = suggestion.text.split("\n")
    return "\n".join(lines)


def without_fixes(text: str) -> list[Any]:
    """What an independent reader finds, less what a fix may touch."""
    documents = copy.deepcopy(oracle.load_all(text))
    pod = documents[0]["spec"]["template"]["spec"]
    for holder in (pod, *pod["containers"]):
        for key in FIXED_FIELDS:
            holder.pop(key, None)
    return documents


def comments(text: str) -> Counter[str]:
    return Counter(re.findall(r"# (?:note|why|far|at the left)", text))


@settings(max_examples=EXAMPLES)
@given(files(), hunks())
def test_suggestions_stand_in_hunks_apart_and_hold(text: str, shown: tuple[Hunk, ...]) -> None:
    report = reviewed(text, shown)
    assert report.problems == ()
    placed = sorted(report.suggestions, key=lambda s: s.start_line)
    for suggestion in placed:
        assert any(h.start <= suggestion.start_line <= suggestion.end_line <= h.end for h in shown)
    assert all(one.end_line < other.start_line for one, other in pairwise(placed))
    for finding in report.findings:
        assert (finding.suggestion is None) == (finding.no_suggestion in get_args(NoSuggestion))
    after = applied(text, report)
    note(f"{text}\n=== becomes ===\n{after}")
    assert without_fixes(after) == without_fixes(text)
    assert comments(after) == comments(text)
    suggested = {f.id for f in report.findings if f.suggestion is not None}
    remaining = {f.id for f in reviewed(after, shown).findings}
    assert remaining == {f.id for f in report.findings} - suggested


def fixed(text: str) -> str:
    request = CheckRequest(tree({PATH: text}), RepoConfig(), (BUILTIN,), TODAY, only=RULES)
    return fix_all(request, render_nothing).files.get(PATH, ("", text))[1]


@settings(max_examples=EXAMPLES)
@given(files("\n"))
def test_all_suggestions_together_are_what_fix_writes(text: str) -> None:
    """A suggestion may give a new key another place among its neighbours: it repeats few lines then."""
    report = reviewed(text, (Hunk(1, text.count("\n") + 1),))
    safe = [f for f in report.findings if f.fix is not None and f.fix.fix_class == "safe"]
    assume(all(f.suggestion is not None for f in safe))
    assert oracle.load_all(fixed(text)) == oracle.load_all(applied(text, report))
    assert comments(fixed(text)) == comments(applied(text, report))
    assert fixed(fixed(text)) == fixed(text)
