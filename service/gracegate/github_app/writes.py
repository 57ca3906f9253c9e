"""What a write to GitHub does, in words for the audit log: no text of a comment or a check is in them.

A request for a token is no write: it changes nothing that anybody sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changes something on GitHub; `path` is below the address of the API."""

    method: str
    path: str
    summary: str


RecordWrite = Callable[[Write], Callable[[int], None]]
"""Called before a write goes out; what it returns is called with the status of the answer, 0 if there is none.

Neither may raise: a write that cannot be recorded goes out all the same.
"""


def without_record(_write: Write) -> Callable[[int], None]:
    """Records nothing."""
    return lambda _status: None


def describe_write(method: str, path: str, body: Mapping[str, Any]) -> Write:
    """A write with its summary, which is empty for one that gracegate is not known to make."""
    request = f"{method} {path}"
    for pattern, summary in _SUMMARIES:
        if re.fullmatch(pattern, request):
            return Write(method, path, summary(body))
    return Write(method, path, "")


def _check(body: Mapping[str, Any]) -> str:
    annotations = len(body.get("output", {}).get("annotations", ()))
    more = f" (annotations: {annotations})" if annotations else ""
    if "conclusion" in body:
        return f"conclude the check as {body['conclusion']}{more}"
    return f"change the text of the check{more}"


def _comment(body: Mapping[str, Any]) -> str:
    place = f"{body.get('path')}:{body['line']}" if body.get("line") else f"the file {body.get('path')}"
    return f"comment on {place}"


def _mutation(query: str) -> str:
    return next((summary for name, summary in _MUTATIONS.items() if f"{name}(" in query), "")


_MUTATIONS = {
    "createCommitOnBranch": "commit suggestions to the branch",
    "resolveReviewThread": "resolve a thread",
    "minimizeComment": "minimize a comment",
}
_SUMMARIES: tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...] = (
    (r"POST .*/check-runs", lambda body: f"start the check {body.get('name')}"),
    (r"PATCH .*/check-runs/\d+", _check),
    (r"POST .*/pulls/\d+/reviews", lambda body: f"post a review (comments: {len(body.get('comments', ()))})"),
    (r"POST .*/pulls/\d+/comments", _comment),
    (r"PATCH .*/pulls/comments/\d+", lambda _: "edit a comment"),
    (r"POST .*/graphql", lambda body: _mutation(str(body.get("query", "")))),
    (r"POST .*/(issues|pulls)/comments/\d+/reactions", lambda body: f"react to a comment with {body.get('content')}"),
    (r"POST .*(/issues/\d+/comments|/pulls/\d+/comments/\d+/replies)", lambda _: "answer a comment"),
    (r"POST /app/hook/deliveries/\d+/attempts", lambda _: "ask for a webhook delivery again"),
)
