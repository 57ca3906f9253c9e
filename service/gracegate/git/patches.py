"""Patches between trees that no commit has, made in a folder of their own: the repository stays as it is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from gracegate.git.process import Git, local_environment

_SECONDS = 120.0
_NEW_FILE = "100644"


def make_patches(repo: Path, base: str, head: str, states: Sequence[Mapping[str, bytes]]) -> list[bytes]:
    """A patch to each of the `states` from the one before it, the first from the commit `base`, for `git apply`.

    A state is the tree of the commit `head` with the content of some files, by path, in the place of what that has.
    """
    with tempfile.TemporaryDirectory() as name:
        git = _writing_elsewhere(Git(repo, local_environment(), _SECONDS), Path(name))
        trees = [f"{base}^{{tree}}", *(_write_tree(git, base, head, files) for files in states)]
        return [_diff(git, before, after) for before, after in pairwise(trees)]


def _writing_elsewhere(git: Git, folder: Path) -> Git:
    objects = git.run("rev-parse", "--path-format=absolute", "--git-path", "objects").decode(errors="surrogateescape")
    new_objects = folder / "objects"
    new_objects.mkdir()
    places = {
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_OBJECT_DIRECTORY": str(new_objects),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects.removesuffix("\n"),
    }
    return replace(git, environment={**git.environment, **places})


def _write_tree(git: Git, base: str, head: str, files: Mapping[str, bytes]) -> str:
    git.run("read-tree", head)
    modes = {**_modes(git, base, files), **_modes(git, head, files)}
    entries = b""
    for path, content in files.items():
        blob = git.run("hash-object", "-w", "--stdin", stdin=content).strip()
        mode = modes.get(path, _NEW_FILE).encode()
        entries += b"%s %s\t%s\0" % (mode, blob, path.encode(errors="surrogateescape"))
    git.run("update-index", "-z", "--index-info", stdin=entries)
    return git.run("write-tree").decode().strip()


def _modes(git: Git, commit: str, paths: Mapping[str, bytes]) -> dict[str, str]:
    return dict(_listed_modes(git.run("ls-tree", "-z", "--full-tree", commit, "--", *paths))) if paths else {}


def _listed_modes(output: bytes) -> Iterator[tuple[str, str]]:
    for record in output.decode(errors="surrogateescape").split("\0")[:-1]:
        fields, _, path = record.partition("\t")
        yield path, fields.partition(" ")[0]


def _diff(git: Git, before: str, after: str) -> bytes:
    shape = ("--binary", "--full-index", "--no-renames", "--no-color", "--src-prefix=a/", "--dst-prefix=b/")
    return git.run("diff-tree", "-p", "-r", "--no-ext-diff", "--no-textconv", *shape, before, after)
