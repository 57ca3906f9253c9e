"""Addresses of what a tree does not hold: bases and files in other repositories, and what registries have."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qs

from gracegate.model import ARTIFACT_SCHEME, PinnedSource

# As kustomize tells them from paths: without a scheme or a user, only GitHub is known to be a host.
_REMOTE = re.compile(
    r"(?:git::)?(?:(?:https?|ssh|file)://|[a-z][a-z0-9-]*@[^/:]+[/:]|gh:|(?:www\.)?github\.com[/:])", re.IGNORECASE
)
_SCHEME_AND_USER = re.compile(r"(?:git::)?(?:gh:|[a-z]+://)?(?:[^/@]*@)?(?:www\.)?", re.IGNORECASE)
_PORT = re.compile(r":\d+(?=/)")
_WEB_SERVER = re.compile(r"(?:git::)?(https?)://(?:[^/@]*@)?[^/:@]+(:\d+)?/", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_RAW_FILES = "raw.githubusercontent.com/"
# A file by its address, at a commit; a repository's address names the commit in its query.
_FILE = re.compile(
    rf"(?:{re.escape(_RAW_FILES)}(?P<github>[^/]+/[^/]+)|(?P<repository>.+?)(?:/-)?/raw)/(?P<commit>{_COMMIT.pattern})/"
)
_GITHUB = "github.com/"
_ARTIFACT = re.compile(rf"{ARTIFACT_SCHEME}[a-z0-9.-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)+", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_VERSION = re.compile(r"[\w.:+*~^<>=|, -]{1,128}", re.ASCII)


class RemoteReference(NamedTuple):
    """Something in another place: its `address` as it is written, the `repository` without scheme, user and path, the
    `revision` that the address names, "" for none, and the `path` in the repository. `server` is the scheme and the
    port by which git fetches it.
    """

    address: str
    repository: str
    revision: str
    path: str = ""
    server: tuple[str, str] = ("https", "")

    @property
    def is_pinned(self) -> bool:
        """Whether it can never mean other content: it names a commit by its full id."""
        return _COMMIT.fullmatch(self.revision) is not None

    @property
    def pinned(self) -> PinnedSource | None:
        """The commit that it is pinned to, None if it is not."""
        if not self.is_pinned:
            return None
        (scheme, port), (host, _, path) = self.server, self.repository.partition("/")
        return PinnedSource(f"{scheme}://{host}{port}/{path}.git", self.revision)


class ArtifactReference(NamedTuple):
    """An artifact of a registry, `oci://host/name`, by its digest, its tag or a range of versions, "" for none of
    these."""

    url: str
    revision: str

    @property
    def pinned(self) -> PinnedSource | None:
        """Itself if a digest names it, so that it can never mean other content."""
        return PinnedSource(*self) if _DIGEST.fullmatch(self.revision) else None


def is_remote(text: str) -> bool:
    """Whether kustomize would ask another place for what a reference names, instead of a file or directory."""
    return _REMOTE.match(text) is not None


def read_reference(address: str) -> RemoteReference:
    """The parts of an address; any text has them."""
    location, _, query = address.partition("?")
    parameters = parse_qs(query)
    revision = next((parameters[key][0] for key in ("ref", "version") if key in parameters), "")
    found = _WEB_SERVER.match(location)
    server = ("https", "") if found is None else (found.group(1).lower(), found.group(2) or "")
    name = repository_name(location)
    if not revision and (file := _FILE.match(name)):
        github = file.group("github")
        repository = f"{_GITHUB}{github}" if github else file.group("repository")
        return RemoteReference(address, repository, file.group("commit"), name[file.end() :], server)
    return RemoteReference(address, *_split(name, revision), server)


def read_artifact(url: str, revision: str) -> ArtifactReference | None:
    """What a registry has at an address, None for an invalid one. A digest may follow a tag: `1.2@sha256:...`."""
    address, digest = url.rstrip("/"), revision.rpartition("@")[2]
    if not _ARTIFACT.fullmatch(address):
        return None
    named = digest if _DIGEST.fullmatch(digest) else revision
    return ArtifactReference(address, named if _VERSION.fullmatch(named) else "")


def repository_name(url: str) -> str:
    """One name for all spellings of a repository's URL: `github.com/o/r` for https, ssh and scp-like ones."""
    location = _SCHEME_AND_USER.sub("github.com/" if url.lower().startswith(("gh:", "git::gh:")) else "", url, count=1)
    host, separator, path = _PORT.sub("", location, count=1).replace(":", "/", 1).partition("/")
    return f"{host.lower()}{separator}{path}".rstrip("/").removesuffix(".git")


def _split(name: str, revision: str) -> tuple[str, str, str]:
    """The repository, its revision, and the path in it. Elsewhere than on GitHub only `//` or `.git/` says where that
    begins."""
    if name.startswith(_RAW_FILES):
        name = _GITHUB + name.removeprefix(_RAW_FILES)
    for end in ("//", ".git/"):
        repository, found, path = name.partition(end)
        if found:
            return repository.removesuffix(".git"), revision, path.strip("/")
    parts = name.split("/") if name.startswith(_GITHUB) else [name]
    return "/".join(parts[:3]), revision, "/".join(parts[3:])
