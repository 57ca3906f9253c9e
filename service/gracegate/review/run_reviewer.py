"""What a worker does with a run, by what the run is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from gracegate.git import ReadLimits, TreeFetcher
from gracegate.github_app import AppClient, Pace, TokenBroker
from gracegate.manifests import may_be_read
from gracegate.policy.engines import PolicyEngines
from gracegate.render_sources import SourceFetcher
from gracegate.rendering import find_renderer
from gracegate.review.audit_log import write_recorder
from gracegate.review.base_branch import BaseBranchReviewer
from gracegate.review.command_reviewer import CommandReviewer
from gracegate.review.comment_poster import CommentPoster
from gracegate.review.impact_reviewer import ImpactReviewer
from gracegate.review.merge_group import MergeGroupReviewer
from gracegate.review.named_policies import NamedPolicyReader
from gracegate.review.owner_defaults_reader import OwnerDefaultsReader
from gracegate.review.policy_reviewer import PolicyReviewer, policy_poster
from gracegate.review.policy_sets import StoredRecords, build_policy_fetcher, build_policy_sets
from gracegate.review.reconciler import Reconciler
from gracegate.review.reviewer import PullRequestReviewer
from gracegate.review.suggestion_committer import SuggestionCommitter
from gracegate.review.write_budget import SharedWriteBudget
from gracegate.settings import Settings, child_environment
from gracegate.store import Outcome, Run, Store

log = structlog.get_logger(__name__)

Reviewer = PullRequestReviewer | BaseBranchReviewer | PolicyReviewer | CommandReviewer | SuggestionCommitter


@dataclass(frozen=True, slots=True)
class RunReviewer:
    """Passes each run on to the reviewer of its subject. Implements jobs.Reviewer, as those do."""

    pull_requests: PullRequestReviewer
    merge_groups: MergeGroupReviewer
    base_branches: BaseBranchReviewer
    policies: PolicyReviewer
    impact: ImpactReviewer
    commands: CommandReviewer
    fixes: SuggestionCommitter

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        return self._reviewer(run).review(run, check_current)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        self._reviewer(run).conclude_as_incomplete(run, reason)

    def cancel_check(self, run: Run, reason: str) -> None:
        self._reviewer(run).cancel_check(run, reason)

    def _reviewer(self, run: Run) -> Reviewer:
        reviewers: dict[str, Reviewer] = {
            "pull_request": self.pull_requests,
            "merge_group": self.merge_groups,
            "base_branch": self.base_branches,
            "policies": self.policies,
            "impact": self.impact,
            "command": self.commands,
            "fixes": self.fixes,
        }
        return reviewers[run.subject]


def build_reviewer(settings: Settings, store: Store) -> RunReviewer:
    """The reviewer of a worker process."""
    client = build_client(settings, store)
    policies = build_policy_sets(settings, client, StoredRecords(store))
    policies.keep_looking(lambda error: log.warning("policy_sources", error=error))
    keys = tuple(key.encode() for key in settings.comment_signing_keys)
    parts: dict[str, Any] = {
        "settings": settings,
        "client": client,
        "fetcher": _fetcher(settings),
        "engines": PolicyEngines(settings.opa_url, settings.opa, settings.check_seconds),
        "policies": policies,
        "named_policies": NamedPolicyReader(build_policy_fetcher(settings, client)),
        "owner_defaults": OwnerDefaultsReader(client),
        "store": store,
        "renderer": find_renderer(),
        "sources": _source_fetcher(settings),
        "poster": CommentPoster(keys),
    }
    of_policies = (settings, client, parts["fetcher"], store, policy_poster(keys))
    pull_requests = PullRequestReviewer(**parts)
    return RunReviewer(
        pull_requests,
        MergeGroupReviewer(**parts),
        BaseBranchReviewer(client),
        PolicyReviewer(*of_policies),
        ImpactReviewer(*of_policies, parts["renderer"], parts["owner_defaults"]),
        CommandReviewer(pull_requests),
        SuggestionCommitter(pull_requests),
    )


def build_reconciler(settings: Settings, store: Store) -> Reconciler:
    """The reconciler of a worker process."""
    return Reconciler(settings, build_client(settings, store), store, _fetcher(settings))


def build_client(settings: Settings, store: Store) -> AppClient:
    """A client whose writes are paced and recorded in the database."""
    broker = TokenBroker(settings.app_id, settings.private_key, settings.github_url)
    pace = Pace(settings.write_gap, settings.notify_gap)
    return AppClient(broker, pace, SharedWriteBudget(store), record=write_recorder(store, settings.app_id))


def _fetcher(settings: Settings) -> TreeFetcher:
    return TreeFetcher(settings.data_dir / "git", limits=_read_limits(settings), environment=child_environment())


def _source_fetcher(settings: Settings) -> SourceFetcher | None:
    """What is fetched from elsewhere may take half as much as the trees of a review."""
    if not settings.render_sources.patterns:
        return None
    total_bytes = settings.check_memory_mb * 1024 * 1024 // 16
    folder = settings.data_dir / "sources"
    return SourceFetcher(folder, settings.render_sources, may_be_read, total_bytes, child_environment())


def _read_limits(settings: Settings) -> ReadLimits:
    """The trees of a review take an eighth of the check's memory; what is parsed of them has to fit beside them. A
    worker has them in memory once for each of its threads."""
    return ReadLimits(total_bytes=settings.check_memory_mb * 1024 * 1024 // 8)
