"""Who is let in: the App's JWT, installation tokens, their permissions, repositories and end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from github import Auth, GithubIntegration

from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.state import new_key
from tests.fakegithub.tests.rest import REPOSITORY, Rest, app_jwt, mint

Client = Callable[[str | None], Rest]


def test_a_good_jwt_is_the_app(app: Rest) -> None:
    answer = app.get("/app")
    assert (answer.status_code, answer.json()["slug"]) == (200, "gracegate")


@pytest.mark.parametrize(
    ("claims", "status", "message"),
    [
        pytest.param({"exp": 700}, 401, "too far in the future", id="longer than ten minutes"),
        pytest.param({"exp": -1}, 401, "'Expiration time' claim", id="expired"),
        pytest.param({"exp": None}, 401, "'Expiration time' claim", id="no end"),
        pytest.param({"iat": 60}, 401, "'Issued at' claim", id="issued in the future"),
        pytest.param({"iat": None}, 401, "'Issued at' claim", id="no issue time"),
        pytest.param({"iss": "1"}, 404, "Integration not found", id="another app"),
    ],
)
def test_a_jwt_is_held_against_githubs_rules(
    fake: FakeGitHub, client: Client, claims: dict[str, Any], status: int, message: str
) -> None:
    """Numbers are seconds from now: the test may run long after it was collected."""
    now = int(time.time())
    written = {claim: now + value if isinstance(value, int) else value for claim, value in claims.items()}
    answer = client(f"Bearer {app_jwt(fake, **written)}").get("/app")
    assert (answer.status_code, message in answer.json()["message"]) == (status, True)


def test_another_key_is_refused(fake: FakeGitHub, client: Client) -> None:
    answer = client(f"Bearer {app_jwt(fake, key=new_key()[0])}").get("/app")
    assert (answer.status_code, answer.json()["message"]) == (401, "A JSON web token could not be decoded")


@pytest.mark.parametrize("header", ["Bearer nonsense", "token ghs_1_unknown", "Basic !!", "Bearer a.b.c"])
def test_what_proves_nothing_is_refused_even_for_public_data(fake: FakeGitHub, client: Client, header: str) -> None:
    fake.create_repository("shop/open", private=False)
    assert client(header).get("/repos/shop/open").status_code == 401


def test_tokens_have_the_format_of_2026_and_times_without_fractions(fake: FakeGitHub) -> None:
    body = mint(fake).json()
    assert re.fullmatch(r"ghs_424242_[A-Za-z0-9._-]{400,}", body["token"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["expires_at"])


def test_a_token_ends_after_an_hour_of_the_fakes_clock(fake: FakeGitHub, rest: Rest) -> None:
    fake.clock.advance(3590)
    assert rest.get(rest.repo()).status_code == 200
    fake.clock.advance(20)
    assert (rest.get(rest.repo()).status_code, mint(fake).status_code) == (401, 201)


@pytest.mark.parametrize(
    ("permissions", "granted"),
    [
        pytest.param({}, "write", id="no body: everything"),
        pytest.param({"permissions": {}}, "write", id="PyGithub's empty permissions: everything"),
        pytest.param({"permissions": {"checks": "read"}}, "read", id="less"),
        pytest.param({"permissions": {"contents": "read"}}, None, id="others"),
    ],
)
def test_permissions_of_a_token(fake: FakeGitHub, permissions: dict[str, Any], granted: str | None) -> None:
    assert mint(fake, permissions).json()["permissions"].get("checks") == granted


@pytest.mark.parametrize(
    "permissions",
    [{"permissions": {"contents": "write"}}, {"repository_ids": [1]}, {"repositories": ["elsewhere"]}],
)
def test_a_token_cannot_exceed_its_installation(fake: FakeGitHub, permissions: dict[str, Any]) -> None:
    assert mint(fake, permissions).status_code == 422


def test_an_ungranted_permission_is_403(fake: FakeGitHub, client: Client) -> None:
    token = mint(fake, {"permissions": {"pull_requests": "read"}}).json()["token"]
    sent = {"name": "x", "head_sha": "0" * 40}
    answer = client(f"token {token}").post(f"/repos/{REPOSITORY}/check-runs", sent)
    assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")


def test_a_token_of_one_repository_sees_no_other(fake: FakeGitHub, client: Client) -> None:
    other = fake.create_repository("shop/other")
    body = mint(fake, {"repository_ids": [other.id]}).json()
    scoped = client(f"token {body['token']}")
    statuses = [scoped.get(f"/repos/{name}").status_code for name in ("shop/other", REPOSITORY)]
    assert (body["repository_selection"], [one["full_name"] for one in body["repositories"]], statuses) == (
        "selected",
        ["shop/other"],
        [200, 404],
    )


def test_an_anonymous_caller_sees_public_repositories_only(fake: FakeGitHub, client: Client) -> None:
    fake.create_repository("shop/open", private=False)
    anonymous = client(None)
    assert [anonymous.get(f"/repos/{name}").status_code for name in ("shop/open", REPOSITORY)] == [200, 404]


def test_a_jwt_does_not_read_repositories(app: Rest) -> None:
    assert app.get(app.repo()).status_code == 401


def test_uninstalling_ends_tokens_and_the_installation(fake: FakeGitHub, app: Rest, rest: Rest) -> None:
    fake.uninstall("shop")
    assert (rest.get(rest.repo()).status_code, app.get(app.repo("/installation")).status_code) == (401, 404)


def test_repositories_of_a_token(rest: Rest) -> None:
    answer = rest.get("/installation/repositories").json()
    assert (answer["total_count"], answer["repositories"][0]["full_name"]) == (1, REPOSITORY)


def test_pygithub_comes_in(fake: FakeGitHub) -> None:
    app = GithubIntegration(auth=Auth.AppAuth(fake.app.id, fake.app.private_key), base_url=fake.url)
    try:
        installation = app.get_repo_installation("shop", "web")
        github = app.get_github_for_installation(installation.id)
        repository = github.get_repo(fake.repository(REPOSITORY).id)
        assert (app.get_app().slug, repository.full_name) == ("gracegate", REPOSITORY)
        github.close()
    finally:
        app.close()
