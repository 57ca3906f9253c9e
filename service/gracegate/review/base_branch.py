"""After a push to a base branch: its open pull requests are reviewed again if their configuration changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gracegate.github_app import AppClient, contents, pull_requests
from gracegate.model import CONFIG_FILE
from gracegate.review import metrics
from gracegate.store import Outcome, PullHead, Run

log = structlog.get_logger(__name__)

MAX_PULL_REQUESTS = 100
"""How many pull requests one push has reviewed again at most, the newest first."""


@dataclass(frozen=True, slots=True)
class BaseBranchReviewer:
    """Finds what is to be reviewed after a push; the reviews are runs of their own. Implements jobs.Reviewer."""

    client: AppClient

    def review(self, run: Run, _check_current: Callable[[], None]) -> Outcome:
        """`done`, with the pull requests to review because the configuration that counts for them is another now.

        What the payload says is not enough: it names files of at most 2,048 commits, and none that a force-push undid.
        """
        with self.client.repository(run.installation_id, run.repository_id, run.repository) as repo:
            before, after = (contents.blob_id(repo, sha, CONFIG_FILE) for sha in (run.base_sha, run.head_sha))
            if before == after:
                return Outcome("done", run.head_sha)
            pulls, left_out = pull_requests.list_open(repo, run.base_ref, MAX_PULL_REQUESTS)
        if left_out:
            metrics.NOT_REVIEWED_AGAIN.inc(left_out)
            log.warning("pull_requests_not_reviewed_again", branch=run.base_ref, count=left_out, queued=len(pulls))
        return Outcome("done", run.head_sha, pulls=tuple(PullHead(pull.number, pull.head_sha) for pull in pulls))

    def conclude_as_incomplete(self, _run: Run, _reason: str) -> None:
        """A base branch has no check. That its pull requests were not reviewed again is in the log."""

    def cancel_check(self, _run: Run, _reason: str) -> None:
        """A base branch has no check."""
