"""What GitHub's refusals mean for us: PyGithub's and requests' exceptions -> the ones of errors.py."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from github import GithubException

from gracegate.errors import GitHubError, GitHubUnavailable, Gone, RateLimited, Refused

# GitHub's advice where a secondary limit comes without a time.
_WITHOUT_A_TIME = 60.0


@contextmanager
def typed() -> Iterator[None]:
    """Turns what a call raises into a GitHubError."""
    try:
        yield
    except GithubException as error:
        raise failure(error.status, error.headers or {}, error.data) from error
    except requests.RequestException as error:
        raise GitHubUnavailable(f"no answer from GitHub: {type(error).__name__}") from error


def failure(status: int, headers: Mapping[str, str], body: object) -> GitHubError:
    """The error that an answer is; header names in any case."""
    names = {name.lower(): value for name, value in headers.items()}
    message = f"GitHub answered {status}: {_words(body)}"
    if _is_rate_limit(status, names, body):
        return RateLimited(message, seconds=_seconds(names), status=status)
    if status >= 500:
        return GitHubUnavailable(message, status=status)
    if status in {401, 403, 404, 410, 451}:
        return Gone(message, status=status)
    if status in {400, 406, 409, 413, 415, 422}:
        return Refused(message, status=status)
    return GitHubError(message, status=status)


def _words(body: object) -> str:
    """GitHub's message with the details that say which field is wrong."""
    if not isinstance(body, dict):
        return "no reason given"
    said = str(body.get("message", "no reason given"))
    details = body.get("errors")
    return f"{said} {details}" if details else said


def _is_rate_limit(status: int, headers: Mapping[str, str], body: object) -> bool:
    if status == 429:
        return True
    said = _words(body).lower()
    if status == 403:
        limited = "rate limit" in said or "abuse" in said
        return limited or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    # Content created too fast is refused like a wrong request.
    return status == 422 and ("'code': 'abuse'" in said or "submitted too quickly" in said)


def _seconds(headers: Mapping[str, str]) -> float:
    after = headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(1.0, float(reset) - time.time())
    return _WITHOUT_A_TIME
