"""Each write to GitHub is told to the recorder with the status of its answer; reads are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gracegate.errors import GitHubError
from gracegate.github_app import (
    AppClient,
    RecordWrite,
    RepositoryClient,
    TokenBroker,
    Write,
    checks,
    comments,
    deliveries,
)
from gracegate.github_app.writes import describe_write
from gracegate.model import Comment
from tests.github_app.conftest import SHOP, Scenario
from tests.github_app.test_checks import Output, annotations

Record = list[tuple[str, str, int | None]]


@pytest.mark.parametrize(
    ("request_line", "body", "summary"),
    [
        (
            "POST /repositories/1/check-runs",
            {"name": "gracegate", "status": "in_progress"},
            "start the check gracegate",
        ),
        ("PATCH /repositories/1/check-runs/2", {"output": {"summary": "secret"}}, "change the text of the check"),
        ("PATCH /repositories/1/check-runs/2", {"conclusion": "success"}, "conclude the check as success"),
        (
            "PATCH /repositories/1/check-runs/2",
            {"conclusion": "failure", "output": {"annotations": [{"message": "secret"}] * 2}},
            "conclude the check as failure (annotations: 2)",
        ),
        (
            "POST /repositories/1/pulls/3/reviews",
            {"body": "secret", "comments": [{}] * 3},
            "post a review (comments: 3)",
        ),
        ("POST /repos/a/b/pulls/3/comments", {"path": "a.yaml", "line": 7, "body": "secret"}, "comment on a.yaml:7"),
        ("POST /repos/a/b/pulls/3/comments", {"path": "a.yaml", "body": "secret"}, "comment on the file a.yaml"),
        ("PATCH /repos/a/b/pulls/comments/4", {"body": "secret"}, "edit a comment"),
        ("POST /repos/a/b/issues/3/comments", {"body": "secret"}, "answer a comment"),
        ("POST /repos/a/b/pulls/3/comments/4/replies", {"body": "secret"}, "answer a comment"),
        ("POST /repos/a/b/issues/comments/4/reactions", {"content": "eyes"}, "react to a comment with eyes"),
        ("POST /graphql", {"query": "mutation { createCommitOnBranch(x) }"}, "commit suggestions to the branch"),
        ("POST /api/graphql", {"query": "mutation { resolveReviewThread(x) }"}, "resolve a thread"),
        ("POST /graphql", {"query": "mutation { minimizeComment(x) }"}, "minimize a comment"),
        ("POST /app/hook/deliveries/5/attempts", {}, "ask for a webhook delivery again"),
        ("DELETE /repos/a/b/pulls/comments/4", {}, ""),
    ],
)
def test_summaries_hold_no_text(request_line: str, body: dict[str, Any], summary: str) -> None:
    method, _, path = request_line.partition(" ")
    assert describe_write(method, path, body) == Write(method, path, summary)


@pytest.fixture
def record() -> Record:
    """Method, summary and status of each write so far; None before its answer."""
    return []


def recorder(record: Record) -> RecordWrite:
    def begin(write: Write) -> Callable[[int], None]:
        index = len(record)
        record.append((write.method, write.summary, None))

        def end(status: int) -> None:
            record[index] = (write.method, write.summary, status)

        return end

    return begin


@pytest.fixture
def recorded_repo(scenario: Scenario, record: Record) -> RepositoryClient:
    repo = scenario.client.repository(scenario.installation, scenario.repository_id, SHOP, recorder(record))
    scenario.clients.append(repo)
    return repo


def test_a_review_is_recorded_and_its_reads_are_not(
    scenario: Scenario, recorded_repo: RepositoryClient, record: Record
) -> None:
    run = checks.start(recorded_repo, scenario.head, "pr:1", "gracegate")
    checks.conclude(recorded_repo, run, Output(annotations=annotations(60)))
    comment = Comment("web.yaml", 10, None, "A finding", ())
    comments.post_review(recorded_repo, scenario.number, scenario.head, "One thing", [comment])
    posted = comments.find_app_comments(recorded_repo, scenario.number)[0]
    comments.edit(recorded_repo, posted.id, "Fixed")
    assert record == [
        ("POST", "start the check gracegate", 201),
        ("PATCH", "conclude the check as failure (annotations: 50)", 200),
        ("PATCH", "conclude the check as failure (annotations: 10)", 200),
        ("POST", "post a review (comments: 1)", 200),
        ("PATCH", "edit a comment", 200),
    ]


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        pytest.param({"status": 502}, [502, 201], id="an error"),
        pytest.param({"drop": True}, [0, 201], id="no answer"),
        pytest.param({"status": 502, "when": "after"}, [502], id="an effect without its answer"),
        pytest.param({"status": 422, "times": -1}, [422], id="a refusal"),
    ],
)
def test_each_attempt_is_recorded(
    scenario: Scenario, recorded_repo: RepositoryClient, record: Record, fault: dict[str, Any], statuses: list[int]
) -> None:
    scenario.fake.fault("POST", "/check-runs$", **fault)
    try:
        checks.start(recorded_repo, scenario.head, "pr:1", "gracegate")
    except GitHubError as error:
        assert error.status == statuses[-1]  # noqa: PT017 - only the refusal ends with an error
    assert [status for _, _, status in record] == statuses


def test_the_writes_of_the_app_itself_are_recorded(scenario: Scenario, record: Record) -> None:
    scenario.fake.webhook_url = "http://127.0.0.1:1/webhooks/github"
    scenario.fake.ping()
    scenario.fake.settle()
    client = AppClient(scenario.broker, scenario.pace, record=recorder(record))
    deliveries.redeliver(client, deliveries.list_newest(client)[0].id)
    assert record == [("POST", "ask for a webhook delivery again", 202)]


def test_the_path_is_below_the_address_of_the_api(scenario: Scenario) -> None:
    paths: list[str] = []

    def begin(write: Write) -> Callable[[int], None]:
        paths.append(write.path)
        return lambda _: None

    fake = scenario.fake
    broker = TokenBroker(str(fake.app.id), fake.app.private_key, f"{fake.url}/api/v3")
    with AppClient(broker, scenario.pace).repository(
        scenario.installation, scenario.repository_id, SHOP, begin
    ) as repo:
        checks.start(repo, scenario.head, "pr:1", "gracegate")
    assert paths == [f"/repositories/{scenario.repository_id}/check-runs"]
