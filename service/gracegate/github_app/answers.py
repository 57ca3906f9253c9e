"""One request to GitHub and its answer, read: redirects, pages that are no answers, and answers of another shape."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from gracegate.errors import GitHubUnavailable

LOG = logging.getLogger(__name__)

API_VERSION = "2022-11-28"
USER_AGENT = "gracegate"
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": USER_AGENT,
    "X-GitHub-Api-Version": API_VERSION,
}

_MAX_REDIRECTS = 5
_FOLLOWED = frozenset({301, 307, 308})
_PORTS = {"http": ":80", "https": ":443"}

Shape = type | dict[str, "Shape"] | list["Shape"]
"""A type, the keys that an object must have, or the shape of each item of a list."""

_CHECK_RUN: Shape = {"id": int, "name": str, "head_sha": str, "status": str, "output": dict}
_COMMENT: dict[str, Shape] = {"id": int, "body": str}
_END: Shape = {"sha": str, "ref": str}
_PULL: Shape = {"number": int, "state": str, "head": _END, "base": _END}
_SHAPES: tuple[tuple[str, Shape], ...] = (
    (r"GET /app", {"id": int, "slug": str, "name": str, "html_url": str, "permissions": dict, "events": list}),
    (r"GET /app/hook/config", {}),
    (r"GET /app/hook/deliveries", [{"id": int, "guid": str, "event": str, "delivered_at": str, "status": str}]),
    (r"GET /app/installations/\d+", {"permissions": dict}),
    (r"GET /app/installations", [{"id": int, "permissions": dict}]),
    (
        r"POST /app-manifests/[^/]+/conversions",
        {"id": int, "html_url": str, "client_id": str, "client_secret": str, "pem": str, "webhook_secret": str},
    ),
    (r"POST /app/installations/\d+/access_tokens", {"token": str, "expires_at": str}),
    (r"GET /installation/repositories", {"repositories": [{"id": int, "full_name": str}]}),
    (r"GET /repos/[^/]+/[^/]+/installation", {"id": int}),
    (r"GET /repos/[^/]+/[^/]+", {"id": int}),
    (r"GET /repositories/\d+", {"id": int}),
    (r"GET /user", {"id": int, "login": str}),
    (r"GET /user/installations", {"installations": [{"id": int}]}),
    (r"GET /user/installations/\d+/repositories", {"repositories": [{"id": int}]}),
    (r"GET .*/pulls", [_PULL]),
    (r"GET .*/pulls/\d+", _PULL),
    (r"GET .*/git/trees/[^/]+", {"tree": [{"path": str, "mode": str, "sha": str}], "truncated": bool}),
    (r"GET .*/git/blobs/[^/]+", {"content": str, "encoding": str}),
    (r"GET .*/compare/.*", {"merge_base_commit": {"sha": str}}),
    (r"GET .*/pulls/\d+/files", [{"filename": str, "status": str}]),
    (r"GET .*/pulls/\d+/reviews", [{"id": int}]),
    (r"GET .*/pulls/\d+(/reviews/\d+)?/comments", [_COMMENT]),
    (r"POST .*/pulls/\d+/reviews", {"id": int}),
    (r"(POST .*/pulls/\d+/comments|PATCH .*/pulls/comments/\d+)", _COMMENT),
    (r"GET .*/issues/\d+/comments", [_COMMENT]),
    (r"GET .*/(issues|pulls)/comments/\d+", {**_COMMENT, "created_at": str}),
    (r"POST .*(/issues/\d+/comments|/pulls/\d+/comments/\d+/replies)", _COMMENT),
    (r"GET .*/collaborators/[^/]+/permission", {"permission": str}),
    (r"GET .*/commits/[^/]+/check-runs", {"check_runs": [_CHECK_RUN]}),
    (r"(POST .*/check-runs|(GET|PATCH) .*/check-runs/\d+)", _CHECK_RUN),
)
"""What an answer must have, by the method and the path below the API's address."""


def send(
    session: requests.Session, method: str, url: str, *, headers: Mapping[str, str], data: Any, timeout: float | None
) -> requests.Response:
    """Send a request; the answer may be an error of GitHub's.

    301, 307 and 308 are followed a few times with the same method and body, as GitHub asks, but never to another
    server. Raises GitHubUnavailable for anything else that is no answer to this request.
    """
    for _ in range(_MAX_REDIRECTS + 1):
        answer = session.request(
            method,
            url,
            headers={**_HEADERS, **headers},
            data=data,
            timeout=timeout,
            auth=_keep_headers,
            allow_redirects=False,
        )
        if answer.status_code not in _FOLLOWED:
            break
        url = _target(url, answer)
    _log_retirement(method, url, answer)
    if answer.status_code < 400:
        _check(method, url, answer)
    return answer


def json_of(answer: requests.Response) -> object:
    """The JSON of an answer; None if it has none."""
    try:
        body: object = answer.json()
    except requests.JSONDecodeError:
        return None
    return body


def expect(is_answered: bool, what: str) -> None:
    """Raise GitHubUnavailable unless a write was answered with what was asked for."""
    if not is_answered:
        raise GitHubUnavailable(f"GitHub's answer does not show {what}", status=200)


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep a .netrc from replacing the token."""
    return request


def _target(url: str, answer: requests.Response) -> str:
    """The URL that GitHub redirects to."""
    target = urljoin(url, answer.headers.get("Location", ""))
    if _server(target) != _server(url):
        where = urlsplit(target).netloc.rpartition("@")[2]
        message = f"GitHub answered {answer.status_code} to another server, {where}: is GRACEGATE_GITHUB_URL right?"
        raise GitHubUnavailable(message, status=answer.status_code)
    LOG.info("GitHub moved %s to %s", urlsplit(url).path, urlsplit(target).path)
    return target


def _server(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower().removesuffix(_PORTS.get(parts.scheme, ""))


def _check(method: str, url: str, answer: requests.Response) -> None:
    """Raise GitHubUnavailable for an answer without an error that is no answer to this request."""
    status = answer.status_code
    if status >= 300 or (status, method) == (202, "GET"):
        raise GitHubUnavailable(f"GitHub answered {status} and not what was asked for", status=status)
    if status not in {200, 201}:
        return
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        kind = answer.headers.get("Content-Type", "nothing")
        raise GitHubUnavailable(f"GitHub answered {status} with {kind} in place of JSON", status=status) from None
    request = f"{method} {urlsplit(url).path}"
    for pattern, shape in _SHAPES:
        if re.fullmatch(pattern.replace(" /", " .*/", 1), request) and not _fits(body, shape):
            raise GitHubUnavailable(f"GitHub answered {status} with JSON of another shape", status=status)


def _fits(value: object, shape: Shape) -> bool:
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(_fits(value.get(key), inner) for key, inner in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(item, shape[0]) for item in value)
    return isinstance(value, shape)


def _log_retirement(method: str, url: str, answer: requests.Response) -> None:
    """Log what tells that GitHub retires this API version, or has."""
    if answer.status_code == 410:
        LOG.warning("GitHub answered 410 to %s %s with API version %s", method, urlsplit(url).path, API_VERSION)
    if "Sunset" in answer.headers:
        _log_sunset(answer.headers["Sunset"])


@lru_cache(maxsize=100)
def _log_sunset(date: str) -> None:
    """Log it once, for every answer has it."""
    LOG.warning("GitHub ends what gracegate uses of API version %s on %s", API_VERSION, date)
