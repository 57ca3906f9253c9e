"""Git objects over the API: contents, trees, blobs, commits, compare."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from tests.fakegithub import api_repositories
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import NUMBERS, REPOSITORY, Rest, changed, text


def test_a_tree_names_everything_below(fake: FakeGitHub, rest: Rest) -> None:
    sha = fake.push(REPOSITORY, "main", {"apps/cart.yaml": "a: 1\n"})
    body = rest.get(rest.repo(f"/git/trees/{sha}?recursive=1")).json()
    assert [(one["path"], one["type"], one["mode"]) for one in body["tree"]] == [
        ("apps", "tree", "040000"),
        ("apps/cart.yaml", "blob", "100644"),
        ("web.yaml", "blob", "100644"),
    ]
    flat = rest.get(rest.repo(f"/git/trees/{body['sha']}")).json()
    assert [one["path"] for one in flat["tree"]] == ["apps", "web.yaml"]


def test_a_large_tree_is_truncated(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_repositories, "TREE_ENTRIES", 0)
    body = rest.get(rest.repo("/git/trees/main")).json()
    assert (body["tree"], body["truncated"]) == ([], True)


def test_blobs_are_what_git_holds(fake: FakeGitHub, rest: Rest) -> None:
    sha = fake.push(REPOSITORY, "main", {"binary": b"\0\xff\n"})
    entry = rest.get(rest.repo(f"/contents/binary?ref={sha}")).json()
    blob = rest.get(rest.repo(f"/git/blobs/{entry['sha']}")).json()
    assert (base64.b64decode(blob["content"]), blob["size"]) == (b"\0\xff\n", 3)
    assert rest.get(rest.repo(f"/git/blobs/{'0' * 40}")).status_code == 404


def test_contents_of_files_and_folders(fake: FakeGitHub, rest: Rest) -> None:
    fake.push(REPOSITORY, "main", {"apps/my cart.yaml": "a: 1\n"})
    file = rest.get(rest.repo("/contents/apps/my cart.yaml")).json()
    folder = rest.get(rest.repo("/contents/apps")).json()
    assert (base64.b64decode(file["content"]), file["type"]) == (b"a: 1\n", "file")
    assert [(one["path"], one["type"]) for one in folder] == [("apps/my cart.yaml", "file")]
    paths = ("/contents/none", "/contents/web.yaml?ref=none")
    assert [rest.get(rest.repo(path)).status_code for path in paths] == [404, 404]


def test_contents_over_a_megabyte_are_left_out(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_repositories, "CONTENT_BYTES", 10)
    body = rest.get(rest.repo("/contents/web.yaml")).json()
    assert (body["content"], body["encoding"]) == ("", "none")


def test_a_symbolic_link_answers_with_its_target(fake: FakeGitHub, rest: Rest, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "apps").mkdir(parents=True)
    (source / "shared.yaml").write_text("a: 1\n")
    (source / "apps" / "link.yaml").symlink_to("../shared.yaml")
    _git(source, "init", "-q")
    _git(source, "add", ".")
    _git(source, "commit", "-qm", "x")
    one = fake.create_repository("shop/links", from_git=source, private=False)
    one.git.set_ref("refs/heads/main", _git(source, "rev-parse", "HEAD"))
    body = rest.get("/repos/shop/links/contents/apps/link.yaml").json()
    assert (body["path"], base64.b64decode(body["content"])) == ("shared.yaml", b"a: 1\n")


def test_a_commit_lists_its_files(fake: FakeGitHub, rest: Rest) -> None:
    sha = fake.push(REPOSITORY, "main", {"web.yaml": changed((2, "two"))}, "Say two\n\nBecause.")
    body = rest.get(rest.repo("/commits/main")).json()
    assert (body["sha"], body["commit"]["message"]) == (sha, "Say two\n\nBecause.")
    assert [(one["filename"], one["changes"]) for one in body["files"]] == [("web.yaml", 2)]
    assert rest.get(rest.repo(f"/git/commits/{sha}")).json()["tree"] == body["commit"]["tree"]
    unknown = rest.get(rest.repo("/commits/none"))
    assert (unknown.status_code, unknown.json()["message"]) == (422, "No commit found for SHA: none")


def test_branches_and_refs(fake: FakeGitHub, rest: Rest) -> None:
    sha = fake.push(REPOSITORY, "feature/one", {"b.yaml": "b: 1\n"})
    branch = rest.get(rest.repo("/branches/feature/one")).json()
    ref = rest.get(rest.repo("/git/ref/heads/feature/one")).json()
    assert (branch["commit"]["sha"], branch["protected"], ref["object"]["sha"]) == (sha, False, sha)
    assert rest.get(rest.repo("/branches/none")).status_code == 404


def test_compare_goes_from_the_merge_base(fake: FakeGitHub, rest: Rest) -> None:
    start = fake.repository(REPOSITORY).branch("main")
    topic = fake.push(REPOSITORY, "topic", {"web.yaml": changed((15, "new"))})
    fake.push(REPOSITORY, "main", {"main-only.yaml": "a: 1\n"})
    body = rest.get(rest.repo(f"/compare/main...{topic}")).json()
    shown = {key: body[key] for key in ("status", "ahead_by", "behind_by", "total_commits")}
    assert shown == {"status": "diverged", "ahead_by": 1, "behind_by": 1, "total_commits": 1}
    assert body["merge_base_commit"]["sha"] == start
    assert [one["filename"] for one in body["files"]] == ["web.yaml"]


@pytest.mark.parametrize(("spec", "status"), [("main...main", "identical"), ("topic...main", "behind")])
def test_compare_returns_which_side_is_ahead(fake: FakeGitHub, rest: Rest, spec: str, status: str) -> None:
    fake.push(REPOSITORY, "topic", {"web.yaml": changed((15, "new"))})
    assert rest.get(rest.repo(f"/compare/{spec}")).json()["status"] == status


def test_compare_lists_at_most_300_files(fake: FakeGitHub, rest: Rest) -> None:
    fake.push(REPOSITORY, "topic", {f"{number}.yaml": "a: 1\n" for number in range(301)})
    assert len(rest.get(rest.repo("/compare/main...topic")).json()["files"]) == 300
    assert rest.get(rest.repo("/compare/main...topic?page=2")).json()["files"] == []


def test_compare_without_common_history_is_404(fake: FakeGitHub, rest: Rest) -> None:
    git = fake.repository(REPOSITORY).git
    git.write_commit("orphan", [], {"a": text(NUMBERS)}, "Orphan", 1_700_000_000)
    assert rest.get(rest.repo("/compare/main...orphan")).status_code == 404


def _git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, env=environment)
    return done.stdout.decode().strip()


@pytest.mark.parametrize("name", ["shop/store", "market/web"])
def test_a_repository_that_moved_redirects(fake: FakeGitHub, rest: Rest, name: str) -> None:
    fake.move_repository(REPOSITORY, name)
    number = fake.repository(name).id
    here = f"{fake.url}/repositories/{number}"
    read = rest.get(f"/repos/{REPOSITORY}/pulls?per_page=1")
    written = rest.post(f"/repos/{REPOSITORY}/check-runs", {"name": "x", "head_sha": "0" * 40})
    assert [(one.history[0].status_code, one.history[0].headers["Location"]) for one in (read, written)] == [
        (301, f"{here}/pulls?per_page=1"),
        (307, f"{here}/check-runs"),
    ]
    assert [rest.get(path).json()["full_name"] for path in (f"/repos/{name}", f"/repositories/{number}")] == [name] * 2
    fake.create_repository(REPOSITORY)
    assert rest.get(f"/repos/{REPOSITORY}").status_code == 404
