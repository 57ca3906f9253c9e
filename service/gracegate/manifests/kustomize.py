"""One kustomization as it is written, without rendering: what it names, in its tree and elsewhere."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gracegate.manifests.contents import items, mapping, read_values, text
from gracegate.manifests.discovery import directory
from gracegate.manifests.remote import RemoteReference, is_remote, read_reference
from gracegate.model import Limits, Pointer, SourceFile
from gracegate.yaml import LineIndex, lookup_path, parse_yaml, split_documents

RESOURCES = frozenset({"bases", "resources"})
"""Keys that name what the objects come from."""
PATCHES = frozenset({"patches", "patchesJson6902", "patchesStrategicMerge"})
"""Keys that name files which change these objects."""
GENERATORS = frozenset({"configMapGenerator", "secretGenerator"})
"""Keys that name files which become the data of ConfigMaps and Secrets."""

# What names something: by key, the fields of its items that do; none where the items do so themselves.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("resources", "bases", "components", "configurations", "crds"), ()),
    **dict.fromkeys(("generators", "patchesStrategicMerge", "transformers", "validators"), ()),
    **dict.fromkeys(("patches", "patchesJson6902", "replacements"), ("path",)),
    **dict.fromkeys(("configMapGenerator", "secretGenerator"), ("env", "envs", "files")),
    "helmChartInflationGenerator": ("values",),
    "helmCharts": ("valuesFile", "additionalValuesFiles"),
}


class Reference(NamedTuple):
    """What a kustomization names at `pointer`: the `path` of a file or directory in its tree, or what is `remote`.

    Neither is set for a path that leads out of the tree, both for what was fetched of another repository.
    """

    pointer: Pointer
    name: str
    path: str | None = None
    remote: RemoteReference | None = None

    @property
    def key(self) -> str:
        """The key of the kustomization that it stands under."""
        return str(self.pointer[0])


class ChartReference(NamedTuple):
    """A chart that a kustomization inflates: from `directory` where that has one, else from `repository`."""

    name: str
    version: str
    repository: str
    directory: str


@dataclass(frozen=True, slots=True)
class Kustomization:
    """One kustomization file and what it names."""

    path: str
    content: Mapping[str, Any]
    references: tuple[Reference, ...] = ()
    charts: tuple[ChartReference, ...] = ()

    @property
    def is_component(self) -> bool:
        """True for one that changes what others make, and makes nothing by itself."""
        return self.content.get("kind") == "Component"

    @property
    def namespace(self) -> str:
        """The namespace that it moves all its objects to, "" for none."""
        return text(self.content.get("namespace"))


def read_kustomization(source: SourceFile, limits: Limits) -> Kustomization | None:
    """The kustomization in a file; None if it cannot be read as one, as a template of one cannot."""
    values = read_values(source.data, limits)
    if values is None:
        return None
    content = next(iter(values), None) or {}
    if not isinstance(content, dict):
        return None
    return kustomization_of(source.path, content)


def kustomization_of(path: str, content: Mapping[str, Any]) -> Kustomization:
    """The kustomization that a file of that content is."""
    folder = directory(path)
    references = tuple(_resolve(folder, pointer, name) for pointer, name in _named(content))
    return Kustomization(path, content, references, tuple(_charts(folder, content)))


def line_of(source: SourceFile, pointer: Pointer, limits: Limits) -> int:
    """The line of a file on which its first YAML document has a pointer, which counts from the document's root."""
    content = source.data.decode()
    span = next(split_documents(content))
    part = content[span.start : span.end]
    root = parse_yaml(part, limits)
    if root is None:
        return 1
    step = lookup_path(root, pointer)[-1]
    return span.first_line - 1 + LineIndex(part).line((step.key or step.node).start)


def _named(content: Mapping[str, Any]) -> Iterator[tuple[Pointer, str]]:
    """All paths and addresses, each with its place."""
    for key, fields in _FIELDS.items():
        for index, item in enumerate(items(content.get(key))):
            if not fields and isinstance(item, str) and not _is_written_out(item):
                yield (key, index), item
            elif fields and isinstance(item, dict):
                yield from (((key, index, *pointer), name) for pointer, name in _named_in(item, fields))
    if path := text(mapping(content.get("openapi")).get("path")):
        yield ("openapi", "path"), path


def _named_in(item: Mapping[str, Any], fields: Iterable[str]) -> Iterator[tuple[Pointer, str]]:
    for field in fields:
        if path := text(item.get(field)):
            yield (field,), path
        for index, entry in enumerate(items(item.get(field))):
            if path := text(entry):
                # The file of a generator may be given the name of the key that it becomes: `app.yaml=config/prod.yaml`.
                yield (field, index), (path.partition("=")[2] or path) if field == "files" else path


def _is_written_out(item: str) -> bool:
    """Whether an item is a patch or a transformer instead of its path; nothing at all names nothing either."""
    return not item or "\n" in item or ": " in item or item.lstrip().startswith("{")


def _resolve(folder: str, pointer: Pointer, name: str) -> Reference:
    if is_remote(name):
        return Reference(pointer, name, remote=read_reference(name))
    return Reference(pointer, name, path=join(folder, name))


def join(folder: str, path: str) -> str | None:
    """Where a path leads to from a directory of the tree, "" for its top; None for a place outside of it."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    if joined == ".":
        return ""
    return None if joined.startswith(("/", "../")) or joined == ".." else joined


def charts_of_generator(source: SourceFile, limits: Limits) -> Iterator[ChartReference]:
    """The charts that a file inflates which configures kustomize's own generator, in the place of `helmCharts`."""
    found = [mapping(value) for value in read_values(source.data, limits) or []]
    generators = [one for one in found if one.get("kind") == "HelmChartInflationGenerator"]
    return _charts(directory(source.path), {"helmCharts": generators})


def _charts(folder: str, content: Mapping[str, Any]) -> Iterator[ChartReference]:
    home = text(mapping(content.get("helmGlobals")).get("chartHome"))
    for key, *names in (
        ("helmCharts", "name", "version", "repo"),
        ("helmChartInflationGenerator", "chartName", "chartVersion", "chartRepoUrl"),
    ):
        for item in items(content.get(key)):
            if isinstance(item, dict):
                name, version, repository = (text(item.get(key)) for key in names)
                chart_home = text(item.get("chartHome")) or home or "charts"
                pulled = f"{name}-{version}" if version and repository else ""
                path = join(folder, posixpath.join(chart_home, pulled, name))
                yield ChartReference(name, version, repository, path or "")


def kustomization_text(content: Mapping[str, Any]) -> str:
    """A kustomization as kustomize reads it; JSON is YAML."""
    return json.dumps(content, ensure_ascii=False, indent=1)
