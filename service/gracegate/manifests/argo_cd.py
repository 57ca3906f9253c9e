"""Applications and ApplicationSets of Argo CD: what they have applied of the tree, and in which namespace."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from gracegate.manifests.applications import Application, Artifact, GitOpsObject, MissingValues, Sources, Unfollowed
from gracegate.manifests.contents import items, mapping, text
from gracegate.manifests.discovery import CHART_FILE
from gracegate.manifests.generators import PLACEHOLDER, fill_in, generated_parameters, generator_kinds
from gracegate.manifests.globs import matches
from gracegate.manifests.helm_values import set_value
from gracegate.manifests.kustomize import join
from gracegate.manifests.remote import ArtifactReference, is_remote, read_artifact
from gracegate.model import AppliedNamespace, Root

_NOT_HERE = "its directory is not in this repository"
_SUFFIXES = (".json", ".yaml", ".yml")
# Fields of `source.kustomize` that are keys of a kustomization by the same name.
_SAME_KEYS = ("namePrefix", "nameSuffix", "replicas", "patches", "components", "namespace")
_TAG_OF_IMAGE = re.compile(r"(?P<name>.*?)(?::(?P<newTag>[\w.-]+))?(?:@(?P<digest>\w+:[0-9a-f]+))?")


class NamespacePattern(NamedTuple):
    """Directories by a pattern that the tree cannot tell more about, and the namespace of what they hold."""

    path: str
    namespace: AppliedNamespace

    def matches(self, directory: str) -> bool:
        """Whether a directory may be meant; a placeholder is a part of a name, or a name that may be missing."""
        parts = PLACEHOLDER.sub("*", self.path).split("/")
        states = _without_optional({0}, parts)
        for name in directory.split("/"):
            after = {state + 1 for state in states if state < len(parts) and matches(parts[state], name)}
            states = _without_optional(after, parts)
        return len(parts) in states


def _without_optional(states: set[int], parts: Sequence[str]) -> set[int]:
    """The places in a pattern, and those behind names that may be missing."""
    found = set(states)
    for state in range(min(states, default=len(parts)), len(parts)):
        if state in found and parts[state] == "*":
            found.add(state + 1)
    return found


Found = Application | NamespacePattern | Unfollowed


def read_application(found: GitOpsObject, sources: Sources) -> Iterator[Found]:
    """What an Application has applied, a part of it for each of its sources."""
    spec = found.spec
    given = [mapping(source) for source in items(spec.get("sources"))] or [mapping(spec.get("source"))]
    if dry := mapping(mapping(spec.get("sourceHydrator")).get("drySource")):
        given = [dry]
    namespace = text(mapping(spec.get("destination")).get("namespace"))
    for source in given:
        if text(source.get("path")) or "chart" in source:
            yield from _of_source(found, source, given, namespace, sources)


def read_application_set(found: GitOpsObject, sources: Sources) -> Iterator[Found]:
    """What the Applications of an ApplicationSet have applied, as far as the tree knows what its generators make."""
    template, generators = mapping(found.spec.get("template")), found.spec.get("generators")
    if "templatePatch" in found.spec:
        yield Unfollowed(found.path, found.applied_by, "it has a templatePatch")
        return
    go = found.spec.get("goTemplate") is True
    all_parameters = [*generated_parameters(generators, sources, go=go)]
    if not all_parameters:
        kinds = ", ".join(generator_kinds(generators))
        yield Unfollowed(found.path, found.applied_by, f"what its generators make is not known here: {kinds or 'none'}")
    parts = [part for one in all_parameters for part in _generated(found, fill_in(template, one, go=go), sources)]
    # Of the parameters that may be together, not all are: a directory that is not there is one that nobody means.
    is_followed = any(isinstance(part, Application) for part in parts)
    yield from (
        part for part in parts if not (is_followed and isinstance(part, Unfollowed) and part.reason == _NOT_HERE)
    )


def _generated(found: GitOpsObject, template: Mapping[str, Any], sources: Sources) -> Iterator[Found]:
    """What one Application of an ApplicationSet has applied."""
    name = text(mapping(template.get("metadata")).get("name"))
    application = found._replace(kind="Application", name=name, spec=mapping(template.get("spec")))
    for part in read_application(application, sources):
        if isinstance(part, Application) and PLACEHOLDER.search(json.dumps([part.kustomization, part.values])):
            yield replace(part, missing=part.missing | {MissingValues("parameters that only Argo CD knows")})
        else:
            yield part


def named_urls(found: GitOpsObject) -> Iterator[tuple[str, str]]:
    """The addresses of repositories that an object names, each with a path in it that it names."""
    pending: list[Any] = [found.spec]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            url, path = text(value.get("repoURL")), text(value.get("path"))
            if url and path and "{{" not in url + path and "chart" not in value and read_artifact(url, "") is None:
                yield url, path
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def _of_source(
    found: GitOpsObject,
    source: Mapping[str, Any],
    all_sources: Sequence[Mapping[str, Any]],
    namespace: str,
    sources: Sources,
) -> Iterator[Found]:
    path = text(source.get("path"))
    reason = _why_not(source, sources)
    folder = join("", path.strip("/"))
    if reason or folder is None:
        yield Unfollowed(found.path, found.applied_by, reason or "its path leads out of the repository")
        return
    reference = _artifact_reference(source)
    artifact = None if reference is None else sources.artifact(reference, path)
    applied = AppliedNamespace("" if PLACEHOLDER.search(namespace) else namespace, replaces=False)
    if PLACEHOLDER.search(path):
        if not PLACEHOLDER.match(folder):
            yield NamespacePattern(folder, applied)
        yield Unfollowed(found.path, found.applied_by, "its path has parameters that are not in this repository")
    elif artifact is not None:
        yield from _of_artifact(found, source, all_sources, applied, sources, artifact)
    elif folder not in sources.directories:
        yield Unfollowed(found.path, found.applied_by, _NOT_HERE)
    elif "helm" in source or sources.has(folder, CHART_FILE):
        yield _chart(found, source, all_sources, applied, sources, folder)
    else:
        yield _directory(found, source, applied, sources, folder)


def _artifact_reference(source: Mapping[str, Any]) -> ArtifactReference | None:
    """What a source takes from a registry, by a tag or a digest, see https://argo-cd.readthedocs.io/en/stable/user-guide/oci/."""
    return read_artifact(text(source.get("repoURL")), text(source.get("targetRevision")))


def _of_artifact(
    found: GitOpsObject,
    source: Mapping[str, Any],
    all_sources: Sequence[Mapping[str, Any]],
    namespace: AppliedNamespace,
    sources: Sources,
    artifact: Artifact,
) -> Iterator[Found]:
    # That a chart's path is the top is all that is known of what was not fetched.
    may_be_chart = not artifact.is_here and artifact.place == artifact.reference.url
    is_chart = "helm" in source or may_be_chart or sources.has(artifact.folder, CHART_FILE)
    if artifact.is_here and not sources.has_directory(artifact.folder):
        yield Unfollowed(found.path, found.applied_by, _NOT_HERE)
    elif artifact.is_here and is_chart and not sources.has(artifact.folder, CHART_FILE):
        yield Unfollowed(found.path, found.applied_by, "the artifact is no chart")
    else:
        made = (
            _chart(found, source, all_sources, namespace, sources, artifact.folder)
            if is_chart
            else _directory(found, source, namespace, sources, artifact.folder)
        )
        root = Root(made.root.renderer, artifact.place, found.applied_by)
        yield replace(made, root=root, revision="").taken_from(artifact)


def _why_not(source: Mapping[str, Any], sources: Sources) -> str:
    url = text(source.get("repoURL"))
    if "chart" in source:
        return "its chart is not in this repository"
    if _artifact_reference(source) is None and not sources.is_own(url):
        return "it applies another repository"
    return "it needs a plugin" if "plugin" in source else ""


def _directory(
    found: GitOpsObject, source: Mapping[str, Any], namespace: AppliedNamespace, sources: Sources, folder: str
) -> Application:
    settings = _kustomization(mapping(source.get("kustomize")))
    if own := settings.pop("namespace", ""):
        namespace = AppliedNamespace(own, replaces=True)
    listed, is_chosen = None, False
    if not sources.has_kustomization(folder):
        options = mapping(source.get("directory"))
        listed = tuple(_listed(options, sources, folder))
        is_chosen = not options.keys().isdisjoint({"exclude", "include"})
    return Application(
        root=Root("kustomize", folder, found.applied_by if settings or is_chosen else ""),
        path=found.path,
        name=found.applied_by,
        namespace=namespace,
        revision=sources.revision(source.get("targetRevision")),
        kustomization=settings,
        listed=listed,
        files=frozenset({found.path}),
    )


def _listed(options: Mapping[str, Any], sources: Sources, folder: str) -> Iterator[str]:
    """The files that Argo CD takes from a directory without a kustomization."""
    include, exclude = _alternatives(text(options.get("include"))), _alternatives(text(options.get("exclude")))
    for path in sources.files_in(folder, is_deep=options.get("recurse") is True):
        name = path.removeprefix(f"{folder}/")
        is_wanted = not include or any(matches(pattern, name) for pattern in include)
        if is_wanted and path.endswith(_SUFFIXES) and not any(matches(pattern, name) for pattern in exclude):
            yield path


def _alternatives(pattern: str) -> list[str]:
    """The patterns that one with braces stands for."""
    before, opening, rest = pattern.partition("{")
    inner, closing, after = rest.partition("}")
    if opening and closing:
        return [before + part + after for part in inner.split(",")]
    return [pattern] if pattern else []


def _kustomization(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a kustomization that the settings of a source stand for."""
    added = {key: settings[key] for key in _SAME_KEYS if settings.get(key)}
    if images := [_image(image) for image in items(settings.get("images")) if isinstance(image, str)]:
        added["images"] = images
    if labels := mapping(settings.get("commonLabels")):
        if settings.get("labelWithoutSelector") is True:
            added["labels"] = [{"pairs": labels, "includeTemplates": settings.get("labelIncludeTemplates") is True}]
        else:
            added["commonLabels"] = labels
    if annotations := mapping(settings.get("commonAnnotations")):
        added["commonAnnotations"] = annotations
    return added


def _image(written: str) -> dict[str, str]:
    """An image as `kustomize edit set image` takes it: `name=new:tag`, `name:tag`, `name@digest`."""
    name, is_renamed, new = written.rpartition("=")
    parts = _TAG_OF_IMAGE.fullmatch(new)
    found = {key: value for key, value in (parts.groupdict() if parts else {}).items() if value}
    if is_renamed:
        found["newName"] = found.pop("name", new)
    return {**found, "name": name or found.get("name", new)}


def _chart(
    found: GitOpsObject,
    source: Mapping[str, Any],
    all_sources: Sequence[Mapping[str, Any]],
    namespace: AppliedNamespace,
    sources: Sources,
    folder: str,
) -> Application:
    helm = mapping(source.get("helm"))
    values: list[str] = []
    values_files: list[str] = []
    missing: set[MissingValues] = set()
    for name in items(helm.get("valueFiles")):
        path = _value_file(text(name), folder, all_sources, sources)
        file = None if path is None else sources.file(path)
        if path is not None and file is not None:
            values_files.append(path)
            values.append(file.data.decode(errors="replace"))
        elif helm.get("ignoreMissingValueFiles") is not True or path is None:
            missing.add(MissingValues(text(name)))
    # Argo CD takes `values` only where there is no `valuesObject`.
    if inline := mapping(helm.get("valuesObject")) or text(helm.get("values")):
        values.append(inline if isinstance(inline, str) else json.dumps(inline))
    parameters, unknown = _parameters(helm)
    if parameters:
        values.append(json.dumps(parameters))
    return Application(
        root=Root("helm", folder, found.applied_by),
        path=found.path,
        name=found.applied_by,
        namespace=namespace,
        revision=sources.revision(source.get("targetRevision")),
        values=tuple(values),
        values_files=tuple(values_files),
        release=text(helm.get("releaseName")) or found.name,
        release_namespace=text(helm.get("namespace")) or namespace.name or "default",
        files=frozenset({found.path, *values_files}),
        missing=frozenset(missing | unknown),
    )


def _value_file(name: str, folder: str, all_sources: Sequence[Mapping[str, Any]], sources: Sources) -> str | None:
    """The path of a values file in the tree; None for one elsewhere."""
    if name.startswith("$"):
        reference, _, path = name[1:].partition("/")
        named = next((source for source in all_sources if source.get("ref") == reference), {})
        return join("", path) if sources.is_own(text(named.get("repoURL"))) else None
    if is_remote(name) or PLACEHOLDER.search(name):
        return None
    return join("", name[1:]) if name.startswith("/") else join(folder, name)


def _parameters(helm: Mapping[str, Any]) -> tuple[dict[str, Any], set[MissingValues]]:
    values: dict[str, Any] = {}
    missing = set()
    for parameter in map(mapping, items(helm.get("parameters"))):
        name, value = text(parameter.get("name")), text(parameter.get("value"))
        if not set_value(values, name, value, as_text=parameter.get("forceString") is True):
            missing.add(MissingValues(f"parameter {name}"))
    if helm.get("fileParameters"):
        missing.add(MissingValues("fileParameters"))
    return values, missing
