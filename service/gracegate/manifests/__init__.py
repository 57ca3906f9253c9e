"""Kubernetes objects in the files of a tree: finding, reading, locating and editing them. No I/O."""

from __future__ import annotations

from gracegate.manifests.discovery import COMPONENT_FILES, component_finder, directory, is_candidate
from gracegate.manifests.documents import Manifest, locate, read_manifest
from gracegate.manifests.edits import EditedManifest, edit_manifest
from gracegate.manifests.kinds import KINDS
from gracegate.manifests.kustomize import ChartReference
from gracegate.manifests.kustomize_changes import broken_changes, patches_what_rules_read
from gracegate.manifests.kustomize_roots import Kustomizations
from gracegate.manifests.plain import Collection, ReadCache, UnreadFile, collect_documents
from gracegate.manifests.remote import RemoteReference
from gracegate.manifests.unrendered import Unrendered, unrendered_changes, unrendered_files

__all__ = [
    "COMPONENT_FILES",
    "KINDS",
    "ChartReference",
    "Collection",
    "EditedManifest",
    "Kustomizations",
    "Manifest",
    "ReadCache",
    "RemoteReference",
    "UnreadFile",
    "Unrendered",
    "broken_changes",
    "collect_documents",
    "component_finder",
    "directory",
    "edit_manifest",
    "is_candidate",
    "locate",
    "patches_what_rules_read",
    "read_manifest",
    "unrendered_changes",
    "unrendered_files",
]
