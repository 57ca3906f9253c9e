"""What the button "Apply fixes" of a check does: one commit with all suggestions to the branch of the pull request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from gracegate.errors import Gone, InputError, Refused
from gracegate.github_app import PUSH_PERMISSIONS, PullRequest, RepositoryClient, checks, commits, conversation
from gracegate.github_app import pull_requests as pulls
from gracegate.outputs import check_run
from gracegate.review.reviewer import PullRequestReviewer, external_id
from gracegate.review.suggested_files import (
    HEADLINE,
    SuggestedFiles,
    applied_note,
    apply_suggestions,
    commit_message,
    is_cured,
    with_files,
)
from gracegate.store import Outcome, Run

log = structlog.get_logger(__name__)

_BY_HAND = "commit the suggestions in the comments."
_NEWER = "The branch has newer commits than this check; press the button in the check of the newest one."


@dataclass(frozen=True, slots=True)
class SuggestionCommitter:
    """Commits the suggestions that a person has asked for, if that person may push and the App too. Implements
    jobs.Reviewer. Why nothing is done is said in the check whose button was pressed."""

    reviewer: PullRequestReviewer

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        with self.reviewer.open_repository(run) as repo:
            try:
                note = self._commit(run, repo, pulls.read(repo, run.number), check_current)
            except InputError as error:
                note = error.message
            self._say(run, repo, note)
        return Outcome("done", run.head_sha)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        with self.reviewer.open_repository(run) as repo:
            self._say(run, repo, f"It could not be done, because of an error: {reason}. Press the button again later.")

    def cancel_check(self, _run: Run, _reason: str) -> None:
        """Only the review of the pull request has a check."""

    def _commit(self, run: Run, repo: RepositoryClient, pull: PullRequest, check_current: Callable[[], None]) -> str:
        """What was done. Raises InputError, with what to do, where it was not."""
        self._check_allowed(run, repo, pull)
        since = commits.read_changes_since(repo, run.head_sha, pull.head_sha, HEADLINE)
        if since.own:
            # An earlier attempt of this run, or an earlier press.
            return f"The suggestions were committed as {since.own[:7]}."
        if since.files is None:
            raise InputError(_NEWER)
        fetched = self.reviewer.fetch(run, repo, pull)
        report = self.reviewer.check(run, repo, fetched)
        suggested = apply_suggestions(report, fetched.head, since.files)
        if not suggested.files:
            raise InputError(f"There is no suggestion to apply.{_left_out(suggested)}")
        after = self.reviewer.check(run, repo, replace(fetched, head=with_files(fetched.head, suggested.files)))
        if not is_cured(report, after, suggested.findings):
            raise InputError("The suggestions do not pass the check together; apply them one by one.")
        check_current()
        return applied_note(suggested, self._push(run, pull, suggested))

    def _check_allowed(self, run: Run, repo: RepositoryClient, pull: PullRequest) -> None:
        if pull.state == "closed":
            raise InputError("The pull request is closed; open it again first.")
        if not conversation.may_write(repo, run.sender):
            raise InputError(f'"{run.sender}" may not push to this repository; ask somebody who may.')
        if not pull.is_of(repo.full_name):
            where = f'the fork "{pull.head_repository}"' if pull.head_repository else "a fork that was deleted"
            raise InputError(f"The branch is in {where}, where gracegate may not push; {_BY_HAND}")
        if not self.reviewer.client.may_push(run.installation_id):
            raise InputError(
                'gracegate may not push: the App needs the permission "contents: write", and this installation has to'
                f" accept it; {_BY_HAND}"
            )

    def _push(self, run: Run, pull: PullRequest, suggested: SuggestedFiles) -> str:
        message = commit_message(suggested, run.sender)
        with self.reviewer.open_repository(run, PUSH_PERMISSIONS) as repo:
            try:
                return commits.commit_files(repo, pull.head_ref, pull.head_sha, message, suggested.files)
            except Refused as error:
                if error.status == commits.STALE:
                    raise InputError(_NEWER) from error
                raise InputError(f"GitHub refuses the commit; see the rules of the branch ({error}).") from error
            except Gone as error:
                raise InputError(f"gracegate may not push to this branch; see its rules ({error}).") from error

    def _say(self, run: Run, repo: RepositoryClient, note: str) -> None:
        name = self.reviewer.settings.check_name
        check = checks.find(repo, run.head_sha, name, external_id(run.number, run.head_sha))
        log.info("fixes_requested", outcome=note, sender=run.sender)
        if check is not None:
            checks.set_summary(repo, check, check_run.with_note(check.summary, note))


def _left_out(suggested: SuggestedFiles) -> str:
    reasons = {reason for _, reason in suggested.left_out}
    return f" {len(suggested.left_out)} left out: {', '.join(sorted(reasons))}." if reasons else ""
