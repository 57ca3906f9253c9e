"""Kustomizations and HelmReleases of Flux: what they have applied of the tree, how, and in which namespace."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gracegate.manifests.applications import (
    Application,
    Artifact,
    GitOpsObject,
    MissingValues,
    Sources,
    Unfollowed,
)
from gracegate.manifests.contents import items, mapping, text
from gracegate.manifests.discovery import CHART_FILE, directory
from gracegate.manifests.helm_values import set_value
from gracegate.manifests.kustomize import join, kustomization_text
from gracegate.manifests.remote import read_artifact
from gracegate.model import AS_DECLARED, CHART_LAYER, AppliedNamespace, Root, Substitution

OCI_REPOSITORY = "OCIRepository"
_NOT_HERE = "its directory is not in this repository"
BOOTSTRAPPED = "flux-system"
"""The GitRepository that Flux makes of the repository that it is set up from, and often commits nowhere."""
# Fields of a Kustomization that are keys of a kustomization by the same name.
_SAME_KEYS = ("components", "images", "namePrefix", "nameSuffix", "patches", "patchesJson6902", "patchesStrategicMerge")
# Files that no source of Flux has, unless it asks for them.
_NEVER_IN_A_SOURCE = frozenset({".sops.yaml", ".flux.yaml", ".goreleaser.yml", ".travis.yml", ".gitlab-ci.yml"})


class FluxObjects:
    """The sources and the data that Kustomizations and HelmReleases name."""

    def __init__(self, repositories: Sequence[GitOpsObject], config_maps: Mapping[str, list[GitOpsObject]]) -> None:
        self._git_repositories = [one for one in repositories if one.kind == "GitRepository"]
        self._oci_repositories = [one for one in repositories if one.kind == OCI_REPOSITORY]
        self._config_maps = config_maps

    def is_own(self, reference: Mapping[str, Any], sources: Sources) -> bool:
        """Whether a reference to a source means the tree's repository."""
        if text(reference.get("kind")) != "GitRepository":
            return False
        name, namespace = text(reference.get("name")), text(reference.get("namespace"))
        named = [one for one in self._git_repositories if one.name == name]
        near = [one for one in named if namespace and one.namespace == namespace] or named
        if name == BOOTSTRAPPED and not (near and sources.knows_itself):
            return True
        return bool(near) and all(sources.is_own(text(one.spec.get("url"))) for one in near)

    def oci_repository(self, reference: Mapping[str, Any], found: GitOpsObject) -> GitOpsObject | None:
        """The OCIRepository that a reference of an object means; None where that is not certain, as several clusters in
        one tree have some of the same name."""
        name, namespace = text(reference.get("name")), text(reference.get("namespace")) or found.namespace
        named = [one for one in self._oci_repositories if one.name == name]
        named = [one for one in named if not (namespace and one.namespace) or one.namespace == namespace]
        beside = [one for one in named if directory(one.path) == directory(found.path)]
        near = [one for one in named if one.path == found.path] or beside or named
        return near[0] if near and all(one.spec == near[0].spec for one in near) else None

    def revision(self, reference: Mapping[str, Any], sources: Sources) -> str:
        """The revision that a reference to a source means, see Application."""
        named = [one for one in self._git_repositories if one.name == text(reference.get("name"))]
        revisions = {_revision(one, sources) for one in named}
        return revisions.pop() if len(revisions) == 1 else ""

    def config_map(self, name: str, namespace: str) -> GitOpsObject | None:
        """The only ConfigMap of that name that may be in a namespace; its data is its `spec`."""
        named = self._config_maps.get(name, ())
        found = [one for one in named if not (namespace and one.namespace) or one.namespace == namespace]
        return found[0] if len(found) == 1 else None


def _revision(repository: GitOpsObject, sources: Sources) -> str:
    reference = mapping(repository.spec.get("ref"))
    for key in ("commit", "name", "semver", "tag", "branch"):
        if revision := text(reference.get(key)):
            return sources.revision(revision)
    return ""


def read_kustomization_object(
    found: GitOpsObject, flux: FluxObjects, sources: Sources
) -> Iterator[Application | Unfollowed]:
    """What a Kustomization has applied."""
    reference = mapping(found.spec.get("sourceRef"))
    repository, artifact = None, None
    if text(reference.get("kind")) == OCI_REPOSITORY:
        repository = flux.oci_repository(reference, found)
        taken = _artifact(found, repository, text(found.spec.get("path")), sources)
        if isinstance(taken, Unfollowed):
            yield taken
            return
        artifact = taken
    elif not flux.is_own(reference, sources):
        yield Unfollowed(found.path, found.applied_by, "its source is not this repository")
        return
    folder = join("", text(found.spec.get("path")).strip("/")) if artifact is None else artifact.folder
    if folder is None or not (sources.has_directory(folder) or (artifact is not None and not artifact.is_here)):
        yield Unfollowed(found.path, found.applied_by, _NOT_HERE)
        return
    settings = {key: found.spec[key] for key in _SAME_KEYS if found.spec.get(key)}
    if labels := mapping(mapping(found.spec.get("commonMetadata")).get("labels")):
        settings["labels"] = [{"pairs": labels}]
    target = text(found.spec.get("targetNamespace"))
    substitution, files = _substitution(found, flux)
    is_own_way = bool(settings) or substitution is not None or artifact is not None
    made = Application(
        root=Root("kustomize", folder if artifact is None else artifact.place, found.applied_by if is_own_way else ""),
        path=found.path,
        name=found.applied_by,
        namespace=AppliedNamespace(target, replaces=True) if target else AS_DECLARED,
        revision=flux.revision(reference, sources),
        kustomization=settings,
        listed=None if sources.has_kustomization(folder) else tuple(_listed(sources, folder)),
        substitution=substitution,
        files=files if repository is None else files | {repository.path},
    )
    yield made if artifact is None or repository is None else made.taken_from(artifact, repository.path)


def _artifact(
    found: GitOpsObject, repository: GitOpsObject | None, path: str, sources: Sources
) -> Artifact | Unfollowed:
    """What an OCIRepository has an object take from a registry."""
    reason = f"its {'chart is not in' if found.kind == 'HelmRelease' else 'source is not'} this repository"
    if repository is None:
        return Unfollowed(found.path, found.applied_by, reason)
    # A digest comes before a range of versions, and that before a tag:
    # https://fluxcd.io/flux/components/source/ocirepositories/#reference
    named = mapping(repository.spec.get("ref"))
    revision = next(filter(None, (text(named.get(key)) for key in ("digest", "semver", "tag"))), "latest")
    reference = read_artifact(text(repository.spec.get("url")), revision)
    artifact = None if reference is None else sources.artifact(reference, path)
    return artifact or Unfollowed(found.path, found.applied_by, reason, repository.path)


def _listed(sources: Sources, folder: str) -> Iterator[str]:
    """What Flux makes a kustomization of where there is none: all files, and directories with a kustomization."""
    known: list[str] = []
    for path in sources.files_in(folder, is_deep=True):
        if any(path.startswith(f"{one}/") for one in known):
            continue
        if found := next((one for one in _between(folder, path) if sources.has_kustomization(one)), None):
            known.append(found)
            yield found
        elif path.endswith((".yaml", ".yml")) and path.rpartition("/")[2] not in _NEVER_IN_A_SOURCE:
            yield path


def _between(folder: str, path: str) -> Iterator[str]:
    """The directories on the way from one to a file in it, without the first."""
    parts = path.removeprefix(f"{folder}/" if folder else "").split("/")[:-1]
    for count in range(1, len(parts) + 1):
        yield "/".join(filter(None, (folder, *parts[:count])))


def _substitution(found: GitOpsObject, flux: FluxObjects) -> tuple[Substitution | None, frozenset[str]]:
    """The variables of a Kustomization, and the files that they are from.

    Those that it writes itself come before those that it takes from elsewhere.
    """
    post_build = mapping(found.spec.get("postBuild"))
    variables: dict[str, str] = {}
    files = {found.path}
    is_complete = True
    for reference in map(mapping, items(post_build.get("substituteFrom"))):
        config_map = _config_map(reference, found.namespace, flux)
        if config_map is None:
            is_complete = False
        else:
            variables |= {key: value for key, value in config_map.spec.items() if isinstance(value, str)}
            files.add(config_map.path)
    variables |= {key: str(value) for key, value in mapping(post_build.get("substitute")).items()}
    # Without any variable, Flux leaves the objects as they are.
    return Substitution(variables, is_complete) if variables or not is_complete else None, frozenset(files)


def _config_map(reference: Mapping[str, Any], namespace: str, flux: FluxObjects) -> GitOpsObject | None:
    return flux.config_map(text(reference.get("name")), namespace) if reference.get("kind") == "ConfigMap" else None


def read_helm_release(found: GitOpsObject, flux: FluxObjects, sources: Sources) -> Iterator[Application | Unfollowed]:
    """What a HelmRelease has installed."""
    chart = mapping(mapping(found.spec.get("chart")).get("spec"))
    reference = mapping(chart.get("sourceRef"))
    chart_reference = mapping(found.spec.get("chartRef"))
    repository, artifact = None, None
    if text(chart_reference.get("kind")) == OCI_REPOSITORY:
        repository = flux.oci_repository(chart_reference, found)
        taken = _artifact(found, repository, "", sources)
        if repository is not None and isinstance(taken, Artifact) and not _is_chart(taken, repository, sources):
            reason = "the artifact is no chart"
            taken = Unfollowed(found.path, found.applied_by, reason, repository.path)
        if isinstance(taken, Unfollowed):
            yield taken
            return
        artifact = taken
    elif not chart or not flux.is_own(reference, sources):
        yield Unfollowed(found.path, found.applied_by, "its chart is not in this repository")
        return
    folder = join("", text(chart.get("chart")).strip("/")) if artifact is None else artifact.place
    if folder is None or (artifact is None and folder not in sources.directories):
        yield Unfollowed(found.path, found.applied_by, _NOT_HERE)
        return
    values, values_files, files, missing = _values(found, chart, flux, sources)
    target = text(found.spec.get("targetNamespace"))
    made = Application(
        root=Root("helm", folder, found.applied_by),
        path=found.path,
        name=found.applied_by,
        namespace=AppliedNamespace(target or found.namespace, replaces=False),
        revision=flux.revision(reference, sources),
        values=values,
        values_files=values_files,
        replaces_values=bool(items(chart.get("valuesFiles"))),
        release=text(found.spec.get("releaseName")) or "-".join(filter(None, (target, found.name))),
        release_namespace=target or found.namespace or "default",
        post_renderers=tuple(_post_renderers(found.spec)),
        files=files if repository is None else files | {repository.path},
        missing=missing,
    )
    yield made if artifact is None or repository is None else made.taken_from(artifact, repository.path)


def _is_chart(artifact: Artifact, repository: GitOpsObject, sources: Sources) -> bool:
    """Whether a HelmRelease finds a chart in an artifact, as far as that is known."""
    selector = mapping(repository.spec.get("layerSelector"))
    if text(selector.get("mediaType")) not in {"", CHART_LAYER}:
        return False
    return not artifact.is_here or sources.has(artifact.folder, CHART_FILE)


def _values(
    found: GitOpsObject, chart: Mapping[str, Any], flux: FluxObjects, sources: Sources
) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str], frozenset[MissingValues]]:
    texts: list[str] = []
    values_files: list[str] = []
    files, missing = {found.path}, set()
    for name in map(text, items(chart.get("valuesFiles"))):
        path = join("", name.strip("/"))
        if path is not None and path in sources.files:
            values_files.append(path)
            texts.append(sources.files[path].data.decode(errors="replace"))
        elif chart.get("ignoreMissingValuesFiles") is not True:
            missing.add(MissingValues(name))
    at_paths: dict[str, Any] = {}
    for reference in map(mapping, items(found.spec.get("valuesFrom"))):
        config_map = _config_map(reference, found.namespace, flux)
        value = config_map and config_map.spec.get(text(reference.get("valuesKey")) or "values.yaml")
        path = text(reference.get("targetPath"))
        if config_map is None or not isinstance(value, str) or (path and not set_value(at_paths, path, value)):
            missing.add(MissingValues(f"{text(reference.get('kind'))} {text(reference.get('name'))}"))
            continue
        files.add(config_map.path)
        if not path:
            texts.append(value)
    if at_paths:
        texts.append(json.dumps(at_paths))
    if inline := mapping(found.spec.get("values")):
        texts.append(json.dumps(inline))
    return tuple(texts), tuple(values_files), frozenset(files.union(values_files)), frozenset(missing)


def _post_renderers(spec: Mapping[str, Any]) -> Iterator[str]:
    for renderer in map(mapping, items(spec.get("postRenderers"))):
        if kustomization := mapping(renderer.get("kustomize")):
            yield kustomization_text({key: kustomization[key] for key in _SAME_KEYS if kustomization.get(key)})
