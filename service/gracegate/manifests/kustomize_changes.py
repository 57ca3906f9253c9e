"""What of a kustomization, of its patches, or of a change of them only rendering would show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gracegate.manifests.contents import items, mapping, read_values, text
from gracegate.manifests.discovery import KUSTOMIZATIONS, directory
from gracegate.manifests.image_tags import without_image_tags
from gracegate.manifests.kinds import RENDERED_KINDS, read_kinds
from gracegate.manifests.kustomize import GENERATORS, PATCHES, RESOURCES, Kustomization, join, line_of
from gracegate.manifests.kustomize_roots import Kustomizations
from gracegate.model import Limits

# Keys that change nothing that rules read.
_HARMLESS = frozenset(
    {*GENERATORS, "apiVersion", "buildMetadata", "crds", "generatorOptions", "kind", "metadata", "sortOptions"}
)


def unrendered_keys(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    path: str,
    base: Kustomizations,
    head: Kustomizations,
    limits: Limits,
) -> tuple[str, ...]:
    """The keys of the kustomization at `path` whose change nothing else shows.

    Image tags do not count, patches of what rules do not read, and resources that are added and evaluated as they are.
    """
    folder = directory(path)

    def is_shown(key: str) -> bool:
        before, after = old.get(key), new.get(key)
        if key in PATCHES:
            before, after = _read_patches(before, base, folder, limits), _read_patches(after, head, folder, limits)
        if key == "images":
            before, after = _new_names(before), _new_names(after)
        if without_image_tags({key: before}) == without_image_tags({key: after}):
            return True
        return key in RESOURCES and _adds_what_is_evaluated(before, after, folder, base, head)

    return tuple(sorted(key for key in (old.keys() | new.keys()) - _HARMLESS if not is_shown(key)))


def is_plain(kustomizations: Kustomizations, root: str | Kustomization) -> bool:
    """Whether a root makes nothing but what its files have, which are evaluated as they are."""
    return all(_only_lists(kustomizations, kustomization) for kustomization in kustomizations.read_by(root))


def patches_what_rules_read(kustomizations: Kustomizations, path: str, limits: Limits) -> bool:
    """Whether a file is a patch of objects of a kind that rules read, or of any."""
    return any(
        not _is_of_unread_kind(
            _item(kustomization, reference.pointer), kustomizations, directory(kustomization.path), limits
        )
        for kustomization, reference in kustomizations.references_to(path)
        if reference.key in PATCHES
    )


def _item(kustomization: Kustomization, pointer: tuple[str | int, ...]) -> Any:
    key, index = pointer[:2]
    return kustomization.content[str(key)][index]


def _new_names(value: Any) -> list[Any]:
    """The items of `images` that change more than a tag."""
    return [item for item in items(value) if mapping(item).get("newName")]


def _read_patches(value: Any, kustomizations: Kustomizations, folder: str, limits: Limits) -> list[Any]:
    return [item for item in items(value) if not _is_of_unread_kind(item, kustomizations, folder, limits)]


def _is_of_unread_kind(item: Any, kustomizations: Kustomizations, folder: str, limits: Limits) -> bool:
    """Whether an item of `patches` changes only objects of kinds that rules do not read."""
    read = read_kinds(limits.own_kinds)
    # What a patch of any other kind changes, no rule sees.
    known = read.names | read.lists.keys() | RENDERED_KINDS.keys()
    if target := mapping(mapping(item).get("target")):
        # A target is a pattern.
        kind = text(target.get("kind"))
        return kind.isalnum() and kind not in known
    patch = text(item) or text(mapping(item).get("patch")) or text(mapping(item).get("path"))
    source = kustomizations.files.get(join(folder, patch) or "")
    patched = read_values(patch if source is None else source.data, limits) or [None]
    return all(text(mapping(value).get("kind")) not in {"", *known} for value in patched)


def _only_lists(kustomizations: Kustomizations, kustomization: Kustomization) -> bool:
    evaluated = (
        reference.remote is None and _is_evaluated(kustomizations, reference.path)
        for reference in kustomization.references
        if reference.key in RESOURCES
    )
    return kustomization.content.keys() <= _HARMLESS | RESOURCES and all(evaluated)


def _is_evaluated(kustomizations: Kustomizations, path: str | None) -> bool:
    return path is not None and (path in kustomizations.files or path in kustomizations.by_directory)


def _adds_what_is_evaluated(old: Any, new: Any, folder: str, base: Kustomizations, head: Kustomizations) -> bool:
    """Whether resources are only added: files, and directories that are new as well and make nothing else."""
    added = [item for item in items(new) if item not in items(old)]
    paths = [join(folder, item) if isinstance(item, str) else None for item in added]
    return all(item in items(new) for item in items(old)) and all(
        path is not None
        and (
            path in head.files or (path in head.by_directory and path not in base.by_directory and is_plain(head, path))
        )
        for path in paths
    )


@dataclass(frozen=True, slots=True)
class BrokenReference:
    """What a kustomization names at a line of its file and cannot load; `why` says what is wrong with it."""

    path: str
    line: int
    key: str
    name: str
    why: str


def broken_changes(
    base: Kustomizations, head: Kustomizations, paths: Collection[str], limits: Limits
) -> Iterator[BrokenReference]:
    """The references of the head's kustomizations that a change of the files `paths` broke."""
    changed = {directory(path) for path in paths if path.rpartition("/")[2] in KUSTOMIZATIONS}
    readers = {directory(k.path) for path in (*paths, *changed) for k, _ in head.references_to(path)}
    for folder in sorted((changed | readers) & head.by_directory.keys()):
        known = {(r.name, why) for r, why in base.broken_references(folder)} if folder in base.by_directory else set()
        path = head.by_directory[folder].path
        for reference, why in head.broken_references(folder, base.by_directory):
            if (reference.name, why) not in known:
                line = line_of(head.files[path], reference.pointer, limits)
                yield BrokenReference(path, line, reference.key, reference.name, why)
