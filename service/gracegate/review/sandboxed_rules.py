"""The rules of the policy sets that a configuration names, found in a child process: they are not the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gracegate.model import Rule
from gracegate.policy import rules_of
from gracegate.policy.sets import OperatorPolicies
from gracegate.review.named_policies import NamedPolicies, load_named
from gracegate.review.sandboxed_check import refused_problems

NAMED_RULES = "gracegate.review.sandboxed_rules:sandboxed_rules"


@dataclass(frozen=True, slots=True)
class NamedRulesJob:
    """What was read of policy sets by what names them. They are built with the program `opa`, and what is built is kept
    in `cache_dir`; `policies` are those of the operator."""

    named: Mapping[str, NamedPolicies]
    opa: Path | None
    cache_dir: Path
    policies: tuple[OperatorPolicies, ...]


@dataclass(frozen=True, slots=True)
class NamedRules:
    """`refused` is a sentence about each set that cannot be used."""

    rules: tuple[Rule, ...] = ()
    refused: tuple[str, ...] = ()


def sandboxed_rules(job: NamedRulesJob) -> NamedRules:
    loaded = load_named(job.named, job.opa, job.cache_dir, job.policies)
    rules = rules_of(part.catalog for one in loaded for part in one.own)
    return NamedRules(tuple(rules.values()), tuple(problem.message for problem in refused_problems(loaded)))
