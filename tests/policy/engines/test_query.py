"""The input of OPA, what an answer means, and that nothing odd ever reads as `no violation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gracegate.errors import EngineError, EngineOutOfMemory, EngineTimeout, EngineUnavailable, RuleFailed, RulesMismatch
from gracegate.model import (
    DRAIN_SECONDS,
    AppliedNamespace,
    Document,
    EditedCopy,
    Fix,
    IntendedStep,
    ObjectRef,
    Operation,
    Parameter,
    Problem,
    RelatedPointer,
    Rule,
    Violation,
)
from gracegate.policy import Answer, BaseDocument, Batch, Cluster, ask, failed_rule_problems

DIGEST = "d1"


def rule(identity: str, **changes: Any) -> Rule:
    fields: dict[str, Any] = {
        "id": identity,
        "group": "demo",
        "title": "",
        "description": "",
        "severity": "error",
        "fix": "safe",
        "parameters": (),
        "example": "",
        "links": (),
    }
    return Rule(**{**fields, **changes})


SPEC = [*range(11)]


def document(path: str, number: int = 0) -> Document:
    manifest = {"kind": "Pod", "metadata": {"name": path}, "spec": SPEC}
    return Document(path, number, (), manifest, ObjectRef("Pod", "", path), False, "apps")


def batch(*rules: Rule, subjects: Sequence[int] = (0, 1), **changes: Any) -> Batch:
    fields: dict[str, Any] = {
        "documents": (document("apps/a.yaml"), document("b.yaml", 3)),
        "subjects": frozenset(subjects),
        "unread": (),
        "rules": {one.id: one for one in rules},
        "catalog": {one.id: one for one in rules},
        "params": {},
        "cluster": Cluster(),
    }
    return Batch(**{**fields, **changes})


def violation(identity: str = "a", **changes: Any) -> dict[str, Any]:
    return {"rule": identity, "at": {"document": 0, "path": ["spec", 1]}, "message": "wrong", **changes}


class Engine:
    """Answers with `violations` of the rules in the input, and keeps the inputs."""

    def __init__(self, *violations: Any, **changes: Any) -> None:
        self.violations = violations
        self.changes = changes
        self.questions: list[Mapping[str, Any]] = []

    def __call__(self, opa_input: Mapping[str, Any]) -> Any:
        self.questions.append(opa_input)
        rules = opa_input["rules"]
        found = [raw for raw in self.violations if not isinstance(raw, dict) or raw.get("rule") in {*rules, None, "x"}]
        return {"digest": DIGEST, "rules": rules, "violations": found, **self.changes}


def failing(*broken: str, named: bool, engine: Engine | None = None) -> tuple[Engine, Any]:
    """An engine in which the `broken` rules err."""
    inner = engine or Engine()

    def evaluate(opa_input: Mapping[str, Any]) -> Any:
        failed_rules = [one for one in broken if one in opa_input["rules"]]
        answer = inner(opa_input)
        if failed_rules:
            raise RuleFailed("conflict", tuple(failed_rules[:1]) if named else ())
        return answer

    return inner, evaluate


def test_a_clean_answer() -> None:
    assert ask(Engine(), batch(rule("a"), rule("b")), DIGEST) == Answer((), {})


def test_what_is_asked() -> None:
    engine = Engine()
    seconds = Parameter("seconds", 5, "")
    share = Parameter("share", 0.5, "")
    off = rule("off", parameters=(Parameter("least", 3, "", "least_seconds"), Parameter("most", 8, "")))
    placed = replace(document("b.yaml", 3), root="", applied_namespace=AppliedNamespace("shop", replaces=True))
    ask(
        engine,
        batch(
            rule("b", parameters=(seconds, share)),
            rule("a"),
            documents=(document("apps/a.yaml"), placed),
            subjects=[1],
            unread=(("x/y.yaml", "x", "x"),),
            catalog={"b": rule("b", parameters=(seconds, share)), "a": rule("a"), "off": off},
            params={"b": {"seconds": 9}, "off": {"least": 4}},
            cluster=Cluster(31, {"neg": 60}, 7),
            before=(BaseDocument(document("old/b.yaml"), 1), BaseDocument(document("gone.yaml"))),
            added=frozenset({0}),
        ),
        DIGEST,
    )
    assert engine.questions == [
        {
            "documents": [
                {
                    "object": {"kind": "Pod", "metadata": {"name": "apps/a.yaml"}, "spec": SPEC},
                    "path": "apps/a.yaml",
                    "directory": "apps",
                    "index": 0,
                    "subject": False,
                    "fragment": False,
                    "root": "apps",
                    "rendered_root": "apps",
                    "namespace": "",
                    "declared_namespace": "",
                },
                {
                    "object": {"kind": "Pod", "metadata": {"name": "b.yaml"}, "spec": SPEC},
                    "path": "b.yaml",
                    "directory": "",
                    "index": 3,
                    "subject": True,
                    "fragment": False,
                    "root": "apps",
                    "rendered_root": "",
                    "namespace": "shop",
                    "declared_namespace": "",
                },
            ],
            "before": [
                {
                    "object": {"kind": "Pod", "metadata": {"name": "old/b.yaml"}, "spec": SPEC},
                    "path": "old/b.yaml",
                    "directory": "old",
                    "index": 0,
                    "fragment": False,
                    "root": "apps",
                    "rendered_root": "apps",
                    "namespace": "",
                    "declared_namespace": "",
                    "document": 1,
                },
                {
                    "object": {"kind": "Pod", "metadata": {"name": "gone.yaml"}, "spec": SPEC},
                    "path": "gone.yaml",
                    "directory": "",
                    "index": 0,
                    "fragment": False,
                    "root": "apps",
                    "rendered_root": "apps",
                    "namespace": "",
                    "declared_namespace": "",
                },
            ],
            "added": [0],
            "rollouts": False,
            "unread": [{"path": "x/y.yaml", "directory": "x", "root": "x"}],
            "cluster": {
                "min_minor": 31,
                "min_minor_is_assumed": False,
                "drain_seconds": {**DRAIN_SECONDS, "neg": 60},
                "app_drain_seconds": 7,
                "least_seconds": 4,
            },
            "rules": ["a", "b"],
            "params": {"b": {"seconds": 9, "share": 0.5}, "off": {"least": 4, "most": 8}},
        }
    ]


def test_a_whole_violation() -> None:
    raw = violation(
        level="warning",
        measure=3,
        related=[{"document": 1, "path": ["spec"]}, {"document": 0, "path": [], "note": "grace period: 30 s"}],
        confidence="possible",
        fix={
            "class": "assumes",
            "assumption": "it listens on /ready",
            "advice": "look",
            "patch": [
                {"op": "add", "path": ["spec", 0], "value": {"x": 1}},
                {"op": "replace", "path": ["spec"], "value": None, "document": 1, "reason": "it has to fit"},
                {"op": "remove", "path": ["spec"]},
            ],
        },
    )
    patch = (
        Operation("add", ("spec", 0), {"x": 1}, 0),
        Operation("replace", ("spec",), None, 1, "it has to fit"),
        Operation("remove", ("spec",), None, 0),
    )
    fix = Fix("assumes", patch, "look", "it listens on /ready")
    related = (RelatedPointer(1, ("spec",)), RelatedPointer(0, (), "grace period: 30 s"))
    expected = Violation("a", 0, ("spec", 1), "wrong", "warning", 3.0, fix, related=related, confidence="possible")
    assert ask(Engine(raw), batch(rule("a")), DIGEST).violations == (expected,)


@pytest.mark.parametrize(
    ("raw", "steps"),
    [
        ([], ()),
        ([{"title": "last", "by_hand": "do it"}], (IntendedStep("last", by_hand="do it"),)),
        (
            [
                {
                    "title": "first",
                    "patch": [{"op": "remove", "document": 1, "path": ["spec"]}],
                    "restored": [0],
                    "instead": [{"former": 0, "patch": []}],
                    "copies": [
                        {"document": 1, "patch": [{"op": "remove", "path": ["spec"]}]},
                        {"former": 0, "patch": []},
                    ],
                },
                {"title": "last"},
            ],
            (
                IntendedStep(
                    "first",
                    (Operation("remove", ("spec",), None, 1),),
                    (0,),
                    (EditedCopy(0, (), is_former=True),),
                    (EditedCopy(1, (Operation("remove", ("spec",)),)), EditedCopy(0, (), is_former=True)),
                ),
                IntendedStep("last"),
            ),
        ),
    ],
)
def test_steps_are_read(raw: list[Any], steps: tuple[IntendedStep, ...]) -> None:
    asked = batch(rule("a"), before=(BaseDocument(document("apps/a.yaml"), 0),))
    [found] = ask(Engine(violation(steps=raw)), asked, DIGEST).violations
    assert found.steps == steps


@pytest.mark.parametrize(
    ("severity", "level", "expected"),
    [
        ("error", None, "error"),
        ("error", "info", "info"),
        ("warning", "error", "warning"),
        ("info", "error", "info"),
    ],
)
def test_severity_caps_the_level(severity: str, level: str | None, expected: str) -> None:
    raw = violation() if level is None else violation(level=level)
    answer = ask(Engine(raw), batch(rule("a", severity=severity)), DIGEST)
    assert [found.level for found in answer.violations] == [expected]


@pytest.mark.parametrize(
    ("confidence", "level", "expected"),
    [("certain", "error", "error"), ("possible", "error", "warning"), ("possible", "info", "info")],
)
def test_what_is_only_possible_is_no_error(confidence: str, level: str, expected: str) -> None:
    answer = ask(Engine(violation(level=level, confidence=confidence)), batch(rule("a")), DIGEST)
    assert [(found.level, found.confidence) for found in answer.violations] == [(expected, confidence)]


def test_the_class_of_a_fix_is_the_rules_own_by_default() -> None:
    step = {"op": "remove", "path": []}
    answer = ask(Engine(violation(fix={"patch": [step]})), batch(rule("a", fix="safe")), DIGEST)
    assert answer.violations[0].fix == Fix("safe", (Operation("remove", ()),))


def test_the_order_depends_on_nothing_but_the_batch() -> None:
    places: list[tuple[str, int, list[object]]] = [
        ("a", 0, []),
        ("b", 0, []),
        ("a", 0, ["metadata", "labels", "app"]),
        ("a", 0, ["metadata", "name", "first"]),
        ("a", 0, ["spec", 2]),
        ("a", 0, ["spec", 10]),
        ("a", 1, []),
    ]
    raws = [violation(name, at={"document": number, "path": path}) for name, number, path in places]
    given = batch(rule("b"), rule("a"))
    answers = [ask(Engine(*order), given, DIGEST) for order in (raws, raws[::-1], raws[3:] + raws[:3])]
    assert [(v.rule, v.document, list(v.pointer)) for v in answers[0].violations] == places
    assert answers[1:] == [answers[0]] * 2


@pytest.mark.parametrize(
    ("report", "error"),
    [
        (None, EngineError),
        ({}, EngineError),
        ([], EngineError),
        ({"digest": DIGEST, "rules": ["a"]}, EngineError),
        ({"digest": DIGEST, "rules": ["a"], "violations": [], "more": 1}, EngineError),
        ({"digest": DIGEST, "rules": ["a"], "violations": None}, EngineError),
        ({"digest": DIGEST, "rules": {"a": True}, "violations": []}, EngineError),
        ({"digest": DIGEST, "rules": ["a", "z"], "violations": []}, EngineError),
        ({"digest": DIGEST, "rules": ["a", None], "violations": []}, EngineError),
        ({"digest": DIGEST, "rules": ["a"], "violations": [violation("z")]}, EngineError),
        ({"digest": DIGEST, "rules": ["a"], "violations": [None]}, EngineError),
        ({"digest": "other", "rules": ["a"], "violations": []}, RulesMismatch),
        ({"digest": None, "rules": ["a"], "violations": []}, RulesMismatch),
    ],
)
def test_a_malformed_report_is_an_error(report: Any, error: type[EngineError]) -> None:
    with pytest.raises(error):
        ask(lambda _: report, batch(rule("a")), DIGEST)


PATCH = [{"op": "remove", "path": ["spec"]}]


@pytest.mark.parametrize(
    "wrong",
    [
        violation(at=None),
        violation(at={"document": 0}),
        violation(at={"document": 2, "path": []}),
        violation(at={"document": -1, "path": []}),
        violation(at={"document": True, "path": []}),
        violation(at={"document": 0.0, "path": []}),
        violation(at={"document": 1, "path": []}),  # no subject
        violation(at={"document": 0, "path": "spec"}),
        violation(at={"document": 0, "path": [None]}),
        violation(at={"document": 0, "path": [-1]}),
        violation(at={"document": 0, "path": [True]}),
        violation(at={"document": 0, "path": ["spec", 11]}),
        violation(at={"document": 0, "path": ["spec", "first"]}),
        violation(at={"document": 0, "path": ["metadata", 0]}),
        violation(at={"document": 0, "path": ["metadata", "labels", 0]}),
        violation(message=""),
        violation(message=1),
        violation(level="fatal"),
        violation(level=None),
        violation(level=[]),
        violation(measure="3"),
        violation(measure=True),
        violation(measure=float("nan")),
        violation(confidence="high"),
        violation(confidence=None),
        violation(related=None),
        violation(related={}),
        violation(related=[0]),
        violation(related=[{"document": 0}]),
        violation(related=[{"document": 2, "path": []}]),
        violation(related=[{"document": 0, "path": "spec"}]),
        violation(related=[{"document": 0, "path": [], "note": 3}]),
        violation(steps=None),
        violation(steps=["first"]),
        violation(steps=[{"title": ""}]),
        violation(steps=[{"title": "last", "by_hand": ""}]),
        violation(steps=[{"title": "last", "patch": PATCH}]),
        violation(steps=[{"title": "last", "restored": [0]}]),
        violation(steps=[{"title": "first", "restored": 0}, {"title": "last"}]),
        violation(steps=[{"title": "first", "restored": [1]}, {"title": "last"}]),
        violation(steps=[{"title": "last", "instead": [{"former": 0, "patch": []}]}]),
        violation(steps=[{"title": "first", "instead": [{"document": 0, "patch": []}]}, {"title": "last"}]),
        violation(steps=[{"title": "first", "instead": {}}, {"title": "last"}]),
        violation(steps=[{"title": "first", "copies": [{"document": 2, "patch": []}]}, {"title": "last"}]),
        violation(steps=[{"title": "first", "copies": [{"former": 1, "patch": []}]}, {"title": "last"}]),
        violation(steps=[{"title": "first", "copies": [{"document": 0}]}, {"title": "last"}]),
        violation(steps=[{"title": "first", "copies": [{"document": 0, "patch": {}}]}, {"title": "last"}]),
        violation(mesage="typo"),
        violation(fix=None),
        violation(fix={}),
        violation(fix={"patch": []}),
        violation(fix={"patch": {}}),
        violation(fix={"class": "none", "patch": PATCH}),
        violation(fix={"class": "text", "patch": PATCH, "advice": "look"}),
        violation(fix={"class": "text"}),
        violation(fix={"class": "assumes", "patch": PATCH}),
        violation(fix={"class": "safe", "advice": "look"}),
        violation(fix={"class": "safe", "patch": PATCH, "advice": 1}),
        violation(fix={"patch": [{"op": "add", "path": []}]}),
        violation(fix={"patch": [{"op": "move", "path": []}]}),
        violation(fix={"patch": [{"op": "remove", "path": [], "value": 1}]}),
        violation(fix={"patch": [{"op": "remove", "path": [], "reason": 1}]}),
        violation(fix={"patch": [{"op": "remove", "path": [], "document": 2}]}),
        violation(fix={"patch": ["remove"]}),
    ],
    ids=str,
)
def test_a_slip_of_one_rule_costs_only_that_rule(wrong: dict[str, Any]) -> None:
    engine = Engine(violation("a"), wrong, violation("b"))
    answer = ask(engine, batch(rule("a"), rule("b"), subjects=[0]), DIGEST)
    assert [found.rule for found in answer.violations] == ["b"]
    assert list(answer.failed) == ["a"]


def test_a_rule_says_one_thing_at_one_place() -> None:
    said = [violation("a"), violation("a", message="again"), violation("b"), violation("b", level="info")]
    answer = ask(Engine(*said), batch(rule("a"), rule("b")), DIGEST)
    assert ([found.rule for found in answer.violations], answer.failed) == (
        ["b", "b"],
        {"a": "it says two things at one place: again and wrong"},
    )


def test_a_rule_that_was_not_evaluated_is_a_problem() -> None:
    def evaluate(opa_input: Mapping[str, Any]) -> Any:
        rules = [one for one in opa_input["rules"] if one != "a"]
        return {"digest": DIGEST, "rules": rules, "violations": [violation("b")] if "b" in rules else []}

    answer = ask(evaluate, batch(rule("a"), rule("b")), DIGEST)
    assert [found.rule for found in answer.violations] == ["b"]
    assert answer.failed == {"a": "it was not evaluated"}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("broken", [(), ("a",), ("c",), ("a", "e"), ("b", "c", "d"), ("a", "b", "c", "d", "e")])
def test_rules_that_err_never_cost_the_others(broken: tuple[str, ...], named: bool) -> None:
    every = ["a", "b", "c", "d", "e"]
    engine, evaluate = failing(*broken, named=named, engine=Engine(*map(violation, every)))
    answer = ask(evaluate, batch(*map(rule, every)), DIGEST)
    assert [found.rule for found in answer.violations] == [one for one in every if one not in broken]
    assert answer.failed == dict.fromkeys(broken, "conflict")
    assert len(engine.questions) <= 2 * len(every)


@pytest.mark.parametrize(
    ("slow", "questions"),
    [
        ((), [8]),
        (("3",), [8, 4, 2, 2, 1, 1, 4]),
        (("0", "7"), [8, 4, 2, 1, 1, 2, 4, 2, 2, 1, 1]),
        (("0", "1", "2", "3", "4", "5", "6"), [8, 4, 2, 1, 1, 2, 1, 1, 4, 2, 1, 1, 2, 1, 1]),
    ],
)
def test_rules_that_take_too_long_never_cost_the_others(slow: tuple[str, ...], questions: list[int]) -> None:
    every = [str(number) for number in range(8)]
    engine = Engine(*map(violation, every))

    def evaluate(opa_input: Mapping[str, Any]) -> Any:
        answer = engine(opa_input)
        if not set(slow).isdisjoint(opa_input["rules"]):
            raise EngineTimeout("too slow")
        return answer

    answer = ask(evaluate, batch(*map(rule, every)), DIGEST)
    assert [found.rule for found in answer.violations] == [one for one in every if one not in slow]
    assert answer.failed == dict.fromkeys(slow, "too slow")
    assert [len(question["rules"]) for question in engine.questions] == questions


def test_rules_that_failed_before_are_named_and_not_evaluated() -> None:
    engine = Engine(violation("a"), violation("b"))
    answer = ask(engine, batch(rule("a"), rule("b"), failed={"a": "too slow", "off": "too slow"}), DIGEST)
    assert ([found.rule for found in answer.violations], answer.failed) == (["b"], {"a": "too slow"})
    assert [question["rules"] for question in engine.questions] == [["b"]]


def test_each_rule_that_failed_is_a_problem() -> None:
    expected = (Problem("", 0, "rule_failed", "a: too slow"), Problem("", 0, "rule_failed", "b: conflict"))
    assert failed_rule_problems({"b": "conflict", "a": "too slow"}) == expected


@pytest.mark.parametrize(
    ("at_once", "questions"), [(20, [20]), (10, [20, 10, 10]), (3, [20, 10, 5, 2, 3, 5, 2, 3, 10, 5, 2, 3, 5, 2, 3])]
)
def test_rules_that_need_too_much_memory_together_are_evaluated_in_parts(at_once: int, questions: list[int]) -> None:
    every = [f"rule-{number:02}" for number in range(20)]
    engine = Engine(*map(violation, every))
    answer = ask(limited(engine, at_once), batch(*map(rule, every)), DIGEST)
    assert ([found.rule for found in answer.violations], answer.failed) == (every, {})
    assert [len(question["rules"]) for question in engine.questions] == questions


def test_parts_that_need_too_much_memory_never_cost_the_others() -> None:
    every = [f"rule-{number:02}" for number in range(20)]
    answer = ask(limited(Engine(*map(violation, every)), 2), batch(*map(rule, every)), DIGEST)
    heavy = {f"rule-{number:02}" for number in (2, 3, 4, 7, 8, 9, 12, 13, 14, 17, 18, 19)}
    assert [found.rule for found in answer.violations] == [one for one in every if one not in heavy]
    assert answer.failed == dict.fromkeys(heavy, "too much")


@pytest.mark.parametrize(("rules", "at_once"), [(20, 1), (1, 0), (0, -1)])
def test_parts_have_an_end(rules: int, at_once: int) -> None:
    engine = Engine()
    with pytest.raises(EngineOutOfMemory):
        ask(limited(engine, at_once), batch(*(rule(f"rule-{number}") for number in range(rules))), DIGEST)
    assert len(engine.questions) <= 15


def limited(engine: Engine, at_once: int) -> Any:
    """An engine that has memory for so many rules at once."""

    def evaluate(opa_input: Mapping[str, Any]) -> Any:
        answer = engine(opa_input)
        if len(opa_input["rules"]) > at_once:
            raise EngineOutOfMemory("too much")
        return answer

    return evaluate


def test_an_engine_that_errs_without_any_rule_is_an_error() -> None:
    def evaluate(_: Mapping[str, Any]) -> Any:
        raise RuleFailed("conflict")

    with pytest.raises(RuleFailed):
        ask(evaluate, batch(), DIGEST)


@pytest.mark.parametrize("error", [EngineTimeout("t"), EngineUnavailable("u"), RulesMismatch("f"), EngineError("e")])
def test_other_errors_are_the_callers(error: EngineError) -> None:
    def evaluate(_: Mapping[str, Any]) -> Any:
        raise error

    with pytest.raises(type(error)):
        ask(evaluate, batch(rule("a")), DIGEST)
