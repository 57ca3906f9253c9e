"""Empty files and Secrets in the place of what is not in git, so that a kustomization renders that needs them.

No rule reads what is in a Secret or a ConfigMap. What a program makes of an encrypted file is a Secret by the name that
stands in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gracegate.manifests.contents import items, mapping, read_values, text
from gracegate.manifests.discovery import directory
from gracegate.manifests.kustomize import GENERATORS, Kustomization, join
from gracegate.model import Limits, SourceFile

_OF_FILES = frozenset({"ksops", "ksops-exec"})
# Each object of these makes one Secret by its own name.
_OF_NAMES = frozenset({"SopsSecretGenerator", "SecretsFromVault"})


def stand_ins(
    kustomization: Kustomization, files: Mapping[str, SourceFile], limits: Limits
) -> Iterator[tuple[str, str]]:
    """The paths and the texts of what a kustomization needs in the place of what git or kustomize does not have."""
    for reference in kustomization.references:
        path = reference.path
        if path is None:
            continue
        if reference.key in GENERATORS and path not in files:
            yield path, ""
        elif reference.key == "generators" and path in files:
            generators = [mapping(value) for value in read_values(files[path].data, limits) or [] if value is not None]
            if generators and all(text(one.get("kind")) in _OF_FILES | _OF_NAMES for one in generators):
                folder = directory(kustomization.path)
                secrets = [made for one in generators for made in _secrets(one, folder, files, limits)]
                yield path, "\n---\n".join(map(json.dumps, secrets))


def _secrets(
    generator: Mapping[str, Any], folder: str, files: Mapping[str, SourceFile], limits: Limits
) -> Iterator[Mapping[str, Any]]:
    """Generators of kustomize's own that make Secrets of the names that another generator makes."""
    has_hash = generator.get("disableNameSuffixHash") is not True
    if text(generator.get("kind")) in _OF_NAMES:
        yield _secret(mapping(generator.get("metadata")), has_hash=has_hash)
        return
    for name in map(text, items(generator.get("files"))):
        source = files.get(join(folder, name) or "")
        for value in map(mapping, [] if source is None else read_values(source.data, limits) or []):
            for one in map(mapping, items(value.get("items")) if value.get("kind") == "List" else [value]):
                yield _secret(mapping(one.get("metadata")), has_hash=False)
    for made in map(mapping, items(generator.get("secretFrom"))):
        yield _secret(mapping(made.get("metadata")), has_hash=False)


def _secret(metadata: Mapping[str, Any], *, has_hash: bool) -> Mapping[str, Any]:
    return {
        "apiVersion": "builtin",
        "kind": "SecretGenerator",
        "metadata": {key: metadata[key] for key in ("name", "namespace") if text(metadata.get(key))},
        "options": {"disableNameSuffixHash": not has_hash},
    }
