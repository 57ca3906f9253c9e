"""Trees from a git server: which objects travel, what is refused, what stays in the cache."""

from __future__ import annotations

import base64
import fcntl
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gracegate.errors import GitFailed, Gone, RepositoryError
from gracegate.git import TreeFetcher, objects
from gracegate.git import fetch as fetch_module
from gracegate.git.objects import ReadLimits
from gracegate.git.process import Git, server_environment
from gracegate.model import FileDiff, Problem, Tree
from tests.git.conftest import IDENTITY, Repository, Server
from tests.processes import WAIT_SECONDS


def is_yaml(path: str) -> bool:
    return path.endswith(".yaml")


def texts(trees: list[Tree]) -> list[dict[str, str]]:
    return [{path: file.data.decode() for path, file in tree.files.items()} for tree in trees]


def fetcher_in(tmp_path: Path, max_bytes: int = 10**9) -> TreeFetcher:
    return TreeFetcher(tmp_path / "cache", max_bytes=max_bytes, sleep=lambda _: None)


def fetch(
    fetcher: TreeFetcher, url: str, token: str | None, commits: list[str], refs: Sequence[str] = ()
) -> list[Tree]:
    """The YAML files of each commit."""
    return list(fetcher.fetch_trees(url, token, dict.fromkeys(commits, is_yaml), refs).values())


def cached_repositories(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").glob("*.git"))


def test_only_new_candidates_travel(shop: Repository, server: Server, tmp_path: Path) -> None:
    base = shop.commit({"web.yaml": "a\n", "api.yaml": "b\n", "film.mp4": os.urandom(300_000)})
    head = shop.commit({"web.yaml": "c\n"})
    fetcher = fetcher_in(tmp_path)
    url = f"{server.url}/shop.git"
    first = fetch(fetcher, url, None, [base, head])
    assert texts(first) == [{"web.yaml": "a\n", "api.yaml": "b\n"}, {"web.yaml": "c\n", "api.yaml": "b\n"}]
    assert first[1].files["web.yaml"].blob == shop.git("rev-parse", f"{head}:web.yaml")
    [folder] = cached_repositories(tmp_path)
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 100_000
    rounds = server.requests.count("POST git-upload-pack")
    assert fetch(fetcher, url, None, [base, head]) == first
    assert server.requests.count("POST git-upload-pack") == rounds
    third = shop.commit({"web.yaml": "d\n", "new.yaml": "e\n"})
    assert texts(fetch(fetcher, url, None, [third])) == [{"web.yaml": "d\n", "api.yaml": "b\n", "new.yaml": "e\n"}]
    assert fetcher.read_diff(url, base, third, is_yaml) == [
        FileDiff("new.yaml", "added"),
        FileDiff("web.yaml", "modified"),
    ]


def test_each_commit_has_a_filter_of_its_own(shop: Repository, server: Server, tmp_path: Path) -> None:
    first = shop.commit({"web.yaml": "a\n", "settings.yaml": "b\n"})
    second = shop.commit({"web.yaml": "c\n", "settings.yaml": "d\n"})
    filters = {first: lambda path: path == "settings.yaml", second: is_yaml}
    found = fetcher_in(tmp_path).fetch_trees(f"{server.url}/shop.git", None, filters)
    assert texts([found[first], found[second]]) == [
        {"settings.yaml": "b\n"},
        {"web.yaml": "c\n", "settings.yaml": "d\n"},
    ]


def test_all_blobs_come_in_one_request(shop: Repository, server: Server, tmp_path: Path) -> None:
    head = shop.commit({f"apps/{number}.yaml": f"{number}\n" for number in range(300)})
    [tree] = fetch(fetcher_in(tmp_path), f"{server.url}/shop.git", None, [head])
    assert len(tree.files) == 300
    # Protocol version 2: a listing of refs and a fetch for the trees, a fetch for the blobs.
    assert server.requests.count("POST git-upload-pack") <= 4


def test_very_many_blobs_come_in_parts(
    shop: Repository, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "_BLOBS_AT_ONCE", 10)
    files = {f"{number}.yaml": f"{number}\n" for number in range(25)}
    assert texts(fetch(fetcher_in(tmp_path), f"{server.url}/shop.git", None, [shop.commit(files)])) == [files]


def test_a_server_that_lacks_the_blob_of_another_file(shop: Repository, server: Server, tmp_path: Path) -> None:
    head = shop.commit({"web.yaml": "a\n", "picture.png": "1"})
    blob = shop.git("rev-parse", f"{head}:picture.png")
    (shop.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert texts(fetch(fetcher_in(tmp_path), f"{server.url}/shop.git", None, [head])) == [{"web.yaml": "a\n"}]


def test_a_blob_over_the_limit_is_a_problem(shop: Repository, tmp_path: Path) -> None:
    head = shop.commit({"web.yaml": "a\n", "big.yaml": "x" * 100})
    fetcher = TreeFetcher(tmp_path / "cache", limits=ReadLimits(file_bytes=99))
    [tree] = fetch(fetcher, shop.folder.as_uri(), None, [head])
    assert ([*tree.files], [problem.code for problem in tree.problems]) == (["web.yaml"], ["too_large"])


def test_contents_that_commits_share_count_once(shop: Repository, tmp_path: Path) -> None:
    base = shop.commit({"a.yaml": "1" * 5000, "b.yaml": "2" * 5000})
    head = shop.commit({"b.yaml": "3" * 5000, "c.yaml": "1" * 5000})
    fetcher = TreeFetcher(tmp_path / "cache", limits=ReadLimits(total_bytes=15_000 + 5 * 512))
    trees = fetch(fetcher, shop.folder.as_uri(), None, [base, head])
    assert [(sorted(tree.files), tree.problems) for tree in trees] == [
        (["a.yaml", "b.yaml"], ()),
        (["a.yaml", "b.yaml", "c.yaml"], ()),
    ]
    assert trees[0].files["a.yaml"].data is trees[1].files["c.yaml"].data


def test_all_trees_together_have_one_limit(shop: Repository, tmp_path: Path) -> None:
    base = shop.commit({"a.yaml": "1" * 5000})
    head = shop.commit({"a.yaml": "2" * 5001})
    fetcher = TreeFetcher(tmp_path / "cache", limits=ReadLimits(total_bytes=10_000 + 2 * 512))
    trees = fetch(fetcher, shop.folder.as_uri(), None, [base, head])
    message = "The file was not read: together, the manifests are larger than 0 MB."
    assert [(sorted(tree.files), tree.problems) for tree in trees] == [
        (["a.yaml"], ()),
        ([], (Problem("a.yaml", 0, "too_much", message),)),
    ]


def test_more_content_than_is_read_at_once(shop: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_BATCH_BYTES", 10)
    files = {f"{number}.yaml": f"{number}\n" * 3 for number in range(20)}
    assert texts(fetch(fetcher_in(tmp_path), shop.folder.as_uri(), None, [shop.commit(files)])) == [files]


def test_few_trees_that_name_billions_of_files_are_a_problem(shop: Repository, tmp_path: Path) -> None:
    entry = f"100644 blob {shop.git('hash-object', '-w', '/dev/null')}\t{{}}.yaml"
    for _ in range(9):
        listing = "".join(f"{entry.format(number)}\n" for number in range(10))
        sha = subprocess.run(
            ["git", "mktree"], cwd=shop.folder, env=IDENTITY, input=listing.encode(), capture_output=True, check=True
        ).stdout.decode()
        entry = f"040000 tree {sha.strip()}\t{{}}"
    head = shop.git("commit-tree", "-m", "a bomb", sha.strip())
    shop.git("branch", "bomb", head)
    fetcher = TreeFetcher(tmp_path / "cache", limits=ReadLimits(total_bytes=1_000_000))
    trees = fetcher.fetch_trees(shop.folder.as_uri(), None, {head: is_yaml})
    message = "No file was read: git ls-tree printed more than 300,000,000 bytes."
    assert trees == {head: Tree({}, (Problem("", 0, "too_much", message),))}


def test_more_candidates_than_the_limit_are_a_problem(shop: Repository, tmp_path: Path) -> None:
    head = shop.commit({f"{number}.yaml": "a" for number in range(11)})
    fetcher = TreeFetcher(tmp_path / "cache", limits=ReadLimits(total_bytes=10 * 512))
    [tree] = fetch(fetcher, shop.folder.as_uri(), None, [head])
    message = "No file was read: the repository has more than 10 files that may be manifests."
    assert tree == Tree({}, (Problem("", 0, "too_much", message),))


def test_a_server_without_filters_gives_everything(shop: Repository, server: Server, tmp_path: Path) -> None:
    shop.git("config", "uploadpack.allowFilter", "false")
    head = shop.commit({"web.yaml": "a\n", "notes.txt": "b"})
    assert texts(fetch(fetcher_in(tmp_path), f"{server.url}/shop.git", None, [head])) == [{"web.yaml": "a\n"}]


def test_a_refused_commit_comes_through_its_ref(shop: Repository, server: Server, tmp_path: Path) -> None:
    """Protocol version 0 refuses a commit that no visible ref names; a pull request's ref helps."""
    base = shop.commit({"web.yaml": "a\n"})
    shop.git("config", "uploadpack.allowAnySHA1InWant", "false")
    shop.git("switch", "--quiet", "--detach")
    head = shop.commit({"web.yaml": "b\n"})
    shop.git("switch", "--quiet", "main")
    shop.git("config", "protocol.version", "0")
    shop.git("config", "transfer.hideRefs", "refs/hidden")
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            shop.git("update-ref", "refs/pull/7/head", head)

    fetcher = TreeFetcher(tmp_path / "cache", sleep=sleep)
    trees = fetch(fetcher, f"{server.url}/shop.git", None, [base, head], ["refs/pull/7/head"])
    assert texts(trees) == [{"web.yaml": "a\n"}, {"web.yaml": "b\n"}]


def test_a_commit_that_the_server_never_has(shop: Repository, server: Server, tmp_path: Path) -> None:
    base = shop.commit({"web.yaml": "a\n"})
    pauses: list[float] = []
    fetcher = TreeFetcher(tmp_path / "cache", sleep=pauses.append)
    with pytest.raises(GitFailed, match=f"the server does not give {'1' * 40}"):
        fetch(fetcher, f"{server.url}/shop.git", None, [base, "1" * 40], ["refs/pull/7/head"])
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0]


def test_the_token_travels_in_a_header_alone(shop: Repository, server: Server, tmp_path: Path) -> None:
    token = "ghs_123.abc-def_ghi"
    server.authorization = "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()
    head = shop.commit({"web.yaml": "a\n"})
    fetcher = fetcher_in(tmp_path)
    url = f"{server.url}/shop.git"
    with pytest.raises(Gone) as refused:
        fetch(fetcher, url, "wrong", [head])
    assert "wrong" not in str(refused.value)
    assert texts(fetch(fetcher, url, token, [head])) == [{"web.yaml": "a\n"}]
    written = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert token.encode() not in written
    assert base64.b64encode(f"x-access-token:{token}".encode()) not in written
    shown = repr(Git(tmp_path, server_environment(url, token), 1))
    assert "Authorization" not in shown


@pytest.mark.parametrize(
    ("status", "error"), [(401, Gone), (403, Gone), (404, Gone), (500, GitFailed), (503, GitFailed)]
)
def test_errors_of_the_server(
    status: int, error: type[Exception], shop: Repository, server: Server, tmp_path: Path
) -> None:
    server.answer = status
    with pytest.raises(error):
        fetch(fetcher_in(tmp_path), f"{server.url}/shop.git", None, [shop.commit({})])


@pytest.mark.parametrize("url", ["ssh://example.com/a.git", "ext::sh -c x", "git@example.com:a/b.git", "/srv/x", "-x"])
def test_other_transports_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="is not an https URL"):
        fetch(fetcher_in(tmp_path), url, None, ["1" * 40])


@pytest.mark.parametrize("name", ["--upload-pack=touch /tmp/x", "main", "1" * 39, ""])
def test_only_ids_and_refs_reach_git(name: str, shop: Repository, tmp_path: Path) -> None:
    for commits, refs in (([name], []), (["1" * 40], [name])):
        with pytest.raises(RepositoryError, match="is neither the id of a commit nor a full name of a ref"):
            fetch(fetcher_in(tmp_path), shop.folder.as_uri(), None, commits, refs)


def test_a_redirect_to_another_transport_is_refused(tmp_path: Path) -> None:
    environment = server_environment("https://example.com/a.git", None)
    done = subprocess.run(
        ["git", "ls-remote", tmp_path.as_uri()], env=environment, capture_output=True, check=False, timeout=WAIT_SECONDS
    )
    assert (done.returncode, b"transport 'file' not allowed" in done.stderr) == (128, True)


def test_git_that_takes_too_long_is_killed_with_its_helpers(tmp_path: Path) -> None:
    git = Git(
        tmp_path,
        {
            **IDENTITY,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "alias.nap",
            "GIT_CONFIG_VALUE_0": "!sleep 600 & wait",
        },
        0.2,
    )
    with pytest.raises(GitFailed, match=r"^git nap took longer than 0.2 s$"):
        git.run("nap")


def test_leftovers_of_a_killed_fetch_are_deleted(shop: Repository, tmp_path: Path) -> None:
    first = shop.commit({"web.yaml": "a\n"})
    fetcher = fetcher_in(tmp_path)
    url = shop.folder.as_uri()
    fetch(fetcher, url, None, [first])
    [folder] = cached_repositories(tmp_path)
    left = [folder / "shallow.lock", folder / "config.lock", folder / "objects" / "pack" / "tmp_pack_abc"]
    for path in left:
        path.write_text("")
    second = shop.commit({"web.yaml": "b\n"})
    assert texts(fetch(fetcher, url, None, [second])) == [{"web.yaml": "b\n"}]
    assert [path for path in left if path.exists()] == []


def test_a_damaged_or_incomplete_repository_is_fetched_again(shop: Repository, tmp_path: Path) -> None:
    head = shop.commit({"web.yaml": "a\n"})
    fetcher = fetcher_in(tmp_path)
    url = shop.folder.as_uri()
    fetch(fetcher, url, None, [head])
    [folder] = cached_repositories(tmp_path)
    for pack in (folder / "objects" / "pack").glob("pack-*"):
        pack.chmod(0o644)
        pack.write_bytes(b"damaged")
    assert texts(fetch(fetcher, url, None, [head])) == [{"web.yaml": "a\n"}]
    (folder / "HEAD").unlink()
    assert texts(fetch(fetcher, url, None, [head])) == [{"web.yaml": "a\n"}]


def test_the_repository_used_longest_ago_is_deleted_first(
    new_repository: Callable[[str], Repository], tmp_path: Path
) -> None:
    fetcher = fetcher_in(tmp_path, max_bytes=50_000)
    folders: dict[str, Path] = {}
    for name in ("one", "two", "three"):
        origin = new_repository(name)
        head = origin.commit({"big.yaml": os.urandom(15_000).hex()})
        fetch(fetcher, origin.folder.as_uri(), None, [head])
        folders[name] = next(path for path in cached_repositories(tmp_path) if path not in folders.values())
        os.utime(folders[name], (len(folders), len(folders)))
    assert cached_repositories(tmp_path) == sorted([folders["two"], folders["three"]])


def test_a_repository_that_another_job_uses_is_waited_for_and_never_deleted(shop: Repository, tmp_path: Path) -> None:
    head = shop.commit({"web.yaml": "a\n"})
    url = shop.folder.as_uri()
    fetch(fetcher_in(tmp_path), url, None, [head])
    [folder] = cached_repositories(tmp_path)
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fetcher = TreeFetcher(tmp_path / "cache", seconds=0.1)
        with pytest.raises(GitFailed, match=r"^another job used the cached repository for more than 0.1 s$"):
            fetch(fetcher, url, None, [head])


def test_jobs_of_one_repository_take_turns(shop: Repository, tmp_path: Path) -> None:
    heads = [shop.commit({"web.yaml": f"{number}\n"}) for number in range(6)]
    found: dict[int, list[dict[str, str]]] = {}

    def job(number: int) -> None:
        fetcher = TreeFetcher(tmp_path / "cache")
        found[number] = texts(fetch(fetcher, shop.folder.as_uri(), None, [heads[number]]))

    threads = [threading.Thread(target=job, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [{"web.yaml": f"{number}\n"}] for number in range(6)}
