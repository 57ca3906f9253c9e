"""What the child process does: checks the two trees of a pull request. It has no token and no secret."""

from __future__ import annotations

import datetime as dt
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gracegate.check import CheckRequest, add_problem, check, proposed_config_problem
from gracegate.errors import ConfigError, EngineUnavailable, InputsMissing
from gracegate.manifests import ReadCache, RenderCache, read_components, render_nothing, unread_inputs, unread_sources
from gracegate.model import (
    BUILTIN_POLICIES,
    CONFIG_FILE,
    FileDiff,
    Limits,
    PinnedSource,
    PolicyState,
    Problem,
    RenderSources,
    Report,
    Repository,
    Rule,
    Tree,
)
from gracegate.policy import kinds_of, load_builtin, rules_of
from gracegate.policy.engines import OpaAddress, OwnPolicies, open_policy_sets
from gracegate.rendering_files import RenderingFiles
from gracegate.repo_config import RepoConfig, parse_policy_folders, parse_repo_config
from gracegate.review.named_policies import MAX_NAMED, NamedPolicies, NamingRepository, load_named
from gracegate.review.owner_defaults import OwnerDefaults, parse_defaults
from gracegate.review.sandboxed_render import SandboxedRenderer

if TYPE_CHECKING:
    from gracegate.policy.sets import OperatorPolicies

_PREVIEW_SECONDS = 10.0
_EVALUATION_SHARE = 0.8
"""Of the check's time. The rest is for reading the manifests and for the report, also when rules are slow."""


@dataclass(frozen=True, slots=True)
class CheckJob:
    """The input of one check: the trees of merge base and head, and what changed between them.

    The configuration, with its waivers, is that of `base_tip`, the tip of the base branch. The author chooses the merge
    base, and with it could bring back an old configuration. `seconds` limits the whole check, `limits` one file;
    `cache_dir` keeps compiled rules from one child to the next, and has the compiled `renderer`; None renders nothing.
    `renderings` is the folder where what it renders of this repository is kept.
    `rules_url` is the folder of the built-in rules' pages, and `own_rules_url` that of the operator's; None where they
    are not served. For `repository` see CheckRequest. `sources` are what may be fetched from elsewhere.
    Where the check `may_retry`, what this machine is too busy for asks for another attempt. `policies` are the policy
    sets of the operator, and `named_policies` what was read of those that the configuration names, None before that;
    they belong to the `naming` repository, and are built with the program `opa_program`. The
    `owner_defaults` count where the configuration says nothing.
    """

    base: Tree
    base_tip: Tree
    head: Tree
    diff: tuple[FileDiff, ...]
    today: dt.date
    opa: OpaAddress | None
    cache_dir: Path | None
    seconds: float
    limits: Limits = field(default_factory=Limits)
    rules_url: str | None = None
    own_rules_url: str | None = None
    repository: Repository = field(default_factory=Repository)
    renderer: Path | None = None
    renderings: Path | None = None
    sources: RenderSources = field(default_factory=RenderSources)
    may_retry: bool = False
    policies: tuple[OperatorPolicies, ...] = ()
    naming: NamingRepository = field(default_factory=NamingRepository)
    named_policies: Mapping[str, NamedPolicies] | None = None
    opa_program: Path | None = None
    owner_defaults: OwnerDefaults = field(default_factory=OwnerDefaults)

    @property
    def own_policies(self) -> tuple[OwnPolicies, ...]:
        """The versions of the policy sets that are in use."""
        return tuple(part for one in self.policies for part in one.own)

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules of all policy sets by id, also the built-in ones."""
        return rules_of((load_builtin(), *(one.catalog for one in self.own_policies)))

    @property
    def read_limits(self) -> Limits:
        """The limits of a file, with the kinds that the policy sets read."""
        return replace(self.limits, own_kinds=kinds_of(one.catalog for one in self.own_policies))


def sandboxed_check(job: CheckJob) -> Report:
    """The report of a pull request; a mistake in the configuration of the base branch or of the head makes it
    incomplete.

    Raises InputsMissing where roots that the change reaches read files that are in the trees' `others`, or what may be
    fetched from elsewhere, and EngineUnavailable where the job `may_retry` and this machine was too
    busy.
    """
    began = _clock()
    cache = _read_cache(job)
    rules_urls = _rules_urls(job)
    named = _allowed_policies(job)
    if named and job.named_policies is None:
        raise InputsMissing(f"{len(named)} policy sets that the configuration names were not read", policies=named)
    if job.named_policies is not None and job.cache_dir is not None:
        read = {text: job.named_policies.get(text, NamedPolicies(None, f"{text}: it was not read")) for text in named}
        loaded = load_named(read, job.opa_program, job.cache_dir, job.policies)
        job = replace(job, policies=(*job.policies, *loaded))
    paths, sources = _missing_inputs(job, cache)
    if paths or sources:
        message = f"{len(paths)} files and {len(sources)} commits and charts that roots read were not fetched"
        raise InputsMissing(message, paths, sources)
    refused_rules = frozenset[str]().union(*(one.rule_ids for one in job.policies))
    defaults, owners_mistake = parse_defaults(job.owner_defaults, job.rules, refused_rules)
    config, mistake = _base_config(job, defaults)
    proposal, proposed_mistake = _proposed_config(job)
    renderer = None
    if job.renderer is not None:
        renderer = SandboxedRenderer(job.renderer, job.cache_dir, lambda: _seconds_left(job.seconds, began))
    seconds = _EVALUATION_SHARE * _seconds_left(job.seconds, began)
    with open_policy_sets(job.opa, job.own_policies, seconds=seconds, cache_dir=job.cache_dir) as policies:
        request = CheckRequest(
            head=job.head,
            config=config,
            policies=policies,
            today=job.today,
            base=job.base,
            diff=job.diff,
            head_config=proposal,
            limits=job.read_limits,
            rules_urls=rules_urls,
            repository=job.repository,
            cache=cache,
            config_defaults=defaults,
            unavailable_rules=refused_rules,
            with_rollouts=True,
        )
        report = check(request, renderer or render_nothing, lambda: _time_limit(_preview_seconds(job.seconds, began)))
    if job.may_retry and renderer is not None and renderer.was_interrupted:
        # What was rendered in time is kept: the next attempt begins with it.
        raise EngineUnavailable("this machine was too busy to render all roots in time")
    for problem in (*refused_problems(job.policies), proposed_mistake, mistake, owners_mistake):
        if problem is not None:
            report = add_problem(report, problem)
    seconds = time.monotonic() - began[0]
    return replace(report, policies=policy_states(report.policies, job.policies), seconds=seconds)


def _read_cache(job: CheckJob) -> ReadCache:
    if job.renderer is None or job.renderings is None:
        return ReadCache()
    return ReadCache(renderings=RenderCache(RenderingFiles(job.renderings, lambda: job.renderer)))


def _rules_urls(job: CheckJob) -> dict[str, str]:
    """Where the pages of rules are by policy set; nobody serves those of sets that repositories name."""
    own = dict.fromkeys((part.name for part in job.own_policies), job.own_rules_url)
    return {name: url for name, url in {BUILTIN_POLICIES: job.rules_url, **own}.items() if url}


def refused_problems(policies: Iterable[OperatorPolicies]) -> Iterator[Problem]:
    """What was not evaluated because no version of a policy set could ever be used, one problem for each set."""
    for one in policies:
        if not one.own:
            others = f" and {len(one.mistakes) - 1} more" if len(one.mistakes) > 1 else ""
            message = f"The policy set {one.name} was not evaluated: {one.mistakes[0]}{others}."
            yield Problem("", 0, "policies_refused", message)


def policy_states(active: Iterable[PolicyState], policies: Iterable[OperatorPolicies]) -> tuple[PolicyState, ...]:
    """The active sets, each with the first mistake of its newer version, and the sets that are refused."""
    newer = {part.name: str(one.mistakes[0]) for one in policies if one.mistakes for part in one.own}
    refused = (PolicyState(one.name, one.source, "", "refused") for one in policies if not one.own)
    return (*(replace(one, newer_mistake=newer.get(one.name, "")) for one in active), *refused)


def _allowed_policies(job: CheckJob) -> tuple[str, ...]:
    """The policy sets that the base's configuration names and that the operator allows."""
    if job.cache_dir is None:
        return ()  # there is no place to build them in
    try:
        named = parse_policy_folders(_config_text(job.base_tip) or "")
    except ConfigError:
        return ()  # the configuration is read again, and its problem named
    return tuple(text for text in named if job.naming.source(text) is not None)[:MAX_NAMED]


def _missing_inputs(job: CheckJob, cache: ReadCache) -> tuple[tuple[str, ...], dict[tuple[str, str], tuple[str, ...]]]:
    """What kustomize and Helm would read of the trees, and from elsewhere, and nobody has fetched."""
    changed = frozenset(path for diff in job.diff for path in (diff.path, diff.previous_path) if path is not None)
    missing: set[str] = set()
    sources: dict[PinnedSource, set[str]] = {}
    for tree in (job.base, job.head):
        if job.renderer is not None and (tree.others or job.sources.patterns):
            components = read_components(tree, job.read_limits, cache.components, job.repository)
            missing |= unread_inputs(components, changed, tree.others)
            for source, files in unread_sources(components, changed, job.sources).items():
                sources.setdefault(source, set()).update(files)
    return tuple(sorted(missing)), {source: tuple(sorted(files)) for source, files in sorted(sources.items())}


def _clock() -> tuple[float, float]:
    """Seconds of real and of computing time; the child's limit is on both."""
    return time.monotonic(), time.process_time()


def _preview_seconds(check_seconds: float, began: tuple[float, float]) -> float:
    """A part of what is left of the check's time, so that the report still gets out; not positive: nothing is left."""
    return min(_PREVIEW_SECONDS, _seconds_left(check_seconds, began) / 4)


def _seconds_left(check_seconds: float, began: tuple[float, float]) -> float:
    return check_seconds - max(now - start for now, start in zip(_clock(), began, strict=True))


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeoutError in the block after so many seconds. For the main thread."""

    def stop(*_: object) -> None:
        raise TimeoutError

    if seconds <= 0:
        raise TimeoutError
    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _base_config(job: CheckJob, defaults: RepoConfig) -> tuple[RepoConfig, Problem | None]:
    """The configuration, and what is wrong with it. Of the policy sets that it names, the operator decides."""
    try:
        text = _config_text(job.base_tip) or ""
        allowed = _allowed_policies(job)
        folders = [name for name in parse_policy_folders(text) if name not in allowed]
        # Nobody knows which rules are in folders that are not read.
        unavailable = None if folders else frozenset[str]().union(*(one.rule_ids for one in job.policies))
        config = parse_repo_config(text, job.rules, unavailable=unavailable, defaults=defaults)
        if not folders:
            return config, None
        message = f"`policies` names {', '.join(folders)}: reviews use only the policy sets that the operator allows."
        return config, Problem(CONFIG_FILE, 0, "policies_not_used", message)
    except ConfigError as error:
        message = f"The base branch's configuration cannot be used: {error.message}"
        return defaults, Problem(CONFIG_FILE, error.line or 0, "config", message)


def _proposed_config(job: CheckJob) -> tuple[str | None, Problem | None]:
    """The head's configuration where the pull request changes it and the base branch has another: shown as a dry run,
    never applied."""
    base, tip, head = (_config_state(tree) for tree in (job.base, job.base_tip, job.head))
    if head in {base, tip}:
        return None, None
    try:
        return _config_text(job.head) or "", None
    except ConfigError as error:
        return None, proposed_config_problem(error)


def _config_text(tree: Tree) -> str | None:
    """The configuration file, None where there is none. Raises ConfigError if it is there and no text."""
    data, unread = _config_state(tree)
    if unread is not None:
        raise ConfigError(f"{unread[0].lower()}{unread[1:].rstrip('.')}")
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError("it is not UTF-8 text") from error


def _config_state(tree: Tree) -> tuple[bytes | None, str | None]:
    """The content of the configuration file, or why it was not read; None for both where there is no such file."""
    source = tree.files.get(CONFIG_FILE)
    unread = next((problem.message for problem in tree.problems if problem.file == CONFIG_FILE), None)
    return None if source is None else source.data, unread
