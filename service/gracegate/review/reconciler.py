"""Finds what webhooks have not told: open pull requests and merge groups whose head has no concluded check, and failed
deliveries."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial

import structlog

from gracegate.errors import GitHubError, GitHubUnavailable, Gone
from gracegate.git import TreeFetcher
from gracegate.github_app import (
    AccessibleRepository,
    AppClient,
    InstallationReader,
    RepositoryClient,
    app,
    checks,
    installations,
    merge_groups,
    pull_requests,
)
from gracegate.review import metrics
from gracegate.review.merge_group import group_external_id
from gracegate.review.redelivery import redeliver_failed
from gracegate.review.reviewer import external_id
from gracegate.settings import Settings
from gracegate.store import (
    Delivery,
    KnownRepository,
    MergeGroup,
    PullHead,
    Store,
    Transaction,
    deliveries,
    reports,
    repositories,
    sweeps,
)

log = structlog.get_logger(__name__)

MIN_REMAINING = 0.5
"""The part of an installation's requests that a sweep leaves to the reviews."""
SWEEP_SECONDS = 240.0
"""How long one sweep takes at most; the next one goes on from there."""
THOROUGH_AFTER = 86400.0
"""Seconds after which GitHub is asked for all checks again, whatever the tables say."""
KEEP_CACHES = 14 * 86400.0
"""Seconds after its last use for which the copy of a repository is kept."""
IN_FLIGHT = 30.0
"""Seconds in which the webhook of a new pull request may still come; its run then takes the place of ours."""
MAX_OPEN_PULLS = 1000
"""How many open pull requests of a repository are looked at, the newest first."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Asks GitHub for what it may have told nobody. Implements jobs.Reconciler: one worker at a time calls it."""

    settings: Settings
    client: AppClient
    store: Store
    fetcher: TreeFetcher

    def redeliver_failed(self, since: float, pause: float) -> bool:
        return redeliver_failed(self.client, self.store, since, pause)

    def sweep(self, is_stopped: Callable[[], bool]) -> bool:
        """Queue the open pull requests and merge groups whose head has no concluded check; False if not all were
        looked at."""
        deadline = time.monotonic() + SWEEP_SECONDS
        outcomes = set()
        try:
            listed = app.list_installations(self.client)
            ids = [one.id for one in listed if not one.is_suspended and self.is_allowed(one.account)]
            with self.store.transaction() as tx:
                repositories.forget_other_installations(tx, ids)
            for installation_id in ids:
                if is_stopped() or time.monotonic() > deadline:
                    return False
                outcomes.add(self._sweep_installation(installation_id, is_stopped, deadline))
        except GitHubError as error:
            log.warning("sweep_failed", error=str(error))
            return False
        return outcomes <= {"complete"}

    def delete_unused_caches(self) -> None:
        """Delete this machine's copies of repositories that the App may not read any more, or that nobody changes."""
        with self.store.reading() as tx:
            names = repositories.full_names(tx)
        urls = None if names is None else [f"{self.settings.git_url}/{name}.git" for name in names]
        if deleted := self.fetcher.delete_unused(urls, KEEP_CACHES):
            log.info("caches_deleted", count=deleted)

    def is_allowed(self, name: str) -> bool:
        """Whether the service reviews what belongs to this account, or this repository."""
        owners = self.settings.allowed_owners
        return not owners or name.partition("/")[0].lower() in owners

    def _sweep_installation(self, installation_id: int, is_stopped: Callable[[], bool], deadline: float) -> str:
        """Returns how it ended. Raises GitHubUnavailable, as the others would fail too."""
        outcome = "failed"
        try:
            with self.client.installation(installation_id) as reader:
                sweep = _InstallationSweep(self, installation_id, reader, is_stopped, deadline)
                outcome = sweep.run()
        except GitHubUnavailable:
            raise
        except GitHubError as error:
            # Uninstalled meanwhile, rate-limited, or without a permission.
            log.warning("sweep_failed", installation=installation_id, error=str(error))
        finally:
            metrics.SWEEPS.labels(outcome=outcome).inc()
        return outcome


@dataclass(slots=True)
class _InstallationSweep:
    """One sweep over the repositories of an installation, from where the last one stopped."""

    reconciler: Reconciler
    installation_id: int
    reader: InstallationReader
    is_stopped: Callable[[], bool]
    deadline: float
    queued: int = 0

    def run(self) -> str:
        """Returns how it ended: complete, stopped, or rate_limit where the other requests are left to the reviews."""
        store = self.reconciler.store
        with store.transaction() as tx:
            sweep = sweeps.begin(tx, self.installation_id, THOROUGH_AFTER)
        listed = installations.list_repositories(self.reader)
        allowed = [one for one in listed if self.reconciler.is_allowed(one.full_name)]
        with store.transaction() as tx:
            known = {one.id: KnownRepository(one.full_name, one.is_public) for one in allowed}
            repositories.replace(tx, self.installation_id, known)
            if not self.reconciler.settings.has_sign_in:
                # The webhook that says it may have been lost.
                reports.delete_private(tx, {one.id for one in listed if not one.is_public})
        for repository in allowed:
            if repository.id <= sweep.position:
                continue
            if self.is_stopped() or time.monotonic() > self.deadline:
                return "stopped"
            if self.reader.remaining_share() < MIN_REMAINING:
                log.info("sweep_leaves_requests_to_reviews", installation=self.installation_id, next=repository.id)
                return "rate_limit"
            if repository.is_writable:
                self._sweep_repository(repository, is_thorough=sweep.is_thorough)
            with store.transaction() as tx:
                sweeps.set_position(tx, self.installation_id, repository.id)
        with store.transaction() as tx:
            sweeps.set_position(tx, self.installation_id, 0)
        return "complete"

    def _sweep_repository(self, repository: AccessibleRepository, *, is_thorough: bool) -> None:
        repo = self.reader.repository(repository.id, repository.full_name)
        try:
            self._sweep_pull_requests(repository, repo, is_thorough=is_thorough)
            self._sweep_merge_groups(repository, repo, is_thorough=is_thorough)
        except Gone as error:
            log.info("repository_is_gone", repository=repository.full_name, error=str(error))

    def _sweep_pull_requests(
        self, repository: AccessibleRepository, repo: RepositoryClient, *, is_thorough: bool
    ) -> None:
        listed, left_out = pull_requests.list_open(repo, limit=MAX_OPEN_PULLS)
        pulls = [PullHead(pull.number, pull.head_sha) for pull in listed]
        with self.reconciler.store.reading() as tx:
            candidates = sweeps.candidates(tx, repository.id, pulls, is_complete=not left_out, is_thorough=is_thorough)
        for pull, newest_run, is_certain in candidates:
            check = external_id(pull.number, pull.head_sha)
            if is_certain or not self._is_concluded(repo, pull.head_sha, check):
                self._queue(repository, f"{pull.number}-{pull.head_sha}", newest_run, partial(_queue_pull, pull=pull))

    def _sweep_merge_groups(
        self, repository: AccessibleRepository, repo: RepositoryClient, *, is_thorough: bool
    ) -> None:
        """Most repositories have no merge queue: one that is not known to have one is asked in a thorough sweep."""
        store = self.reconciler.store
        with store.reading() as tx:
            if not is_thorough and not sweeps.knows_merge_groups(tx, repository.id):
                return
        groups = [MergeGroup(*astuple(group)) for group in merge_groups.list_queued(repo)]
        with store.reading() as tx:
            candidates = sweeps.group_candidates(tx, repository.id, groups, is_thorough=is_thorough)
        for group, newest_run in candidates:
            if not self._is_concluded(repo, group.head_sha, group_external_id(group.head_sha)):
                self._queue(repository, f"group-{group.head_sha}", newest_run, partial(_queue_group, group=group))

    def _is_concluded(self, repo: RepositoryClient, sha: str, check_id: str) -> bool:
        check = checks.find(repo, sha, self.reconciler.settings.check_name, check_id)
        return check is not None and check.status == "completed" and check.conclusion != "cancelled"

    def _queue(
        self,
        repository: AccessibleRepository,
        subject: str,
        newest_run: str,
        queue: Callable[[Transaction, Delivery, float], int],
    ) -> None:
        """Queue a run, later than those queued before, so that the reviews of webhooks come first.

        Its delivery stands for the webhook that did not come: it is the same whoever finds out, and another one after
        each newer run.
        """
        after = hashlib.sha256(newest_run.encode()).hexdigest()[:8]
        name, ids = f"reconcile-{repository.id}-{subject}-{after}", (self.installation_id, repository.id)
        delivery = Delivery(name, sweeps.RECONCILE, "missed", *ids, repository.full_name)
        with self.reconciler.store.transaction() as tx:
            if not deliveries.record(tx, delivery, "queued"):
                return
            queued = queue(tx, delivery, IN_FLIGHT + self.queued * deliveries.SPREAD)
        self.queued += queued
        metrics.MISSED.inc(queued)
        log.info("missed_review_queued", repository=repository.full_name, subject=subject)


def _queue_pull(tx: Transaction, delivery: Delivery, delay: float, *, pull: PullHead) -> int:
    return deliveries.queue_again(tx, delivery, [pull], delay)


def _queue_group(tx: Transaction, delivery: Delivery, delay: float, *, group: MergeGroup) -> int:
    return int(deliveries.queue_merge_group(tx, delivery, group, delay))
