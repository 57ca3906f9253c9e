"""The GraphQL API: threads of reviews, minimized comments, commits on a branch. Errors are answers with status 200."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, jsonify
from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync

from tests.fakegithub import pulls
from tests.fakegithub.auth import LEVELS
from tests.fakegithub.errors import ApiError
from tests.fakegithub.shapes import Json, node_id
from tests.fakegithub.state import PullRequest, Repository, ReviewComment
from tests.fakegithub.web import Answer, body, caller, events, fake, login, world

api = Blueprint("graphql", __name__)
SCHEMA = Path(__file__).with_name("schema.graphql")
EMAIL = "{}+{}@users.noreply.github.com"


class Failed(GraphQLError):
    """An error with the type that GitHub gives it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text())


@api.post("/graphql")
def graphql() -> Answer:
    """A request that does not fit the schema is a violation, as one that does not fit the OpenAPI description."""
    if caller().token is None:
        raise ApiError(401, "Requires authentication")
    with world().lock:
        root: dict[str, Any] = {
            "node": lambda _info, id: _node(id),  # noqa: A006 - GitHub's
            "createCommitOnBranch": lambda _info, input: _commit(input),  # noqa: A006
            "minimizeComment": lambda _info, input: _minimize(input),  # noqa: A006
            "resolveReviewThread": lambda _info, input: _resolve(input),  # noqa: A006
        }
        variables = body().get("variables") or {}
        result = graphql_sync(schema(), body()["query"], root_value=root, variable_values=dict(variables))
    answer: Json = {"data": result.data}
    if result.errors:
        answer["errors"] = [_error(one) for one in result.errors]
    return jsonify(answer)


def _error(error: GraphQLError) -> Json:
    cause = error.original_error
    if not isinstance(cause, Failed):
        fake().violations.append(f"graphql: {error.message}")
        return {"message": error.message}
    return {"type": cause.kind, "path": error.path, "message": error.message}


def _allow(repository: Repository, permission: str) -> None:
    token = caller().token
    granted = token is not None and repository.id in token.repository_ids
    if token is None or not granted or LEVELS[token.permissions.get(permission, "none")] < LEVELS["write"]:
        raise Failed("FORBIDDEN", "Resource not accessible by integration")


def _node(identifier: str) -> Json:
    for repository in world().repositories.values():
        for pull in repository.pulls.values():
            if node_id("PR", pull.id) == identifier:
                return _pull(pull)
    raise Failed("NOT_FOUND", f"Could not resolve to a node with the global id of '{identifier}'")


def _pull(pull: PullRequest) -> Json:
    return {
        "__typename": "PullRequest",
        "id": node_id("PR", pull.id),
        "number": pull.number,
        "reviewThreads": lambda _info, first=None, after=None, **_more: _threads(pull, first, after),
    }


def _threads(pull: PullRequest, first: int | None, after: str | None) -> Json:
    threads = [one for one in pull.comments if one.in_reply_to is None]
    start = int(after or 0)
    shown = threads[start : start + (first or 100)]
    end = start + len(shown)
    return {
        "nodes": [_thread(pull, one) for one in shown],
        "pageInfo": {"endCursor": str(end), "hasNextPage": end < len(threads)},
        "totalCount": len(threads),
    }


def _thread(pull: PullRequest, first: ReviewComment) -> Json:
    comments = [first, *(one for one in pull.comments if one.in_reply_to == first.id)]
    is_outdated = first.anchor.line is not None and first.line_now(pull, first.anchor.line) is None
    person = first.resolved_by
    return {
        "id": node_id("PRRT", first.id),
        "path": first.anchor.path,
        "isCollapsed": person is not None,
        "isOutdated": is_outdated,
        "isResolved": person is not None,
        "resolvedBy": None if person is None else {"id": person, "login": person.removesuffix("[bot]")},
        "viewerCanResolve": _may_resolve(pull.base),
        "comments": lambda _info, first=None, **_more: _comments(comments[: first or 100], len(comments)),
    }


def _may_resolve(repository: Repository) -> bool:
    token = caller().token
    return token is not None and repository.id in token.repository_ids and token.permissions.get("contents") == "write"


def _comments(shown: list[ReviewComment], total: int) -> Json:
    return {
        "nodes": [_comment(one) for one in shown],
        "pageInfo": {"endCursor": None, "hasNextPage": len(shown) < total},
        "totalCount": total,
    }


def _comment(one: ReviewComment) -> Json:
    kind = "Bot" if one.author.endswith("[bot]") else "User"
    return {
        "__typename": "PullRequestReviewComment",
        "id": node_id("PRRC", one.id),
        "databaseId": one.id,
        "body": one.body,
        "author": {"__typename": kind, "id": one.author, "login": one.author.removesuffix("[bot]")},
        "isMinimized": one.minimized is not None,
        "minimizedReason": one.minimized,
        "viewerCanMinimize": True,
    }


def _find(kind: str, identifier: str) -> tuple[PullRequest, ReviewComment]:
    for repository in world().repositories.values():
        for pull in repository.pulls.values():
            for one in pull.comments:
                if node_id(kind, one.id) == identifier:
                    return pull, one
    raise Failed("NOT_FOUND", f"Could not resolve to a node with the global id of '{identifier}'")


def _resolve(sent: Mapping[str, Any]) -> Json:
    """An App needs to write contents for it, however much it may do with pull requests."""
    pull, first = _find("PRRT", sent["threadId"])
    _allow(pull.base, "contents")
    first.resolved_by = login()
    return {"clientMutationId": None, "thread": _thread(pull, first)}


def _minimize(sent: Mapping[str, Any]) -> Json:
    pull, comment = _find("PRRC", sent["subjectId"])
    _allow(pull.base, "pull_requests")
    comment.minimized = sent["classifier"].lower()
    return {"clientMutationId": None, "minimizedComment": _comment(comment)}


def _commit(sent: Mapping[str, Any]) -> Json:
    """One commit by the App on a branch that is where the caller expects it."""
    name, branch = sent["branch"].get("repositoryNameWithOwner", ""), sent["branch"].get("branchName", "")
    repository = world().repository(name)
    before = repository.branch(branch) if repository else None
    if repository is None or before is None:
        raise Failed("NOT_FOUND", f"Could not resolve to a branch of {name}.")
    _allow(repository, "contents")
    expected = sent["expectedHeadOid"]
    if before != expected:
        message = f'Expected branch to point to "{expected}" but it did not. Pull and try again.'
        raise Failed("STALE_DATA", message)
    message = "\n\n".join(filter(None, [sent["message"]["headline"], sent["message"].get("body")]))
    changes = sent.get("fileChanges") or {}
    files: dict[str, bytes | None] = {one["path"]: None for one in changes.get("deletions", ())}
    files |= {one["path"]: _decoded(one["contents"]) for one in changes.get("additions", ())}
    author = (world().app.login, EMAIL.format(world().app.id, world().app.login))
    when = int(world().clock.now())
    sha = repository.git.write_commit(branch, [before], files, message, when, author)
    pulls.branch_moved(world(), events(), repository, branch, before)
    return {"clientMutationId": None, "commit": {"id": node_id("C", sha), "oid": sha}}


def _decoded(contents: str) -> bytes:
    try:
        return base64.b64decode(contents, validate=True)
    except binascii.Error:
        raise Failed("UNPROCESSABLE", "A file's contents are not Base64.") from None
