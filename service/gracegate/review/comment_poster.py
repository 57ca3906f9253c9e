"""Posts the comments of a report in one review, and edits earlier comments whose findings were fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gracegate.errors import Gone, Refused
from gracegate.github_app import PullRequest, RepositoryClient, comments
from gracegate.model import Comment, FileDiff, Report
from gracegate.outputs import comment_text
from gracegate.review.comment_plan import CommentMarker, CommentUpdate, NewComment, plan_comments

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CommentPoster:
    """`keys` sign comments: the first signs, a signature by any of them is accepted."""

    keys: tuple[bytes, ...]

    def post_comments(
        self, repo: RepositoryClient, pull: PullRequest, report: Report, diff: Sequence[FileDiff]
    ) -> tuple[int, int]:
        """Posts and edits what is due, nothing twice; returns how many comments were posted and how many refused.

        What GitHub refuses costs only itself. Refused and Gone are raised where the earlier comments cannot be read.
        """
        marker = CommentMarker(self.keys, f"{repo.full_name.lower()}#{pull.number}")
        earlier = comments.find_app_comments(repo, pull.number, lambda body: marker.read(body) is not None)
        plan = plan_comments(report, diff, earlier, marker.read)
        new_comments = [self._comment(comment, marker) for comment in plan.new_comments]
        refused = 0
        if new_comments:
            body = comment_text.review_body(report, len(new_comments), uncommented=plan.uncommented)
            refused = _post_review(repo, pull, body, new_comments)
        edits = [_edit(repo, u.comment.id, self._updated_body(u, marker, pull.head_sha)) for u in plan.updates]
        return len(new_comments) - refused, refused + edits.count(False)

    def _comment(self, comment: NewComment, marker: CommentMarker) -> Comment:
        ids = tuple(finding.id for finding in comment.findings)
        body = comment_text.comment_body(comment.findings, comment.suggestion, marker=marker.write(ids))
        return Comment(comment.path, comment.line, comment.start_line, body, ids)

    def _updated_body(self, update: CommentUpdate, marker: CommentMarker, commit: str) -> str:
        body = update.comment.body
        if not update.open:
            return comment_text.resolved_body(body, commit=commit, marker=marker.write(update.fixed, fixed=True))
        open_marker = marker.write(finding.id for finding in update.open)
        return comment_text.updated_body(body, update.open, len(update.fixed), commit=commit, marker=open_marker)


def _post_review(repo: RepositoryClient, pull: PullRequest, body: str, new_comments: Sequence[Comment]) -> int:
    """How many of the comments GitHub refuses: all of them where the App may not comment."""
    try:
        result = comments.post_review(repo, pull.number, pull.head_sha, body, new_comments)
    except (Refused, Gone) as error:
        log.warning("review_refused", error=str(error))
        return len(new_comments)
    refused = len(result.refused)
    log.info("review_posted", comments=len(new_comments), moved=len(result.moved), refused=refused)
    return refused


def _edit(repo: RepositoryClient, comment_id: int, body: str) -> bool:
    """False where GitHub refuses the edit. There is nothing to edit where somebody deleted the comment."""
    try:
        comments.edit(repo, comment_id, body)
    except (Refused, Gone) as error:
        log.warning("edit_refused", comment=comment_id, error=str(error))
        return False
    return True
