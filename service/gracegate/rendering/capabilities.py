"""Which kinds of objects a cluster of some minor version of Kubernetes serves, as charts ask for them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

API_VERSIONS_FILE = Path(__file__).with_name("api_versions.json")
"""By API version and kind, the first and the last known minor version that serves it. `make policies` writes it."""


def capabilities(minor: int) -> dict[str, object]:
    """The cluster of a request to the renderer; an unknown version is taken for the nearest known one."""
    table = _table()
    known = {edge for kinds in table.values() for edges in kinds.values() for edge in edges}
    nearest = min(max(minor, min(known)), max(known))
    served: list[str] = []
    for version, kinds in table.items():
        if found := [kind for kind, (first, last) in kinds.items() if first <= nearest <= last]:
            served += [version, *(f"{version}/{kind}" for kind in found)]
    return {"kubernetes_version": f"1.{minor}.0", "api_versions": served}


@cache
def _table() -> dict[str, dict[str, tuple[int, int]]]:
    table: dict[str, dict[str, tuple[int, int]]] = json.loads(API_VERSIONS_FILE.read_bytes())
    return table
