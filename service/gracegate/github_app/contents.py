"""Files and refs of a repository, as GitHub's API has them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

from github.Repository import Repository
from github.Requester import Requester

from gracegate.errors import Gone, Refused
from gracegate.github_app.client import InstallationReader, RepositoryClient


def is_public(repo: RepositoryClient) -> bool:
    """Whether anybody may read the repository."""

    def read(repository: Repository) -> bool:
        _, found = repository.requester.requestJsonAndCheck("GET", repository.url)
        return not found["private"]

    return repo.read(read)


def default_commit(repo: RepositoryClient) -> str | None:
    """The newest commit of the default branch; None if there is none."""
    return _read(repo, lambda repository: repository.get_branch(repository.default_branch).commit.sha)


def blob_id(repo: RepositoryClient, commit: str, path: str) -> str | None:
    """The id of a file's content in a commit; None if there is no such file, or GitHub has not got the commit."""

    def read(repository: Repository) -> str | None:
        url = f"{repository.url}/contents/{quote(path)}"
        _, found = repository.requester.requestJsonAndCheck("GET", url, {"ref": commit})
        return str(found["sha"]) if isinstance(found, dict) else None

    return _read(repo, read)


def read_file(reader: InstallationReader, repository: str, path: str) -> bytes | None:
    """A file of the default branch of a repository, by its full name; None if there is no such file or repository.

    Raises Gone if it may not be read, and Refused if it is no file or larger than 1 MB.
    """

    def read(requester: Requester) -> bytes:
        _, found = requester.requestJsonAndCheck("GET", f"/repos/{repository}/contents/{quote(path)}")
        if not isinstance(found, dict) or found.get("encoding") != "base64":
            raise Refused(f"{path} is no file, or a large one", status=422)
        return base64.b64decode(found["content"])

    try:
        return reader.read(read)
    except Gone as error:
        if error.status == 404:
            return None
        raise


def commit_of(repo: RepositoryClient, ref: str) -> str | None:
    """The commit that a ref (its full name) points to; None if there is no such ref.

    It may be so new that some of GitHub's servers do not know it yet.
    """

    def read(repository: Repository) -> str:
        url = f"{repository.url}/git/ref/{quote(ref.removeprefix('refs/'))}"
        _, found = repository.requester.requestJsonAndCheck("GET", url)
        return str(found["object"]["sha"])

    return _read(repo, read, is_new=True)


def _read(repo: RepositoryClient, read: Callable[[Repository], str | None], *, is_new: bool = False) -> str | None:
    """What `read` finds; None if GitHub has no such thing."""
    try:
        return repo.read(read, is_new=is_new)
    except Gone as error:
        if error.status == 404:
            return None
        raise
