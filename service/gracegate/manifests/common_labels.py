"""Labels that a kustomization adds to the files it lists: without them they would look like patches, served by nobody.

Only what the kustomization beside a file says of it is known here: overlays are not rendered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from gracegate.manifests.contents import items, mapping
from gracegate.manifests.kustomize import RESOURCES, Kustomization
from gracegate.model import WORKLOAD_KINDS, Pointer


class CommonLabels(NamedTuple):
    """Labels for all objects of a file; they are in templates and in selectors only if these say so."""

    pairs: tuple[tuple[str, str], ...]
    in_templates: bool
    in_selectors: bool


def common_labels(kustomizations: Iterable[Kustomization]) -> dict[str, tuple[CommonLabels, ...]]:
    """By path of a file, the labels that kustomizations which list it as a resource add to its objects."""
    found: dict[str, tuple[CommonLabels, ...]] = {}
    for kustomization in kustomizations:
        labels = tuple(_labels(kustomization.content))
        for reference in kustomization.references if labels else ():
            if reference.path is not None and reference.key in RESOURCES:
                found[reference.path] = (*found.get(reference.path, ()), *labels)
    return found


def add_labels(found: dict[str, Any], group: str, labels: tuple[CommonLabels, ...]) -> dict[str, Any]:
    """The object with the labels where kustomize puts them; the given one is not changed."""
    for one in labels:
        for pointer in _places(found, group, one):
            found = _with_pairs(found, pointer, dict(one.pairs))
    return found


def _places(found: Mapping[str, Any], group: str, labels: CommonLabels) -> Iterator[Pointer]:
    yield "metadata", "labels"
    kind = found["kind"]
    if kind == "Service" and labels.in_selectors and not group:
        yield "spec", "selector"
    workload = WORKLOAD_KINDS.get(kind)
    if workload is None or group not in workload.api_groups:
        return
    if workload.template and (labels.in_templates or labels.in_selectors):
        yield *workload.template, "metadata", "labels"
    if workload.selects and labels.in_selectors:
        yield "spec", "selector", "matchLabels"


def _with_pairs(value: Any, pointer: Pointer, pairs: Mapping[str, str]) -> Any:
    """The value with the pairs at the pointer; as it is where something on the way is no mapping."""
    if not isinstance(value, dict | None):
        return value
    here = value or {}
    if not pointer:
        return {**here, **pairs}
    return {**here, pointer[0]: _with_pairs(here.get(pointer[0]), pointer[1:], pairs)}


def _labels(kustomization: Mapping[str, Any]) -> Iterator[CommonLabels]:
    if pairs := _pairs(kustomization.get("commonLabels")):
        yield CommonLabels(pairs, in_templates=True, in_selectors=True)
    for entry in items(kustomization.get("labels")):
        if isinstance(entry, dict) and (pairs := _pairs(entry.get("pairs"))):
            in_selectors = entry.get("includeSelectors") is True
            yield CommonLabels(pairs, in_selectors or entry.get("includeTemplates") is True, in_selectors)


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((key, text) for key, text in mapping(value).items() if isinstance(text, str))
