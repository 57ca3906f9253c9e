"""Pull requests and their files, read from a GitHub."""

from __future__ import annotations

from gracegate.git import hunks_of_patch
from gracegate.github_app import PullRequest, RepositoryClient, pull_requests
from gracegate.model import FileDiff, Hunk
from tests.github_app.conftest import SHOP, Setting, lines


def test_a_pull_request(setting: Setting, repo: RepositoryClient) -> None:
    main = setting.fake.repository(SHOP).branch("main") or ""
    expected = PullRequest(
        number=setting.number,
        state="open",
        draft=False,
        title="A change",
        author="ada",
        head_sha=setting.head,
        head_ref="change",
        head_repository=SHOP,
        base_sha=main,
        base_ref="main",
    )
    assert pull_requests.read(repo, setting.number) == expected
    setting.fake.close_pull_request(SHOP, setting.number)
    assert pull_requests.read(repo, setting.number).state == "closed"


def test_a_pull_request_that_is_too_new_for_some_servers(setting: Setting, repo: RepositoryClient) -> None:
    setting.fake.fault("GET", "/pulls/", status=404, times=2)
    assert pull_requests.read(repo, setting.number).number == setting.number
    assert setting.waited == [0.5, 1.0]


def test_a_fork(setting: Setting, repo: RepositoryClient) -> None:
    fake = setting.fake
    fake.fork(SHOP, "eve")
    head = fake.push("eve/web", "theirs", {"web.yaml": lines(1)}, onto="main")
    number = fake.open_pull_request(SHOP, "theirs", fork="eve/web", author="eve", draft=True)
    found = pull_requests.read(repo, number)
    assert (found.head_repository, found.head_sha, found.author, found.draft) == ("eve/web", head, "eve", True)
    assert pull_requests.read_merge_base(repo, found) == fake.repository(SHOP).branch("main")


def test_the_merge_base_is_of_the_base_branch_as_it_is_now(setting: Setting, repo: RepositoryClient) -> None:
    fake = setting.fake
    before = fake.repository(SHOP).branch("main")
    fake.push(SHOP, "main", {"other.yaml": "a\n"})
    assert pull_requests.read_merge_base(repo, pull_requests.read(repo, setting.number)) == before
    assert setting.requests("GET", "/compare/") == [(f"/compare/main...{setting.head}", 200)]


def test_a_base_branch_with_a_slash(setting: Setting, repo: RepositoryClient) -> None:
    fake = setting.fake
    base = fake.push(SHOP, "release/1.0#2", {"x.yaml": "a\n"}, onto="main")
    fake.push(SHOP, "late", {"x.yaml": "b\n"}, onto="release/1.0#2")
    number = fake.open_pull_request(SHOP, "late", "release/1.0#2")
    assert pull_requests.read_merge_base(repo, pull_requests.read(repo, number)) == base


def test_changed_files(setting: Setting, repo: RepositoryClient) -> None:
    files, is_truncated = pull_requests.list_files(repo, pull_requests.read(repo, setting.number), hunks_of_patch)
    assert is_truncated is False
    assert sorted(files, key=lambda file: file.path) == [
        FileDiff("gone.yaml", "removed", None, ()),
        FileDiff("moved.yaml", "renamed", "old.yaml", ()),
        FileDiff("new.yaml", "added", None, (Hunk(1, 2),)),
        FileDiff("web.yaml", "modified", None, (Hunk(7, 13), Hunk(27, 33))),
    ]


def test_more_files_than_one_page_and_one_without_a_patch(setting: Setting, repo: RepositoryClient) -> None:
    fake = setting.fake
    fake.push(SHOP, "change", {f"apps/{number:03}.yaml": "a\n" for number in range(130)} | {"logo.png": b"\x89\0\1"})
    files, _ = pull_requests.list_files(repo, pull_requests.read(repo, setting.number), hunks_of_patch)
    assert len(files) == 135
    assert [file.hunks for file in files if file.path == "logo.png"] == [None]
    assert len(setting.requests("GET", "/files")) == 2
