"""Kubernetes objects: found in the files of a tree, read, located and edited. Pure."""

from __future__ import annotations

from gracegate.manifests.discovery import COMPONENT_FILES, component_roots, directory, is_candidate
from gracegate.manifests.documents import Manifest, locate, read_manifest
from gracegate.manifests.edits import EditedManifest, edit_manifest
from gracegate.manifests.kinds import KINDS
from gracegate.manifests.plain import Collection, Unread, collect_documents

__all__ = [
    "COMPONENT_FILES",
    "KINDS",
    "Collection",
    "EditedManifest",
    "Manifest",
    "Unread",
    "collect_documents",
    "component_roots",
    "directory",
    "edit_manifest",
    "is_candidate",
    "locate",
    "read_manifest",
]
