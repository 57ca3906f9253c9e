"""Review comments: ours recognised, new ones posted once, old ones edited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from github.PullRequest import ReviewComment
from github.PullRequestComment import PullRequestComment
from github.PullRequestReview import PullRequestReview
from github.Repository import Repository

from gracegate.errors import Gone, Refused
from gracegate.github_app.client import RepositoryClient
from gracegate.github_app.truncation import clip
from gracegate.model import GITHUB_COMMENT_BYTES, Comment, PostedComment

_CUT = "_Cut here: GitHub takes no longer comments._"


@dataclass(frozen=True, slots=True)
class PostResult:
    """What became of a review: its id (None where nothing was to be posted), and the comments GitHub did not take.

    `moved` are the comments that stand on their file, because their line was refused.
    """

    review: int | None = None
    moved: tuple[Comment, ...] = ()
    refused: tuple[Comment, ...] = ()


def ours(
    repo: RepositoryClient, number: int, app_slug: str, is_ours: Callable[[str], bool] = lambda _: True
) -> list[PostedComment]:
    """The App's own comments whose text `is_ours` knows, oldest first; replies of people are not among them."""
    return repo.read(lambda repository: _ours(repository, number, app_slug, is_ours))


def post_review(repo: RepositoryClient, number: int, commit: str, body: str, comments: Sequence[Comment]) -> PostResult:
    """Posts one review of `commit` with its line comments; a comment without a line goes to its file, on its own.

    One wrong line makes GitHub refuse the whole review without saying which. Then the review goes out without
    comments and each comment by itself: on its line, else on its file, else it is refused.
    """
    target = _Target(repo, number, commit)
    on_lines = [comment for comment in comments if comment.line is not None]
    singly = [comment for comment in comments if comment.line is None]
    review = None
    if body or on_lines:
        try:
            review = target.review(body, on_lines)
        except Refused:
            review = target.bare_review(body)
            singly = target.not_there(comments)
    return target.each(review, singly)


def post_file_comment(repo: RepositoryClient, number: int, commit: str, comment: Comment) -> bool:
    """Posts a comment on a whole file; False where GitHub does not take it."""
    return _Target(repo, number, commit).on_file(comment)


def edit(repo: RepositoryClient, comment_id: int, body: str) -> bool:
    """Changes a comment of ours; False where it is not there any more, which is not ours to mend."""
    text = {"body": _fit(body)}

    def patch(repository: Repository) -> None:
        repository.requester.requestJsonAndCheck("PATCH", f"{repository.url}/pulls/comments/{comment_id}", input=text)

    try:
        repo.update(patch)
    except Gone as failure:
        if failure.status != 404:
            raise
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Target:
    """Where comments go: a commit of a pull request. Nothing is posted that is already there."""

    repo: RepositoryClient
    number: int
    commit: str

    def review(self, body: str, comments: Sequence[Comment]) -> int:
        text = _fit(body)
        sent = [_on_line(comment) for comment in comments]

        def post(repository: Repository) -> int:
            pull = repository.get_pull(self.number)
            commit = repository.get_commit(self.commit)
            return pull.create_review(
                commit=commit, body=text, event="COMMENT", comments=cast("list[ReviewComment]", sent)
            ).id

        return self.repo.create(post, lambda repository: self._find_review(repository, text, sent), notifies=True)

    def bare_review(self, body: str) -> int | None:
        """The review without its comments; GitHub may have kept that much of the one it refused."""
        if not body:
            return None
        there = self.repo.read(lambda repository: self._find_review(repository, _fit(body), []))
        return there or self.review(body, [])

    def not_there(self, comments: Sequence[Comment]) -> list[Comment]:
        posted = self.repo.read(self._posted)
        return [comment for comment in comments if _same(_fit(comment.body)) not in posted]

    def each(self, review: int | None, comments: Iterable[Comment]) -> PostResult:
        moved: list[Comment] = []
        refused: list[Comment] = []
        for comment in comments:
            if comment.line is not None and self._single(comment, _on_line(comment)):
                continue
            if not self.on_file(comment):
                refused.append(comment)
            elif comment.line is not None:
                moved.append(comment)
        return PostResult(review, tuple(moved), tuple(refused))

    def on_file(self, comment: Comment) -> bool:
        return self._single(comment, {"path": comment.path, "body": _fit(comment.body), "subject_type": "file"})

    def _single(self, comment: Comment, sent: dict[str, Any]) -> bool:
        def post(repository: Repository) -> bool:
            repository.get_pull(self.number).create_review_comment(commit=self.commit, **sent)
            return True

        def there(repository: Repository) -> bool | None:
            return _same(_fit(comment.body)) in self._posted(repository) or None

        try:
            return self.repo.create(post, there, notifies=True)
        except Refused:
            return False

    def _posted(self, repository: Repository) -> set[str]:
        found = _ours(repository, self.number, self.repo.app_slug(), lambda _: True)
        return {_same(comment.body) for comment in found}

    def _find_review(self, repository: Repository, body: str, sent: Sequence[dict[str, Any]]) -> int | None:
        """A review of ours that is this one: same commit, same text, same comments."""
        pull = repository.get_pull(self.number)
        expected = sorted(_same(comment["body"]) for comment in sent)
        for review in reversed(list(pull.get_reviews())):
            if self._looks_like(review, body):
                bodies = sorted(_same(comment.body) for comment in pull.get_single_review_comments(review.id))
                if bodies == expected:
                    return review.id
        return None

    def _looks_like(self, review: PullRequestReview, body: str) -> bool:
        ours = _is_by(review.user.login if review.user else "", self.repo.app_slug())
        return ours and review.commit_id == self.commit and _same(review.body) == _same(body)


def _ours(repository: Repository, number: int, app_slug: str, is_ours: Callable[[str], bool]) -> list[PostedComment]:
    return [
        PostedComment(comment.id, comment.path, _line(comment), comment.body)
        for comment in repository.get_pull(number).get_review_comments()
        if comment.user and _is_by(comment.user.login, app_slug) and is_ours(comment.body)
    ]


def _line(comment: PullRequestComment) -> int | None:
    return None if comment.subject_type == "file" else comment.line


def _is_by(login: str, app_slug: str) -> bool:
    # No person can have a name with brackets.
    return login == f"{app_slug}[bot]"


def _fit(body: str) -> str:
    """A body that GitHub takes; its marker, the last line, survives every cut."""
    text, _, marker = body.rpartition("\n")
    if not marker.startswith("<!--"):
        return clip(body, GITHUB_COMMENT_BYTES, _CUT)
    return f"{clip(text, GITHUB_COMMENT_BYTES - len(marker) - 1, _CUT)}\n{marker}"


def _same(text: str) -> str:
    """A text as it compares after GitHub has kept it: line ends and outer blanks may differ."""
    return text.replace("\r\n", "\n").strip()


def _on_line(comment: Comment) -> dict[str, Any]:
    """GitHub refuses a range of one line, so that is said without its start."""
    sent: dict[str, Any] = {"path": comment.path, "body": _fit(comment.body), "line": comment.line, "side": "RIGHT"}
    if comment.start_line is not None and comment.start_line != comment.line:
        sent |= {"start_line": comment.start_line, "start_side": "RIGHT"}
    return sent
