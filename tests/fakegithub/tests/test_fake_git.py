"""git over smart HTTP: who may fetch, partial fetches, fetches by commit, repositories that lack objects."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import REPOSITORY, Rest, changed, mint

BASIC = "basic"


def git(
    folder: Path, *arguments: str, token: str | None = None, scheme: str = BASIC
) -> subprocess.CompletedProcess[str]:
    """Runs git with the token as a header, as a careful client does: never in an argument."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "no_proxy": "*",
    }
    if token is not None:
        secret = base64.b64encode(f"x-access-token:{token}".encode()).decode() if scheme == BASIC else token
        environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: {scheme} {secret}",
        }
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def out(folder: Path, *arguments: str, token: str | None = None) -> str:
    done = git(folder, *arguments, token=token)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def address(fake: FakeGitHub, full_name: str = REPOSITORY) -> str:
    return f"{fake.git_url}/{full_name}.git"


@pytest.fixture
def token(fake: FakeGitHub) -> str:
    return str(mint(fake).json()["token"])


def test_a_token_clones(fake: FakeGitHub, token: str, tmp_path: Path) -> None:
    out(tmp_path, "clone", "--quiet", address(fake), "copy", token=token)
    assert (tmp_path / "copy" / "web.yaml").read_text() == changed()


@pytest.mark.parametrize(
    ("secret", "scheme"),
    [(None, BASIC), ("ghs_424242_wrong", BASIC), ("right", "Bearer")],
    ids=["no token", "a wrong token", "not as a password"],
)
def test_others_do_not(fake: FakeGitHub, token: str, tmp_path: Path, secret: str | None, scheme: str) -> None:
    done = git(tmp_path, "ls-remote", address(fake), token=token if secret == "right" else secret, scheme=scheme)
    assert (done.returncode, fake.log[-1].status) == (128, 401)


def test_an_expired_token_does_not(fake: FakeGitHub, token: str, tmp_path: Path) -> None:
    fake.clock.advance(3601)
    assert git(tmp_path, "ls-remote", address(fake), token=token).returncode == 128


def test_contents_must_be_granted(fake: FakeGitHub, tmp_path: Path) -> None:
    without = mint(fake, {"permissions": {"checks": "write"}}).json()["token"]
    done = git(tmp_path, "ls-remote", address(fake), token=without)
    assert (done.returncode, fake.log[-1].status) == (128, 403)


def test_a_repository_out_of_scope_does_not_exist(fake: FakeGitHub, tmp_path: Path) -> None:
    fake.create_repository("shop/other")
    scoped = mint(fake, {"repositories": ["other"]}).json()["token"]
    done = git(tmp_path, "ls-remote", address(fake), token=scoped)
    assert (done.returncode, fake.log[-1].status) == (128, 404)


def test_public_repositories_need_no_token_but_refuse_a_wrong_one(fake: FakeGitHub, tmp_path: Path) -> None:
    fake.create_repository("shop/open", private=False)
    fake.push("shop/open", "main", {"a": "1\n"})
    right, wrong = (git(tmp_path, "ls-remote", address(fake, "shop/open"), token=one) for one in (None, "ghs_1_x"))
    assert (right.returncode, wrong.returncode) == (0, 128)


def test_nothing_is_pushed(fake: FakeGitHub, token: str, tmp_path: Path) -> None:
    out(tmp_path, "clone", "--quiet", address(fake), "copy", token=token)
    done = git(tmp_path / "copy", "push", "origin", "main:other", token=token)
    assert (done.returncode, fake.log[-1].status) == (128, 403)


def partial(folder: Path, url: str) -> Path:
    """A bare cache as the service keeps one."""
    cache = folder / "cache.git"
    out(folder, "init", "--quiet", "--bare", str(cache))
    settings = {"remote.origin.url": url, "remote.origin.promisor": "true"}
    settings["remote.origin.partialclonefilter"] = "blob:none"
    for key, value in settings.items():
        out(cache, "config", key, value)
    return cache


def objects(cache: Path) -> list[str]:
    output = out(cache, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    return sorted(set(output.split()))


def test_commits_and_trees_travel_without_blobs_and_one_blob_by_its_id(
    fake: FakeGitHub, token: str, tmp_path: Path
) -> None:
    head = fake.push(REPOSITORY, "topic", {"web.yaml": changed((15, "new"))})
    cache = partial(tmp_path, address(fake))
    fetch = ["fetch", "--quiet", "--depth=1", "--filter=blob:none", "--no-tags", "origin", head]
    out(cache, *fetch, token=token)
    before = objects(cache)
    blob = out(cache, "rev-parse", f"{head}:web.yaml")
    out(cache, "fetch", "--quiet", "--no-tags", "--filter=blob:none", "origin", blob, token=token)
    assert (before, out(cache, "cat-file", "blob", blob) + "\n") == (["commit", "tree"], changed((15, "new")))


def test_the_head_of_a_fork_is_fetched_from_the_base(fake: FakeGitHub, token: str, tmp_path: Path) -> None:
    fake.fork(REPOSITORY, "grace")
    head = fake.push("grace/web", "topic", {"web.yaml": changed((3, "new"))})
    number = fake.open_pull_request(REPOSITORY, "topic", fork="grace/web")
    cache = partial(tmp_path, address(fake))
    out(cache, "fetch", "--quiet", "origin", f"refs/pull/{number}/head", token=token)
    assert out(cache, "rev-parse", "FETCH_HEAD") == head


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A partial clone with two commits, which lacks its image and was cloned from a repository that is deleted."""
    full, copy = tmp_path / "full", tmp_path / "copy.git"
    full.mkdir()
    out(full, "init", "--quiet", "--initial-branch=main")
    for number in (1, 2):
        (full / "image.png").write_bytes(b"\0" * 2_000 + bytes([number]))
        (full / "web.yaml").write_text(changed((15, f"version {number}")))
        out(full, "add", ".")
        out(full, "commit", "--quiet", "-m", f"Version {number}")
    out(full, "config", "uploadpack.allowFilter", "true")
    filtered = ["clone", "--quiet", "--bare", "--filter=blob:limit=1k"]
    out(tmp_path, *filtered, f"file://{full}", str(copy))
    full.rename(tmp_path / "gone")
    return copy


def test_a_partial_repository_is_served_without_fetching_what_it_lacks(
    fake: FakeGitHub, source: Path, tmp_path: Path
) -> None:
    base, head = (out(source, "rev-parse", name) for name in ("main~1", "main"))
    number = fake.replay("shop/old", source, base, head, title="Version 2")
    token = mint(fake, {"repositories": ["old"]}).json()["token"]
    cache = partial(tmp_path, address(fake, "shop/old"))
    out(cache, "fetch", "--quiet", "--filter=blob:none", "--depth=1", "origin", base, head, token=token)
    out(
        cache,
        "fetch",
        "--quiet",
        "--filter=blob:none",
        "origin",
        f"{head}:web.yaml".replace(":web.yaml", ""),
        token=token,
    )
    rest = Rest(fake, f"token {token}")
    files = rest.get(f"/repos/shop/old/pulls/{number}/files").json()
    pull = rest.get(f"/repos/shop/old/pulls/{number}").json()
    rest.close()
    assert [(one["filename"], one["status"], "patch" in one) for one in files] == [
        ("image.png", "modified", False),
        ("web.yaml", "modified", True),
    ]
    assert (pull["base"]["sha"], pull["head"]["sha"], number) == (base, head, 1)
    assert not (source / "FETCH_HEAD").exists()


def test_a_shallow_repository_is_served(fake: FakeGitHub, source: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow.git"
    gone = tmp_path / "gone"
    out(tmp_path, "clone", "--quiet", "--bare", "--depth=1", f"file://{gone}", str(shallow))
    head = out(shallow, "rev-parse", "main")
    number = fake.replay("shop/shallow", shallow, head, head)
    assert fake.pull("shop/shallow", number).changes == []


def test_an_unknown_commit_cannot_be_replayed(fake: FakeGitHub, source: Path) -> None:
    with pytest.raises(LookupError, match="has no commit"):
        fake.replay("shop/old", source, "none", "main")


def test_a_repository_that_moved_is_fetched_by_its_old_name(fake: FakeGitHub, token: str, tmp_path: Path) -> None:
    fake.move_repository(REPOSITORY, "shop/store")
    out(tmp_path, "clone", "-q", address(fake), "copy", token=token)
    assert out(tmp_path / "copy", "rev-parse", "HEAD") == fake.repository("shop/store").branch("main")
    assert [one.status for one in fake.log if one.path.startswith(f"/{REPOSITORY}.git/")] == [301]
