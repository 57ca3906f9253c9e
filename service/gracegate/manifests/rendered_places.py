"""The place in a source file of what is in a rendered object."""

from __future__ import annotations

from gracegate.manifests.components import Components
from gracegate.manifests.contributors import Contributors
from gracegate.manifests.source_places import SourcePlaces
from gracegate.model import Origin, Place, Pointer, Rendered


def locate_rendered(
    rendered: Rendered, pointer: Pointer, components: Components, places: SourcePlaces
) -> tuple[str, Place] | None:
    """The file and the lines of what was made to be at a pointer, or of its nearest ancestor whose origin is certain;
    None where none is."""
    for length in range(len(pointer), -1, -1):
        prefix, rest = pointer[:length], pointer[length:]
        if prefix in rendered.lines:
            path, line = rendered.lines[prefix]
            return path, Place(line, line)
        if origins := rendered.origins.get(prefix):
            origin = _decisive(origins, rest, components.contributors(rendered.root), places)
            return origin.path, places.place(origin, rest)
    if rendered.lines:
        # Of the object itself: its name, as of one that is not rendered.
        path, line = rendered.lines.get(("metadata", "name")) or min(rendered.lines.values())
        return path, Place(line, line)
    return None


def _decisive(origins: tuple[Origin, ...], rest: Pointer, contributors: Contributors, places: SourcePlaces) -> Origin:
    """Of what has made a mapping together: what sets a value last, else what is there first."""
    ordered = contributors.ordered(origins)
    setting = [origin for origin in ordered if rest and places.has(origin, rest[:1])]
    return setting[-1] if setting else ordered[0]
