"""An operation on a rendered object -> the operations on its sources that may have this effect."""

from __future__ import annotations

from collections.abc import Collection

from gracegate.manifests.components import Components
from gracegate.manifests.kustomize_fixes import kustomize_fixes
from gracegate.manifests.source_operations import SourceFix
from gracegate.manifests.source_places import SourcePlaces
from gracegate.manifests.template_fixes import template_fixes
from gracegate.model import Document, Operation


def source_fixes(
    document: Document,
    operation: Operation,
    components: Components,
    places: SourcePlaces,
    preferred: Collection[str] = (),
) -> tuple[SourceFix, ...]:
    """The fixes to try, the best one first; none where it is not known what the place was made of.

    Where several are equally right, the one in a file of `preferred` comes first. Only a new rendering shows whether a
    fix does what it is for, and nothing else: see `why_not_proved`.
    """
    if document.rendered is None:
        return ()
    if document.rendered.root.renderer == "helm":
        return template_fixes(document, operation, components.chart(document.rendered.root, places), places, preferred)
    contributors = components.contributors(document.rendered.root)
    return kustomize_fixes(document, operation, contributors, places, preferred)
