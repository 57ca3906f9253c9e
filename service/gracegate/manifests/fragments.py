"""Which workloads are whole, and which are patches that would be misread as objects without probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gracegate.model import Pointer

_TEMPLATED: Pointer = ("spec", "template", "spec")
POD_SPECS: Mapping[str, Pointer] = {
    "CloneSet": _TEMPLATED,
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "DaemonSet": _TEMPLATED,
    "Deployment": _TEMPLATED,
    "DeploymentConfig": _TEMPLATED,
    "Job": _TEMPLATED,
    "Pod": ("spec",),
    "ReplicaSet": _TEMPLATED,
    "ReplicationController": _TEMPLATED,
    "Rollout": _TEMPLATED,
    "StatefulSet": _TEMPLATED,
}
"""Where each kind of workload keeps its Pod's spec."""

_SELECTING = frozenset({"CloneSet", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"})


def is_fragment(kind: str, found: Mapping[str, Any]) -> bool:
    """True for a patch: a strategic merge directive, no containers, or one that lacks what the API server demands."""
    if "$patch" in found:
        return True
    if kind not in POD_SPECS:
        return False
    pod = _at(found, POD_SPECS[kind])
    if pod is None and kind == "Rollout" and isinstance(_at(found, ("spec", "workloadRef")), dict):
        return False
    containers = pod.get("containers") if isinstance(pod, dict) else None
    if not isinstance(containers, list) or not containers:
        return True
    if any(isinstance(container, dict) and "image" not in container for container in containers):
        return True
    return kind in _SELECTING and not _at(found, ("spec", "selector")) and not _at(found, _LABELS)


_LABELS: Pointer = ("spec", "template", "metadata", "labels")


def _at(found: Any, pointer: Pointer) -> Any:
    for segment in pointer:
        if not isinstance(found, dict):
            return None
        found = found.get(segment)
    return found
