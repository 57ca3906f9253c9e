"""The objects of Argo CD and Flux in a tree, and what they have applied of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gracegate.manifests.applications import Application, GitOpsObject, Sources, Unfollowed
from gracegate.manifests.argo_cd import NamespacePattern, named_urls, read_application, read_application_set
from gracegate.manifests.contents import items, mapping, read_values, text
from gracegate.manifests.flux import FluxObjects, read_helm_release, read_kustomization_object
from gracegate.manifests.rendered_values import RenderedValues
from gracegate.model import AppliedNamespace, Limits, SourceFile
from gracegate.yaml import YamlError, split_documents

ObjectCache = MutableMapping[tuple[str, str], tuple[GitOpsObject, ...]]
"""GitOps objects by path and blob: base and head share those that they have in common."""

_GROUPS = {
    "Application": "argoproj.io",
    "ApplicationSet": "argoproj.io",
    "GitRepository": "source.toolkit.fluxcd.io",
    "HelmRelease": "helm.toolkit.fluxcd.io",
    "Kustomization": "kustomize.toolkit.fluxcd.io",
    "OCIRepository": "source.toolkit.fluxcd.io",
}
_GROUP = r"apiVersion['\"]?\s*:\s*['\"]?(?:argoproj|(?:source|helm|kustomize)\.toolkit\.fluxcd)\.io/"
_CONFIG_MAP = r"kind['\"]?\s*:\s*['\"]?ConfigMap\b"
_GROUP_IN_BYTES, _CONFIG_MAP_IN_BYTES = (re.compile(pattern.encode()) for pattern in (_GROUP, _CONFIG_MAP))
_OBJECT_IN_TEXT = re.compile(f"{_GROUP}|{_CONFIG_MAP}")


@dataclass(frozen=True, slots=True)
class GitOps:
    """What GitOps objects say of a tree: what they have applied, and what of them says nothing of it."""

    applications: tuple[Application, ...] = ()
    patterns: tuple[NamespacePattern, ...] = ()
    unfollowed: tuple[Unfollowed, ...] = ()

    def add(self, more: Iterable[Application | NamespacePattern | Unfollowed]) -> GitOps:
        """What these say, and more."""
        every = (*more,)
        return GitOps(
            (*self.applications, *(one for one in every if isinstance(one, Application))),
            (*self.patterns, *(one for one in every if isinstance(one, NamespacePattern))),
            (*self.unfollowed, *(one for one in every if isinstance(one, Unfollowed))),
        )


def find_objects(files: Mapping[str, SourceFile], limits: Limits, cache: ObjectCache) -> Iterator[GitOpsObject]:
    """The GitOps objects in the files of a tree; one without a blob id is never taken from the cache."""
    for path, source in files.items():
        if _GROUP_IN_BYTES.search(source.data):
            key = (path, source.blob)
            if not source.blob or key not in cache:
                cache[key] = tuple(_objects_in(path, source.data, limits))
            yield from cache[key]


def rendered_objects(path: str, rendered: str, values: RenderedValues, limits: Limits) -> Iterator[GitOpsObject]:
    """The GitOps objects and ConfigMaps in what a root renders to, for the file `path`; none in what cannot be read."""
    for span in split_documents(rendered):
        document = rendered[span.start : span.end]
        if _OBJECT_IN_TEXT.search(document):
            with suppress(YamlError):
                yield from _objects_of(path, [values.of(document, limits)])


def _objects_in(path: str, data: bytes, limits: Limits) -> Iterator[GitOpsObject]:
    """The GitOps objects and the ConfigMaps in a file; none where it cannot be read."""
    return _objects_of(path, read_values(data, limits) or [])


def _objects_of(path: str, values: Sequence[Any]) -> Iterator[GitOpsObject]:
    pending = [*reversed(values)]
    while pending:
        value = mapping(pending.pop())
        kind, group = text(value.get("kind")), text(value.get("apiVersion")).rpartition("/")[0]
        metadata = mapping(value.get("metadata"))
        spec = mapping(value.get("data" if kind == "ConfigMap" else "spec"))
        if kind == "List":
            pending += reversed(items(value.get("items")))
        elif group == _GROUPS.get(kind, "" if kind == "ConfigMap" else None):
            yield GitOpsObject(path, kind, text(metadata.get("name")), text(metadata.get("namespace")), spec)


def read_argo_cd(objects: Sequence[GitOpsObject], sources: Sources) -> GitOps:
    """What the objects of Argo CD have applied."""
    sources.guess_urls(
        name for one in objects if one.kind in {"Application", "ApplicationSet"} for name in named_urls(one)
    )
    found: list[Application | NamespacePattern | Unfollowed] = []
    for one in objects:
        if one.kind == "Application":
            found += read_application(one, sources)
        elif one.kind == "ApplicationSet":
            found += read_application_set(one, sources)
    return GitOps().add(found)


def read_flux(objects: Sequence[GitOpsObject], kind: str, sources: Sources) -> Iterator[Application | Unfollowed]:
    """What the objects of Flux of a kind have applied."""
    of_kind = [one for one in objects if one.kind == kind]
    repositories = [one for one in objects if one.kind in {"GitRepository", "OCIRepository"}]
    flux = FluxObjects(repositories, _config_maps(objects, of_kind, sources))
    read = read_helm_release if kind == "HelmRelease" else read_kustomization_object
    for one in of_kind:
        yield from read(one, flux, sources)


def _config_maps(
    objects: Sequence[GitOpsObject], readers: Sequence[GitOpsObject], sources: Sources
) -> Mapping[str, list[GitOpsObject]]:
    """The ConfigMaps that Flux objects name, by name: those among the objects, and those in files."""
    found: defaultdict[str, list[GitOpsObject]] = defaultdict(list)
    references = [mapping(r) for one in readers for r in _references(one.spec)]
    names = {text(r.get("name")) for r in references if r.get("kind") == "ConfigMap"}
    for one in objects:
        if one.kind == "ConfigMap" and one.name in names:
            found[one.name].append(one)
    names -= found.keys()
    for path, source in sources.files.items() if names else ():
        if _CONFIG_MAP_IN_BYTES.search(source.data) and any(name.encode() in source.data for name in names):
            for one in _objects_in(path, source.data, sources.limits):
                if one.kind == "ConfigMap" and one.name in names:
                    found[one.name].append(one)
    return found


def _references(spec: Mapping[str, Any]) -> Iterator[Any]:
    yield from items(spec.get("valuesFrom"))
    yield from items(mapping(spec.get("postBuild")).get("substituteFrom"))


def with_namespaces(
    objects: Iterable[GitOpsObject], namespace_of: Callable[[str], AppliedNamespace]
) -> list[GitOpsObject]:
    """The objects in the namespaces that they are given by what applies their files."""
    return [one._replace(namespace=namespace_of(one.path).of(one.namespace)) for one in objects]
