"""The error that each kind of answer means."""

from __future__ import annotations

import time

import pytest
import requests
from github import GithubException

from gracegate.errors import GitHubError, GitHubUnavailable, Gone, RateLimited, Refused
from gracegate.github_app.errors import error_from_answer, translate_errors

LIMITED = [
    pytest.param(429, {}, {}, 60.0, id="too many requests"),
    pytest.param(429, {"Retry-After": "7"}, {}, 7.0, id="and a time"),
    pytest.param(403, {"retry-after": "9"}, {}, 9.0, id="a secondary limit with a time"),
    pytest.param(403, {}, {"message": "You have exceeded a secondary rate limit"}, 60.0, id="without a time"),
    pytest.param(403, {"x-ratelimit-remaining": "0"}, {"message": "API rate limit exceeded"}, 60.0, id="used up"),
    pytest.param(422, {}, {"message": "Validation Failed", "errors": [{"code": "abuse"}]}, 60.0, id="abuse"),
    pytest.param(422, {}, {"message": "was submitted too quickly"}, 60.0, id="too quick"),
]
OTHERS: list[object] = [
    pytest.param(500, GitHubUnavailable, id="an error"),
    pytest.param(502, GitHubUnavailable, id="a bad gateway"),
    pytest.param(401, Gone, id="bad credentials"),
    pytest.param(403, Gone, id="not permitted"),
    pytest.param(404, Gone, id="not found"),
    pytest.param(410, Gone, id="removed"),
    pytest.param(451, Gone, id="blocked"),
    pytest.param(422, Refused, id="invalid"),
    pytest.param(409, Refused, id="a conflict"),
    pytest.param(301, GitHubError, id="anything else"),
]


@pytest.mark.parametrize(("status", "headers", "body", "seconds"), LIMITED)
def test_rate_limits(status: int, headers: dict[str, str], body: dict[str, object], seconds: float) -> None:
    error = error_from_answer(status, headers, body)
    assert isinstance(error, RateLimited)
    assert (error.seconds, error.status) == (seconds, status)


def test_the_primary_rate_limit_says_when_it_ends() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 100)}
    error = error_from_answer(403, headers, {})
    assert isinstance(error, RateLimited)
    assert 95 < error.seconds <= 101


@pytest.mark.parametrize(("status", "kind"), OTHERS)
def test_other_answers(status: int, kind: type[GitHubError]) -> None:
    error = error_from_answer(status, {"x-ratelimit-remaining": "12"}, {"message": "Words", "errors": ["line"]})
    assert (type(error), error.status, str(error)) == (kind, status, f"GitHub answered {status}: Words ['line']")


def test_exceptions_of_the_libraries() -> None:
    with (
        pytest.raises(GitHubUnavailable, match="no answer from GitHub: ReadTimeout") as unavailable,
        translate_errors(),
    ):
        raise requests.ReadTimeout
    assert unavailable.value.status == 0
    with pytest.raises(Gone), translate_errors():
        raise GithubException(404, "<html>", {}, None)
    with pytest.raises(KeyError), translate_errors():
        raise KeyError
