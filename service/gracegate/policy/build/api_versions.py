"""The kinds that each version of Kubernetes serves, for the charts that ask for them.

    python -m gracegate.policy.build.api_versions

They are those of the OpenAPI documents that `api_schema` reads, without the ones that a cluster does not serve unless
its operator wants it: alpha versions, and since 1.24 beta versions too, but for those that are older than that.
"""

from __future__ import annotations

import json
import sys

from gracegate.policy.build.api_schema import NEWEST, OLDEST, read_definitions
from gracegate.rendering import API_VERSIONS_FILE

_BETAS_OF_OLD = frozenset(
    {
        "autoscaling/v2beta2/HorizontalPodAutoscaler",
        *(
            f"flowcontrol.apiserver.k8s.io/{version}/{kind}"
            for version in ("v1beta1", "v1beta2", "v1beta3")
            for kind in ("FlowSchema", "PriorityLevelConfiguration")
        ),
        "storage.k8s.io/v1beta1/CSIStorageCapacity",
    }
)


def build() -> str:
    """By API version and kind, the first and the last minor version that serves it."""
    minors: dict[str, dict[str, list[int]]] = {}
    for minor in range(OLDEST, NEWEST + 1):
        for definition in read_definitions(minor).values():
            # Lists and options of requests are no kinds of objects.
            if "metadata" in definition.get("properties", {}):
                for entry in definition.get("x-kubernetes-group-version-kind", []):
                    version = f"{entry['group']}/{entry['version']}".lstrip("/")
                    if not entry["kind"].endswith("List") and _is_served(version, entry["kind"]):
                        minors.setdefault(version, {}).setdefault(entry["kind"], []).append(minor)
    table = {
        version: {kind: [min(found), max(found)] for kind, found in sorted(kinds.items())}
        for version, kinds in sorted(minors.items())
    }
    lines = (f"  {json.dumps(version)}: {json.dumps(kinds)}" for version, kinds in table.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _is_served(version: str, kind: str) -> bool:
    return "alpha" not in version and ("beta" not in version or f"{version}/{kind}" in _BETAS_OF_OLD)


def main() -> int:
    API_VERSIONS_FILE.write_text(build(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
