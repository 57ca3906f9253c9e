"""What only rendering would show: kustomizations, charts, and objects from which GitOps controllers make others."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gracegate.manifests.discovery import KUSTOMIZATIONS, directory
from gracegate.model import Limits, SourceFile
from gracegate.yaml import YamlError, json_value, parse_yaml, split_documents

Files = Mapping[str, SourceFile]

_CHART = "Chart.yaml"
_VALUES = re.compile(r"values([._-].*)?\.ya?ml", re.IGNORECASE)
# By kind, the API groups of objects that a controller renders.
_RENDERED_KINDS: Mapping[str, frozenset[str]] = {
    "Application": frozenset({"argoproj.io"}),
    "ApplicationSet": frozenset({"argoproj.io"}),
    "HelmChart": frozenset({"helm.cattle.io"}),
    "HelmRelease": frozenset({"helm.toolkit.fluxcd.io"}),
    "Kustomization": frozenset({"kustomize.toolkit.fluxcd.io"}),
}
_KIND_IN_BYTES = re.compile(rf"kind['\"]?\s*:\s*['\"]?(?:{'|'.join(_RENDERED_KINDS)})\b".encode())
_JSON_PATCH_IN_BYTES = re.compile(rb"^\s*(?:-\s+|[\[{].*)?['\"]?op['\"]?\s*:", re.MULTILINE)
# Keys of a kustomization that change nothing that rules read.
_HARMLESS = frozenset(
    {
        *("apiVersion", "kind", "metadata", "buildMetadata", "crds", "openapi", "sortOptions"),
        *("configMapGenerator", "generatorOptions", "secretGenerator"),
    }
)
_RESOURCES = ("bases", "resources")
_TAG = re.compile(r"(?:image)?[-_]?(?:tag|digest)|newTag|appVersion", re.IGNORECASE)
_TAG_OF_IMAGE = re.compile(r"(?<=[^/])(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?$")


@dataclass(frozen=True, slots=True)
class Unrendered:
    """Something whose rendered form nobody has evaluated.

    `what` names it, as "kustomization" or "HelmRelease `web`"; `keys` are those whose change, or whose being there, is
    not evaluated, none for all of it.
    """

    path: str
    kind: str
    what: str
    keys: tuple[str, ...]


def unrendered_changes(base: Files, head: Files, paths: Collection[str], limits: Limits) -> Iterator[Unrendered]:
    """What differs between two trees in the files `paths`. A change of nothing but the tags of images is left out."""
    for path in sorted(paths):
        before, after = _sources(path, base, limits), _sources(path, head, limits)
        for kind, name in sorted(before.keys() | after.keys()):
            old, new = before.get((kind, name)), after.get((kind, name))
            if changed := _changed_keys(path, old, new, head):
                keys = changed if isinstance(old, dict) and isinstance(new, dict) else ()
                yield Unrendered(path, kind, f"{kind} `{name}`" if name else kind, keys)


def unrendered_files(files: Files, limits: Limits) -> Iterator[Unrendered]:
    """What would have to be rendered in a tree."""
    for path in sorted(files):
        for (kind, name), content in sorted(_sources(path, files, limits).items()):
            # Values and patches belong to a chart or a kustomization, which is named.
            if kind in {"chart values", "JSON patch"}:
                continue
            if keys := _changed_keys(path, {} if isinstance(content, dict) else None, content, files):
                yield Unrendered(path, kind, f"{kind} `{name}`" if name else kind, keys)


def _sources(path: str, files: Files, limits: Limits) -> dict[tuple[str, str], Any]:
    """The content of what is rendered from a file, by kind and name: a JSON value, or the text where it has none."""
    source = files.get(path)
    if source is None or len(source.data) > limits.bytes:
        return {}
    if kind := _kind_by_name(path):
        documents = _documents(source, limits)
        is_other = kind == "chart values" and any(isinstance(d, dict) and "apiVersion" in d for d in documents)
        content = documents[0] if len(documents) == 1 else source.data
        return {} if is_other else {(kind, ""): content}
    if not (_KIND_IN_BYTES.search(source.data) or _JSON_PATCH_IN_BYTES.search(source.data)):
        return {}
    return {key: content for document in _documents(source, limits) for key, content in _rendered(document)}


def _kind_by_name(path: str) -> str:
    name = posixpath.basename(path)
    if name in KUSTOMIZATIONS:
        return "kustomization"
    if name == _CHART:
        return "chart"
    return "chart values" if _VALUES.fullmatch(name) else ""


def _rendered(document: Any) -> Iterator[tuple[tuple[str, str], Any]]:
    if isinstance(document, list):
        if document and all(isinstance(step, dict) and {"op", "path"} <= step.keys() for step in document):
            yield ("JSON patch", ""), json.dumps(document, sort_keys=True)
    elif isinstance(document, dict) and isinstance(kind := document.get("kind"), str):
        group = str(document.get("apiVersion")).partition("/")[0]
        if group in _RENDERED_KINDS.get(kind, ()):
            metadata = document.get("metadata")
            name = metadata.get("name") if isinstance(metadata, dict) else ""
            spec = document.get("spec")
            yield (kind, str(name)), {f"spec.{key}": v for key, v in spec.items()} if isinstance(spec, dict) else spec


def _documents(source: SourceFile, limits: Limits) -> list[Any]:
    """The JSON values of a file; none where it cannot be read, which is said elsewhere."""
    try:
        text = source.data.decode()
        parts = [text[span.start : span.end] for span in split_documents(text)]
        return [json_value(part, parse_yaml(part, limits)) for part in parts]
    except (UnicodeDecodeError, YamlError):
        return []


def _changed_keys(path: str, old: Any, new: Any, head: Files) -> tuple[str, ...]:
    if not isinstance(old, dict) and not isinstance(new, dict):
        return () if _without_tags(old) == _without_tags(new) else ("",)
    before, after = (value if isinstance(value, dict) else {} for value in (old, new))
    keys = (key for key in before.keys() | after.keys() if _differs(key, before.get(key), after.get(key)))
    is_kustomization = posixpath.basename(path) in KUSTOMIZATIONS
    return tuple(
        sorted(
            key
            for key in keys
            if not is_kustomization
            or not (key in _HARMLESS or _adds_only_files(key, path, before.get(key), after.get(key), head))
        )
    )


def _differs(key: str, old: Any, new: Any) -> bool:
    return bool(_without_tags({key: old}) != _without_tags({key: new}))


def _adds_only_files(key: str, path: str, old: Any, new: Any, head: Files) -> bool:
    """Whether resources are only added, and each is a file of the tree, which is evaluated as it is."""
    if key not in _RESOURCES or not isinstance(new, list) or not isinstance(old or [], list):
        return False
    added = [entry for entry in new if entry not in (old or [])]
    return all(entry in new for entry in old or []) and all(
        isinstance(entry, str) and posixpath.normpath(posixpath.join(directory(path), entry)) in head for entry in added
    )


def _without_tags(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _TAG_OF_IMAGE.sub("", item, count=1)
            if key == "image" and isinstance(item, str)
            else _without_tags(item)
            for key, item in value.items()
            if not _TAG.fullmatch(key)
        }
    return [_without_tags(item) for item in value] if isinstance(value, list) else value
