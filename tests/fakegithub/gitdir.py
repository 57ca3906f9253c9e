"""One bare git repository of the fake: refs, commits, objects."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.fakegithub import gitdiff
from tests.fakegithub.diff import FileChange

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    # A borrowed repository may belong to another user.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
CONFIG = """
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[gc]
	auto = 0
"""


def environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**inherited, **ENVIRONMENT}


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, as what to commit at a path."""

    target: str


@dataclass(frozen=True, slots=True)
class Submodule:
    """A commit of another repository, as what to commit at a path."""

    commit: str


Content = str | bytes | Link | Submodule | None
"""What to commit at a path; None deletes it."""


class GitError(Exception):
    """git ended with an error; the text is what it printed."""


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """The output of `git cat-file commit`; times are ISO 8601 in UTC."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    mode: str
    kind: str
    sha: str
    size: int | None
    path: str


class GitDir:
    def __init__(self, path: Path) -> None:
        self.path = path
        # Commits never change, so neither does what lies between two of them.
        self._changes: dict[tuple[str, str], list[FileChange]] = {}
        self._merge_bases: dict[tuple[str, str], str | None] = {}

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments], input=stdin, capture_output=True, env=environment(), check=False
        )
        if done.returncode:
            raise GitError(f"git {' '.join(arguments[:3])}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def text(self, *arguments: str) -> str:
        return self.run(*arguments).decode(errors="replace").rstrip("\n")

    # Making repositories

    @classmethod
    def create(cls, path: Path, default_branch: str) -> GitDir:
        path.mkdir(parents=True)
        made = cls(path)
        made.run("init", "--quiet", "--bare", f"--initial-branch={default_branch}")
        with (path / "config").open("a") as config:
            config.write(CONFIG)
        return made

    @classmethod
    def borrow(cls, path: Path, source: Path, default_branch: str) -> GitDir:
        """A new repository over the objects of a local one, which may be bare, partial or shallow: nothing is copied,
        nothing is fetched, and no ref is copied."""
        made = cls.create(path, default_branch)
        other = GitDir(source)
        objects, shallow = (
            other.text("rev-parse", "--path-format=absolute", "--git-path", name) for name in ("objects", "shallow")
        )
        (path / "objects" / "info" / "alternates").write_text(f"{objects}\n")
        if Path(shallow).exists():
            (path / "shallow").write_bytes(Path(shallow).read_bytes())
        return made

    def fork(self, path: Path, default_branch: str) -> GitDir:
        """A fork shares the object store, as on GitHub: its commits can be fetched from the parent by their id."""
        made = GitDir.create(path, default_branch)
        store = path / "objects"
        for folder in sorted(store.rglob("*"), reverse=True):
            folder.rmdir()
        store.rmdir()
        store.symlink_to((self.path / "objects").resolve())
        for ref, sha in self.refs("refs/heads/").items():
            made.set_ref(ref, sha)
        return made

    # Refs and commits

    def resolve(self, revision: str) -> str | None:
        """The commit that a revision names, None if there is none."""
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except GitError:
            return None

    def set_ref(self, ref: str, sha: str) -> None:
        self.run("update-ref", ref, sha)

    def delete_ref(self, ref: str) -> None:
        self.run("update-ref", "-d", ref)

    def refs(self, prefix: str) -> dict[str, str]:
        lines = self.text("for-each-ref", "--format=%(objectname) %(refname)", prefix).splitlines()
        return {ref: sha for sha, _, ref in (line.partition(" ") for line in lines)}

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor of two commits, None if they share no history."""
        if (one, other) not in self._merge_bases:
            try:
                self._merge_bases[one, other] = self.text("merge-base", one, other)
            except GitError:
                self._merge_bases[one, other] = None
        return self._merge_bases[one, other]

    def commits(self, base: str, head: str) -> list[str]:
        """The commits of head that base lacks, oldest first."""
        return self.text("rev-list", "--reverse", "--topo-order", f"{base}..{head}").split()

    def commit_info(self, sha: str) -> CommitInfo:
        return self.commit_infos([sha])[0]

    def commit_infos(self, shas: Sequence[str]) -> list[CommitInfo]:
        """Of full commit ids, in their order."""
        if not shas:
            return []
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B"
        output = self.text("log", "-z", "--no-walk=unsorted", f"--format={form}", *shas)
        parts = output.removesuffix("\0").split("\0")
        # git shows a commit once, however often it is named.
        shown = {parts[at]: _commit_info(parts[at : at + 10]) for at in range(0, len(parts), 10)}
        return [shown[sha] for sha in shas]

    def write_commit(
        self,
        branch: str,
        parents: Sequence[str],
        files: Mapping[str, Content],
        message: str,
        when: int,
        author: tuple[str, str] = ("Ada Author", "ada@example.com"),
    ) -> str:
        """Commits files (None deletes one) upon the first parent and moves the branch there, whatever it held."""
        text, (name, email) = message.encode(), author
        stream = [
            f"commit refs/heads/{branch}\ncommitter {name} <{email}> {when} +0000\n".encode(),
            b"data %d\n%s\n" % (len(text), text),
            *(f"{word} {parent}\n".encode() for word, parent in zip(_parent_words(), parents, strict=False)),
            *(_change(path, content) for path, content in files.items()),
        ]
        self.run("fast-import", "--quiet", "--force", "--date-format=raw", stdin=b"".join(stream))
        return self.text("rev-parse", f"refs/heads/{branch}")

    def commit_tree(self, tree: str, parents: Sequence[str], message: str, when: int) -> str:
        stamp = f"{when} +0000"
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"{role} GitHub <noreply@github.com> {stamp}" for role in ("author", "committer")]
        text = "\n".join([*lines, "", message]) + "\n"
        return self.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()).decode().strip()

    # Objects

    def tree(self, treeish: str, *, recursive: bool) -> list[TreeEntry]:
        options = ["-r", "-t"] if recursive else []
        lines = self.run("ls-tree", "-z", *options, treeish).decode(errors="replace").split("\0")
        parts = [(line.partition("\t")[0].split(), line.partition("\t")[2]) for line in lines if line]
        sizes = self.sizes([fields[2] for fields, _ in parts if fields[1] == "blob"])
        return [TreeEntry(mode, kind, sha, sizes.get(sha), path) for (mode, kind, sha), path in parts]

    def read(self, sha: str, kind: str = "blob") -> bytes | None:
        try:
            return self.run("cat-file", kind, sha)
        except GitError:
            return None

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """The tree entry at a path; the empty path is the root."""
        if not path:
            return TreeEntry("040000", "tree", self.text("rev-parse", f"{commit}^{{tree}}"), None, "")
        line = (
            self.run("--literal-pathspecs", "ls-tree", "-z", commit, "--", path).decode(errors="replace").rstrip("\0")
        )
        if not line:
            return None
        mode, kind, sha = line.partition("\t")[0].split()
        return TreeEntry(mode, kind, sha, self.sizes([sha]).get(sha), path)

    def sizes(self, shas: Sequence[str]) -> dict[str, int]:
        """Sizes of the objects that are here; a partial clone lacks some."""
        output = self.run("cat-file", "--batch-check", stdin="".join(f"{sha}\n" for sha in shas).encode())
        lines = [line.split() for line in output.decode().splitlines()]
        return {line[0]: int(line[2]) for line in lines if line[-1] != "missing"}

    # Diffs

    def touched(self, info: CommitInfo) -> dict[str, list[str]]:
        """The paths that a commit added, removed and modified, compared with its first parent."""
        parent = info.parents[0] if info.parents else EMPTY_TREE
        fields = (
            self.run("diff-tree", "-r", "-z", "--no-renames", "--name-status", parent, info.sha).decode().split("\0")
        )
        paths: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
        for letter, path in zip(fields[::2], fields[1::2], strict=False):
            paths[{"A": "added", "D": "removed"}.get(letter, "modified")].append(path)
        return paths

    def changes(self, base: str, head: str) -> list[FileChange]:
        """The changed files between two commits with their patches, as `git diff -M` finds them."""
        if (base, head) not in self._changes:
            self._changes[base, head] = gitdiff.changes(self, base, head)
        return self._changes[base, head]


def _commit_info(part: Sequence[str]) -> CommitInfo:
    author, committer = ((part[i], part[i + 1], _iso(int(part[i + 2]))) for i in (3, 6))
    return CommitInfo(part[0], part[1], tuple(part[2].split()), author, committer, part[9].rstrip("\n"))


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parent_words() -> list[str]:
    return ["from", *["merge"] * 15]


def _change(path: str, content: Content) -> bytes:
    quoted = '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if content is None:
        return f"D {quoted}\n".encode()
    if isinstance(content, Submodule):
        return f"M 160000 {content.commit} {quoted}\n".encode()
    mode, text = (b"120000", content.target) if isinstance(content, Link) else (b"100644", content)
    data = text.encode() if isinstance(text, str) else text
    return b"M %s inline %s\ndata %d\n%s\n" % (mode, quoted.encode(), len(data), data)
