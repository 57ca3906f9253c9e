"""Trees and blobs by GitHub's API, for where git itself is refused."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from github.Repository import Repository

from gracegate.errors import GitHubUnavailable
from gracegate.github_app.client import RepositoryClient
from gracegate.model import TreeEntry


class GitObjects:
    """The git objects of one repository. Implements git.ObjectApi; `requests` counts what was asked for."""

    def __init__(self, repo: RepositoryClient) -> None:
        self._repo = repo
        self.requests = 0

    def read_tree(self, name: str, *, recursive: bool) -> tuple[Sequence[TreeEntry], bool]:
        """The entries of a tree or of a commit's tree, and whether GitHub has left some out (it names 100,000 at most).

        A recursive list also has the entries of all trees below, and the trees themselves.
        """
        answer = self._get(f"git/trees/{name}", {"recursive": "1"} if recursive else {})
        entries = [TreeEntry(one["mode"], one["sha"], one["path"], one.get("size") or 0) for one in answer["tree"]]
        return entries, answer["truncated"]

    def read_blob(self, sha: str) -> bytes:
        answer = self._get(f"git/blobs/{sha}", {})
        if answer["encoding"] != "base64":
            raise GitHubUnavailable(f"GitHub gave a blob as {answer['encoding']!r}", status=200)
        return base64.b64decode(answer["content"])

    def _get(self, path: str, parameters: dict[str, str]) -> Any:
        self.requests += 1

        def get(repository: Repository) -> Any:
            return repository.requester.requestJsonAndCheck("GET", f"{repository.url}/{path}", parameters)[1]

        return self._repo.read(get, is_new=True)
