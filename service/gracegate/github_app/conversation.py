"""What people write under a pull request to the App, and what the App answers there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from github.Repository import Repository

from gracegate.errors import Gone
from gracegate.github_app.answers import expect
from gracegate.github_app.client import RepositoryClient

CommentKind = Literal["issue_comment", "pull_request_review_comment"]
"""In the conversation of a pull request, or in a review; named as the webhook events that tell of them."""
Reaction = Literal["eyes", "confused"]

_PATHS: dict[CommentKind, str] = {"issue_comment": "issues", "pull_request_review_comment": "pulls"}
_WRITERS = frozenset({"admin", "write"})


@dataclass(frozen=True, slots=True)
class WrittenComment:
    """A comment as it is now. `author` is the login of a person, "" of a bot; `thread` is the id of the first comment
    of its thread in a review, its own in the conversation. `created_at` is as GitHub writes times."""

    kind: CommentKind
    id: int
    author: str
    body: str
    thread: int
    created_at: str


def read_comment(repo: RepositoryClient, kind: CommentKind, comment_id: int) -> WrittenComment | None:
    """None where somebody has deleted it."""

    def read(repository: Repository) -> dict[str, Any]:
        url = f"{repository.url}/{_PATHS[kind]}/comments/{comment_id}"
        return dict(repository.requester.requestJsonAndCheck("GET", url)[1])

    try:
        found = repo.read(read, is_new=True)
    except Gone as error:
        if error.status not in {404, 410}:
            raise
        return None
    user = found.get("user") or {}
    author = user["login"] if user.get("type") == "User" else ""
    thread = found.get("in_reply_to_id") or found["id"]
    return WrittenComment(kind, found["id"], author, found.get("body") or "", thread, found["created_at"])


def may_write(repo: RepositoryClient, login: str) -> bool:
    """Whether GitHub lets a person push to the repository. What an event says of its author is not asked."""

    def read(repository: Repository) -> str:
        url = f"{repository.url}/collaborators/{quote(login, safe='')}/permission"
        return str(repository.requester.requestJsonAndCheck("GET", url)[1]["permission"])

    try:
        return repo.read(read) in _WRITERS
    except Gone as error:
        if error.status != 404:
            raise
        return False


def react(repo: RepositoryClient, comment: WrittenComment, reaction: Reaction) -> None:
    """GitHub has each reaction of the App to a comment once."""

    def post(repository: Repository) -> None:
        url = f"{repository.url}/{_PATHS[comment.kind]}/comments/{comment.id}/reactions"
        _, answer = repository.requester.requestJsonAndCheck("POST", url, input={"content": reaction})
        expect(answer.get("content") == reaction, "the reaction")

    repo.update(post, "edit")


def reply(repo: RepositoryClient, number: int, comment: WrittenComment, body: str, *, may_be_posted: bool) -> None:
    """Answer a comment of a pull request where it stands, once. With `may_be_posted` an earlier attempt may have done
    it."""
    marker = f"<!-- gracegate:reply to={comment.kind}/{comment.id} -->"
    text = f"{body}\n\n{marker}"
    is_review = comment.kind == "pull_request_review_comment"
    thread = f"pulls/{number}/comments/{comment.thread}/replies" if is_review else f"issues/{number}/comments"
    replies = f"{'pulls' if is_review else 'issues'}/{number}/comments"
    login = repo.app_login()

    def post(repository: Repository) -> int:
        url = f"{repository.url}/{thread}"
        _, answer = repository.requester.requestJsonAndCheck("POST", url, input={"body": text})
        expect(str(answer["body"]).rstrip().endswith(marker), "the answer to the comment")
        return int(answer["id"])

    def find(repository: Repository) -> int | None:
        page = 1
        while True:
            query = {"since": comment.created_at, "per_page": 100, "page": page}
            headers, found = repository.requester.requestJsonAndCheck("GET", f"{repository.url}/{replies}", query)
            for one in found:
                author = (one.get("user") or {}).get("login")
                if author == login and str(one["body"]).rstrip().endswith(marker):
                    return int(one["id"])
            if 'rel="next"' not in headers.get("link", ""):
                return None
            page += 1

    if may_be_posted and repo.read(find) is not None:
        return
    repo.create(post, find, "notification")
