"""Answers are read: redirects, pages, JSON of another shape, writes that were answered with something else."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from github.Repository import Repository

from gracegate.errors import GitHubUnavailable, Gone
from gracegate.github_app import AppClient, RepositoryClient, TokenBroker, checks, comments, pull_requests
from gracegate.github_app.client import READ_PERMISSIONS
from gracegate.model import Comment
from tests.fakegithub.faults import PAGE
from tests.fakegithub.server import FakeGitHub
from tests.github_app.conftest import SHOP, Scenario
from tests.github_app.test_checks import Output, annotations

NAME = "gracegate"
PULL = r"/pulls/\d+$"


def body(value: object) -> dict[str, Any]:
    return {"status": 200, "body": json.dumps(value)}


NO_ANSWERS = [
    pytest.param(PAGE, "answered 200 with text/html; charset=utf-8 in place of JSON", id="a page"),
    pytest.param({"status": 200, "body": "<html>"}, "in place of JSON", id="a page that is called JSON"),
    pytest.param({"status": 200, "body": ""}, "in place of JSON", id="nothing"),
    pytest.param({"status": 302, "headers": {"Location": "/login"}}, "302 and not what was asked", id="302"),
    pytest.param({"status": 303, "headers": {"Location": "/login"}}, "303 and not what was asked", id="303"),
    pytest.param({"status": 202}, "202 and not what was asked", id="202"),
    pytest.param({"status": 301}, "301 and not what was asked", id="301 to nowhere"),
    pytest.param(body({}), "JSON of another shape", id="an empty object"),
    pytest.param(body([]), "JSON of another shape", id="a list"),
    pytest.param(body(None), "JSON of another shape", id="null"),
    pytest.param(body({"number": 1, "state": "open", "head": {}, "base": {}}), "another shape", id="a part"),
]


@pytest.mark.parametrize(("fault", "message"), NO_ANSWERS)
def test_what_is_no_answer_is_asked_for_again(
    fault: dict[str, Any], message: str, scenario: Scenario, repo: RepositoryClient
) -> None:
    expected = pull_requests.read(repo, scenario.number)
    scenario.fake.fault("GET", PULL, **fault)
    assert pull_requests.read(repo, scenario.number) == expected
    scenario.fake.fault("GET", PULL, **fault, times=-1)
    with pytest.raises(GitHubUnavailable, match=message):
        pull_requests.read(repo, scenario.number)


def read_check(repo: RepositoryClient, number: int) -> object:
    return checks.find(repo, pull_requests.read(repo, number).head_sha, NAME, "pr:1")


def read_files(repo: RepositoryClient, number: int) -> object:
    return pull_requests.list_files(repo, pull_requests.read(repo, number), lambda _: ())


LISTS: list[Any] = [
    pytest.param("/files$", read_files, id="files"),
    pytest.param("/comments$", comments.find_app_comments, id="comments"),
    pytest.param("/check-runs$", read_check, id="check runs"),
]


@pytest.mark.parametrize("fault", [PAGE, body({"message": "soon"}), body([{"message": "soon"}]), body(["soon"])])
@pytest.mark.parametrize(("path", "read"), LISTS)
def test_lists(
    path: str,
    read: Callable[[RepositoryClient, int], object],
    fault: dict[str, Any],
    scenario: Scenario,
    repo: RepositoryClient,
) -> None:
    expected = read(repo, scenario.number)
    scenario.fake.fault("GET", path, **fault)
    assert read(repo, scenario.number) == expected


def test_a_token(scenario: Scenario) -> None:
    for fault in (PAGE, body({"token": None})):
        scenario.fake.fault("POST", "access_tokens", **fault)
    assert scenario.broker.token(scenario.installation, None, READ_PERMISSIONS)
    assert [status for _, status in scenario.requests("POST", "access_tokens")] == [200, 200, 201]


# Writes


def review(scenario: Scenario, repo: RepositoryClient) -> None:
    """A check with two batches of annotations, a review with a comment, one on a file, and an edit."""
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    sent = (Comment("web.yaml", 10, None, "A finding"), Comment("web.yaml", None, None, "Another one"))
    comments.post_review(repo, scenario.number, scenario.head, "Two things", sent)
    first = comments.find_app_comments(repo, scenario.number)[0]
    assert comments.edit(repo, first.id, "Fixed") is True
    assert checks.conclude(repo, run, Output(annotations=annotations(60))) == 0


def end_state(fake: FakeGitHub, number: int, name: str = SHOP) -> object:
    pull = fake.pull(name, number)
    return (
        [(run.status, run.conclusion, len(run.annotations)) for run in fake.world.check_runs.values()],
        [one.body for one in pull.reviews if one.body],
        [(one.anchor.line, one.body) for one in pull.comments],
    )


DONE = ([("completed", "failure", 60)], ["Two things"], [(10, "Fixed"), (None, "Another one")])
WRITES = [
    pytest.param("POST", "/check-runs$", id="a check's start"),
    pytest.param("PATCH", "/check-runs/", id="a check's conclusion"),
    pytest.param("POST", "/reviews$", id="a review"),
    pytest.param("POST", "/comments$", id="a comment"),
    pytest.param("PATCH", "/comments/", id="an edit"),
]
ANSWERS_TO_WRITES: list[Mapping[str, Any]] = [
    PAGE,
    {"status": 302, "headers": {"Location": "/login"}},
    body({}),
    body([]),
    body({"id": 1, "body": "other"}),
    body({"id": 1, "name": NAME, "head_sha": "0" * 40, "status": "queued", "conclusion": None, "output": {}}),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", ANSWERS_TO_WRITES, ids=str)
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_write_that_was_not_answered_is_looked_up(
    method: str, path: str, fault: dict[str, Any], when: str, scenario: Scenario, repo: RepositoryClient
) -> None:
    scenario.fake.fault(method, path, **fault, when=when)
    review(scenario, repo)
    assert end_state(scenario.fake, scenario.number) == DONE


@pytest.mark.parametrize("late", [0.1, 3.0])
@pytest.mark.parametrize("fault", [{"status": 502}, {"drop": True}], ids=str)
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_an_effect_after_the_error_is_found(
    method: str, path: str, fault: dict[str, Any], late: float, scenario: Scenario
) -> None:
    scenario.fake.fault(method, path, **fault, when="late", late=late)
    with AppClient(scenario.broker, scenario.pace_of_the_clock()).repository(
        scenario.installation, scenario.repository_id, SHOP
    ) as repo:
        review(scenario, repo)
    assert end_state(scenario.fake, scenario.number) == DONE


# Redirects


def by_name(repo: RepositoryClient) -> RepositoryClient:
    """The client, made to ask for the repository by the name that it was opened with."""
    repo._repository = Repository(repo._repository.requester, url=f"/repos/{SHOP}")
    return repo


@pytest.mark.parametrize("name", ["shop/store", "market/web"])
def test_a_repository_that_moved(name: str, scenario: Scenario) -> None:
    scenario.fake.move_repository(SHOP, name)
    if name == "market/web":
        scenario.installation = scenario.fake.install("market").id
    review(scenario, by_name(scenario.repository()))
    assert end_state(scenario.fake, scenario.number, name) == DONE
    statuses = {(one.method, one.status) for one in scenario.fake.log if one.path.startswith(f"/repos/{SHOP}/")}
    assert statuses == {("GET", 301), ("POST", 307), ("PATCH", 307)}


def test_a_redirect_keeps_the_query(scenario: Scenario, repo: RepositoryClient) -> None:
    scenario.fake.move_repository(SHOP, "shop/store")
    checks.start(by_name(repo), scenario.head, "pr:1", NAME)
    checks.start(repo, scenario.head, "pr:1", "another")
    assert checks.find(repo, scenario.head, NAME, "pr:1") is not None
    queries = {one.query for one in scenario.fake.log if one.path.endswith(f"{scenario.head}/check-runs")}
    assert queries == {f"check_name={name}&filter=all&per_page=100" for name in (NAME, "another")}


def test_repositories_are_asked_for_by_id(scenario: Scenario, repo: RepositoryClient) -> None:
    """So the name may be another repository's by now."""
    scenario.fake.move_repository(SHOP, "shop/store")
    scenario.fake.create_repository(SHOP)
    review(scenario, repo)
    assert end_state(scenario.fake, scenario.number, "shop/store") == DONE
    addresses = [one.address for one in scenario.fake.log if not one.path.startswith("/app")]
    assert [one for one in addresses if not one.startswith(f"/repositories/{scenario.repository_id}/")] == []
    assert {one.status for one in scenario.fake.log} == {200, 201}


@pytest.mark.parametrize("status", [301, 307, 308])
def test_every_lasting_redirect_is_followed(status: int, scenario: Scenario, repo: RepositoryClient) -> None:
    other = f"{scenario.fake.url}/repos/{SHOP}/check-runs"
    scenario.fake.fault("POST", "/check-runs$", status=status, headers={"Location": other})
    checks.start(repo, scenario.head, "pr:1", NAME)
    assert scenario.requests("POST", "/check-runs") == [("/check-runs", status), ("/check-runs", 201)]
    assert scenario.waited == []


def test_a_circle_ends(scenario: Scenario, repo: RepositoryClient) -> None:
    here = f"{scenario.fake.url}/repos/{SHOP}/pulls/{scenario.number}"
    scenario.fake.fault("GET", PULL, status=301, headers={"Location": here}, times=6)
    assert pull_requests.read(repo, scenario.number).number == scenario.number
    assert [status for _, status in scenario.requests("GET", "/pulls/")] == [301] * 6 + [200]


def test_no_other_server_is_asked(scenario: Scenario, repo: RepositoryClient, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with FakeGitHub(tmp_path / "other") as other:
        port = other.url.rpartition(":")[2]
        places = (other.url, other.url.replace("127.0.0.1", "localhost"), f"http://x:y@127.0.0.1:{port}")
        for place in (*places, "https://127.0.0.1", "//127.0.0.1:9"):
            scenario.fake.fault("GET", PULL, status=307, headers={"Location": f"{place}/pulls/1"})
            with pytest.raises(GitHubUnavailable, match="answered 307 to another server"):
                AppClient(scenario.broker, scenario.pace_without_repeats()).repository(
                    scenario.installation, scenario.repository_id, SHOP
                ).read(lambda repository: repository.get_pull(1).title)
        assert other.log == []


# What every request says, and what some answers say


def test_every_request_says_who_asks_and_for_which_version(scenario: Scenario, repo: RepositoryClient) -> None:
    review(scenario, repo)
    pull_requests.read(repo, scenario.number)
    said = {(one.headers["User-Agent"], one.headers["X-GitHub-Api-Version"]) for one in scenario.fake.log}
    assert said == {("gracegate", "2022-11-28")}
    accepted = {one.headers["Accept"] for one in scenario.fake.log}
    assert accepted == {"application/vnd.github+json", "application/vnd.github.v3+json"}


def test_the_end_of_an_api_version_is_logged(
    scenario: Scenario, repo: RepositoryClient, caplog: pytest.LogCaptureFixture
) -> None:
    end = {"sha": "1", "ref": "x"}
    pull = {"number": 1, "title": "x", "state": "open", "head": end, "base": end}
    scenario.fake.fault("GET", PULL, headers={"Sunset": "Sat, 10 Mar 2029 00:00:00 GMT"}, **body(pull), times=2)
    for _ in range(2):
        repo.read(lambda repository: repository.get_pull(1).title)
    scenario.fake.fault("GET", PULL, status=410)
    with pytest.raises(Gone):
        repo.read(lambda repository: repository.get_pull(1).title)
    path = f"/repositories/{scenario.repository_id}/pulls/1"
    assert [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING] == [
        "GitHub ends what gracegate uses of API version 2022-11-28 on Sat, 10 Mar 2029 00:00:00 GMT",
        f"GitHub answered 410 to GET {path} with API version 2022-11-28",
    ]


@pytest.mark.parametrize("kind", ["id", "client_id"])
def test_the_app_by_its_id_or_its_client_id(kind: str, scenario: Scenario) -> None:
    fake = scenario.fake
    client = AppClient(TokenBroker(str(getattr(fake.app, kind)), fake.app.private_key, fake.url))
    with client.repository(scenario.installation, scenario.repository_id, SHOP) as repo:
        run = checks.start(repo, scenario.head, "pr:1", NAME)
        assert checks.find(repo, scenario.head, NAME, "pr:1") == run
        assert (client.app_id(), client.app_slug()) == (fake.app.id, "gracegate")
    assert [one.path for one in fake.log].count("/app") == 1
