"""The OpenAPI description is held against requests and answers, and what breaks it fails the test."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.fakegithub import shapes
from tests.fakegithub.app import application
from tests.fakegithub.contract import blank, contract, is_time, is_uri
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import REPOSITORY, Rest
from tests.processes import WAIT_SECONDS


def test_every_api_route_is_described() -> None:
    undescribed = {
        f"{method} {rule.rule}"
        for rule in application().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.split(".")[0] in {"apps", "checks", "issues", "pulls", "repositories", "reviews", "rate_limit"}
        and contract().operation(method, rule.rule) is None
    }
    # GitHub serves them, but does not describe them.
    assert undescribed == {"GET /repositories/<int:repository_id>", "GET /repos/<owner>/<repo>/contents/"}


@pytest.mark.parametrize(
    ("path", "blanked"),
    [
        ("/app", "/app"),
        ("/repos/<owner>/<repo>/pulls/<int:number>", "/repos/{}/{}/pulls/{}"),
        ("/repos/{owner}/{repo}/compare/{base}...{head}", "/repos/{}/{}/compare/{}"),
        ("/repos/<owner>/<repo>/contents/", "/repos/{}/{}/contents"),
    ],
)
def test_paths_are_compared_without_their_variables(path: str, blanked: str) -> None:
    assert blank(path) == blanked


@pytest.mark.parametrize(
    ("value", "good"),
    [("https://a.example/x%5By%5D", True), ("https://a.example/[bot]", False), ("/relative", False), (None, True)],
)
def test_addresses(value: object, good: bool) -> None:
    assert is_uri(value) is good


@pytest.mark.parametrize(
    ("value", "good"), [("2026-11-24T10:00:00Z", True), ("2026-11-24 10:00:00", False), (None, True)]
)
def test_times(value: object, good: bool) -> None:
    assert is_time(value) is good


def test_a_wrong_answer_fails_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeGitHub(tmp_path).__enter__()
    fake.create_repository(REPOSITORY, private=False)
    monkeypatch.setattr(shapes, "repository", lambda _base, one: {"full_name": one.full_name})
    with closing(Rest(fake, None)) as anonymous:
        anonymous.get(f"/repos/{REPOSITORY}")
    with pytest.raises(AssertionError, match="answer repos/get: : 'id' is a required property"):
        fake.__exit__(None, None, None)


def fail_with_a_violation(folder: Path) -> None:
    with FakeGitHub(folder) as fake:
        fake.violations.append("something")
        raise ZeroDivisionError


def test_a_failing_test_is_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_with_a_violation(tmp_path)


def test_an_unknown_key_is_a_violation_though_github_ignores_it(fake: FakeGitHub, rest: Rest) -> None:
    sha = fake.repository(REPOSITORY).branch("main")
    sent: dict[str, object] = {"name": "gracegate", "head_sha": sha, "anotations": []}
    assert rest.post(rest.repo("/check-runs"), sent).status_code == 201
    assert fake.violations == ["request checks/create: unknown key 'anotations'"]
    fake.violations.clear()


def test_json_that_is_none_is_400(rest: Rest) -> None:
    answer = rest.session.post(f"{rest.fake.url}{rest.repo('/check-runs')}", data=b"{", timeout=WAIT_SECONDS)
    assert (answer.status_code, answer.json()["message"]) == (400, "Problems parsing JSON")
