"""The kinds that rules read, and how text that may hold one is recognised before anything is built."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gracegate.model import WORKLOAD_KINDS

KINDS = frozenset(
    {
        *WORKLOAD_KINDS,
        "GRPCRoute",
        "Gateway",
        "HTTPProxy",
        "HTTPRoute",
        "HorizontalPodAutoscaler",
        "Ingress",
        "IngressRoute",
        "IngressRouteTCP",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "Route",
        "ScaledObject",
        "Service",
        "TCPRoute",
        "TLSRoute",
        "TargetGroupBinding",
        "VirtualService",
    }
)
"""The kinds that rules read; any other object is counted and not built."""

RENDERED_KINDS: Mapping[str, frozenset[str]] = {
    "Application": frozenset({"argoproj.io"}),
    "ApplicationSet": frozenset({"argoproj.io"}),
    "HelmChart": frozenset({"helm.cattle.io"}),
    "HelmRelease": frozenset({"helm.toolkit.fluxcd.io"}),
    "Kustomization": frozenset({"kustomize.toolkit.fluxcd.io"}),
}
"""The kinds of objects from which a controller makes others, with their API groups."""

LISTS = {"List": "items", "Template": "objects", **{f"{kind}List": "items" for kind in KINDS}}
_WORDS = "|".join(sorted(KINDS | LISTS.keys()))
_KEY = r"kind['\"]?[ \t]*:"
# Each match ends before the next `kind:`, so that a line with many of them is searched in linear time.
_NEAR = rf"(?:(?!{_KEY})[^\n]){{0,60}}?"
# The value may stand on the line after its key.
_GAP = r"[ \t]*(?:\r?\n[ \t]+)?"
# A kind that is an alias, a block scalar or a template may be any of them.
_KIND = rf"{_KEY}{_GAP}(?:{_NEAR}\b(?:{_WORDS})\b|[*|>]|['\"]?\{{[{{%])"
KIND_IN_BYTES = re.compile(_KIND.encode())
KIND_IN_TEXT = re.compile(_KIND)
SERVICE_IN_TEXT = re.compile(rf"{_KEY}{_GAP}{_NEAR}\bService(?:List)?\b")


def count_top_level_kinds(data: bytes) -> int:
    """About how many objects of any kind a file has, if it is in block style."""
    return data.count(b"\nkind:") + data.startswith(b"kind:")
