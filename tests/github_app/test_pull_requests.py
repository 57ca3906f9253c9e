"""Pull requests and their files, read from a GitHub."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.git import hunks_of_patch
from gracegate.github_app import PullRequest, RepositoryClient, pull_requests
from gracegate.model import FileDiff, Hunk
from tests.fakegithub.gitdir import Link, Submodule
from tests.fakegithub.people import Files
from tests.github_app.conftest import SHOP, Scenario, lines


def test_a_pull_request(scenario: Scenario, repo: RepositoryClient) -> None:
    main = scenario.fake.repository(SHOP).branch("main") or ""
    expected = PullRequest(
        number=scenario.number,
        state="open",
        draft=False,
        locked=False,
        title="A change",
        author="ada",
        head_sha=scenario.head,
        head_ref="change",
        head_repository=SHOP,
        base_sha=main,
        base_ref="main",
        is_public=False,
        node_id=f"PR_{scenario.fake.pull(SHOP, scenario.number).id}",
    )
    assert pull_requests.read(repo, scenario.number) == expected
    scenario.fake.lock_pull_request(SHOP, scenario.number)
    scenario.fake.close_pull_request(SHOP, scenario.number)
    assert pull_requests.read(repo, scenario.number) == replace(expected, state="closed", locked=True)


def test_a_pull_request_that_is_too_new_for_some_servers(scenario: Scenario, repo: RepositoryClient) -> None:
    scenario.fake.fault("GET", "/pulls/", status=404, times=2)
    assert pull_requests.read(repo, scenario.number).number == scenario.number
    assert scenario.waited == [0.5, 1.0]


def test_open_pull_requests_are_listed_newest_first(scenario: Scenario, repo: RepositoryClient) -> None:
    fake = scenario.fake
    fake.move_branch(SHOP, "release", fake.repository(SHOP).branch("main"))
    into_main = [scenario.number, *(fake.open_pull_request(SHOP, "change") for _ in range(2))]
    into_release = fake.open_pull_request(SHOP, "change", "release")
    fake.close_pull_request(SHOP, into_main.pop(1))

    def numbers(*arguments: object) -> tuple[list[int], int]:
        pulls, left_out = pull_requests.list_open(repo, *arguments)  # type: ignore[arg-type]
        return [pull.number for pull in pulls], left_out

    assert numbers() == ([into_release, *reversed(into_main)], 0)
    assert numbers("main") == (into_main[::-1], 0)
    assert numbers("main", 1) == (into_main[1:], 1)
    assert numbers("main", 2) == (into_main[::-1], 0)
    assert numbers("other") == ([], 0)
    (pull,) = pull_requests.list_open(repo, "release")[0]
    assert pull == pull_requests.read(repo, into_release)


def test_a_fork(scenario: Scenario, repo: RepositoryClient) -> None:
    fake = scenario.fake
    fake.fork(SHOP, "eve")
    head = fake.push("eve/web", "topic", {"web.yaml": lines(1)}, onto="main")
    number = fake.open_pull_request(SHOP, "topic", fork="eve/web", author="eve", draft=True)
    found = pull_requests.read(repo, number)
    assert (found.head_repository, found.head_sha, found.author, found.draft) == ("eve/web", head, "eve", True)
    main = fake.repository(SHOP).branch("main")
    assert pull_requests.read_base(repo, found) == (main, main)


def test_merge_base_and_tip_are_of_the_base_branch_as_it_is_now(scenario: Scenario, repo: RepositoryClient) -> None:
    fake = scenario.fake
    before = fake.repository(SHOP).branch("main")
    tip = fake.push(SHOP, "main", {"other.yaml": "a\n"})
    assert pull_requests.read_base(repo, pull_requests.read(repo, scenario.number)) == (before, tip)
    assert scenario.requests("GET", "/compare/") == [(f"/compare/main...{scenario.head}", 200)]


def test_a_base_branch_with_a_slash(scenario: Scenario, repo: RepositoryClient) -> None:
    fake = scenario.fake
    base = fake.push(SHOP, "release/1.0#2", {"x.yaml": "a\n"}, onto="main")
    fake.push(SHOP, "late", {"x.yaml": "b\n"}, onto="release/1.0#2")
    number = fake.open_pull_request(SHOP, "late", "release/1.0#2")
    assert pull_requests.read_base(repo, pull_requests.read(repo, number)) == (base, base)


def test_changed_files(scenario: Scenario, repo: RepositoryClient) -> None:
    changed = pull_requests.list_files(repo, pull_requests.read(repo, scenario.number), hunks_of_patch)
    assert changed.is_truncated is False
    assert sorted(changed.files, key=lambda file: file.path) == [
        FileDiff("gone.yaml", "removed", None, ()),
        FileDiff("moved.yaml", "renamed", "old.yaml", ()),
        FileDiff("new.yaml", "added", None, (Hunk(1, 2),)),
        FileDiff("web.yaml", "modified", None, (Hunk(7, 13), Hunk(27, 33))),
    ]


@pytest.mark.parametrize(
    ("before", "after", "may_have_links"),
    [
        ({"web.yaml": "a\n"}, {"web.yaml": "b\n"}, False),
        ({"a.txt": "a\n"}, {"a.txt": "b\n", "c.txt": None}, False),
        ({"a.txt": "a\n"}, {"a.txt": "b\n", "lib": Submodule("1" * 40)}, True),
        ({"lib": Submodule("1" * 40)}, {"lib": Submodule("2" * 40)}, True),
        ({"lib": Submodule("1" * 40)}, {"lib": None}, True),
        ({"lib": Submodule("1" * 40)}, {"lib": None, "other": Submodule("1" * 40)}, True),
        ({"lib": Link("../a")}, {"lib": Link("../b")}, True),
        ({"lib": Link("../a")}, {"lib": None}, True),
        ({"lib": "a\n"}, {"lib": Link("../a")}, True),
        ({"logo.png": b"\x89\0"}, {"logo.png": b"\x89\1\0"}, True),
    ],
)
def test_what_may_be_a_link_or_a_submodule(
    scenario: Scenario, repo: RepositoryClient, before: Files, after: Files, may_have_links: bool
) -> None:
    fake = scenario.fake
    fake.push(SHOP, "before", before, onto="main")
    fake.push(SHOP, "after", after, onto="before")
    number = fake.open_pull_request(SHOP, "after", "before")
    changed = pull_requests.list_files(repo, pull_requests.read(repo, number), hunks_of_patch)
    assert changed.may_have_links is may_have_links


def test_more_files_than_one_page_and_one_without_a_patch(scenario: Scenario, repo: RepositoryClient) -> None:
    fake = scenario.fake
    fake.push(SHOP, "change", {f"apps/{number:03}.yaml": "a\n" for number in range(130)} | {"logo.png": b"\x89\0\1"})
    files = pull_requests.list_files(repo, pull_requests.read(repo, scenario.number), hunks_of_patch).files
    assert len(files) == 135
    assert [file.hunks for file in files if file.path == "logo.png"] == [None]
    assert len(scenario.requests("GET", "/files")) == 2
