"""What Argo CD and Flux have applied of a repository: the record that the objects of both are read to."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from gracegate.manifests.contents import items, mapping
from gracegate.manifests.discovery import KUSTOMIZATIONS, directory
from gracegate.manifests.fetched import Fetched, artifacts_of, fetched_files, fetched_folder, is_fetched, is_here
from gracegate.manifests.kustomize import join
from gracegate.manifests.remote import ArtifactReference, repository_name
from gracegate.model import (
    AS_DECLARED,
    AppliedNamespace,
    Limits,
    PinnedSource,
    Repository,
    Root,
    SourceFile,
    Substitution,
)

# The lists of a kustomization whose items are known by their names; a second one of a name replaces the first.
_NAMED_LISTS = frozenset({"images", "replicas"})


class GitOpsObject(NamedTuple):
    """An object of Argo CD or Flux: `path` is the file that says it, `namespace` where it is, "" if nobody says."""

    path: str
    kind: str
    name: str
    namespace: str
    spec: Mapping[str, Any]

    @property
    def applied_by(self) -> str:
        """What a root is known by that this object has applied."""
        return f"{self.kind} {self.name} in {self.path}"


class MissingValues(NamedTuple):
    """Values of a chart that the tree does not have, by what holds them: a Secret, a file, an address."""

    name: str


class Unfollowed(NamedTuple):
    """A part of a GitOps object that says nothing about the tree; `reason` is a sentence about it. `source_path` is the
    file of the object that says where the part is taken from, where that is another one."""

    path: str
    name: str
    reason: str
    source_path: str = ""


@dataclass(frozen=True)
class Application:
    """What a GitOps object has applied, and how.

    `kustomization` are keys that it sets in the kustomization; a directory that has none is applied as if it had one
    with the resources `listed`. `root.applied_by` is empty where the directory is
    applied as it is, so that several objects may have the same root. `revision` is "" for the branch that changes of
    the tree go to. `values_files` are the paths of those of `values` that are files. `files` are those that it is read
    from, apart from those of the directory. Of an `artifact` of a registry the root's directory is the address there,
    and `folder` is where its files stand if it was fetched. `source_path` is as in Unfollowed.
    """

    root: Root
    path: str
    name: str
    namespace: AppliedNamespace = AS_DECLARED
    revision: str = ""
    kustomization: Mapping[str, Any] = field(default_factory=dict)
    listed: tuple[str, ...] | None = None
    substitution: Substitution | None = None
    values: tuple[str, ...] = ()
    values_files: tuple[str, ...] = ()
    replaces_values: bool = False
    release: str = "release-name"
    release_namespace: str = "default"
    post_renderers: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()
    missing: frozenset[MissingValues] = frozenset()
    artifact: ArtifactReference | None = None
    folder: str = ""
    source_path: str = ""

    @property
    def directory(self) -> str:
        """Where the files of the root stand."""
        return self.root.directory if self.artifact is None else self.folder

    def taken_from(self, artifact: Artifact, source_path: str = "") -> Application:
        """The same of an artifact, which the object in a file names."""
        return replace(self, artifact=artifact.reference, folder=artifact.folder, source_path=source_path)


class Artifact(NamedTuple):
    """A directory in an artifact of a registry: `place` is its name, `folder` where its files stand, and `is_here` if
    it was fetched."""

    reference: ArtifactReference
    place: str
    folder: str
    is_here: bool


class Sources:
    """What GitOps objects are read against: the files of the tree, and which addresses are those of its repository."""

    def __init__(
        self, files: Mapping[str, SourceFile], repository: Repository, limits: Limits, fetched: Fetched | None = None
    ) -> None:
        self.files = files
        self.fetched = artifacts_of(fetched or {})
        self._fetched_files = {file.path: file for file in fetched_files(self.fetched)}
        self._fetched_paths = sorted(self._fetched_files)
        self.limits = limits
        self._urls = frozenset(map(_url_name, repository.urls))
        self._branch = repository.branch
        self._paths = sorted(files)
        self.directories = frozenset(folder for path in files for folder in _folders(path))

    @property
    def knows_itself(self) -> bool:
        """Whether an address of the tree's repository is known."""
        return bool(self._urls)

    def is_own(self, url: str) -> bool:
        """Whether an address is that of the tree's repository."""
        return _url_name(url) in self._urls

    def revision(self, revision: Any) -> str:
        """The revision that an object names, "" if it is the branch that changes of the tree go to."""
        name = str(revision or "").removeprefix("refs/heads/")
        if name in {"", "HEAD", self._branch} or (not self._branch and name in {"main", "master"}):
            return ""
        return name

    def guess_urls(self, named: Iterable[tuple[str, str]]) -> None:
        """Decides which address is the repository's where nobody said so, of those `named`, each with a path in it.

        One is taken for the own one if no other has a path that the tree has, and it has more of these than others:
        any other reading of such a tree is far-fetched.
        """
        paths: defaultdict[str, set[str | None]] = defaultdict(set)
        for url, path in named:
            paths[_url_name(url)].add(join("", path.strip("/")))
        here = {url: of_url & self.directories for url, of_url in paths.items() if of_url & self.directories}
        own = [url for url, found in here.items() if 2 * len(found) > len(paths[url])]
        if not self._urls and len(here) == 1:
            self._urls = frozenset(own)

    def artifact(self, reference: ArtifactReference, path: str) -> Artifact | None:
        """A directory in an artifact, None for one outside of it."""
        inside = join("", path.strip("/"))
        if inside is None:
            return None
        place = f"{reference.url}//{inside}" if inside else reference.url
        folder = f"{fetched_folder(PinnedSource(*reference))}/{inside}".rstrip("/")
        return Artifact(reference, place, folder, is_here(reference.pinned, self.fetched))

    def has_directory(self, folder: str) -> bool:
        """Whether there is a file in a directory, of the tree or of what was fetched."""
        return folder in self.directories or any(self.files_in(folder, is_deep=True))

    def has(self, folder: str, name: str) -> bool:
        """Whether a directory has a file of that name."""
        return self.file(f"{folder}/{name}".lstrip("/")) is not None

    def file(self, path: str) -> SourceFile | None:
        """The file at a path, of the tree or of what was fetched."""
        return self.files.get(path) or self._fetched_files.get(path)

    def has_kustomization(self, folder: str) -> bool:
        """Whether kustomize takes a directory for one of its own."""
        return any(self.has(folder, name) for name in KUSTOMIZATIONS)

    def files_in(self, folder: str, *, is_deep: bool) -> Iterator[str]:
        """The files of a directory, those of all directories in it too if `is_deep`."""
        paths = self._fetched_paths if is_fetched(folder) else self._paths
        start = bisect_left(paths, f"{folder}/" if folder else "")
        for path in paths[start:]:
            if folder and not path.startswith(f"{folder}/"):
                return
            if is_deep or directory(path) == folder:
                yield path


def add_to_kustomization(content: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a kustomization with keys that a GitOps object sets: lists get more items, texts are replaced."""
    merged = dict(content)
    for key, value in added.items():
        if isinstance(value, list):
            new = {mapping(item).get("name") for item in value} if key in _NAMED_LISTS else set()
            kept = [item for item in items(content.get(key)) if not new or mapping(item).get("name") not in new]
            merged[key] = [*kept, *(item for item in value if item not in kept)]
        else:
            merged[key] = {**mapping(content.get(key)), **value} if isinstance(value, dict) else value
    return merged


def _url_name(url: str) -> str:
    return repository_name(url).lower()


def _folders(path: str) -> Iterator[str]:
    folder = directory(path)
    while folder:
        yield folder
        folder = directory(folder)
    yield ""
