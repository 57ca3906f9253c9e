"""The kinds that rules read, and how text that may hold one is recognised before anything is built."""

from __future__ import annotations

import re

from gracegate.model import WORKLOAD_KINDS

KINDS = frozenset(
    {
        *WORKLOAD_KINDS,
        "HTTPRoute",
        "HorizontalPodAutoscaler",
        "Ingress",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "ScaledObject",
        "Service",
    }
)
"""The kinds that rules read; any other object is counted and not built."""

LISTS = {"List": "items", "Template": "objects", **{f"{kind}List": "items" for kind in KINDS}}
_WORDS = "|".join(sorted(KINDS | LISTS.keys()))
_KEY = r"kind['\"]?[ \t]*:"
# Each key looks no further than to the next one, so that a line of many is not read many times.
_NEAR = rf"(?:(?!{_KEY})[^\n]){{0,60}}?"
# A kind that is an alias, folded or templated may be any of them.
_KIND = rf"{_KEY}[ \t]*(?:{_NEAR}\b(?:{_WORDS})\b|[*|>]|['\"]?\{{[{{%])"
IN_BYTES = re.compile(_KIND.encode())
IN_TEXT = re.compile(_KIND)
SERVICE = re.compile(rf"{_KEY}{_NEAR}\bService(?:List)?\b")


def count_at_top(data: bytes) -> int:
    """How many objects of any kind a file in block style seems to hold."""
    return data.count(b"\nkind:") + data.startswith(b"kind:")
