"""What an API server of a given minor version says of an object: shapes first, then its validation.

It is a model: the shapes are those of the official OpenAPI documents, the validation is what decides about the fields
that gracegate's rules read and write. `kubectl` asks for unknown fields to be refused, and so does this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.apiserver.shapes import has_shape, misshapen
from tests.apiserver.workloads import refused


def errors(manifest: Mapping[str, Any], minor: int) -> list[str]:
    """Why Kubernetes 1.`minor` refuses the object, `path: reason` each; empty where it takes it.

    An object that is no part of Kubernetes itself (a custom resource) is accepted as it is.
    """
    if not has_shape(manifest, minor):
        return []
    return misshapen(manifest, minor) or [f"{path}: {reason}" for path, reason in refused(manifest, minor)]
