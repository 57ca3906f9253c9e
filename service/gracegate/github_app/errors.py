"""Exceptions of PyGithub and requests -> the exceptions of gracegate.errors."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from github import BadAttributeException, GithubException

from gracegate.errors import GitHubError, GitHubUnavailable, Gone, RateLimited, Refused

# What GitHub advises if a secondary rate limit does not say how long to wait.
_DEFAULT_SECONDS = 60.0


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise what a call raises as a GitHubError."""
    try:
        yield
    except GithubException as error:
        raise error_from_answer(error.status, error.headers or {}, error.data) from error
    except BadAttributeException as error:
        raise GitHubUnavailable("GitHub answered with JSON of another shape", status=200) from error
    except requests.RequestException as error:
        raise GitHubUnavailable(f"no answer from GitHub: {type(error).__name__}") from error


def error_from_answer(status: int, headers: Mapping[str, str], body: object) -> GitHubError:
    """The error that an answer means. Names of headers may be in upper or lower case."""
    names = {name.lower(): value for name, value in headers.items()}
    message = f"GitHub answered {status}: {_message(body)}"
    if _is_rate_limit(status, names, body):
        return RateLimited(message, seconds=_seconds(names), status=status)
    if status >= 500:
        return GitHubUnavailable(message, status=status)
    if status in {401, 403, 404, 410, 451}:
        return Gone(message, status=status)
    if status in {400, 406, 409, 413, 415, 422}:
        return Refused(message, status=status)
    return GitHubError(message, status=status)


def _message(body: object) -> str:
    """GitHub's message with the details that say which field is wrong."""
    if not isinstance(body, dict):
        return "no reason given"
    message = str(body.get("message", "no reason given"))
    details = body.get("errors")
    return f"{message} {details}" if details else message


def _is_rate_limit(status: int, headers: Mapping[str, str], body: object) -> bool:
    if status == 429:
        return True
    message = _message(body).lower()
    if status == 403:
        is_limited = "rate limit" in message or "abuse" in message
        return is_limited or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    # GitHub answers 422 to content that is created too fast.
    return status == 422 and ("'code': 'abuse'" in message or "submitted too quickly" in message)


def _seconds(headers: Mapping[str, str]) -> float:
    after = headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(1.0, float(reset) - time.time())
    return _DEFAULT_SECONDS
