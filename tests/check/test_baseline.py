"""A baseline: what it accepts is pre-existing, as if the tree that it was taken of were the base."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.check import Baseline, CheckRequest, check, parse_baseline, render_baseline, take_baseline
from gracegate.check.baseline import KnownFinding
from gracegate.check.matches import Identity
from gracegate.errors import ConfigError
from gracegate.manifests import render_nothing
from gracegate.model import ObjectRef
from tests.check.reports import CATALOG, request_of
from tests.shop import DEPLOYMENT, DRAIN, PRESTOP, READINESS, SERVICE, WITHOUT_BOTH, WITHOUT_DRAIN

SLOW_SHUTDOWN = DEPLOYMENT.replace("seconds: 10", "seconds: 28")
SLOWER_SHUTDOWN = DEPLOYMENT.replace("seconds: 10", "seconds: 29")
GRACE = "grace-period-exhausted"


def alone(files: dict[str, str]) -> CheckRequest:
    """A check of a tree that has no history."""
    return replace(request_of({}, files), base=None, diff=None)


def baseline_of(files: dict[str, str]) -> Baseline:
    """The baseline of a tree, written and read again."""
    taken = take_baseline(alone(files), render_nothing)
    assert taken.count == len(taken.findings)
    return parse_baseline(render_baseline(taken.findings), "baseline.json")


@pytest.mark.parametrize(
    ("before", "after", "statuses"),
    [
        pytest.param({"web.yaml": DEPLOYMENT}, {"web.yaml": DEPLOYMENT}, [], id="nothing"),
        pytest.param(
            {"web.yaml": WITHOUT_DRAIN}, {"web.yaml": WITHOUT_DRAIN}, [(PRESTOP, "pre-existing")], id="no change"
        ),
        pytest.param(
            {"web.yaml": WITHOUT_DRAIN},
            {"web.yaml": f"# moved down\n{WITHOUT_DRAIN}"},
            [(PRESTOP, "pre-existing")],
            id="other lines",
        ),
        pytest.param(
            {"web.yaml": WITHOUT_DRAIN},
            {"apps.yaml": WITHOUT_DRAIN},
            [(PRESTOP, "pre-existing")],
            id="another file",
        ),
        pytest.param({"web.yaml": DEPLOYMENT}, {"web.yaml": WITHOUT_DRAIN}, [(PRESTOP, "introduced")], id="introduced"),
        pytest.param(
            {"web.yaml": WITHOUT_DRAIN},
            {"web.yaml": WITHOUT_BOTH},
            [(PRESTOP, "pre-existing"), (READINESS, "introduced")],
            id="one more",
        ),
        pytest.param(
            {"web.yaml": WITHOUT_DRAIN}, {"web.yaml": WITHOUT_BOTH + DRAIN}, [(READINESS, "introduced")], id="another"
        ),
        pytest.param(
            {"web.yaml": SLOW_SHUTDOWN}, {"web.yaml": SLOWER_SHUTDOWN}, [(GRACE, "worsened")], id="a worse number"
        ),
        pytest.param(
            {"web.yaml": SLOWER_SHUTDOWN}, {"web.yaml": SLOW_SHUTDOWN}, [(GRACE, "pre-existing")], id="a better number"
        ),
    ],
)
def test_a_baseline_is_like_a_base(
    before: dict[str, str], after: dict[str, str], statuses: list[tuple[str, str]]
) -> None:
    before, after = ({"service.yaml": SERVICE, **files} for files in (before, after))
    with_baseline = check(replace(alone(after), baseline=baseline_of(before)), render_nothing)
    with_base = check(request_of(before, after), render_nothing)
    assert sorted((f.rule, f.status) for f in with_baseline.findings) == statuses
    assert with_baseline.verdict == with_base.verdict
    # Rules on what a change does need the base, and only with it is told what a change did not touch.
    known = {(f.rule, f.id, f.status) for f in with_base.findings if CATALOG.rules[f.rule].before is None}
    assert known <= {(f.rule, f.id, f.status) for f in with_baseline.findings}


@pytest.mark.parametrize(
    ("after", "paths", "message"),
    [
        pytest.param({"web.yaml": WITHOUT_BOTH}, (".",), None, id="all is still there"),
        pytest.param(
            {"web.yaml": WITHOUT_DRAIN}, (".",), "1 finding of this baseline is gone, in `web.yaml`.", id="fixed"
        ),
        pytest.param({}, (".",), "2 findings of this baseline are gone, in `web.yaml`.", id="the file is gone"),
        pytest.param({}, ("apps",), None, id="not looked at"),
        pytest.param({"web.yaml": "kind: Deployment\nspec: ["}, (".",), None, id="not read"),
    ],
)
def test_a_stale_baseline_is_said(after: dict[str, str], paths: tuple[str, ...], message: str | None) -> None:
    baseline = replace(baseline_of({"service.yaml": SERVICE, "web.yaml": WITHOUT_BOTH}), checked_paths=paths)
    report = check(replace(alone({"service.yaml": SERVICE, **after}), baseline=baseline), render_nothing)
    told = [problem for problem in report.problems if problem.code == "stale_baseline"]
    assert [problem.message.partition(" Write it anew")[0] for problem in told] == ([message] if message else [])
    assert not any(problem.blocks for problem in told)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "baseline.json:1: this is not valid JSON; `gracegate baseline` writes a baseline"),
        ("[]", "baseline.json: this is no baseline; `gracegate baseline` writes one"),
        ('{"gracegate_baseline": 2}', "baseline.json: this is a baseline of a newer gracegate; "),
        ('{"gracegate_baseline": 1}', "baseline.json: its findings cannot be read; write it anew with"),
        ('{"gracegate_baseline": 1, "findings": [{"rule": "x"}]}', "baseline.json: its findings cannot be read;"),
    ],
)
def test_what_is_no_baseline(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_baseline(text, "baseline.json")
    assert str(raised.value).startswith(message)


TEXT = st.text(string.ascii_letters + '/[]é\n"\\', max_size=8)


@given(
    st.lists(
        st.builds(
            lambda rule, ref, path, file, certainty, measure: (rule, ref, tuple(path), file, certainty, measure),
            TEXT,
            st.builds(ObjectRef, TEXT, TEXT, TEXT, TEXT),
            st.lists(TEXT),
            TEXT,
            st.sampled_from(["certain", "possible"]),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=3,
    )
)
def test_what_is_written_is_read_again(found: list[tuple]) -> None:  # type: ignore[type-arg]
    known = tuple(
        KnownFinding(str(number), Identity(rule, ref, path), file, file, certainty, measure)
        for number, (rule, ref, path, file, certainty, measure) in enumerate(found)
    )
    assert parse_baseline(render_baseline(known), "x") == Baseline("x", known)
