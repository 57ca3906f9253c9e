"""Where the values of a chart are set: in files of values, in objects of GitOps controllers, and in its own file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gracegate.manifests.applications import Application, GitOpsObject
from gracegate.manifests.contents import mapping, text
from gracegate.manifests.fetched import is_fetched
from gracegate.manifests.helm import VALUES_FILE
from gracegate.manifests.source_places import SourcePlaces
from gracegate.model import Origin, Pointer

_ARGO_CD: tuple[Pointer, ...] = (("source", "helm", "valuesObject"), ("source", "helm", "values"))
_INLINE: tuple[Pointer, ...] = (("values",), *_ARGO_CD, *(("template", "spec", *pointer) for pointer in _ARGO_CD))


class ValuesPlace(NamedTuple):
    """The place of one value; `is_last` if no other one is asked after it, so that it may be set there anew."""

    origin: Origin
    is_last: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as a root: its `templates`, and the places that set values, those that win first."""

    directory: str
    templates: tuple[str, ...]
    layers: tuple[Origin, ...]

    def places_of(self, template: str, name: Pointer) -> Iterator[ValuesPlace]:
        """The places of a value that a template names, those that win first."""
        directory, parts = self._part(template)
        below = name if name[0] == "global" else parts + name
        found = [layer.below(below) for layer in self.layers]
        if parts and not is_fetched(directory):
            found.append(_own_values(directory).below(name))
        yield from (ValuesPlace(place, is_last=place is found[-1]) for place in found)

    def _part(self, template: str) -> tuple[str, Pointer]:
        """The directory of the chart that a template belongs to, and the key under which it gets its values."""
        directory = template.rpartition("/templates/")[0]
        inside = directory.removeprefix(f"{self.directory}/" if self.directory else "")
        if directory == self.directory:
            return directory, ()
        if inside.startswith("charts/"):
            return directory, tuple(inside.removeprefix("charts/").split("/charts/"))
        return directory, (directory.rpartition("/")[2],)


def read_chart(
    directory: str, templates: Iterable[str], application: Application | None, places: SourcePlaces
) -> Chart:
    """The chart of a directory, as an application installs it where there is one."""
    applied = () if application is None else (*_inline(application, places), *_files(application))
    # Nobody here can change what was fetched.
    own = () if is_fetched(directory) else (_own_values(directory),)
    return Chart(directory, tuple(sorted(templates)), (*applied, *own))


def _inline(application: Application, places: SourcePlaces) -> Iterator[Origin]:
    """The values in the object that installs the chart."""
    for number in range(len(places.documents(application.path))):
        found = mapping(places.value_at(Origin(application.path, number, ())))
        name = text(mapping(found.get("metadata")).get("name"))
        if (
            GitOpsObject(application.path, text(found.get("kind")), name, "", {}).applied_by
            == application.root.applied_by
        ):
            values = (Origin(application.path, number, ("spec", *pointer)) for pointer in _INLINE)
            yield from (origin for origin in values if places.value_at(origin))


def _files(application: Application) -> Iterator[Origin]:
    return (Origin(path, 0, ()) for path in reversed(application.values_files) if not is_fetched(path))


def _own_values(directory: str) -> Origin:
    return Origin(f"{directory}/{VALUES_FILE}".removeprefix("/"), 0, ())
