"""One review of one group of a merge queue: fetch, check, conclude. There is no place for comments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gracegate.errors import GitHubUnavailable
from gracegate.github_app import RepositoryClient, checks, contents
from gracegate.model import Report
from gracegate.outputs import check_run
from gracegate.review.reviewer import FetchedPullRequest, PullRequestReviewer, unevaluated_report
from gracegate.store import Outcome, PullHead, Run, runs

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MergeGroupReviewer(PullRequestReviewer):
    """Reviews what a merge queue is about to merge, as a pull request from the group's base to its head is reviewed.

    GitHub deletes a group's branch when the group is merged or dropped. That is asked for, as deliveries come late.
    """

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        if run.conclusion is not None:
            return Outcome("done", run.head_sha, conclusion=run.conclusion)
        with self.open_repository(run) as repo:
            if contents.commit_of(repo, run.head_ref) != run.head_sha:
                check_id = group_external_id(run.head_sha)
                self._cancel(repo, run.head_sha, check_id, "The merge queue has merged or dropped this group.")
                return Outcome("cancelled", run.head_sha)
            check_current()
            check = self._start_group(repo, run)
            report = self.check(run, repo, self._fetch_group(run, repo))
            check_current()
            conclusion = self._conclude_group(run, repo, check, report)
        return Outcome("done", run.head_sha, report.verdict, conclusion)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        """Concludes the check, so that the queue need not wait for its time limit."""
        with self.open_repository(run) as repo:
            if contents.commit_of(repo, run.head_ref) == run.head_sha:
                report = unevaluated_report(f"The review failed: {reason}")
                self._conclude_group(run, repo, self._start_group(repo, run), report)

    def cancel_check(self, run: Run, reason: str) -> None:
        with self.open_repository(run) as repo:
            self._cancel(repo, run.head_sha, group_external_id(run.head_sha), reason)

    def _start_group(self, repo: RepositoryClient, run: Run) -> checks.CheckRun:
        return checks.start(repo, run.head_sha, group_external_id(run.head_sha), self.settings.check_name)

    def _conclude_group(self, run: Run, repo: RepositoryClient, check: checks.CheckRun, report: Report) -> str:
        output = check_run.render(report, self.settings.on_incomplete)
        is_public = contents.is_public(repo)
        details_url = self._store_report(run, PullHead(0, run.head_sha), report, is_public=is_public)
        if refused := checks.conclude(repo, check, output, details_url):
            log.warning("annotations_refused", count=refused)
        with self.store.transaction() as tx:
            runs.record_conclusion(tx, run, output.conclusion)
        return output.conclusion

    def _fetch_group(self, run: Run, repo: RepositoryClient) -> FetchedPullRequest:
        """The group is built on its base, which is that of the group before it. The configuration is not taken from
        there but from the branch itself: what is still in the queue may be dropped."""
        tip = contents.commit_of(repo, run.base_ref)
        if tip is None:
            raise GitHubUnavailable(f"GitHub has no branch {run.base_ref}")
        commits = (run.base_sha, tip, run.head_sha)
        trees = self._fetch_trees(run, repo, commits, run.head_ref)
        diff = self._read_diff(run, run.base_sha, run.head_sha, trees)
        branch = run.base_ref.removeprefix("refs/heads/")
        base, tip_tree, head = (trees[commit] for commit in commits)
        return FetchedPullRequest(base, tip_tree, head, tuple(diff), commits, run.head_ref, branch)


def group_external_id(head_sha: str) -> str:
    """The external id of a group's check."""
    return f"merge-group:{head_sha}"
