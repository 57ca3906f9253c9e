"""What only rendering would show: kustomizations, charts, and objects from which GitOps controllers make others."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gracegate.manifests.components import Components
from gracegate.manifests.contents import mapping, read_values
from gracegate.manifests.discovery import CHART_FILE, KUSTOMIZATIONS
from gracegate.manifests.flux import OCI_REPOSITORY
from gracegate.manifests.helm import is_values_file
from gracegate.manifests.image_tags import without_image_tags
from gracegate.manifests.kinds import RENDERED_KINDS
from gracegate.manifests.kustomize import PATCHES
from gracegate.manifests.kustomize_changes import is_plain, patches_what_rules_read, unrendered_keys
from gracegate.model import Limits, Root, SourceFile

_KIND_IN_BYTES = re.compile(rf"kind['\"]?\s*:\s*['\"]?(?:{'|'.join(RENDERED_KINDS)})\b".encode())
_JSON_PATCH_IN_BYTES = re.compile(rb"^\s*(?:-\s+|[\[{].*)?['\"]?op['\"]?\s*:", re.MULTILINE)
# Keys of kustomizations, by what a file that they name is.
_KINDS_BY_KEY: Mapping[str, Collection[str]] = {
    "patch": PATCHES,
    "kustomize configuration": {
        *("configurations", "generators", "openapi", "replacements", "transformers", "validators")
    },
    "chart values": {"helmChartInflationGenerator", "helmCharts"},
}
_TEMPLATE = "template"
_WITHOUT_KEYS = frozenset({"kustomize configuration", "patch", _TEMPLATE})


@dataclass(frozen=True, slots=True)
class Unrendered:
    """Something whose rendered form nobody has evaluated.

    `what` names it, as "kustomization" or "HelmRelease `web`"; `keys` are those whose change, or whose being there, is
    not evaluated, none for all of it. `roots` are those that read it, before or after a change, and `reason` is why an
    object of a GitOps controller reaches none.
    """

    path: str
    kind: str
    what: str
    keys: tuple[str, ...] = ()
    roots: tuple[Root, ...] = ()
    reason: str = ""


def unrendered_changes(
    base: Components, head: Components, paths: Collection[str], limits: Limits
) -> Iterator[Unrendered]:
    """What differs between two trees in the files `paths`, and in the objects of GitOps controllers that roots make of
    them. A change of nothing but the tags of images is left out."""
    in_files = list(_changes_of_files(base, head, paths, limits))
    yield from in_files
    known = {found.what for found in in_files}
    yield from (found for found in _changes_of_made_objects(base, head, paths, limits) if found.what not in known)


def _changes_of_made_objects(
    base: Components, head: Components, paths: Collection[str], limits: Limits
) -> Iterator[Unrendered]:
    """The GitOps objects that roots make otherwise than before, and that have something applied which is not here.

    A patch of such an object says nothing in itself, nor does a kustomization that lists one of another directory.
    """
    unfollowed = {one.name.rpartition(" in ")[0]: one.reason for tree in (base, head) for one in tree.gitops.unfollowed}
    for root in sorted(base.renderings.keys() | head.renderings.keys()):
        read = [path for path in sorted(paths) if root in base.roots_of(path) | head.roots_of(path)]
        before, after = (
            dict(
                found
                for value in read_values(tree.renderings.get(root, ""), limits) or []
                for found in _rendered(value)
            )
            for tree in (base, head)
        )
        for kind, name in sorted(before.keys() | after.keys()):
            old, new = before.get((kind, name)), after.get((kind, name))
            reason = unfollowed.get(f"{kind} {name}")
            if read and reason is not None and (changed := _changed_keys(old, new)):
                keys = changed if isinstance(old, dict) and isinstance(new, dict) else ()
                yield Unrendered(read[0], kind, _what(kind, name), keys, reason=reason)


def _changes_of_files(
    base: Components, head: Components, paths: Collection[str], limits: Limits
) -> Iterator[Unrendered]:
    for path in sorted(paths):
        role = _role(path, base) or _role(path, head)
        kustomizations = base.kustomizations, head.kustomizations
        if role == "patch" and not any(patches_what_rules_read(each, path, limits) for each in kustomizations):
            continue
        before, after = (_sources(tree.files.get(path), role, limits) for tree in (base, head))
        for kind, name in sorted(before.keys() | after.keys()):
            old, new = before.get((kind, name)), after.get((kind, name))
            if kind == "kustomization" and (isinstance(old, dict) or isinstance(new, dict)):
                changed = unrendered_keys(mapping(old), mapping(new), path, *kustomizations, limits)
            elif kind == OCI_REPOSITORY:
                # Its tag and its digest are those of a chart, and no image's.
                changed = tuple(
                    sorted(k for k in mapping(old) | mapping(new) if mapping(old).get(k) != mapping(new).get(k))
                )
            else:
                changed = _changed_keys(old, new)
            if changed:
                has_keys = isinstance(old, dict) and isinstance(new, dict) and kind not in _WITHOUT_KEYS
                unrendered = Unrendered(path, kind, _what(kind, name), changed if has_keys else ())
                if not name:
                    yield replace(unrendered, roots=tuple(sorted(base.roots_of(path) | head.roots_of(path))))
                elif (of_object := _of_object(unrendered, (base, head))) is not None:
                    yield of_object


def unrendered_files(components: Components, paths: Collection[str], limits: Limits) -> Iterator[Unrendered]:
    """What would have to be rendered in the files `paths` of a tree; of kustomizations and charts only the roots."""
    kustomizations = components.kustomizations
    for root in kustomizations.roots:
        path = kustomizations.by_directory[root].path
        if path in paths and not is_plain(kustomizations, root):
            yield Unrendered(path, "kustomization", "kustomization", roots=(Root("kustomize", root),))
    for root in components.charts.roots:
        chart = f"{root}/{CHART_FILE}".removeprefix("/")
        if chart in paths and not kustomizations.roots_of(chart):
            yield Unrendered(chart, "chart", "chart", roots=(Root("helm", root),))
    for path in sorted(paths):
        for kind, name in sorted(_sources(components.files.get(path), "", limits)):
            # Values and patches belong to a chart or a kustomization, which is named, and sources to what names them.
            unrendered = Unrendered(path, kind, _what(kind, name))
            if kind == OCI_REPOSITORY:
                continue
            if name and (of_object := _of_object(unrendered, (components,))) is not None:
                yield of_object
            elif kind == "kustomization" and path in kustomizations.unread:
                yield unrendered


def _of_object(unrendered: Unrendered, trees: Sequence[Components]) -> Unrendered | None:
    """An object of a GitOps controller, with what it has applied; None where all that is evaluated as it is, and of two
    trees where the object has it applied in both in the same way."""
    applied = [tree.applied_by(unrendered.path) for tree in trees]
    reasons = applied[-1][1] or applied[0][1]
    roots = {root for tree, (found, _) in zip(trees, applied, strict=True) for root in found if not tree.is_plain(root)}
    if reasons:
        return replace(unrendered, reason=min(reasons))
    if len(trees) > 1:
        before, after = trees
        path = unrendered.path
        roots = {one for one in roots if before.ways_of_applying(path, one) != after.ways_of_applying(path, one)}
    is_unknown = not any(found for found, _ in applied)
    return replace(unrendered, roots=tuple(sorted(roots))) if roots or is_unknown else None


def _what(kind: str, name: str) -> str:
    return f"{kind} `{name}`" if name else kind


def _role(path: str, components: Components) -> str:
    """What a file is for the components that read it; "" where that is for its name and content to say."""
    keys = {reference.key for _, reference in components.kustomizations.references_to(path)}
    if role := next((kind for kind, of_kind in _KINDS_BY_KEY.items() if not keys.isdisjoint(of_kind)), ""):
        return role
    return _TEMPLATE if components.charts.is_template(path) else ""


def _sources(source: SourceFile | None, role: str, limits: Limits) -> dict[tuple[str, str], Any]:
    """The content of what is rendered from a file, by kind and name: a JSON value, or the text where it has none."""
    if source is None:
        return {}
    if role == _TEMPLATE:
        # What is no template by its content is evaluated as it is.
        return {(role, ""): source.data} if b"{{" in source.data else {}
    if kind := role or _kind_by_name(source.path):
        values = read_values(source.data, limits) or []
        is_other = kind == "chart values" and any("apiVersion" in mapping(value) for value in values)
        content = values[0] if len(values) == 1 else values or source.data
        return {} if is_other else {(kind, ""): content}
    if not (_KIND_IN_BYTES.search(source.data) or _JSON_PATCH_IN_BYTES.search(source.data)):
        return {}
    values = read_values(source.data, limits) or []
    return {key: content for value in values for key, content in _rendered(value)}


def _kind_by_name(path: str) -> str:
    name = posixpath.basename(path)
    if name in KUSTOMIZATIONS:
        return "kustomization"
    if name == CHART_FILE:
        return "chart"
    return "chart values" if is_values_file(name) else ""


def _rendered(value: Any) -> Iterator[tuple[tuple[str, str], Any]]:
    if isinstance(value, list):
        if value and all(isinstance(step, dict) and {"op", "path"} <= step.keys() for step in value):
            yield ("JSON patch", ""), value
    elif isinstance(value, dict) and isinstance(kind := value.get("kind"), str):
        group = str(value.get("apiVersion")).partition("/")[0]
        if group in RENDERED_KINDS.get(kind, ()):
            spec = value.get("spec")
            content = {f"spec.{key}": v for key, v in spec.items()} if isinstance(spec, dict) else spec
            yield (kind, str(mapping(value.get("metadata")).get("name", ""))), content


def _changed_keys(old: Any, new: Any) -> tuple[str, ...]:
    if not isinstance(old, dict) and not isinstance(new, dict):
        return () if without_image_tags(old) == without_image_tags(new) else ("",)
    before, after = mapping(old), mapping(new)
    return tuple(sorted(key for key in before.keys() | after.keys() if _differs(key, before.get(key), after.get(key))))


def _differs(key: str, old: Any, new: Any) -> bool:
    return bool(without_image_tags({key: old}) != without_image_tags({key: new}))
