"""Faults on demand, the log, and the headers that every answer has."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.fakegithub.faults import PAGE
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import REPOSITORY, Rest
from tests.processes import WAIT_SECONDS

COMMENTS = f"/repos/{REPOSITORY}/issues/1/comments"


@pytest.fixture(autouse=True)
def pull(fake: FakeGitHub) -> None:
    fake.push(REPOSITORY, "topic", {"a.yaml": "a: 1\n"})
    fake.open_pull_request(REPOSITORY, "topic")


def post(rest: Rest) -> int:
    return rest.post(COMMENTS, {"body": "x"}).status_code


def stored(fake: FakeGitHub) -> int:
    return len(fake.pull(REPOSITORY, 1).issue_comments)


@pytest.mark.parametrize(
    ("fault", "statuses", "kept"),
    [
        pytest.param({"status": 502}, [502, 201], 1, id="before the effect"),
        pytest.param({"status": 502, "when": "after"}, [502, 201], 2, id="after the effect"),
        pytest.param({"status": 500, "times": 2}, [500, 500, 201], 1, id="twice"),
        pytest.param({"status": 500, "skip": 1}, [201, 500, 201], 2, id="the second"),
        pytest.param({"status": 500, "method": "GET"}, [201], 1, id="another method"),
        pytest.param({"status": 500, "path": "/pulls/"}, [201], 1, id="another path"),
        pytest.param({"delay": 0.01}, [201], 1, id="only later"),
    ],
)
def test_faults(fake: FakeGitHub, rest: Rest, fault: dict[str, Any], statuses: list[int], kept: int) -> None:
    fake.fault(**{"method": "POST", "path": "/comments$", **fault})
    assert ([post(rest) for _ in statuses], stored(fake)) == (statuses, kept)


def test_a_fault_has_headers_and_a_body(fake: FakeGitHub, rest: Rest) -> None:
    fake.fault(status=429, headers={"Retry-After": "3"}, body='{"message": "slow down"}')
    answer = rest.get(rest.repo())
    assert (answer.headers["Retry-After"], answer.json()) == ("3", {"message": "slow down"})


@pytest.mark.parametrize(("when", "kept"), [("before", 0), ("after", 1)])
def test_a_connection_can_be_cut(fake: FakeGitHub, rest: Rest, when: str, kept: int) -> None:
    fake.fault("POST", drop=True, when=when)
    with pytest.raises(requests.ConnectionError):
        post(rest)
    assert (stored(fake), fake.log[-1].status) == (kept, 0)


def test_faults_can_be_cleared(fake: FakeGitHub, rest: Rest) -> None:
    fake.fault(status=500, times=-1)
    first = post(rest)
    fake.clear_faults()
    assert (first, post(rest)) == (500, 201)


def test_the_log_holds_the_api_and_git_alone(fake: FakeGitHub, rest: Rest) -> None:
    fake.log.clear()
    rest.get(rest.repo() + "?a=1")
    rest.get("/_fake/log")
    rest.get("/")
    requests.get(f"{fake.url}/{REPOSITORY}.git/info/refs?service=git-upload-pack", timeout=WAIT_SECONDS)
    assert [(one.method, one.path, one.query, one.status) for one in fake.log] == [
        ("GET", f"/repos/{REPOSITORY}", "a=1", 200),
        ("GET", f"/{REPOSITORY}.git/info/refs", "service=git-upload-pack", 401),
    ]
    assert all(one.seconds >= 0 for one in fake.log)


def test_answers_count_the_requests(rest: Rest) -> None:
    first, second = (rest.get(rest.repo()).headers for _ in range(2))
    left = [int(one["X-RateLimit-Remaining"]) for one in (first, second)]
    assert (left[0] - left[1], second["X-RateLimit-Resource"]) == (1, "core")
    assert "X-GitHub-Request-Id" in second


def test_what_has_not_changed_is_304(rest: Rest) -> None:
    first = rest.get(rest.repo())
    again = rest.get(rest.repo(), **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_links_name_the_address_the_client_came_to(fake: FakeGitHub, rest: Rest) -> None:
    name = fake.url.replace("127.0.0.1", "localhost")
    answer = requests.get(f"{name}/repos/{REPOSITORY}", headers=rest.session.headers, timeout=WAIT_SECONDS).json()
    assert answer["url"] == f"{name}/repos/{REPOSITORY}"


def test_what_is_not_there_is_404_in_json(rest: Rest) -> None:
    answer = rest.get("/repos/shop/web/unknown/thing")
    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")


def test_rate_limit(rest: Rest) -> None:
    assert rest.get("/rate_limit").json()["resources"]["core"]["limit"] == 5000


def test_an_effect_comes_late(fake: FakeGitHub, rest: Rest) -> None:
    fake.fault("POST", "/comments$", status=502, when="late", late=100.0)
    seen: list[int] = [post(rest)]
    for seconds in (0.0, 50.0, 60.0, 60.0):
        fake.clock.advance(seconds)
        rest.get(rest.repo())
        seen.append(stored(fake))
    assert seen == [502, 0, 0, 1, 1]


def test_the_log_says_how_a_repository_was_addressed(fake: FakeGitHub, rest: Rest) -> None:
    number = fake.repository(REPOSITORY).id
    rest.get(f"/repositories/{number}/pulls/1", **{"User-Agent": "a test"})
    one = fake.log[-1]
    assert (one.path, one.address) == (f"/repos/{REPOSITORY}/pulls/1", f"/repositories/{number}/pulls/1")
    assert (one.status, one.headers["User-Agent"]) == (200, "a test")


def test_a_page_in_place_of_an_answer(fake: FakeGitHub, rest: Rest) -> None:
    fake.fault("GET", **PAGE)
    answer = rest.get(rest.repo())
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
