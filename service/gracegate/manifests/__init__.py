"""Kubernetes objects in the files of a tree: finding, reading, locating and editing them. No I/O."""

from __future__ import annotations

from gracegate.manifests.components import Components
from gracegate.manifests.discovery import (
    CHART_FILE,
    COMPONENT_FILES,
    KUSTOMIZATIONS,
    component_finder,
    directory,
    is_candidate,
)
from gracegate.manifests.documents import Manifest, locate, read_manifest
from gracegate.manifests.edits import EditedManifest, edit_manifest
from gracegate.manifests.kinds import KINDS
from gracegate.manifests.kustomize import ChartReference
from gracegate.manifests.kustomize_changes import broken_changes
from gracegate.manifests.kustomize_roots import read_kustomizations
from gracegate.manifests.plain import Collection, ReadCache, UnreadFile, collect_documents
from gracegate.manifests.provenance import mark_sources
from gracegate.manifests.remote import RemoteReference
from gracegate.manifests.source_comments import comment_objects, comment_template
from gracegate.manifests.template_provenance import mark_templates
from gracegate.manifests.unrendered import Unrendered, unrendered_changes, unrendered_files

__all__ = [
    "CHART_FILE",
    "COMPONENT_FILES",
    "KINDS",
    "KUSTOMIZATIONS",
    "ChartReference",
    "Collection",
    "Components",
    "EditedManifest",
    "Manifest",
    "ReadCache",
    "RemoteReference",
    "UnreadFile",
    "Unrendered",
    "broken_changes",
    "collect_documents",
    "comment_objects",
    "comment_template",
    "component_finder",
    "directory",
    "edit_manifest",
    "is_candidate",
    "locate",
    "mark_sources",
    "mark_templates",
    "read_kustomizations",
    "read_manifest",
    "unrendered_changes",
    "unrendered_files",
]
