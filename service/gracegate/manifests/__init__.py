"""Kubernetes objects in the files of a tree: finding, reading, locating and editing them. No I/O."""

from __future__ import annotations

from gracegate.manifests.components import Components, Root
from gracegate.manifests.discovery import COMPONENT_FILES, component_finder, directory, is_candidate
from gracegate.manifests.documents import Manifest, locate, read_manifest
from gracegate.manifests.edits import EditedManifest, edit_manifest
from gracegate.manifests.kinds import KINDS
from gracegate.manifests.kustomize import ChartReference
from gracegate.manifests.kustomize_changes import broken_changes
from gracegate.manifests.kustomize_roots import read_kustomizations
from gracegate.manifests.plain import Collection, ReadCache, UnreadFile, collect_documents
from gracegate.manifests.provenance import MarkedSources, RenderedObject, mark_sources, read_origins
from gracegate.manifests.remote import RemoteReference
from gracegate.manifests.template_provenance import (
    MarkedTemplates,
    TemplateLine,
    mark_templates,
    read_template_lines,
)
from gracegate.manifests.unrendered import Unrendered, unrendered_changes, unrendered_files

__all__ = [
    "COMPONENT_FILES",
    "KINDS",
    "ChartReference",
    "Collection",
    "Components",
    "EditedManifest",
    "Manifest",
    "MarkedSources",
    "MarkedTemplates",
    "ReadCache",
    "RemoteReference",
    "RenderedObject",
    "Root",
    "TemplateLine",
    "UnreadFile",
    "Unrendered",
    "broken_changes",
    "collect_documents",
    "component_finder",
    "directory",
    "edit_manifest",
    "is_candidate",
    "locate",
    "mark_sources",
    "mark_templates",
    "read_kustomizations",
    "read_manifest",
    "read_origins",
    "read_template_lines",
    "unrendered_changes",
    "unrendered_files",
]
