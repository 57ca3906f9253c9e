"""What a root is made of, in the order in which kustomize applies it: files of objects, patches, and `replicas`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gracegate.manifests.contents import items, mapping, text
from gracegate.manifests.kustomize import Kustomization
from gracegate.manifests.kustomize_roots import Kustomizations
from gracegate.model import Origin, Pointer

# Each step is done for all that the steps before have made, that of a component for all that its user has made so far.
_OBJECTS = ("resources", "bases", "components")
_CHANGES = ("patchesStrategicMerge", "patches", "patchesJson6902", "replicas")


class Contributor(NamedTuple):
    """A file, or what is written out at `pointer` in a kustomization; a patch changes what is there before it.

    `kind` and `name` are what a patch says of its targets in the kustomization, patterns as they are.
    """

    path: str
    pointer: Pointer
    is_patch: bool
    kind: str = ""
    name: str = ""

    def has(self, origin: Origin) -> bool:
        """Whether a place is in what it contributes."""
        return origin.path == self.path and origin.pointer[: len(self.pointer)] == self.pointer


@dataclass(frozen=True, slots=True)
class Contributors:
    """The contributors to a root in order; what is applied several times counts where it is applied last."""

    all: tuple[Contributor, ...]

    def position(self, origin: Origin) -> int:
        """The position of the contributor that a place is in; -1 where none is known."""
        return max((n for n, contributor in enumerate(self.all) if contributor.has(origin)), default=-1)

    def of(self, origin: Origin) -> Contributor | None:
        """The contributor that a place is in, None where none is known."""
        position = self.position(origin)
        return None if position < 0 else self.all[position]

    def is_patch(self, origin: Origin) -> bool:
        """Whether a place is in a patch."""
        contributor = self.of(origin)
        return contributor is not None and contributor.is_patch

    def ordered(self, origins: Iterable[Origin]) -> tuple[Origin, ...]:
        """Places in the order in which they are applied."""
        return tuple(sorted(origins, key=self.position))


class ContributorReader:
    """Reads the contributors to the roots of a tree, those of each directory once."""

    def __init__(self, kustomizations: Kustomizations) -> None:
        self._kustomizations = kustomizations
        self._known: dict[str, tuple[Contributor, ...]] = {}

    def of_root(self, root: Kustomization) -> Contributors:
        """The contributors to a root, which may be one that a controller makes of a kustomization."""
        return Contributors(_last_of_each(self._read(root)))

    def _of_directory(self, folder: str) -> tuple[Contributor, ...]:
        if folder not in self._known:
            self._known[folder] = ()  # of one in a circle, which kustomize refuses
            self._known[folder] = _last_of_each(self._read(self._kustomizations.by_directory[folder]))
        return self._known[folder]

    def _read(self, kustomization: Kustomization) -> Iterator[Contributor]:
        references: Mapping[Pointer, str] = {r.pointer: r.path for r in kustomization.references if r.path is not None}
        for key in _OBJECTS:
            for path in (path for pointer, path in references.items() if pointer[0] == key):
                if path in self._kustomizations.by_directory and path not in self._kustomizations.files:
                    yield from self._of_directory(path)
                else:
                    yield Contributor(path, (), is_patch=False)
        for key in _CHANGES:
            for index, item in enumerate(items(kustomization.content.get(key))):
                fields = mapping(item)
                at: Pointer = (key, index, *(("path",) if fields else ()))
                target = mapping(fields.get("target"))
                kind, name = text(target.get("kind")), text(target.get("name"))
                if at in references:
                    yield Contributor(references[at], (), True, kind, name)
                elif key == "replicas":
                    yield Contributor(kustomization.path, (key, index), True, "", text(fields.get("name")))
                elif not fields or "patch" in fields:
                    pointer: Pointer = (key, index, *(("patch",) if fields else ()))
                    yield Contributor(kustomization.path, pointer, True, kind, name)


def _last_of_each(found: Iterable[Contributor]) -> tuple[Contributor, ...]:
    return tuple(reversed(dict.fromkeys(reversed([*found]))))
