"""What a change of a policy set changes in one repository, found in a child process: the rules are those of a head."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from gracegate.check import EVALUATION_FAILURES, ChangeImpact, CheckRequest, FoundByRules, Outcome, find, together
from gracegate.errors import ConfigError
from gracegate.manifests import ReadCache, render_nothing
from gracegate.model import (
    CONFIG_FILE,
    FileDiff,
    ImpactExample,
    Limits,
    Render,
    Repository,
    RepositoryImpact,
    Rule,
    RuleImpact,
    Tree,
)
from gracegate.policy import kinds_of, load_builtin, rules_of
from gracegate.policy.engines import OwnPolicies, open_own_policies
from gracegate.policy.sets import load_parts, own_policies
from gracegate.repo_config import RepoConfig, parse_repo_config
from gracegate.review.owner_defaults import OwnerDefaults, parse_defaults
from gracegate.review.sandboxed_policies import written_set
from gracegate.review.sandboxed_render import SandboxedRenderer

IMPACT = "gracegate.review.sandboxed_impact:sandboxed_impact"
_EXAMPLES = 20
"""Findings that are told of one repository, for each rule."""


@dataclass(frozen=True, slots=True)
class ReviewedPull:
    """A pull request as it was reviewed; `others` is what it met of the rules of other sets."""

    number: int
    base: Tree
    base_tip: Tree
    head: Tree
    diff: tuple[FileDiff, ...]
    others: Outcome


@dataclass(frozen=True, slots=True)
class ImpactJob:
    """The files of a policy set before and after a change, see PoliciesJob, and a repository with its last pull
    requests, newest first.

    The `tree` is of the commit `tip`. Its manifests are not rendered; those of pull requests are, by the `renderer`.
    """

    set_name: str
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    opa: Path
    cache_dir: Path
    name: str
    tree: Tree
    pulls: tuple[ReviewedPull, ...]
    today: dt.date
    seconds: float
    limits: Limits = field(default_factory=Limits)
    repository: Repository = field(default_factory=Repository)
    renderer: Path | None = None
    render_cache: Path | None = None
    tip: str = ""
    owner_defaults: OwnerDefaults = field(default_factory=OwnerDefaults)


def sandboxed_impact(job: ImpactJob) -> RepositoryImpact:
    """What the change of the set changes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gracegate-policies-")))  # mode 0700
        before = _own(folder / "base", job.set_name, job.before, job)
        after = _own(folder / "head", job.set_name, job.after, job)
        return _Impact(job, before, after).found()


def _own(folder: Path, name: str, files: Mapping[str, bytes], job: ImpactJob) -> tuple[OwnPolicies, ...]:
    """The parts of a set, none where it cannot be used."""
    try:
        policies = written_set(folder, name, files)
    except ConfigError:
        return ()
    catalogs, mistakes = load_parts(policies, lambda: job.opa, job.cache_dir)
    return () if mistakes else own_policies(catalogs, name, lambda: job.opa)


class _Impact:
    def __init__(self, job: ImpactJob, before: tuple[OwnPolicies, ...], after: tuple[OwnPolicies, ...]) -> None:
        self._job = job
        self._before = before
        self._after = after
        self._began = time.monotonic()
        own = [one.catalog for side in (before, after) for one in side]
        self._rules: Mapping[str, Rule] = rules_of((load_builtin(), *own))
        self._limits = replace(job.limits, own_kinds=kinds_of(own))
        self._cache = ReadCache()

    def found(self) -> RepositoryImpact:
        job = self._job
        now, then = self._both(self._request(job.tree, job.tree), render_nothing)
        pulls = [(pull, *self._both(self._pull_request(pull), self._render())) for pull in job.pulls]
        outcomes = [
            (pull.number, _beside(pull.others, before), _beside(pull.others, after)) for pull, before, after in pulls
        ]
        examples = list(_examples(now, then, 0))
        for pull, before, after in pulls:
            examples += _examples(before, after, pull.number)
        return RepositoryImpact(
            name=job.name,
            rules=tuple(_rules(now, then, [(before, after) for _, before, after in pulls])),
            examples=tuple(_first_of_each(examples)),
            documents=max(now.documents, then.documents),
            pulls=len(pulls),
            blocked_now=sum(before == "is blocked" for _, before, _ in outcomes),
            blocked_then=sum(after == "is blocked" for _, _, after in outcomes),
            commented_now=sum(before == "is commented" for _, before, _ in outcomes),
            commented_then=sum(after == "is commented" for _, _, after in outcomes),
            failures=tuple(
                sorted({p.message for p in (*now.problems, *then.problems) if p.code in EVALUATION_FAILURES})
            ),
        )

    def _both(self, request: CheckRequest, render: Render) -> tuple[FoundByRules, FoundByRules]:
        return self._find(request, self._before, render), self._find(request, self._after, render)

    def _find(self, request: CheckRequest, own: tuple[OwnPolicies, ...], render: Render) -> FoundByRules:
        if not own:
            return FoundByRules()
        with open_own_policies(own, seconds=self._seconds_left(), cache_dir=self._job.render_cache) as sets:
            return find(request, sets, render)

    def _render(self) -> Render:
        if self._job.renderer is None:
            return render_nothing
        return SandboxedRenderer(self._job.renderer, self._job.render_cache, self._seconds_left)

    def _seconds_left(self) -> float:
        return max(1.0, self._job.seconds - (time.monotonic() - self._began))

    def _pull_request(self, pull: ReviewedPull) -> CheckRequest:
        return replace(self._request(pull.head, pull.base_tip), base=pull.base, diff=pull.diff)

    def _request(self, tree: Tree, config_tree: Tree) -> CheckRequest:
        return CheckRequest(
            head=tree,
            config=self._config(config_tree),
            policies=(),
            today=self._job.today,
            limits=self._limits,
            repository=self._job.repository,
            cache=self._cache,
        )

    def _config(self, tree: Tree) -> RepoConfig:
        """The configuration; its mistakes are the repository's own, and reviews go on without it too."""
        file = tree.files.get(CONFIG_FILE)
        defaults, _ = parse_defaults(self._job.owner_defaults, self._rules, ())
        try:
            # Nobody knows which rules other sets have.
            text = "" if file is None else file.data.decode("utf-8", "replace")
            return parse_repo_config(text, self._rules, unavailable=None, defaults=defaults)
        except ConfigError:
            return defaults


def _beside(others: Outcome, found: FoundByRules) -> Outcome:
    return together(FoundByRules(outcome=others), found).outcome


def _rules(
    now: FoundByRules, then: FoundByRules, pulls: Sequence[tuple[FoundByRules, FoundByRules]]
) -> Iterator[RuleImpact]:
    change = ChangeImpact(now, then)
    before, after, new, gone = (
        Counter(finding.rule for finding in found)
        for found in (now.findings, then.findings, change.appear, change.disappear)
    )
    blocks_now, blocks_then = (
        Counter(rule for sides in pulls for rule in {f.rule for f in sides[side].findings if f.blocks})
        for side in (0, 1)
    )
    for rule in sorted({*before, *after, *blocks_now, *blocks_then}):
        numbers = (before[rule], after[rule], new[rule], gone[rule], blocks_now[rule], blocks_then[rule])
        yield RuleImpact(rule, *numbers)


def _examples(now: FoundByRules, then: FoundByRules, number: int) -> Iterator[ImpactExample]:
    change = ChangeImpact(now, then)
    for is_new, findings in ((True, change.appear), (False, change.disappear)):
        for one in findings:
            yield ImpactExample(one.rule, one.file, one.line, one.message, is_new=is_new, number=number)


def _first_of_each(examples: Iterable[ImpactExample]) -> Iterator[ImpactExample]:
    """The first examples of each rule; those of pull requests are told beside them."""
    counts: Counter[tuple[str, bool]] = Counter()
    for one in examples:
        kind = (one.rule, one.number > 0)
        counts[kind] += 1
        if counts[kind] <= _EXAMPLES:
            yield one
