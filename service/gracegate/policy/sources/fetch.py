"""The newest version of a policy set, wherever it comes from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gracegate.archives import Download
from gracegate.errors import GitFailed, GitHubError, Gone, RepositoryError
from gracegate.git import TreeFetcher
from gracegate.model import PolicySource
from gracegate.policy.sources.archive import bundle_files
from gracegate.policy.sources.files import MAX_BYTES, PolicyFiles, is_policy_file, read_folder

if TYPE_CHECKING:
    from gracegate.downloads import ArchiveServers

FindToken = Callable[[str], str | None]
"""The token to read a repository with, by its full name; None where it is read without one. Raises GitHubError."""


class PolicyFetcher:
    """Reads policy sets; repositories are those of the server at `git_url`. Threads may share it."""

    def __init__(self, trees: TreeFetcher, git_url: str, find_token: FindToken) -> None:
        self._trees = trees
        self._git_url = git_url
        self._find_token = find_token

    @cached_property
    def _servers(self) -> ArchiveServers:
        from gracegate.downloads import ArchiveServers  # noqa: PLC0415 - the command line may lack its client

        return ArchiveServers(MAX_BYTES)

    def fetch(self, source: PolicySource, known: str = "") -> PolicyFiles | None:
        """The newest version, None where that has the `known` commit. Raises RepositoryError."""
        match source.kind:
            case "folder":
                return read_folder(Path(source.text))
            case "file":
                return _of_bundle(source, _read_file(source), known)
            case "url":
                return _of_bundle(source, self._servers.download(source.text, known), known)
            case "oci":
                return _of_bundle(source, self._servers.pull(source.text, known=known), known)
            case "repository":
                return self._of_repository(source, known)

    def _of_repository(self, source: PolicySource, known: str) -> PolicyFiles | None:
        url = f"{self._git_url}/{source.repository}.git"
        try:
            token = self._find_token(source.repository)
            commit = self._trees.find_commit(url, token, source.ref)
            if commit == known:
                return None
            return self.read_commit(url, token, commit, source)
        except Gone as error:
            message = "there is no such repository, or it cannot be read from here"
            raise RepositoryError(message, file=source.text) from error
        except GitFailed as error:
            raise RepositoryError(f"git cannot fetch it: {error}", file=source.text) from error
        except GitHubError as error:
            raise RepositoryError(f"GitHub does not give access: {error}", file=source.text) from error
        except RepositoryError as error:
            raise RepositoryError(error.message, file=source.text) from error

    def read_commit(self, url: str, token: str | None, commit: str, source: PolicySource) -> PolicyFiles:
        """The policy set in a folder of a commit. Raises RepositoryError, GitFailed or Gone."""
        top = f"{source.folder}/" if source.folder else ""

        def is_wanted(path: str) -> bool:
            return path.startswith(top) and is_policy_file(path.removeprefix(top))

        tree = self._trees.fetch_trees(url, token, {commit: is_wanted})[commit]
        for problem in tree.problems:
            # A link or a submodule elsewhere in the repository is no matter of ours.
            if not problem.file or is_wanted(problem.file):
                place = f"{problem.file}: " if problem.file else ""
                raise RepositoryError(f"{place}{problem.message.rstrip('.')}")
        files = {path.removeprefix(top): file.data for path, file in tree.files.items()}
        if not files:
            raise RepositoryError(f"there are no policies in {source.folder or 'it'}")
        name = (source.folder or source.repository).rpartition("/")[2]
        return PolicyFiles(name.lower(), commit, files)


def _read_file(source: PolicySource) -> Download:
    try:
        path = Path(source.text)
        if path.stat().st_size > MAX_BYTES:
            raise RepositoryError(f"it is larger than {MAX_BYTES // 1_000_000} MB", file=source.text)
        data = path.read_bytes()
    except OSError as error:
        raise RepositoryError(f"cannot be read: {error.strerror}", file=source.text) from error
    return Download(f"sha256:{hashlib.sha256(data).hexdigest()}", data)


def _of_bundle(source: PolicySource, found: Download | None, known: str) -> PolicyFiles | None:
    if found is None or found.digest == known:
        return None
    return PolicyFiles(_name_of_bundle(source), found.digest, bundle_files(found.data, source.text))


def _name_of_bundle(source: PolicySource) -> str:
    """The last name in the address, without its tag or suffix."""
    name = source.text.rpartition("/")[2].lower()
    if source.kind == "oci":
        name = name.partition("@")[0].partition(":")[0]
    name = name.removesuffix(".tar.gz").removesuffix(".tgz")
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-") or "policies"
