"""Documents to OPA's input, OPA's report to violations: the only place that knows the rule contract's JSON. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gracegate.errors import EngineError, EngineOutOfMemory, EngineTimeout, RuleFailed, RulesMismatch
from gracegate.model import BUILTIN_POLICIES, DRAIN_SECONDS, Document, Engine, Pointer, Problem, Rule, Violation
from gracegate.policy.catalog import Catalog
from gracegate.policy.rollouts import FoundRollout, read_rollout
from gracegate.policy.violations import Malformed, check_members, read_violation

_MOST_PARTS = 8
"""Of rules that need too much memory. Each costs what all rules share: more would take longer than anybody waits."""

Evaluate = Callable[[Mapping[str, Any]], Any]
"""Takes the input and returns the value of `data.gracegate.main.report`; raises EngineError and its subclasses."""


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Rules that are in use, and what evaluates them: each set by itself, so that one that fails costs only itself.

    For `name`, `source` and `commit` see PolicyState.
    """

    catalog: Catalog
    engine: Engine
    evaluate: Evaluate
    name: str = BUILTIN_POLICIES
    source: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What rules assume of the cluster. An exposure that `drain_seconds` leaves out keeps its value of DRAIN_SECONDS.

    `min_minor_is_assumed` says that nobody has named the oldest version: fields that it lacks are no mistake then.
    """

    min_minor: int = 30
    drain_seconds: Mapping[str, int] = field(default_factory=dict)
    app_drain_seconds: int = 10
    min_minor_is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class BaseDocument:
    """A document of the base that the change modified or removed.

    `head_index` is the index of what it is now among the documents of the batch, None where it is gone.
    """

    document: Document
    head_index: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What is evaluated together: all `documents` are facts, those whose index is in `subjects` may be reported.

    `unread` names (path, directory, component) of files that may hold a Service nobody could read. The parameters of
    all rules of the `catalog` are part of every question, so that a rule finds the same whichever others are evaluated;
    `params` replaces their defaults. Rules in `failed` are not evaluated: they failed before, for the reason given, on
    almost the same documents, and may need much time to fail again. `before` is what the change modified and removed,
    and `added` are the indexes of documents that the base lacks; both are empty without a base.
    """

    documents: tuple[Document, ...]
    subjects: frozenset[int]
    unread: tuple[tuple[str, str, str], ...]
    rules: Mapping[str, Rule]
    catalog: Mapping[str, Rule]
    params: Mapping[str, Mapping[str, Any]]
    cluster: Cluster
    failed: Mapping[str, str] = field(default_factory=dict)
    before: tuple[BaseDocument, ...] = ()
    added: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """The violations, in an order that depends on nothing but the batch, and why each rule failed that did."""

    violations: tuple[Violation, ...]
    failed: Mapping[str, str]


def ask(evaluate: Evaluate, batch: Batch, digest: str) -> Answer:
    """Evaluates the batch's rules, which must be the ones of `digest`.

    A rule that errs, takes too long, is missing from the report or reports in another shape is dropped and named as
    failed. Raises EngineError if nothing was evaluated.
    """
    shared = _shared_input(batch)

    def evaluate_rules(rules: Sequence[str]) -> Mapping[str, Any]:
        return _check_report(evaluate({**shared, "rules": list(rules)}), digest, rules)

    found: list[Violation] = []
    failed = {rule: reason for rule, reason in batch.failed.items() if rule in batch.rules}
    for report in _reports(evaluate_rules, sorted(batch.rules.keys() - failed.keys()), failed):
        found += _read_violations(report, batch, failed)
    found = [violation for violation in found if violation.rule not in failed]
    return Answer(tuple(sorted(found, key=_sort_key)), failed)


def ask_rollouts(evaluate: Evaluate, batch: Batch, digest: str) -> tuple[FoundRollout, ...]:
    """What the libraries know of the rollouts of the batch's subjects, by document; no rule is evaluated.

    Raises EngineError where they do not say.
    """
    report = _check_report(evaluate({**_shared_input(batch), "rules": [], "rollouts": True}), digest, [])
    if not isinstance(rollouts := report.get("rollouts"), list):
        raise EngineError("the rules' report is malformed: `rollouts` must be a list")
    try:
        found = (read_rollout(raw, batch.subjects, len(batch.documents)) for raw in rollouts)
        return tuple(sorted(found, key=lambda rollout: rollout.document))
    except Malformed as error:
        raise EngineError(f"a rollout of the rules' report is malformed: {error}") from error


def failed_rule_problems(failed: Mapping[str, str]) -> tuple[Problem, ...]:
    """A problem for each rule that failed."""
    return tuple(Problem("", 0, "rule_failed", f"{rule}: {failed[rule]}") for rule in sorted(failed))


def _shared_input(batch: Batch) -> dict[str, Any]:
    cluster = batch.cluster
    parameters = [(rule.id, parameter) for rule in batch.catalog.values() for parameter in rule.parameters]
    params: dict[str, dict[str, Any]] = {rule: {} for rule, _ in parameters}
    for rule, parameter in parameters:
        params[rule][parameter.name] = batch.params.get(rule, {}).get(parameter.name, parameter.default)
    return {
        "documents": [
            {**_described(document), "subject": number in batch.subjects}
            for number, document in enumerate(batch.documents)
        ],
        "before": [
            _described(one.document) | ({} if one.head_index is None else {"document": one.head_index})
            for one in batch.before
        ],
        "added": sorted(batch.added),
        "rollouts": False,
        "unread": [
            {"path": path, "directory": directory, "root": component} for path, directory, component in batch.unread
        ],
        "cluster": {
            "min_minor": cluster.min_minor,
            "min_minor_is_assumed": cluster.min_minor_is_assumed,
            "drain_seconds": {**DRAIN_SECONDS, **cluster.drain_seconds},
            "app_drain_seconds": cluster.app_drain_seconds,
            **{p.cluster: params[rule][p.name] for rule, p in parameters if p.cluster},
        },
        "params": params,
    }


def _described(document: Document) -> dict[str, Any]:
    return {
        "object": document.object,
        "path": document.holder,
        "directory": _directory(document),
        "index": document.number,
        "fragment": document.is_fragment,
        "root": document.component,
        "rendered_root": document.component if document.root is None else document.root,
        "namespace": document.namespace,
        "declared_namespace": _declared_namespace(document),
    }


def _directory(document: Document) -> str:
    """The directory of a file. What is rendered in a root meets nothing there that another root has made of it."""
    return posixpath.dirname(document.path) if document.rendered is None else document.holder


def _declared_namespace(document: Document) -> str:
    """The namespace that an object names. What a chart without a known release names is only where it is rendered."""
    rendered = document.rendered
    is_anywhere = rendered is not None and rendered.root.renderer == "helm" and not document.applied_namespace.name
    return "" if is_anywhere else document.source_ref.namespace


def _reports(
    evaluate_rules: Callable[[Sequence[str]], Mapping[str, Any]], rules: Sequence[str], failed: dict[str, str]
) -> Iterable[Mapping[str, Any]]:
    """Evaluates `rules` together if that works, else without those that fail, which are added to `failed`.

    Rules that need too much time or memory together are halved until the ones that do are found. Raises EngineTimeout
    if that leaves none.
    """
    pending: list[tuple[Sequence[str], int]] = [(rules, 1)]
    too_much: EngineTimeout | None = None
    is_answered = False
    while pending:
        part, parts = pending.pop()
        halves = [(half, parts * 2) for half in (part[len(part) // 2 :], part[: len(part) // 2]) if half]
        try:
            report = evaluate_rules(part)
        except EngineTimeout as error:
            too_much = too_much or error
            if len(part) < 2 or (isinstance(error, EngineOutOfMemory) and parts >= _MOST_PARTS):
                failed.update(dict.fromkeys(part, str(error)))
            else:
                pending += halves
        except RuleFailed as error:
            if not part:
                raise
            failing = [rule for rule in part if rule in error.rules or len(part) == 1]
            failed.update(dict.fromkeys(failing, str(error)))
            rest = [rule for rule in part if rule not in failing]
            pending += halves if not failing else [(rest, parts)] if rest else []
        else:
            is_answered = True
            yield report
    if too_much is not None and not is_answered:
        raise too_much


def _check_report(report: Any, digest: str, rules: Sequence[str]) -> Mapping[str, Any]:
    try:
        check_members(report, required={"digest", "rules", "violations"}, optional={"rollouts"})
    except Malformed as error:
        raise EngineError(f"the rules' report is malformed: {error}") from error
    if report["digest"] != digest:
        raise RulesMismatch(f"the report is about the rules {report['digest']!r}, not {digest!r}")
    evaluated, violations = report["rules"], report["violations"]
    if not isinstance(evaluated, list) or not isinstance(violations, list):
        raise EngineError("the rules' report is malformed: `rules` and `violations` must be lists")
    requested = set(rules)
    if not all(isinstance(rule, str) and rule in requested for rule in evaluated):
        raise EngineError(f"the report is about the rules {evaluated!r}, not only {list(rules)!r}")
    missing = sorted(requested.difference(evaluated))
    if missing:
        raise RuleFailed("it was not evaluated", tuple(missing))
    return dict(report)


def _read_violations(report: Mapping[str, Any], batch: Batch, failed: dict[str, str]) -> Iterable[Violation]:
    evaluated = set(report["rules"])
    messages: dict[tuple[str, int, Pointer], str] = {}
    for raw in report["violations"]:
        rule = raw.get("rule") if isinstance(raw, Mapping) else None
        if not isinstance(rule, str) or rule not in evaluated:
            raise EngineError(f"a violation names a rule that was not requested: {rule!r}")
        try:
            found = read_violation(raw, batch.rules[rule], batch.subjects, batch.documents, len(batch.before))
        except Malformed as error:
            failed[rule] = f"its violation is malformed: {error}"
            continue
        place = (rule, found.document, found.pointer)
        other = messages.setdefault(place, found.message)
        if other != found.message:
            failed[rule] = f"it says two things at one place: {' and '.join(sorted((other, found.message)))}"
        yield found


def _sort_key(violation: Violation) -> tuple[Any, ...]:
    # Numbers and strings do not compare with each other, so each segment carries which it is.
    pointer = tuple((isinstance(segment, str), segment) for segment in violation.pointer)
    return violation.document, pointer, violation.rule, violation.message
