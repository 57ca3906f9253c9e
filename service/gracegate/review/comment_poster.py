"""Says in a pull request what a report found: new comments in one review, earlier ones edited or struck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gracegate.github_app import PullRequest, RepositoryClient, comments
from gracegate.model import Comment, FileDiff, Report
from gracegate.outputs import RuleLink, comment_text
from gracegate.review import comment_plan
from gracegate.review.comment_plan import CommentMarker, CommentUpdate, NewComment

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CommentPoster:
    """Speaks with the keys that sign its comments; the first signs, all of them are recognised.

    `link` gives the address of a rule's page, where there is one.
    """

    keys: tuple[bytes, ...]
    link: RuleLink | None = None

    def post_comments(self, repo: RepositoryClient, pull: PullRequest, report: Report, diff: Sequence[FileDiff]) -> int:
        """Posts and edits what is due, nothing twice; how many comments were posted."""
        marks = CommentMarker(self.keys, f"{repo.full_name.lower()}#{pull.number}")
        earlier = comments.ours(repo, pull.number, repo.app_slug(), lambda body: marks.read(body) is not None)
        plan = comment_plan.plan(report, diff, earlier, marks.read)
        drafts = [self._comment(draft, marks) for draft in plan.drafts]
        if drafts:
            body = comment_text.review_body(report, len(drafts))
            posted = comments.post_review(repo, pull.number, pull.head_sha, body, drafts)
            log.info("review_posted", comments=len(drafts), moved=len(posted.moved), refused=len(posted.refused))
        for revision in plan.revisions:
            comments.edit(repo, revision.comment.id, self._revised(revision, marks, pull.head_sha))
        return len(drafts)

    def _comment(self, draft: NewComment, marks: CommentMarker) -> Comment:
        ids = tuple(finding.id for finding in draft.findings)
        body = comment_text.comment_body(draft.findings, draft.suggestion, marker=marks.write(ids), link=self.link)
        return Comment(draft.path, draft.line, draft.start_line, body, ids)

    def _revised(self, revision: CommentUpdate, marks: CommentMarker, commit: str) -> str:
        old = revision.comment.body
        if not revision.open:
            return comment_text.fixed_body(old, commit=commit, marker=marks.write(revision.gone, fixed=True))
        marker = marks.write(finding.id for finding in revision.open)
        gone = len(revision.gone)
        return comment_text.revised_body(old, revision.open, gone, commit=commit, marker=marker, link=self.link)
