"""The place in a source file of what is in a rendered object."""

from __future__ import annotations

from gracegate.manifests.components import Components
from gracegate.manifests.contributors import Contributors
from gracegate.manifests.fetched import is_fetched
from gracegate.manifests.kustomize_fixes import decisive_place
from gracegate.manifests.source_places import SourcePlaces
from gracegate.model import Document, Origin, Place, Pointer, Root, SourceLine


def locate_rendered(
    document: Document, pointer: Pointer, components: Components, places: SourcePlaces
) -> tuple[str, Place] | None:
    """The file and the lines of what sets or takes away what is at a pointer of a rendered object, or of what its
    nearest ancestor was made of; None where nothing of this is certain."""
    if (rendered := document.rendered) is None:
        return None
    contributors = components.contributors(rendered.root)
    decisive = decisive_place(document, pointer, contributors, places)
    if decisive is not None and not is_fetched(decisive.path):
        return decisive.path, places.place(decisive)
    for length in range(len(pointer), -1, -1):
        prefix, rest = pointer[:length], pointer[length:]
        if prefix in rendered.lines:
            return _place(rendered.lines[prefix], rendered.root, components)
        if origins := tuple(one for one in rendered.origins.get(prefix, ()) if not is_fetched(one.path)):
            origin = _last_or_first(origins, rest, contributors, places)
            return origin.path, places.place(origin, rest)
    if rendered.lines:
        # Of the object itself: its name, as of one that is not rendered.
        own = rendered.lines.get(("metadata", "name")) or min(rendered.lines.values())
        return _place(own, rendered.root, components)
    return None


def _place(line: SourceLine, root: Root, components: Components) -> tuple[str, Place]:
    """The place of a line; of what was fetched, that of the line of the tree that names it."""
    found = components.line_that_names(root, line.path) if is_fetched(line.path) else None
    path, number = found or line
    return path, Place(number, number)


def _last_or_first(
    origins: tuple[Origin, ...], rest: Pointer, contributors: Contributors, places: SourcePlaces
) -> Origin:
    """Of what has made a mapping together: what sets a value last, else what is there first."""
    ordered = contributors.ordered(origins)
    setting = [origin for origin in ordered if rest and places.has(origin, rest[:1])]
    return setting[-1] if setting else ordered[0]
