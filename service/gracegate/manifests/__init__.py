"""Kubernetes objects in the files of a tree: finding, reading, locating and editing them. No I/O."""

from __future__ import annotations

from gracegate.manifests.applications import MissingValues
from gracegate.manifests.components import Components, MissingPart, read_components
from gracegate.manifests.discovery import (
    CHART_FILE,
    COMPONENT_FILES,
    KUSTOMIZATIONS,
    component_finder,
    directory,
    is_candidate,
    is_documentation,
    may_be_read,
)
from gracegate.manifests.documents import Manifest, locate, read_manifest
from gracegate.manifests.fetched import is_fetched
from gracegate.manifests.inputs import chart_folders, missing_inputs, unread_inputs, unread_sources
from gracegate.manifests.kinds import KINDS
from gracegate.manifests.kustomize import ChartReference
from gracegate.manifests.kustomize_changes import broken_changes
from gracegate.manifests.kustomize_roots import Kustomizations, read_kustomizations
from gracegate.manifests.plain import Collection, ReadCache, UnreadFile, collect_documents
from gracegate.manifests.proof import intended_operations, why_not_proved
from gracegate.manifests.provenance import RenderedObject, mark_sources, read_origins
from gracegate.manifests.remote import ArtifactReference
from gracegate.manifests.render_cache import RenderCache
from gracegate.manifests.rendered_places import locate_rendered
from gracegate.manifests.rendered_trees import (
    RenderContext,
    RenderedRoot,
    render_nothing,
    render_roots,
    render_trees,
    trace_roots,
)
from gracegate.manifests.source_comments import comment_objects, comment_template
from gracegate.manifests.source_edits import EditedSource, edit_source
from gracegate.manifests.source_fixes import source_fixes
from gracegate.manifests.source_operations import Change, SourceFix, SourceOperation, joined_fixes
from gracegate.manifests.source_places import SourcePlaces
from gracegate.manifests.template_provenance import changed_lines, mark_templates
from gracegate.manifests.unrendered import Unrendered, unrendered_changes, unrendered_files

__all__ = [
    "CHART_FILE",
    "COMPONENT_FILES",
    "KINDS",
    "KUSTOMIZATIONS",
    "ArtifactReference",
    "Change",
    "ChartReference",
    "Collection",
    "Components",
    "EditedSource",
    "Kustomizations",
    "Manifest",
    "MissingPart",
    "MissingValues",
    "ReadCache",
    "RenderCache",
    "RenderContext",
    "RenderedObject",
    "RenderedRoot",
    "SourceFix",
    "SourceOperation",
    "SourcePlaces",
    "UnreadFile",
    "Unrendered",
    "broken_changes",
    "changed_lines",
    "chart_folders",
    "collect_documents",
    "comment_objects",
    "comment_template",
    "component_finder",
    "directory",
    "edit_source",
    "intended_operations",
    "is_candidate",
    "is_documentation",
    "is_fetched",
    "joined_fixes",
    "locate",
    "locate_rendered",
    "mark_sources",
    "mark_templates",
    "may_be_read",
    "missing_inputs",
    "read_components",
    "read_kustomizations",
    "read_manifest",
    "read_origins",
    "render_nothing",
    "render_roots",
    "render_trees",
    "source_fixes",
    "trace_roots",
    "unread_inputs",
    "unread_sources",
    "unrendered_changes",
    "unrendered_files",
    "why_not_proved",
]
