"""Directories and local repositories as trees and changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gracegate.errors import RepositoryError
from gracegate.git import (
    find_merge_base,
    find_remotes,
    find_top_level,
    read_changes,
    read_commit_tree,
    read_paths,
    read_work_tree,
    resolve_commit,
)
from gracegate.git.objects import ReadLimits
from gracegate.model import FileDiff, Hunk, Problem, Tree
from tests.git.conftest import Repository

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


def is_yaml(path: str) -> bool:
    return path.endswith(".yaml")


def texts(tree: Tree) -> dict[str, str]:
    return {path: file.data.decode() for path, file in tree.files.items()}


def problems(tree: Tree) -> list[tuple[str, str, bool]]:
    return sorted((problem.file, problem.code, problem.is_manifest) for problem in tree.problems)


def test_a_directory_as_a_tree(tmp_path: Path, shop: Repository) -> None:
    shop.write(
        {
            "web.yaml": "a: 1\n",
            "api/web.yaml": "b: 2\n",
            "api/readme.md": "text",
            "node_modules/x/y.yaml": "c: 3\n",
            "big.yaml": "x" * 100,
            "lfs.yaml": LFS,
        }
    )
    (tmp_path / "secret.yaml").write_text("password: 1\n")
    (shop.folder / "out.yaml").symlink_to(tmp_path / "secret.yaml")
    (shop.folder / "out").symlink_to(tmp_path)
    tree = read_paths(shop.folder, ["."], is_yaml, ReadLimits(file_bytes=99))
    assert texts(tree) == {"web.yaml": "a: 1\n", "api/web.yaml": "b: 2\n"}
    assert problems(tree) == [
        ("big.yaml", "too_large", True),
        ("lfs.yaml", "not_followed", True),
        ("out.yaml", "not_followed", True),
    ]
    assert tree.files["web.yaml"].blob == shop.git("hash-object", "web.yaml")


def test_a_file_among_the_paths_need_not_be_a_candidate(shop: Repository) -> None:
    shop.write({"a.yaml": "a", "node_modules/b.yaml": "b", "api/c.yaml": "c", "api/d.txt": "d", "e.txt": "e"})
    tree = read_paths(shop.folder, ["./e.txt", "node_modules/b.yaml", "api/"], is_yaml)
    assert texts(tree) == {"e.txt": "e", "node_modules/b.yaml": "b", "api/c.yaml": "c"}


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match=r"^nowhere.yaml: there is no such file or directory$"):
        read_paths(tmp_path, ["nowhere.yaml"])


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is simulated, because the tests may run as a user who may read everything."""

    def refuse(path: str) -> os.stat_result:
        raise PermissionError(13, "Permission denied", path)

    (tmp_path / "a.yaml").write_text("a")
    monkeypatch.setattr(os, "lstat", refuse)
    message = "The file cannot be read: Permission denied."
    assert read_paths(tmp_path, ["."]) == Tree({}, (Problem("a.yaml", 0, "unreadable", message),))


def test_the_tree_of_a_commit(shop: Repository, new_repository: Callable[[str], Repository]) -> None:
    other = new_repository("lib")
    module = other.commit({"x.yaml": "x"})
    (shop.folder / "link.yaml").symlink_to("web.yaml")
    (shop.folder / "dir").symlink_to("api")
    shop.write({"web.yaml": "a\n", "ü b\n.yaml": "b\n", "lfs.yaml": LFS, "big.yaml": "x" * 200, "notes.txt": "c"})
    (shop.folder / os.fsdecode(b"\xff.yaml")).write_text("d")
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{module},vendor/lib")
    shop.git("add", "--all", "--", ".", ":!vendor")
    shop.git("commit", "--quiet", "--message", "all kinds")
    tree = read_commit_tree(shop.folder, "HEAD", is_yaml, ReadLimits(file_bytes=199))
    assert texts(tree) == {"web.yaml": "a\n", "ü b\n.yaml": "b\n"}
    assert problems(tree) == [
        ("big.yaml", "too_large", True),
        ("lfs.yaml", "not_followed", True),
        ("link.yaml", "not_followed", True),
        ("vendor/lib", "not_followed", True),
        ("�.yaml", "encoding", True),
    ]
    assert tree.files["web.yaml"].blob == shop.git("hash-object", "web.yaml")


LINKS = {
    "to a directory of candidates": ("apps", True),
    "to a directory above them": ("./lib/../", True),
    "to a candidate": ("apps/web/web.yaml", True),
    "to a submodule": ("vendor/lib", True),
    "into a submodule": ("vendor/lib/base", True),
    "to another link": ("docs/first", True),
    "through another link": ("docs/first/../apps/web", True),
    "to other files": ("lib", False),
    "to nothing": ("nowhere", False),
    "out of the tree": ("../apps", False),
    "to an absolute path": ("/apps", False),
    "to itself": ("link", False),
}


@pytest.mark.parametrize(("target", "is_named"), LINKS.values(), ids=LINKS.keys())
def test_a_link_that_leads_to_candidates_is_named(target: str, is_named: bool, shop: Repository) -> None:
    shop.write({"apps/web/web.yaml": "a\n", "lib/x.txt": "", "docs/x.txt": ""})
    (shop.folder / "docs" / "first").symlink_to("../apps")
    (shop.folder / "link").symlink_to(target)
    shop.git("add", "--all")
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/lib")
    shop.git("commit", "--quiet", "--message", "links")
    named = {"docs/first", "vendor/lib"} | ({"link"} if is_named else set())
    for tree in (read_commit_tree(shop.folder, "HEAD", is_yaml), read_work_tree(shop.folder, is_yaml)):
        assert problems(tree) == [(path, "not_followed", True) for path in sorted(named)]


def test_changed_links_and_submodules_are_changes(shop: Repository) -> None:
    def commit(target: str, submodule: str) -> str:
        (shop.folder / "link").unlink(missing_ok=True)
        (shop.folder / "link").symlink_to(target)
        shop.git("add", "--all", "--", ".", ":!vendor")
        shop.git("update-index", "--add", "--cacheinfo", f"160000,{submodule * 40},vendor/lib")
        shop.git("commit", "--quiet", "--message", target)
        return shop.git("rev-parse", "HEAD")

    shop.git("config", "diff.submodule", "log")
    shop.write({"a/web.yaml": "a\n", "b/notes.txt": "b\n"})
    base, head = commit("a", "1"), commit("b", "2")
    assert read_changes(shop.folder, base, head, is_yaml) == [
        FileDiff("link", "modified", None, (Hunk(1, 1),)),
        FileDiff("vendor/lib", "modified", None, (Hunk(1, 1),)),
    ]


def test_no_more_than_the_limit_is_read(shop: Repository) -> None:
    commit = shop.commit({"a.yaml": "1", "b.yaml": "22", "c.yaml": "333"})
    tree = read_commit_tree(shop.folder, commit, is_yaml, ReadLimits(total_bytes=3 * 512 + 4))
    assert (sorted(tree.files), problems(tree)) == (["a.yaml", "b.yaml"], [("c.yaml", "too_much", True)])


def test_the_names_of_other_files_are_known(shop: Repository) -> None:
    (shop.folder / "link").symlink_to("b.conf")
    commit = shop.commit({"a.yaml": "1", "b.conf": "2"})
    assert read_commit_tree(shop.folder, commit, is_yaml).others == {"b.conf"}
    assert read_work_tree(shop.folder, is_yaml).others == {"b.conf"}


def test_an_empty_commit(shop: Repository) -> None:
    assert read_commit_tree(shop.folder, shop.commit({}), is_yaml) == Tree({}, ())


def test_remotes(shop: Repository, tmp_path: Path) -> None:
    assert find_remotes(shop.folder) == find_remotes(tmp_path) == ()
    shop.git("remote", "add", "origin", "git@github.com:o/r.git")
    shop.git("remote", "add", "fork", "https://github.com/f/r")
    (shop.folder / "deep").mkdir()
    assert find_remotes(shop.folder / "deep") == ("git@github.com:o/r.git", "https://github.com/f/r")


def test_revisions(shop: Repository, tmp_path: Path) -> None:
    first = shop.commit({"a.yaml": "1"})
    shop.git("switch", "--quiet", "--create", "feature")
    head = shop.commit({"a.yaml": "2"})
    shop.git("switch", "--quiet", "main")
    main = shop.commit({"b.yaml": "3"})
    assert resolve_commit(shop.folder, "feature") == head
    assert resolve_commit(shop.folder, first[:10]) == first
    assert find_merge_base(shop.folder, main, head) == first
    (shop.folder / "deep").mkdir()
    assert find_top_level(shop.folder / "deep") == shop.folder
    for revision in ("nowhere", "--help", "HEAD:a.yaml"):
        with pytest.raises(RepositoryError, match=f"{revision} is not a revision"):
            resolve_commit(shop.folder, revision)
    shop.git("checkout", "--quiet", "--orphan", "elsewhere")
    with pytest.raises(RepositoryError, match="no common commit here: is the clone shallow"):
        find_merge_base(shop.folder, shop.commit({}), head)
    with pytest.raises(RepositoryError, match="Not a valid object name --all"):
        find_merge_base(shop.folder, "--all", head)
    with pytest.raises(RepositoryError, match="not a git repository"):
        find_top_level(tmp_path)
    with pytest.raises(RepositoryError, match="no such directory"):
        resolve_commit(tmp_path / "gone", "HEAD")


def numbered(count: int, **other: str) -> str:
    return "".join(other.get(f"l{line}", f"line {line}\n") for line in range(1, count + 1))


BEFORE = {
    "same.yaml": numbered(9),
    "edit.yaml": numbered(40),
    "moved.yaml": numbered(20),
    "renamed.yaml": numbered(30),
    "gone.yaml": "something else\n",
    "mode.yaml": "a\n",
    "kind.yaml": "a\n",
    "notes.txt": "a\n",
}
AFTER: dict[str, str | None] = {
    "edit.yaml": numbered(40, l5="five\n", l30=""),
    "moved.yaml": None,
    "apps/moved.yaml": numbered(20),
    "renamed.yaml": None,
    "apps/ré named.yaml": numbered(30, l2="two\n"),
    "gone.yaml": None,
    "new.yaml": "a\nb",
    "empty.yaml": "",
    "notes.txt": "b\n",
}
CHANGES = [
    FileDiff("apps/moved.yaml", "renamed", "moved.yaml", ()),
    FileDiff("apps/ré named.yaml", "renamed", "renamed.yaml", (Hunk(1, 5),)),
    FileDiff("edit.yaml", "modified", None, (Hunk(2, 8), Hunk(27, 32))),
    FileDiff("empty.yaml", "added", None, ()),
    FileDiff("gone.yaml", "removed", None, ()),
    FileDiff("kind.yaml", "modified", None, (Hunk(1, 1),)),
    FileDiff("mode.yaml", "modified", None, ()),
    FileDiff("new.yaml", "added", None, (Hunk(1, 2),)),
]


def change_all(shop: Repository) -> None:
    shop.write(AFTER)
    (shop.folder / "mode.yaml").chmod(0o755)
    (shop.folder / "kind.yaml").unlink()
    (shop.folder / "kind.yaml").symlink_to("same.yaml")


def test_changes_between_commits(shop: Repository) -> None:
    base = shop.commit(BEFORE)
    change_all(shop)
    head = shop.commit({})
    assert read_changes(shop.folder, base, base, is_yaml) == []
    assert read_changes(shop.folder, base, head, is_yaml) == CHANGES
    assert read_changes(shop.folder, base, head, lambda path: path == "notes.txt") == [
        FileDiff("notes.txt", "modified", None, (Hunk(1, 1),))
    ]


def test_the_users_configuration_changes_no_diff(shop: Repository) -> None:
    base = shop.commit({**BEFORE, ".gitattributes": "*.yaml diff=loud\nedit.yaml -diff\n"})
    for setting, value in {
        "diff.external": "false",
        "diff.loud.command": "false",
        "diff.loud.textconv": "false",
        "diff.noprefix": "true",
        "diff.context": "0",
        "diff.renames": "false",
        "diff.algorithm": "patience",
        "color.ui": "always",
        "core.quotePath": "false",
    }.items():
        shop.git("config", setting, value)
    change_all(shop)
    assert read_changes(shop.folder, base, shop.commit({}), is_yaml) == CHANGES


def test_uncommitted_changes_count_with_untracked_files(shop: Repository) -> None:
    base = shop.commit({**BEFORE, ".gitignore": "ignored.yaml\n"})
    shop.write({"staged.yaml": "staged"})
    shop.git("add", "staged.yaml")
    shop.write({"edit.yaml": numbered(40, l5="five\n"), "new.yaml": "a\nb", "ignored.yaml": "a", "gone.yaml": None})
    shop.git("rm", "--quiet", "--cached", "mode.yaml")
    (shop.folder / "deep").mkdir()
    for folder in (shop.folder, shop.folder / "deep"):
        assert read_changes(folder, base, None, is_yaml) == [
            FileDiff("edit.yaml", "modified", None, (Hunk(2, 8),)),
            FileDiff("gone.yaml", "removed", None, ()),
            FileDiff("mode.yaml", "modified", None, (Hunk(1, 1),)),
            FileDiff("new.yaml", "added", None, (Hunk(1, 2),)),
            FileDiff("staged.yaml", "added", None, (Hunk(1, 1),)),
        ]
    assert sorted(read_work_tree(shop.folder, is_yaml).files) == [
        "edit.yaml",
        "kind.yaml",
        "mode.yaml",
        "moved.yaml",
        "new.yaml",
        "renamed.yaml",
        "same.yaml",
        "staged.yaml",
    ]


def test_a_missing_blob_of_another_file_does_no_harm(shop: Repository) -> None:
    base = shop.commit({"web.yaml": "a\n", "picture.png": "1"})
    head = shop.commit({"web.yaml": "b\n", "picture.png": "2", "moved.png": "3"})
    for path in ("picture.png", "moved.png"):
        blob = shop.git("rev-parse", f"{head}:{path}")
        (shop.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert texts(read_commit_tree(shop.folder, head, is_yaml)) == {"web.yaml": "b\n"}
    assert read_changes(shop.folder, base, head, is_yaml) == [FileDiff("web.yaml", "modified", None, (Hunk(1, 1),))]


def test_a_missing_blob_of_a_candidate_is_a_problem(shop: Repository) -> None:
    commit = shop.commit({"web.yaml": "a\n", "api.yaml": "b\n"})
    blob = shop.git("rev-parse", f"{commit}:web.yaml")
    (shop.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    tree = read_commit_tree(shop.folder, commit, is_yaml)
    assert (texts(tree), problems(tree)) == ({"api.yaml": "b\n"}, [("web.yaml", "unreadable", True)])
