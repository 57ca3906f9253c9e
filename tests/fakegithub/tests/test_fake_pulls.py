"""Pull requests: what they show, and how they follow their branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakegithub import api_pulls
from tests.fakegithub.errors import ApiError
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import NUMBERS, REPOSITORY, Rest, changed, text

PULL = f"/repos/{REPOSITORY}/pulls/1"


@pytest.fixture
def opened(fake: FakeGitHub) -> str:
    """The head of pull request 1: line 15 changed on `topic`."""
    sha = fake.push(REPOSITORY, "topic", {"web.yaml": changed((15, "new"))})
    assert fake.open_pull_request(REPOSITORY, "topic") == 1
    return sha


def test_a_pull_request_shows_itself(fake: FakeGitHub, rest: Rest, opened: str) -> None:
    body = rest.get(PULL).json()
    shown = {key: body[key] for key in ("state", "draft", "merged", "mergeable_state", "commits", "changed_files")}
    assert shown == {
        "state": "open",
        "draft": False,
        "merged": False,
        "mergeable_state": "clean",
        "commits": 1,
        "changed_files": 1,
    }
    base = fake.repository(REPOSITORY).branch("main")
    assert (body["head"]["sha"], body["head"]["ref"], body["base"]["sha"]) == (opened, "topic", base)


def test_the_head_follows_its_branch(fake: FakeGitHub, rest: Rest, opened: str) -> None:
    second = fake.push(REPOSITORY, "topic", {"more.yaml": "a: 1\n"})
    forced = fake.push(REPOSITORY, "topic", {"other.yaml": "a: 1\n"}, onto="main")
    body = rest.get(PULL).json()
    refs = fake.repository(REPOSITORY).git.refs("refs/pull/")
    assert len({opened, second, forced}) == 3
    assert (body["head"]["sha"], body["commits"], refs) == (forced, 1, {"refs/pull/1/head": forced})
    assert [one["filename"] for one in rest.get(f"{PULL}/files").json()] == ["other.yaml"]


@pytest.mark.parametrize(
    ("act", "shown"),
    [
        pytest.param(lambda fake: fake.close_pull_request(REPOSITORY, 1), ("closed", False, False), id="closed"),
        pytest.param(lambda fake: fake.move_branch(REPOSITORY, "topic", None), ("closed", False, False), id="deleted"),
        pytest.param(lambda fake: fake.merge_pull_request(REPOSITORY, 1), ("closed", True, False), id="merged"),
    ],
)
def test_the_end_of_a_pull_request(
    fake: FakeGitHub, rest: Rest, opened: str, act: Callable[[FakeGitHub], Any], shown: tuple[str, bool, bool]
) -> None:
    act(fake)
    body = rest.get(PULL).json()
    listed = [[one["number"] for one in rest.get(rest.repo(f"/pulls?state={s}")).json()] for s in ("open", "all")]
    assert ((body["state"], body["merged"], body["draft"]), body["head"]["sha"]) == (shown, opened)
    assert listed == [[], [1]]


def test_a_closed_one_rests_until_it_is_reopened(fake: FakeGitHub, rest: Rest, opened: str) -> None:
    fake.close_pull_request(REPOSITORY, 1)
    later = fake.push(REPOSITORY, "topic", {"more.yaml": "a: 1\n"})
    assert rest.get(PULL).json()["head"]["sha"] == opened
    fake.reopen_pull_request(REPOSITORY, 1)
    assert rest.get(PULL).json()["head"]["sha"] == later


def test_a_draft_becomes_ready(fake: FakeGitHub, rest: Rest) -> None:
    fake.push(REPOSITORY, "topic", {"a.yaml": "a: 1\n"})
    number = fake.open_pull_request(REPOSITORY, "topic", draft=True)
    before = rest.get(PULL).json()["draft"]
    fake.ready_for_review(REPOSITORY, number)
    assert (before, rest.get(PULL).json()["draft"]) == (True, False)


def test_another_base_is_another_diff(fake: FakeGitHub, rest: Rest, opened: str) -> None:
    fake.move_branch(REPOSITORY, "release", opened)
    fake.edit_pull_request(REPOSITORY, 1, base="release")
    assert (rest.get(PULL).json()["base"]["ref"], rest.get(f"{PULL}/files").json()) == ("release", [])


def test_the_diff_starts_where_the_branches_parted(fake: FakeGitHub, rest: Rest, opened: str) -> None:
    fake.push(REPOSITORY, "main", {"web.yaml": changed((1, "on main")), "main-only.yaml": "a: 1\n"})
    patches = {one["filename"]: one["patch"] for one in rest.get(f"{PULL}/files").json()}
    hunk = "@@ -12,7 +12,7 @@ line 11\n line 12\n line 13\n line 14\n-line 15\n+new\n line 16\n line 17\n line 18"
    assert patches == {"web.yaml": hunk}


def test_a_fork_is_read_through_its_base(fake: FakeGitHub, rest: Rest) -> None:
    fake.fork(REPOSITORY, "grace")
    sha = fake.push("grace/web", "topic", {"web.yaml": changed((3, "new"))})
    number = fake.open_pull_request(REPOSITORY, "topic", fork="grace/web")
    body = rest.get(PULL).json()
    assert (body["head"]["sha"], body["head"]["repo"]["full_name"]) == (sha, "grace/web")
    assert (body["head"]["label"], body["base"]["repo"]["full_name"]) == ("grace:topic", REPOSITORY)
    assert fake.repository(REPOSITORY).git.refs("refs/pull/") == {f"refs/pull/{number}/head": sha}
    assert (rest.get("/repos/grace/web").status_code, len(rest.get(f"{PULL}/files").json())) == (404, 1)


def test_a_pull_request_outlives_its_fork(fake: FakeGitHub, rest: Rest) -> None:
    fake.fork(REPOSITORY, "grace")
    sha = fake.push("grace/web", "topic", {"web.yaml": changed((3, "new"))})
    number = fake.open_pull_request(REPOSITORY, "topic", fork="grace/web")
    fake.delete_fork("grace/web")
    body = rest.get(PULL).json()
    assert (body["state"], body["head"]["sha"], body["head"]["repo"]) == ("open", sha, None)
    assert len(rest.get(f"{PULL}/files").json()) == 1
    fake.close_pull_request(REPOSITORY, number)
    with pytest.raises(ApiError, match="Validation Failed"):
        fake.reopen_pull_request(REPOSITORY, number)


FILES: dict[str, str | bytes | None] = {
    "kept.yaml": "a: 1\n",
    "moved.yaml": text(NUMBERS),
    "gone.yaml": "gone: true\n",
    "image.png": b"\x89PNG\0\1",
    "no newline": "a",
}
AFTER: dict[str, str | bytes | None] = {
    "moved.yaml": None,
    "to/my ünïcode file.yaml": text(NUMBERS),
    "gone.yaml": None,
    "image.png": b"\x89PNG\0\2",
    "no newline": "b",
    "new.yaml": "a: 1\n",
    "huge.json": "[" + "1,\n" * 4000 + "1]\n",
}


def test_files_are_listed_as_github_lists_them(fake: FakeGitHub, rest: Rest) -> None:
    fake.push(REPOSITORY, "main", FILES)
    fake.push(REPOSITORY, "topic", AFTER)
    fake.open_pull_request(REPOSITORY, "topic")
    body = {
        one["filename"]: (one["status"], one.get("previous_filename"), one.get("patch"))
        for one in rest.get(f"{PULL}/files").json()
    }
    assert body == {
        "gone.yaml": ("removed", None, "@@ -1 +0,0 @@\n-gone: true"),
        "huge.json": ("added", None, None),
        "image.png": ("modified", None, None),
        "new.yaml": ("added", None, "@@ -0,0 +1 @@\n+a: 1"),
        "no newline": (
            "modified",
            None,
            "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file",
        ),
        "to/my ünïcode file.yaml": ("renamed", "moved.yaml", None),
    }


def test_files_come_in_pages(fake: FakeGitHub, rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_pulls, "LISTED_FILES", 205)
    fake.push(REPOSITORY, "topic", {f"{number:03}.yaml": "a: 1\n" for number in range(210)})
    fake.open_pull_request(REPOSITORY, "topic")
    assert len(rest.get(f"{PULL}/files").json()) == 30
    first = rest.get(f"{PULL}/files?per_page=500")
    names = [one["filename"] for one in rest.pages(f"{PULL}/files?per_page=100")]
    assert (len(first.json()), sorted(first.links)) == (100, ["last", "next"])
    assert names == [f"{number:03}.yaml" for number in range(205)]


def test_lists_are_filtered_by_branch(fake: FakeGitHub, rest: Rest, opened: str) -> None:
    fake.push(REPOSITORY, "second", {"b.yaml": "b: 1\n"})
    fake.open_pull_request(REPOSITORY, "second")
    queries = ["", "?head=shop:topic", "?base=release", "?direction=asc"]
    assert [[one["number"] for one in rest.get(rest.repo(f"/pulls{query}")).json()] for query in queries] == [
        [2, 1],
        [1],
        [],
        [1, 2],
    ]


def test_pulls_of_a_commit_and_commits_of_a_pull(rest: Rest, opened: str) -> None:
    numbers = [one["number"] for one in rest.get(rest.repo(f"/commits/{opened}/pulls")).json()]
    assert (numbers, [one["sha"] for one in rest.get(f"{PULL}/commits").json()]) == ([1], [opened])


def test_an_unknown_pull_request_is_404(rest: Rest) -> None:
    assert rest.get(f"/repos/{REPOSITORY}/pulls/7").status_code == 404


@pytest.mark.parametrize(
    ("body", "blocked"),
    [
        pytest.param([], "expected", id="nothing reported"),
        pytest.param(["success"], "", id="success"),
        pytest.param(["neutral"], "", id="neutral"),
        pytest.param(["skipped"], "", id="skipped"),
        pytest.param(["failure"], "failing", id="failure"),
        pytest.param(["cancelled"], "failing", id="cancelled"),
        pytest.param(["success", "failure"], "failing", id="the newest counts"),
        pytest.param(["failure", "success"], "", id="the newest counts too"),
        pytest.param([None], "in progress", id="in progress"),
    ],
)
def test_branch_protection(fake: FakeGitHub, rest: Rest, opened: str, body: list[str | None], blocked: str) -> None:
    fake.app.permissions["contents"] = "write"
    fake.require_checks(REPOSITORY, "main", ["gracegate"])
    for conclusion in body:
        state = {"status": "in_progress"} if conclusion is None else {"conclusion": conclusion}
        rest.post(rest.repo("/check-runs"), {"name": "gracegate", "head_sha": opened, **state})
    fake.world.tokens[str(rest.session.headers["Authorization"]).split()[1]].permissions["contents"] = "write"  # type: ignore[index]
    answer = rest.put(f"{PULL}/merge", {})
    expected = (
        (405, f'Required status check "gracegate" is {blocked}.')
        if blocked
        else (200, "Pull Request successfully merged")
    )
    assert (answer.status_code, answer.json()["message"]) == expected
    assert rest.get(PULL).json()["merged"] is not bool(blocked)


@pytest.mark.parametrize(
    ("conclusion", "expected"),
    [
        pytest.param("success", 'Required status check "lint" is expected.', id="one has not started"),
        pytest.param("failure", "2 of 2 required status checks are failing.", id="one fails"),
        pytest.param(None, "2 of 2 required status checks are in progress.", id="one is in progress"),
    ],
)
def test_the_worst_of_several_required_checks_is_named(
    fake: FakeGitHub, rest: Rest, opened: str, conclusion: str | None, expected: str
) -> None:
    fake.require_checks(REPOSITORY, "main", ["gracegate", "lint"])
    state = {"status": "in_progress"} if conclusion is None else {"conclusion": conclusion}
    rest.post(rest.repo("/check-runs"), {"name": "gracegate", "head_sha": opened, **state})
    with pytest.raises(ApiError, match=expected):
        fake.merge_pull_request(REPOSITORY, 1)


def test_a_merge_of_another_head_is_refused(fake: FakeGitHub, rest: Rest, opened: str) -> None:
    fake.world.tokens[str(rest.session.headers["Authorization"]).split()[1]].permissions["contents"] = "write"  # type: ignore[index]
    assert rest.put(f"{PULL}/merge", {"sha": "0" * 40}).status_code == 409


def test_a_merge_moves_the_base(fake: FakeGitHub, opened: str) -> None:
    sha = fake.merge_pull_request(REPOSITORY, 1)
    git = fake.repository(REPOSITORY).git
    assert (fake.repository(REPOSITORY).branch("main"), git.commit_info(sha).parents[1]) == (sha, opened)
