"""Posts the comments of a report in one review, and edits earlier comments whose findings were fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import structlog

from gracegate.errors import GitHubUnavailable, Gone, Refused
from gracegate.github_app import PullRequest, RepositoryClient, comments, threads
from gracegate.model import Comment, FileDiff, Finding, Report, Rollout
from gracegate.outputs import comment_text, has_rollout_section
from gracegate.review.comment_plan import CommentMarker, CommentUpdate, NewComment, plan_comments

log = structlog.get_logger(__name__)

_MAX_TOLD_ROLLOUTS = 20
"""Each takes up to 0.4 s of computing time."""


class ReviewBody(Protocol):
    """See comment_text.review_body."""

    def __call__(
        self,
        findings: Iterable[Finding],
        comments: int,
        *,
        commit: str,
        uncommented: int = 0,
        details_url: str | None = None,
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class PostedComments:
    """How many comments were posted, whether GitHub took all of them and all edits, and the findings (ids) that have a
    comment now."""

    count: int
    is_complete: bool
    commented: frozenset[str]


@dataclass(frozen=True, slots=True)
class CommentPoster:
    """`keys` sign comments: the first signs, a signature by any of them is accepted.

    Comments of another `conversation` of the same pull request are not its own; `review_body` writes what stands above
    the comments of a review.
    """

    keys: tuple[bytes, ...]
    conversation: str = ""
    review_body: ReviewBody = comment_text.review_body

    def post_comments(
        self,
        repo: RepositoryClient,
        pull: PullRequest,
        report: Report,
        diff: Sequence[FileDiff],
        details_url: str | None = None,
        resolver: Callable[[], AbstractContextManager[RepositoryClient] | None] = lambda: None,
    ) -> PostedComments:
        """Posts and edits what is due, nothing twice. The review links to the report's page at `details_url`. Threads
        whose findings are all fixed are closed with what `resolver` opens, which may resolve them.

        What GitHub refuses costs only itself. Refused and Gone are raised where the earlier comments cannot be read.
        """
        marker = CommentMarker(self.keys, f"{repo.full_name.lower()}#{pull.number}{self.conversation}")
        earlier = comments.find_app_comments(repo, pull.number, lambda body: marker.read(body) is not None)
        plan = plan_comments(report, diff, earlier, marker.read)
        rollouts = _UntoldRollouts(report)
        updates = [(u.comment.id, self._updated_body(u, report, marker, pull.head_sha, rollouts)) for u in plan.updates]
        new_comments = [self._comment(comment, report, marker, rollouts) for comment in plan.new_comments]
        refused: tuple[Comment, ...] = ()
        if new_comments:
            findings = [finding for comment in plan.new_comments for finding in comment.findings]
            body = self.review_body(
                findings,
                len(new_comments),
                commit=pull.head_sha,
                uncommented=plan.uncommented,
                details_url=details_url,
            )
            refused = _post_review(repo, pull, body, new_comments)
        if fixed := frozenset(update.comment.id for update in plan.updates if not update.open):
            # Before the comments say that they are fixed: after that nothing is done about their threads.
            _close_threads(repo, resolver(), pull, fixed)
        edits = [_edit(repo, comment_id, body) for comment_id, body in updates]
        commented = plan.commented.difference(*(comment.findings for comment in refused))
        return PostedComments(len(new_comments) - len(refused), all(edits) and not refused, commented)

    def _comment(
        self, comment: NewComment, report: Report, marker: CommentMarker, rollouts: _UntoldRollouts
    ) -> Comment:
        marked = {finding.id: finding.target for finding in comment.findings}
        body = comment_text.comment_body(
            comment.findings,
            comment.suggestion,
            marker=marker.write(marked),
            others=report.findings,
            rollouts=rollouts.take(comment.findings),
        )
        return Comment(comment.path, comment.line, comment.start_line, body, tuple(marked))

    def _updated_body(
        self, update: CommentUpdate, report: Report, marker: CommentMarker, commit: str, rollouts: _UntoldRollouts
    ) -> str:
        body, is_fixed = update.comment.body, update.is_fixed
        if not update.open:
            end = marker.write(dict.fromkeys(update.resolved, ""), resolved=True)
            return comment_text.resolved_body(body, commit=commit, is_fixed=is_fixed, marker=end)
        end = marker.write({finding.id: finding.target for finding in update.open})
        resolved = len(update.resolved)
        return comment_text.updated_body(
            body,
            update.open,
            resolved,
            commit=commit,
            is_fixed=is_fixed,
            marker=end,
            others=report.findings,
            rollouts=rollouts.take(update.open) if has_rollout_section(body) else (),
        )


class _UntoldRollouts:
    """The rollouts of a report that no comment tells yet: each is told in the first one about its workload."""

    def __init__(self, report: Report) -> None:
        self._left = [*report.rollouts[:_MAX_TOLD_ROLLOUTS]]

    def take(self, findings: Iterable[Finding]) -> tuple[Rollout, ...]:
        """The rollouts of these findings' workloads; no later comment gets them."""
        objects = {finding.object for finding in findings}
        taken = tuple(rollout for rollout in self._left if rollout.object in objects)
        self._left = [rollout for rollout in self._left if rollout.object not in objects]
        return taken


def _post_review(
    repo: RepositoryClient, pull: PullRequest, body: str, new_comments: Sequence[Comment]
) -> tuple[Comment, ...]:
    """The comments that GitHub refuses: all of them where the App may not comment."""
    try:
        result = comments.post_review(repo, pull.number, pull.head_sha, body, new_comments)
    except (Refused, Gone) as error:
        log.warning("review_refused", error=str(error))
        return tuple(new_comments)
    log.info("review_posted", comments=len(new_comments), moved=len(result.moved), refused=len(result.refused))
    return result.refused


def _close_threads(
    repo: RepositoryClient,
    resolver: AbstractContextManager[RepositoryClient] | None,
    pull: PullRequest,
    fixed: frozenset[int],
) -> None:
    """Resolve the threads that begin with the comments `fixed`, where the App may; else minimize those that are
    outdated and that nobody has answered. What fails is left as it is.

    A thread that is resolved is left alone. So is one that a person opens again: its first comment then says that it is
    fixed.
    """
    with nullcontext(repo) if resolver is None else resolver as client:
        try:
            found = threads.read_threads(client, pull.node_id)
        except (Refused, Gone, GitHubUnavailable) as error:
            log.warning("threads_not_read", error=str(error))
            return
        for thread in found:
            if thread.comment_id not in fixed or thread.is_resolved:
                continue
            try:
                if thread.may_resolve:
                    threads.resolve(client, thread)
                elif thread.is_outdated and thread.may_minimize and not (thread.is_minimized or thread.is_answered):
                    threads.minimize(client, thread)
            except (Refused, Gone, GitHubUnavailable) as error:
                log.warning("thread_not_closed", thread=thread.id, error=str(error))


def _edit(repo: RepositoryClient, comment_id: int, body: str) -> bool:
    """False where GitHub refuses the edit. There is nothing to edit where somebody deleted the comment."""
    try:
        comments.edit(repo, comment_id, body)
    except (Refused, Gone) as error:
        log.warning("edit_refused", comment=comment_id, error=str(error))
        return False
    return True
