"""What kustomizations make of the files that they list, without rendering.

A file that is listed as a patch is one, however complete its objects look. Labels are added to a file that is listed
as a resource: without them its objects would look like patches, served by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gracegate.manifests.contents import items, mapping
from gracegate.manifests.kustomize import PATCHES, RESOURCES
from gracegate.manifests.kustomize_roots import Kustomizations
from gracegate.model import AS_DECLARED, WORKLOAD_KINDS, AppliedNamespace, Pointer


class CommonLabels(NamedTuple):
    """Labels for all objects of a file; they are in templates and in selectors only if these say so."""

    pairs: tuple[tuple[str, str], ...]
    in_templates: bool
    in_selectors: bool


class Listing(NamedTuple):
    """What the kustomizations that list a file make of it; for `root` and `namespace` see Document."""

    labels: tuple[CommonLabels, ...] = ()
    is_patch: bool = False
    root: str | None = None
    namespace: AppliedNamespace = AS_DECLARED


UNLISTED = Listing()


def read_listings(kustomizations: Kustomizations) -> dict[str, Listing]:
    """By path of a file that some kustomization lists."""
    labels: dict[str, tuple[CommonLabels, ...]] = {}
    patches = set()
    for kustomization in kustomizations.by_directory.values():
        added = tuple(_labels(kustomization.content))
        for reference in kustomization.references:
            if reference.path is None:
                continue
            if reference.key in PATCHES:
                patches.add(reference.path)
            elif reference.key in RESOURCES:
                labels[reference.path] = (*labels.get(reference.path, ()), *added)
    placements = kustomizations.placements()
    # A file that is a resource as well makes objects of its own.
    listings = dict.fromkeys(patches, Listing(is_patch=True))
    for path, of_path in labels.items():
        root, namespace = placements.get(path, (None, None))
        listings[path] = Listing(of_path, root=root, namespace=namespace or AS_DECLARED)
    return listings


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
