"""What the rules of a policy set cost, in instructions rather than in seconds: a busy machine refuses no rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from gracegate.check import CheckRequest, check
from gracegate.errors import RulesError
from gracegate.manifests import render_nothing
from gracegate.model import Engine, Limits, SourceFile, Tree
from gracegate.policy import Catalog, Evaluate, PolicySet, Recording
from gracegate.policy.engines import count_instructions
from gracegate.policy.sets.folder import PolicyFolder, cases
from gracegate.policy.sets.opa_command import OpaCommand, written_modules
from gracegate.repo_config import RepoConfig

USUAL_BUDGET = 500.0
"""Milliseconds that a rule may take for 1,000 documents where its set has no budget of its own: the slowest built-in
rule takes 200."""
INSTRUCTIONS_PER_MS = 2_000_000
"""Wasm instructions that one core does in a millisecond: 1.7 to 2.4 million for built-in rules, on a virtual machine of
2025. A millisecond of a budget is so many of them, on every machine."""
_MOST_SECONDS = 30
_DOCUMENTS = 1_000
_MOST_COPIES = 1_000


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What a rule takes alone for 1,000 documents, in milliseconds; None for more than can be measured.

    `violations` are those in the documents that were evaluated. `slowest` is the file with the line, from 1, that takes
    the most of a rule over its budget, and `share` how much of it, from 0 to 1; "" where that is not known.
    """

    rule: str
    ms: float | None
    violations: int
    is_over: bool
    slowest: str = ""
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class PolicyCosts:
    """The costs of a set for 1,000 documents in milliseconds, as for a rule; `documents` is how many were evaluated.

    `reading` is what each question takes without a rule, and is in no rule's cost. `together` is all of it: the rules
    share what they ask of libraries, so that it is less than their sum.
    """

    rules: tuple[RuleCost, ...]
    reading: float
    together: float | None
    documents: int
    budget: float


def input_of(catalog: Catalog, tree: Tree) -> Mapping[str, Any] | None:
    """The question about all documents of a tree, for all rules of a catalogue; None where no rule reads any."""
    recording = Recording(_unanswered(catalog))
    policies = PolicySet(catalog, Engine("none", "", catalog.digest), recording.evaluate)
    limits = Limits(own_kinds=catalog.kinds)
    request = CheckRequest(tree, RepoConfig(profile="strict"), (policies,), dt.date.max, limits=limits)
    check(replace(request, max_verified_fixes=0), render_nothing)
    return recording.questions[0].opa_input if recording.questions else None


def _unanswered(catalog: Catalog) -> Evaluate:
    """Finds nothing: what is asked is wanted, not the answer."""
    return lambda opa_input: {"digest": catalog.digest, "rules": opa_input["rules"], "violations": []}


def own_manifests(policies: PolicyFolder, catalog: Catalog) -> Tree:
    """The examples and cases of a set, as often as makes them about 1,000 documents, each in a folder of its own."""
    texts = [rule.example for rule in catalog.rules.values() if rule.example]
    texts += [path.read_text(encoding="utf-8", errors="replace") for _, path in cases(policies)]
    documents = sum(text.count("\n---") + 1 for text in texts)
    copies = min(_MOST_COPIES, -(-_DOCUMENTS // max(documents, 1)))
    names = (f"{number}/manifests.yaml" for number in count())
    return Tree({name: SourceFile(name, text.encode()) for name, text in zip(names, texts * copies, strict=False)})


def measure(
    catalog: Catalog,
    opa_input: Mapping[str, Any],
    budget: float,
    opa: Path | None = None,
    only: Collection[str] | None = None,
) -> PolicyCosts:
    """The costs of a set that Wasm evaluates, for one question; `opa` tells which line is slow in a rule over `budget`.

    With `only` it is about these rules. Raises EngineError where a rule fails.
    """
    documents = len(opa_input["documents"])
    rules = sorted(catalog.rules if only is None else only)
    questions = [{**opa_input, "rules": asked} for asked in ([], rules, *([rule] for rule in rules))]
    (reading, _), (together, _), *alone = count_instructions(
        catalog, questions, _MOST_SECONDS * 1000 * INSTRUCTIONS_PER_MS
    )

    def ms(instructions: int | None, without: int = 0) -> float | None:
        if instructions is None:
            return None
        return max(0, instructions - without) / INSTRUCTIONS_PER_MS * 1000 / documents

    costs = []
    for rule, (instructions, report) in zip(rules, alone, strict=True):
        own = ms(instructions, reading or 0)
        cost = RuleCost(rule, own, len((report or {"violations": ()})["violations"]), own is None or own > budget)
        if cost.is_over and opa is not None:
            cost = _with_slowest_line(cost, catalog, {**opa_input, "rules": [rule]}, opa)
        costs.append(cost)
    return PolicyCosts(tuple(costs), ms(reading) or 0.0, ms(together), documents, budget)


def costs_of(policies: PolicyFolder, catalog: Catalog, rules: Collection[str], opa: Path) -> PolicyCosts | None:
    """What some rules of a set cost on its own examples and cases; None where only OPA evaluates the set, and where
    there is nothing to measure. Raises EngineError where a rule fails."""
    if catalog.needs_opa or not rules:
        return None
    opa_input = input_of(catalog, own_manifests(policies, catalog))
    budget = policies.described.budget or USUAL_BUDGET
    return None if opa_input is None else measure(catalog, opa_input, budget, opa, rules)


def over_budget(policies: PolicyFolder, catalog: Catalog, opa: Path) -> Iterator[RulesError]:
    """The rules that take more than the set allows itself, each with the line that takes the most."""
    budget = policies.described.budget
    if budget is None or catalog.needs_opa:
        return
    opa_input = input_of(catalog, own_manifests(policies, catalog))
    if opa_input is None:
        return
    for cost in measure(catalog, opa_input, budget, opa).rules:
        if cost.is_over:
            file, _, line = cost.slowest.rpartition(":")
            yield RulesError(
                f"{cost.rule} takes {cost_words(cost.ms)} for 1,000 documents, and `budget` allows {budget:,.0f} ms",
                file=file or None,
                line=int(line) if line else None,
            )


def cost_words(ms: float | None) -> str:
    """A cost as people read it."""
    return f"more than {_MOST_SECONDS} s" if ms is None else f"{ms:,.0f} ms"


def _with_slowest_line(cost: RuleCost, catalog: Catalog, opa_input: Mapping[str, Any], opa: Path) -> RuleCost:
    # Of fewer documents: to profile costs much more than to evaluate, and the line is the same.
    with written_modules(catalog.modules) as written:
        lines = OpaCommand(opa, written).profile(_first_documents(opa_input, 50), catalog.data)
    total = sum(seconds for _, seconds in lines)
    own = [one for one in lines if not one[0].startswith("gracegate/")]
    if not own or not total:
        return cost
    place, seconds = max(own, key=lambda one: one[1])
    return replace(cost, slowest=place, share=seconds / total)


def _first_documents(opa_input: Mapping[str, Any], most: int) -> Mapping[str, Any]:
    documents: Sequence[Any] = opa_input["documents"][:most]
    return {**opa_input, "documents": documents, "added": [], "before": []}
