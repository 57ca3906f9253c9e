"""Calls of GitHub's GraphQL API, for what its REST API does not offer. An error there is an answer with status 200."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from github.Repository import Repository

from gracegate.errors import GitHubError, GitHubUnavailable, Gone, RateLimited, Refused

_SECONDS = 60.0
"""How long to wait where a rate limit does not say."""
_GONE = {"NOT_FOUND": 404, "FORBIDDEN": 403, "INSUFFICIENT_SCOPES": 403}
STALE = 409
"""The status of the error for a branch that is at another commit than the caller expected."""


def call(repository: Repository, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The data of the answer. Raises what the first error of the answer means."""
    requester = repository.requester
    body = {"query": query, "variables": dict(variables)}
    _, answer = requester.requestJsonAndCheck("POST", requester.graphql_url, input=body)
    if errors := answer.get("errors"):
        raise _error(errors)
    data = answer.get("data")
    if not isinstance(data, dict):
        raise GitHubUnavailable("GitHub answered 200 with JSON of another shape", status=200)
    return data


def is_query(body: object) -> bool:
    """Whether the body of a request is a query, which only reads."""
    return isinstance(body, Mapping) and str(body.get("query", "")).lstrip().startswith("query")


def _error(errors: Sequence[Mapping[str, Any]]) -> GitHubError:
    kind, message = errors[0].get("type", ""), f"GitHub answered: {errors[0].get('message', 'no reason given')}"
    if kind == "RATE_LIMITED":
        return RateLimited(message, seconds=_SECONDS, status=200)
    if kind in _GONE:
        return Gone(message, status=_GONE[kind])
    if kind == "STALE_DATA":
        return Refused(message, status=STALE)
    # An error of GitHub itself has no type.
    return Refused(message, status=422) if kind else GitHubUnavailable(message, status=200)
