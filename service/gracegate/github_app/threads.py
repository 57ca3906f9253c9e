"""The threads of review comments: which are resolved or outdated, and closing the App's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from github.Repository import Repository

from gracegate.github_app import graphql
from gracegate.github_app.client import RepositoryClient

_THREADS = """
query ($id: ID!, $after: String) {
  node(id: $id) {
    ... on PullRequest {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id isResolved isOutdated viewerCanResolve
          comments(first: 1) { totalCount nodes { id databaseId isMinimized viewerCanMinimize } }
        }
      }
    }
  }
}
"""
_RESOLVE = """
mutation ($input: ResolveReviewThreadInput!) {
  resolveReviewThread(input: $input) { thread { isResolved } }
}
"""
_MINIMIZE = """
mutation ($input: MinimizeCommentInput!) {
  minimizeComment(input: $input) { minimizedComment { isMinimized } }
}
"""


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread that begins with the comment `comment_id`; the other two ids are GraphQL's.

    Resolving takes contents: write, so `may_resolve` depends on the client that has read it. `is_answered`: there are
    more comments than the first.
    """

    id: str
    comment: str
    comment_id: int
    is_resolved: bool
    is_outdated: bool
    is_minimized: bool
    is_answered: bool
    may_resolve: bool
    may_minimize: bool


def read_threads(repo: RepositoryClient, pull: str) -> list[Thread]:
    """The threads of a pull request, by its GraphQL id."""

    def read(repository: Repository) -> list[Thread]:
        threads: list[Thread] = []
        after: str | None = None
        while True:
            found = graphql.call(repository, _THREADS, {"id": pull, "after": after})["node"]["reviewThreads"]
            threads += [_thread(one) for one in found["nodes"] if one and one["comments"]["nodes"]]
            if not found["pageInfo"]["hasNextPage"]:
                return threads
            after = found["pageInfo"]["endCursor"]

    return repo.read(read)


def resolve(repo: RepositoryClient, thread: Thread) -> None:
    """Resolve a thread, which may be resolved already."""
    repo.update(lambda repository: graphql.call(repository, _RESOLVE, {"input": {"threadId": thread.id}}), "edit")


def minimize(repo: RepositoryClient, thread: Thread) -> None:
    """Minimize the first comment of a thread as outdated."""
    request = {"subjectId": thread.comment, "classifier": "OUTDATED"}
    repo.update(lambda repository: graphql.call(repository, _MINIMIZE, {"input": request}), "edit")


def _thread(found: Mapping[str, Any]) -> Thread:
    first = found["comments"]["nodes"][0]
    return Thread(
        id=found["id"],
        comment=first["id"],
        comment_id=first["databaseId"],
        is_resolved=found["isResolved"],
        is_outdated=found["isOutdated"],
        is_minimized=first["isMinimized"],
        is_answered=found["comments"]["totalCount"] > 1,
        may_resolve=found["viewerCanResolve"],
        may_minimize=first["viewerCanMinimize"],
    )
