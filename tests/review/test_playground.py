"""The playground: what it finds, what it refuses of a rule, and what it lets a client have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gracegate.policy import load_builtin
from gracegate.review import playground
from gracegate.review.playground import MAX_CHARACTERS, Playground, PlaygroundRefused
from gracegate.review.sandboxed_playground import OWN_RULE, PlaygroundJob, PlaygroundReview, sandboxed_playground
from gracegate.web.playground import packaged_example

START = packaged_example()
OWN = "min-ready-seconds-missing"
RULES = load_builtin().rules
CHANGED = RULES["probe-removed"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def job(opa: Path, cache: Path) -> PlaygroundJob:
    return PlaygroundJob(START.manifests, rego=START.rego, opa=opa, cache_dir=cache, seconds=600)


def found(review: PlaygroundReview) -> list[tuple[str, int, bool]]:
    """Rule and line of each finding, and whether it has a verified fix."""
    return [(f.rule, f.line, f.fix is not None and f.fix.diff is not None) for f in review.report.findings]


def test_the_rule_finds_fixes_and_prints_beside_the_built_in_ones(
    job: PlaygroundJob, opa: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playground, "_SECONDS", 600.0)
    # In the child, as people have it.
    review = Playground(opa, cache).review(replace(job, seconds=0, opa=None, cache_dir=None), "here")
    assert found(review) == [("pdb-missing", 4, False), (OWN, 5, True), ("prestop-drain-missing", 16, True)]
    assert (review.mistakes, review.prints) == ((), ("without minReadySeconds: shop",))
    assert review.rule_seconds is not None
    assert len(review.pictures) == 1


def test_the_rule_alone(job: PlaygroundJob) -> None:
    assert found(sandboxed_playground(replace(job, only=OWN_RULE))) == [(OWN, 5, True)]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("name := object.get(", "http.send({}, ", 41, "http.send is not among the builtins"),
        ("name := object.get(", "name := := (", 38, "unexpected"),
        ("severity: warning", "severity: fatal", 9, "severity is one of error, warning, info"),
        ("# custom:", "# schemas:\n# - input: {$ref: 'file:///etc/passwd'}\n# custom:", 1, "schema"),
        ("gracegate.rules.acme", "acme", 23, "the package of a rule is written as"),
        ("gracegate.rules.acme", "gracegate.rules.readiness", 23, "readiness"),
        ("not document.object.spec.minReadySeconds", "document.object.spec.minReadySeconds", 11, "its own example"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_at_its_line(
    job: PlaygroundJob, old: str, new: str, line: int, words: str
) -> None:
    review = sandboxed_playground(replace(job, rego=job.rego.replace(old, new, 1)))
    assert [(one.line, words in one.message) for one in review.mistakes[:1]] == [(line, True)], review.mistakes
    # What the built-in rules find does not depend on it.
    assert [rule for rule, _, _ in found(review)] == ["pdb-missing", "prestop-drain-missing"]
    assert review.rule_seconds is None


def test_without_opa_the_built_in_rules_are_evaluated(job: PlaygroundJob) -> None:
    review = sandboxed_playground(replace(job, opa=None))
    assert [one.message[:18] for one in review.mistakes] == ["there is no OPA he"]
    assert len(review.report.findings) == 2


@pytest.mark.parametrize("rule", ["prestop-drain-missing", "field-unsupported", "single-replica", "probe-removed"])
def test_the_example_of_a_rule_is_found(cache: Path, rule: str) -> None:
    one = RULES[rule]
    job = PlaygroundJob(one.example, one.before or "", only=one.id, cache_dir=cache, seconds=600)
    assert {rule for rule, _, _ in found(sandboxed_playground(job))} == {one.id}


def test_a_manifest_that_cannot_be_read_is_named(cache: Path) -> None:
    broken = START.manifests.replace("name: shop", "name: [shop", 1)
    report = sandboxed_playground(PlaygroundJob(broken, cache_dir=cache, seconds=600)).report
    problems = [(problem.code, problem.line) for problem in report.problems]
    assert (report.verdict, problems) == ("incomplete", [("syntax", 5)])


def test_a_client_has_a_few_reviews_at_once_and_then_one_after_the_other() -> None:
    now = 0.0
    playground = Playground(None, None, clock=lambda: now)
    long = PlaygroundJob("x" * (MAX_CHARACTERS + 1))

    def refused(client: str) -> str:
        with pytest.raises(PlaygroundRefused) as refusal:
            playground.review(long, client)
        return f"{str(refusal.value)[:20]}, {refusal.value.seconds}"

    too_long, too_often = "A text is longer tha, 0", "That was a lot at on, 3"
    assert [refused("a") for _ in range(11)] == [too_long] * 10 + [too_often]
    assert refused("b") == too_long
    now = 2.0
    assert [refused("a") for _ in range(2)] == [too_long, too_often]
    now = 60.0
    assert [refused("a") for _ in range(11)] == [too_long] * 10 + [too_often]
