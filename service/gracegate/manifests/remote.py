"""Addresses of what a tree does not hold: bases and files in other repositories and on other servers."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qs

# As kustomize tells them from paths: without a scheme or a user, only GitHub is known to be a host.
_REMOTE = re.compile(
    r"(?:git::)?(?:(?:https?|ssh|file)://|[a-z][a-z0-9-]*@[^/:]+[/:]|gh:|(?:www\.)?github\.com[/:])", re.IGNORECASE
)
_SCHEME_AND_USER = re.compile(r"(?:git::)?(?:gh:|[a-z]+://)?(?:[^/@]*@)?(?:www\.)?", re.IGNORECASE)
_PORT = re.compile(r":\d+(?=/)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_RAW_FILES = "raw.githubusercontent.com/"
# A file by its address, at a commit; a repository's address names the commit in its query.
_COMMIT_OF_FILE = re.compile(rf"(?:{re.escape(_RAW_FILES)}[^/]+/[^/]+|/raw)/({_COMMIT.pattern})/")
_GITHUB = "github.com/"


class RemoteReference(NamedTuple):
    """Something in another place: its `address` as it is written, the `repository` without scheme, user and path, and
    the `revision` that the address names, "" for none.
    """

    address: str
    repository: str
    revision: str

    @property
    def is_pinned(self) -> bool:
        """Whether it can never mean other content: it names a commit by its full id."""
        return _COMMIT.fullmatch(self.revision) is not None


def is_remote(text: str) -> bool:
    """Whether kustomize would ask another place for what a reference names, instead of a file or directory."""
    return _REMOTE.match(text) is not None


def read_reference(address: str) -> RemoteReference:
    """The parts of an address; any text has them."""
    location, _, query = address.partition("?")
    parameters = parse_qs(query)
    revision = next((parameters[key][0] for key in ("ref", "version") if key in parameters), "")
    if not revision and (commit := _COMMIT_OF_FILE.search(location)):
        revision = commit.group(1)
    return RemoteReference(address, _without_path(repository_name(location)), revision)


def repository_name(url: str) -> str:
    """One name for all spellings of a repository's URL: `github.com/o/r` for https, ssh and scp-like ones."""
    location = _SCHEME_AND_USER.sub("github.com/" if url.lower().startswith(("gh:", "git::gh:")) else "", url, count=1)
    host, separator, path = _PORT.sub("", location, count=1).replace(":", "/", 1).partition("/")
    return f"{host.lower()}{separator}{path}".rstrip("/").removesuffix(".git")


def _without_path(location: str) -> str:
    """The repository of a location. Elsewhere than on GitHub only `//` or `.git/` says where the path in it begins."""
    if location.startswith(_RAW_FILES):
        location = _GITHUB + location.removeprefix(_RAW_FILES)
    for end in ("//", ".git/"):
        repository, found, _ = location.partition(end)
        if found:
            return repository.removesuffix(".git")
    return "/".join(location.split("/")[:3]) if location.startswith(_GITHUB) else location
