"""The impact preview of a pull request that changes a policy set: what its rules would do in other repositories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from gracegate.check import Outcome, outcome_of
from gracegate.errors import EngineError, GitFailed, GitHubError
from gracegate.github_app import RepositoryClient, checks, contents, pull_requests, visibility
from gracegate.manifests import may_be_read
from gracegate.model import CONFIG_FILE, PolicyImpact, Repository, RepositoryImpact, Tree
from gracegate.review import sandbox
from gracegate.review.owner_defaults import OwnerDefaults
from gracegate.review.owner_defaults_reader import OwnerDefaultsReader
from gracegate.review.policy_folders import PolicySetFolder
from gracegate.review.policy_reviewer import PolicyReviewer
from gracegate.review.sandboxed_impact import IMPACT, ImpactJob, ReviewedPull
from gracegate.settings import find_opa
from gracegate.store import Outcome as RunOutcome
from gracegate.store import RecordedReview, Run, repositories, reviews

log = structlog.get_logger(__name__)


_TIME_TO_ADAPT = dt.timedelta(weeks=4)
"""How long a rule that blocks more should only warn."""


@dataclass(frozen=True, slots=True)
class ImpactReviewer(PolicyReviewer):
    """Adds the impact to a check that PolicyReviewer has concluded, and changes nothing else of it.

    Other repositories are read with tokens of their own installations.
    """

    renderer: Path | None = None
    owner_defaults: OwnerDefaultsReader | None = None

    def review(self, run: Run, check_current: Callable[[], None]) -> RunOutcome:
        with self._repository(run) as repo:
            pull = pull_requests.read(repo, run.number)
            check = checks.find(repo, run.head_sha, self.settings.policies_check_name, self._external_id(run))
            if pull.state == "closed" or pull.head_sha != run.head_sha or check is None:
                return RunOutcome("cancelled", run.head_sha)
            sets = self._read_sets(run, repo, pull)
            results = [self._review_set(run, one, sets.base, sets.head) for one in sets.changed]
            seen_by = visibility.read_visibility(repo)
            impacts = [self._impact(run, one, sets.base, sets.head, seen_by, check_current) for one in sets.changed]
            check_current()
            checks.update_text(repo, check, self._output(run, results, sets.diff, impacts, is_locked=pull.locked)[0])
        return RunOutcome("done", run.head_sha, "pass")

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        """The verdict of the tests stands without the impact."""
        log.warning("impact_not_computed", head=run.head_sha, reason=reason)

    def cancel_check(self, run: Run, reason: str) -> None:
        """The check is concluded, so there is nothing to cancel."""
        log.info("impact_not_needed", head=run.head_sha, reason=reason)

    def _impact(
        self,
        run: Run,
        folder: PolicySetFolder,
        base: Tree,
        head: Tree,
        seen_by: visibility.Visibility,
        check_current: Callable[[], None],
    ) -> PolicyImpact:
        shown: list[RepositoryImpact] = []
        hidden: list[RepositoryImpact] = []
        for name in self.settings.impact_repositories:
            check_current()
            found, may_be_shown = self._impact_on(run, name, folder, base, head, seen_by)
            if found.problem:
                log.warning("impact_not_read", repository=name, problem=found.problem)
            (shown if may_be_shown else hidden).append(found)
        return PolicyImpact(tuple(shown), tuple(hidden), dt.datetime.now(dt.UTC).date() + _TIME_TO_ADAPT)

    def _impact_on(
        self,
        run: Run,
        name: str,
        folder: PolicySetFolder,
        base: Tree,
        head: Tree,
        seen_by: visibility.Visibility,
    ) -> tuple[RepositoryImpact, bool]:
        """What changes in a repository, and whether that may be told where the policies are."""
        with self.store.reading() as tx:
            known = repositories.find(tx, name)
        if known is None:
            return RepositoryImpact(name, problem="gracegate is not installed there, as far as it knows"), False
        number, installation_id = known
        may_be_shown = False
        try:
            with self.client.repository(installation_id, number, name) as repo:
                may_be_shown = visibility.may_show(visibility.read_visibility(repo), seen_by)
                job = self._job(run, repo, known, folder, base, head)
            seconds, memory = self.settings.check_seconds, self.settings.check_memory_mb
            found = sandbox.run_in_child(job, seconds, memory, IMPACT, RepositoryImpact)
            return self._linked(found, job), may_be_shown
        except (EngineError, GitFailed, GitHubError) as error:
            return RepositoryImpact(name, problem=str(error)), may_be_shown

    def _job(
        self,
        run: Run,
        repo: RepositoryClient,
        known: tuple[int, int],
        folder: PolicySetFolder,
        base: Tree,
        head: Tree,
    ) -> ImpactJob:
        number, installation_id = known
        name = repo.full_name
        defaults = OwnerDefaults() if self.owner_defaults is None else self.owner_defaults.read(installation_id, name)
        with self.store.reading() as tx:
            recorded = reviews.newest_reviews(tx, number, self.settings.impact_pulls)
        own = (run.repository_id, run.number)
        recorded = [one for one in recorded if one.merge_base_sha and (number, one.number) != own]
        tip = contents.default_commit(repo)
        if tip is None:
            raise GitFailed("it has no commits")
        url = f"{self.settings.git_url}/{name}.git"
        token = self.client.git_token(installation_id, number)
        tips = {one.base_tip_sha: _is_config for one in recorded}
        commits = {sha: may_be_read for one in recorded for sha in (one.merge_base_sha, one.head_sha)}
        refs = [f"refs/pull/{one.number}/head" for one in recorded]
        trees = self.fetcher.fetch_trees(url, token, {**tips, **commits, tip: may_be_read}, refs)
        files = folder.files(head)
        rules = {rule for tree in (base, head) for rule in _rule_ids(folder.files(tree))}
        pulls = tuple(
            ReviewedPull(
                one.number,
                _closed(trees[one.merge_base_sha]),
                trees[one.base_tip_sha],
                _closed(trees[one.head_sha]),
                tuple(self.fetcher.read_diff(url, one.merge_base_sha, one.head_sha, may_be_read)),
                _outcome_of_others(one, rules),
            )
            for one in recorded
        )
        return ImpactJob(
            set_name=(folder.folder or run.repository).rpartition("/")[2],
            before=folder.files(base),
            after=files,
            opa=find_opa(),
            cache_dir=self.settings.data_dir / "policies-of-heads",
            name=name,
            tree=_closed(trees[tip]),
            pulls=pulls,
            today=dt.datetime.now(dt.UTC).date(),
            seconds=self.settings.check_seconds,
            limits=self.settings.limits,
            repository=Repository((url,)),
            renderer=self.renderer,
            render_cache=self.settings.data_dir / "wasm",
            tip=tip,
            owner_defaults=defaults,
        )

    def _linked(self, found: RepositoryImpact, job: ImpactJob) -> RepositoryImpact:
        """The examples with links to their lines, or to their pull requests."""
        web = f"{self.settings.git_url}/{job.name}"
        examples = tuple(
            replace(
                one,
                url=f"{web}/pull/{one.number}" if one.number else f"{web}/blob/{job.tip}/{one.file}#L{one.line}",
            )
            for one in found.examples
        )
        return replace(found, examples=examples)


def _is_config(path: str) -> bool:
    return path == CONFIG_FILE


def _closed(tree: Tree) -> Tree:
    """The tree as all there is: what roots may read beside manifests is not fetched."""
    return replace(tree, others=frozenset())


def _rule_ids(files: Mapping[str, bytes]) -> set[str]:
    return {path.rpartition("/")[2].removesuffix(".rego").replace("_", "-") for path in files if path.endswith(".rego")}


def _outcome_of_others(review: RecordedReview, own: set[str]) -> Outcome:
    """What a pull request met of the rules of other sets, by the findings that its review recorded."""
    return outcome_of((finding.level, finding.blocks) for finding in review.findings if finding.rule not in own)
