"""Check runs, check suites and commit statuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import NUMBERS, REPOSITORY, Rest, changed, text

NOTE = {"path": "web.yaml", "start_line": 1, "end_line": 2, "annotation_level": "warning", "message": "m"}
OUTPUT = {"title": "t", "summary": "s"}


@pytest.fixture
def head(fake: FakeGitHub) -> str:
    sha = fake.push(REPOSITORY, "topic", {"web.yaml": changed((15, "new"))})
    fake.open_pull_request(REPOSITORY, "topic")
    return sha


def create(rest: Rest, sha: str, **more: Any) -> Any:
    answer = rest.post(rest.repo("/check-runs"), {"name": "gracegate", "head_sha": sha, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_new_run_is_queued_and_the_apps(rest: Rest, head: str) -> None:
    run = create(rest, head, external_id="pr:1")
    shown = {key: run[key] for key in ("name", "status", "conclusion", "external_id", "head_sha")}
    assert shown == {
        "name": "gracegate",
        "status": "queued",
        "conclusion": None,
        "external_id": "pr:1",
        "head_sha": head,
    }
    assert (run["app"]["slug"], [one["number"] for one in run["pull_requests"]]) == ("gracegate", [1])
    assert rest.get(rest.repo(f"/check-runs/{run['id']}")).json() == run


def test_a_conclusion_completes_a_run_and_a_status_opens_it_again(rest: Rest, head: str) -> None:
    path = rest.repo(f"/check-runs/{create(rest, head, status='in_progress')['id']}")
    done = rest.patch(path, {"conclusion": "neutral", "output": OUTPUT}).json()
    assert (done["status"], done["conclusion"], done["completed_at"] is None) == ("completed", "neutral", False)
    again = rest.patch(path, {"status": "in_progress"}).json()
    assert (again["status"], again["conclusion"], again["output"]["title"]) == ("in_progress", None, "t")


def test_annotations_are_added_by_every_update(rest: Rest, head: str) -> None:
    run = create(rest, head, output={**OUTPUT, "annotations": [NOTE] * 50})
    path = rest.repo(f"/check-runs/{run['id']}")
    last = {**NOTE, "title": "x", "raw_details": "y"}
    updated = rest.patch(path, {"output": {**OUTPUT, "annotations": [last]}}).json()
    notes = list(rest.pages(f"{path}/annotations"))
    assert (updated["output"]["annotations_count"], len(notes)) == (51, 51)
    assert {key: notes[-1][key] for key in last} == last


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "51 annotations",
        {"output": {**OUTPUT, "annotations": [NOTE] * 51}},
        "No more than 50 items are allowed; 51 were supplied.",
    ),
    (
        "long summary",
        {"output": {**OUTPUT, "summary": "x" * 65_536}},
        "Only 65535 characters are allowed; 65536 were supplied.",
    ),
    ("no summary", {"output": {"title": "t"}}, '"summary" wasn\'t supplied.'),
    (
        "another level",
        {"output": {**OUTPUT, "annotations": [{**NOTE, "annotation_level": "error"}]}},
        '"error" is not a member of ["notice", "warning", "failure"].',
    ),
    ("no message", {"output": {**OUTPUT, "annotations": [{"path": "a"}]}}, "were"),
    ("another conclusion", {"conclusion": "passed"}, '"passed" is not a member of'),
    ("four actions", {"actions": [{"label": "a", "description": "b", "identifier": "c"}] * 4}, "No more than 3 items"),
    ("a line as text", {"output": {**OUTPUT, "annotations": [{**NOTE, "end_line": "2"}]}}, "end_line"),
]


@pytest.mark.parametrize(("sent", "message"), [pytest.param(s, t, id=name) for name, s, t in REFUSED])
def test_what_the_description_forbids_is_refused_and_recorded(
    fake: FakeGitHub, rest: Rest, head: str, sent: dict[str, Any], message: str
) -> None:
    answer = rest.post(rest.repo("/check-runs"), {"name": "gracegate", "head_sha": head, **sent})
    assert (answer.status_code, message in answer.json()["message"]) == (422, True), answer.text
    assert fake.violations
    fake.violations.clear()
    assert rest.get(rest.repo(f"/commits/{head}/check-runs")).json()["total_count"] == 0


UNDESCRIBED: list[tuple[str, dict[str, Any]]] = [
    ("completed without conclusion", {"status": "completed"}),
    ("stale", {"conclusion": "stale"}),
    ("end before start", {"output": {**OUTPUT, "annotations": [{**NOTE, "end_line": 0}]}}),
    ("columns over lines", {"output": {**OUTPUT, "annotations": [{**NOTE, "start_column": 1, "end_column": 2}]}}),
]


@pytest.mark.parametrize("sent", [pytest.param(s, id=name) for name, s in UNDESCRIBED])
def test_what_only_github_forbids_is_refused(fake: FakeGitHub, rest: Rest, head: str, sent: dict[str, Any]) -> None:
    answer = rest.post(rest.repo("/check-runs"), {"name": "gracegate", "head_sha": head, **sent})
    assert (answer.status_code, fake.violations) == (422, [])


def test_an_unknown_commit_is_refused(rest: Rest) -> None:
    answer = rest.post(rest.repo("/check-runs"), {"name": "x", "head_sha": "1" * 40})
    assert (answer.status_code, answer.json()["message"]) == (422, f"No commit found for SHA: {'1' * 40}")


def test_lists_hold_the_newest_of_each_name(rest: Rest, head: str) -> None:
    runs = [create(rest, head, name=name)["id"] for name in ("a", "b", "a")]
    path = rest.repo(f"/commits/{head}/check-runs")

    def ids(query: str) -> list[int]:
        return [run["id"] for run in rest.get(path + query).json()["check_runs"]]

    assert {query: ids(query) for query in ("", "?filter=all", "?check_name=a", "?status=completed", "?app_id=1")} == {
        "": [runs[2], runs[1]],
        "?filter=all": runs[::-1],
        "?check_name=a": [runs[2]],
        "?status=completed": [],
        "?app_id=1": [],
    }


def test_a_forks_run_names_no_pull_request(fake: FakeGitHub, rest: Rest) -> None:
    fake.fork(REPOSITORY, "grace")
    sha = fake.push("grace/web", "topic", {"web.yaml": changed((3, "new"))})
    fake.open_pull_request(REPOSITORY, "topic", fork="grace/web")
    assert create(rest, sha)["pull_requests"] == []


def test_suites_hold_the_runs_of_a_commit(rest: Rest, head: str) -> None:
    run = create(rest, head, conclusion="success")
    suite = rest.get(rest.repo(f"/commits/{head}/check-suites")).json()["check_suites"][0]
    inside = rest.get(rest.repo(f"/check-suites/{suite['id']}/check-runs")).json()["check_runs"]
    assert (suite["id"], suite["conclusion"], [one["id"] for one in inside]) == (
        run["check_suite"]["id"],
        "success",
        [run["id"]],
    )
    again = [
        rest.post(rest.repo(path))
        for path in (f"/check-runs/{run['id']}/rerequest", f"/check-suites/{suite['id']}/rerequest")
    ]
    assert [one.status_code for one in again] == [201, 201]


def test_statuses_are_combined(rest: Rest, head: str) -> None:
    for context, state in (("a", "success"), ("b", "failure"), ("b", "success"), ("c", "pending")):
        assert rest.post(rest.repo(f"/statuses/{head}"), {"context": context, "state": state}).status_code == 201
    body = rest.get(rest.repo(f"/commits/{head}/status")).json()
    assert (body["state"], body["total_count"], len(rest.get(rest.repo(f"/commits/{head}/statuses")).json())) == (
        "pending",
        3,
        4,
    )


def test_a_run_of_another_repository_is_404(fake: FakeGitHub, rest: Rest, head: str) -> None:
    run = create(rest, head)
    fake.create_repository("shop/open", private=False)
    fake.push("shop/open", "main", {"a": text(NUMBERS)})
    assert rest.get(f"/repos/shop/open/check-runs/{run['id']}").status_code == 404
