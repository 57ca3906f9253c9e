"""What the playground's child process does: reviews manifests, with a rule that somebody just wrote."""

from __future__ import annotations

import datetime as dt
import json
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gracegate.check import CheckRequest, check
from gracegate.errors import ConfigError, InputError, RulesError
from gracegate.manifests import render_nothing
from gracegate.model import BUILTIN_POLICIES, FileDiff, Limits, Report, SourceFile, Tree
from gracegate.outputs import Picture, draw_rollouts
from gracegate.policy import Cluster, Question, Recording, kinds_of, without_modes
from gracegate.policy.engines import OwnPolicies, open_own_policies, open_policy_sets
from gracegate.policy.sets import OpaCommand, load_parts, own_policies, written_modules
from gracegate.repo_config import RepoConfig
from gracegate.review.sandboxed_policies import written_set

PLAYGROUND = "gracegate.review.sandboxed_playground:sandboxed_playground"
MANIFESTS_FILE = "manifests.yaml"
OWN_RULE = "own"
"""What `only` is for the rule that is tried."""
_RULES_URL = "/rules"
_SET_NAME = "playground"
_PACKAGE = re.compile(
    r'^package\s+gracegate\.rules\.([a-z][a-z0-9_]*)\["([a-z][a-z0-9]*(?:-[a-z0-9]+)*)"\]', re.MULTILINE
)
_LIMITS = Limits(bytes=1_000_000, documents=200, depth=60, nodes=50_000, aliases=100)
_MAX_VERIFIED_FIXES = 40
_MAX_PRINTS = 200
_MAX_PRINT = 500


@dataclass(frozen=True, slots=True)
class PlaygroundJob:
    """Manifests to review, as text. With `before`, what they were before a change, only what the change brings counts.

    `rego` is a rule to evaluate too, "" for none, which the program `opa` compiles. `only` is the id of a rule, or
    OWN_RULE, or "" for all. `cache_dir` has what was compiled of the built-in rules. `sets` are policy sets that were
    built, evaluated too with their libraries and data.
    """

    manifests: str
    before: str = ""
    rego: str = ""
    only: str = ""
    seconds: float = 20.0
    opa: Path | None = None
    cache_dir: Path | None = None
    sets: tuple[OwnPolicies, ...] = ()


@dataclass(frozen=True, slots=True)
class RegoMistake:
    """What is wrong with the rule, at a line of it; 0 where that is not known."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class PlaygroundReview:
    """The report, and of the rule that was tried: its mistakes, or what it printed and its seconds for these manifests.

    `has_own_rule` says that it was evaluated.
    """

    report: Report
    pictures: tuple[Picture, ...] = ()
    mistakes: tuple[RegoMistake, ...] = ()
    prints: tuple[str, ...] = ()
    rule_seconds: float | None = None

    @property
    def has_own_rule(self) -> bool:
        return self.rule_seconds is not None


def sandboxed_playground(job: PlaygroundJob) -> PlaygroundReview:
    """The review of a job. Mistakes in the rule cost nothing but what the rule would have found."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gracegate-playground-") as folder:
        own, mistakes = _load_rule(job, Path(folder))
        left = job.seconds - (time.monotonic() - began)
        with (
            open_policy_sets(None, (), seconds=left / 2, cache_dir=job.cache_dir) as builtin,
            # Machine code of what anybody writes is kept nowhere.
            open_own_policies(own, seconds=left / 2) as tried,
            open_own_policies(job.sets, seconds=left / 2, cache_dir=job.cache_dir) as sets,
        ):
            questions = [Recording(one.evaluate) for one in tried]
            asked = tuple(replace(one, evaluate=q.evaluate) for one, q in zip(tried, questions, strict=True))
            rules = frozenset(rule for one in own for rule in one.catalog.rules)
            only = rules if job.only == OWN_RULE else frozenset({job.only})
            known = rules.union(*(one.catalog.rules for one in (*builtin, *sets)))
            request = CheckRequest(
                head=_tree(job.manifests),
                base=_tree(job.before) if job.before.strip() else None,
                diff=(FileDiff(MANIFESTS_FILE, "modified"),) if job.before.strip() else None,
                # As for the examples of rules: with a version that is named, a field that it lacks is a mistake.
                config=RepoConfig(min_minor=Cluster().min_minor),
                policies=(*builtin, *sets, *asked),
                today=dt.datetime.now(dt.UTC).date(),
                only=only if only and only <= known else None,
                max_verified_fixes=_MAX_VERIFIED_FIXES,
                rules_urls=dict.fromkeys((BUILTIN_POLICIES, *(one.name for one in job.sets)), _RULES_URL),
                limits=replace(_LIMITS, own_kinds=kinds_of(one.catalog for one in (*own, *job.sets))),
                with_rollouts=True,
            )
            report = check(request, render_nothing)
        asked_first = [recorded.questions[0] for recorded in questions if recorded.questions]
        prints = [
            line for one, question in zip(own, asked_first, strict=False) for line in _printed(one, question, job)
        ]
        seconds = sum((question.seconds for question in asked_first), 0.0) if own else None
        report = replace(report, seconds=time.monotonic() - began)
        return PlaygroundReview(report, draw_rollouts(report.rollouts), mistakes, tuple(prints), seconds)


def _load_rule(job: PlaygroundJob, folder: Path) -> tuple[tuple[OwnPolicies, ...], tuple[RegoMistake, ...]]:
    """The rule, in the place where a policy set would have it, or what is wrong with it."""
    if not job.rego.strip():
        return (), ()
    if job.opa is None:
        return (), (
            RegoMistake(0, "there is no OPA here that compiles rules, so only the built-in ones were evaluated"),
        )
    package = _PACKAGE.search(job.rego)
    if package is None:
        line = next((n for n, text in enumerate(job.rego.splitlines(), 1) if text.startswith("package")), 0)
        return (), (
            RegoMistake(line, 'the package of a rule is written as in `package gracegate.rules.acme["my-rule"]`'),
        )
    file = f"rules/{package[1]}/{package[2].replace('-', '_')}.rego"
    try:
        policies = written_set(folder, _SET_NAME, {file: job.rego.encode()})
        program = job.opa
        catalogs, mistakes = load_parts(policies, lambda: program, folder / "built")
        unmoded = {name: without_modes(catalog) for name, catalog in catalogs.items()}
        own = own_policies(unmoded, _SET_NAME, lambda: program)
    except ConfigError as error:
        return (), (_mistake(error),)
    return own, tuple(map(_mistake, mistakes))


def _mistake(error: InputError) -> RegoMistake:
    return RegoMistake(error.line or 0, error.message)


def _printed(own: OwnPolicies, question: Question, job: PlaygroundJob) -> Iterator[str]:
    """What the rule prints for these manifests. Wasm prints nothing, so OPA evaluates it once more."""
    if "print(" not in job.rego or job.opa is None:
        return
    release = {**own.catalog.data, "gracegate_release": {"digest": own.catalog.digest}}
    with written_modules({**own.catalog.modules, "data.json": json.dumps(release)}) as written:
        try:
            lines = OpaCommand(job.opa, written).printed(question.opa_input)
        except RulesError as error:
            lines = [str(error)]
    yield from (line[:_MAX_PRINT] for line in lines[:_MAX_PRINTS])


def _tree(text: str) -> Tree:
    return Tree({MANIFESTS_FILE: SourceFile(MANIFESTS_FILE, text.encode())})
