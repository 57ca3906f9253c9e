"""Review comments of our App: find them, post new ones once, edit old ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from github.PullRequest import ReviewComment
from github.PullRequestComment import PullRequestComment
from github.Repository import Repository

from gracegate.errors import Gone, Refused
from gracegate.github_app.answers import expect
from gracegate.github_app.client import RepositoryClient
from gracegate.github_app.truncation import clip
from gracegate.model import GITHUB_COMMENT_BYTES, Comment, PostedComment

_CUT_NOTE = "_The rest is cut off: GitHub accepts no longer comments._"


@dataclass(frozen=True, slots=True)
class PostResult:
    """The id of the review (None if there was none to post or GitHub refused it), and the comments that GitHub did not
    accept as sent.

    `moved` are comments on a whole file, because GitHub refused their line.
    """

    review: int | None = None
    moved: tuple[Comment, ...] = ()
    refused: tuple[Comment, ...] = ()


def find_app_comments(
    repo: RepositoryClient, number: int, matches: Callable[[str], bool] = lambda _: True
) -> list[PostedComment]:
    """The App's own comments whose text `matches`, oldest first."""
    login = repo.app_login()
    return repo.read(lambda repository: _app_comments(repository, number, login, matches))


def post_review(repo: RepositoryClient, number: int, commit: str, body: str, comments: Sequence[Comment]) -> PostResult:
    """Post one review of `commit` with its line comments; comments on a whole file are posted separately.

    GitHub refuses the whole review for one wrong line and does not say which. Then the review is posted without
    comments, if GitHub accepts that, and each comment separately: on its line, else on its file, else it counts as
    refused.
    """
    poster = _ReviewPoster(repo, number, commit)
    on_lines = [comment for comment in comments if comment.line is not None]
    separate = [comment for comment in comments if comment.line is None]
    review = None
    if body or on_lines:
        try:
            review = poster.post_review(body, on_lines)
        except Refused:
            review = poster.post_review_without_comments(body)
            separate = poster.find_unposted(comments)
    return poster.post_separately(review, separate)


def edit(repo: RepositoryClient, comment_id: int, body: str) -> bool:
    """Change the text of a comment; False if somebody deleted it."""
    text = {"body": _clip_body(body)}

    def patch(repository: Repository) -> None:
        url = f"{repository.url}/pulls/comments/{comment_id}"
        _, edited = repository.requester.requestJsonAndCheck("PATCH", url, input=text)
        expect(_normalized(edited["body"]) == _normalized(text["body"]), "the text of the comment")

    try:
        repo.update(patch, "edit")
    except Gone as error:
        if error.status != 404:
            raise
        return False
    return True


@dataclass(frozen=True, slots=True)
class _ReviewPoster:
    """Posts to a commit of a pull request, and nothing twice."""

    repo: RepositoryClient
    number: int
    commit: str

    def post_review(self, body: str, comments: Sequence[Comment]) -> int:
        text = _clip_body(body)
        sent = [_line_comment(comment) for comment in comments]

        def post(repository: Repository) -> int:
            pull = repository.get_pull(self.number)
            commit = repository.get_commit(self.commit)
            review = pull.create_review(
                commit=commit, body=text, event="COMMENT", comments=cast("list[ReviewComment]", sent)
            )
            expect(_normalized(review.body or "") == _normalized(text), "the review that was posted")
            return review.id

        return self.repo.create(post, lambda repository: self._find_review(repository, text, sent), "notification")

    def post_review_without_comments(self, body: str) -> int | None:
        """Post only the text, unless GitHub has kept it of the review that it refused."""
        if not body:
            return None
        kept = self.repo.read(lambda repository: self._find_review(repository, _clip_body(body), []))
        try:
            return kept or self.post_review(body, [])
        except Refused:
            return None

    def find_unposted(self, comments: Sequence[Comment]) -> list[Comment]:
        """The comments that GitHub has not kept of the review that it refused."""
        posted = self.repo.read(self._posted_bodies)
        return [comment for comment in comments if _normalized(_clip_body(comment.body)) not in posted]

    def post_separately(self, review: int | None, comments: Iterable[Comment]) -> PostResult:
        moved: list[Comment] = []
        refused: list[Comment] = []
        for comment in comments:
            if comment.line is not None and self._post_comment(_line_comment(comment)):
                continue
            file_comment = {"path": comment.path, "body": _clip_body(comment.body), "subject_type": "file"}
            if not self._post_comment(file_comment):
                refused.append(comment)
            elif comment.line is not None:
                moved.append(comment)
        return PostResult(review, tuple(moved), tuple(refused))

    def _post_comment(self, sent: dict[str, Any]) -> bool:
        """Post one comment; False if GitHub refuses it."""

        def post(repository: Repository) -> bool:
            posted = repository.get_pull(self.number).create_review_comment(commit=self.commit, **sent)
            expect(_normalized(posted.body) == _normalized(sent["body"]), "the comment that was posted")
            return True

        def find(repository: Repository) -> bool | None:
            return _normalized(sent["body"]) in self._posted_bodies(repository) or None

        try:
            return self.repo.create(post, find, "notification")
        except Refused:
            return False

    def _posted_bodies(self, repository: Repository) -> set[str]:
        comments = _app_comments(repository, self.number, self.repo.app_login(), lambda _: True)
        return {_normalized(comment.body) for comment in comments}

    def _find_review(self, repository: Repository, body: str, sent: Sequence[dict[str, Any]]) -> int | None:
        """The App's review with the same commit, text and comments, if there is one."""
        pull = repository.get_pull(self.number)
        expected = sorted(_normalized(comment["body"]) for comment in sent)
        for review in reversed(list(pull.get_reviews())):
            author = review.user.login if review.user else ""
            if author != self.repo.app_login() or review.commit_id != self.commit:
                continue
            if _normalized(review.body) == _normalized(body):
                bodies = sorted(_normalized(comment.body) for comment in pull.get_single_review_comments(review.id))
                if bodies == expected:
                    return review.id
        return None


def _app_comments(
    repository: Repository, number: int, login: str, matches: Callable[[str], bool]
) -> list[PostedComment]:
    return [
        PostedComment(comment.id, comment.path, _line(comment), comment.body)
        for comment in repository.get_pull(number).get_review_comments()
        if comment.user and comment.user.login == login and matches(comment.body)
    ]


def _line(comment: PullRequestComment) -> int | None:
    return None if comment.subject_type == "file" else comment.line


def _clip_body(body: str) -> str:
    """The body, cut to the length that GitHub accepts. A marker in its last line stays."""
    text, _, marker = body.rpartition("\n")
    if not marker.startswith("<!--"):
        return clip(body, GITHUB_COMMENT_BYTES, _CUT_NOTE)
    return f"{clip(text, GITHUB_COMMENT_BYTES - len(marker) - 1, _CUT_NOTE)}\n{marker}"


def _normalized(text: str) -> str:
    """The text for comparison with what GitHub stored: line ends and spaces around it may differ."""
    return text.replace("\r\n", "\n").strip()


def _line_comment(comment: Comment) -> dict[str, Any]:
    body = _clip_body(comment.body)
    sent: dict[str, Any] = {"path": comment.path, "body": body, "line": comment.line, "side": "RIGHT"}
    # GitHub refuses a range of one line.
    if comment.start_line is not None and comment.start_line != comment.line:
        sent |= {"start_line": comment.start_line, "start_side": "RIGHT"}
    return sent
