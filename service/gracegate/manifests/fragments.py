"""Tells complete workloads from patches, which would look like objects without probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gracegate.manifests.contents import value_at
from gracegate.model import WORKLOAD_KINDS, Pointer

_SELECTOR: Pointer = ("spec", "selector")
_TEMPLATE_LABELS: Pointer = ("spec", "template", "metadata", "labels")
_INSTEAD_OF_TEMPLATE: Mapping[str, Pointer] = {
    "LeaderWorkerSet": ("spec", "leaderWorkerTemplate", "workerTemplate"),
    "Rollout": ("spec", "workloadRef"),
}
"""What an object without the template of WORKLOAD_KINDS has in its place."""


def is_fragment(kind: str, group: str, found: Mapping[str, Any]) -> bool:
    """True for a patch: a strategic merge directive, no containers, or a field missing that the API server requires.

    A kind of the same name in another API group is something else, of which nothing is known.
    """
    if "$patch" in found:
        return True
    workload = WORKLOAD_KINDS.get(kind)
    if workload is None or (group and group not in workload.api_groups):
        return False
    pod = value_at(found, workload.pod_spec)
    instead = _INSTEAD_OF_TEMPLATE.get(kind)
    if pod is None and instead is not None and isinstance(value_at(found, instead), dict):
        return False
    containers = pod.get("containers") if isinstance(pod, dict) else None
    if not isinstance(containers, list) or not containers:
        return True
    from_stream = _containers_with_image_stream(found) if kind == "DeploymentConfig" else frozenset()
    if any(isinstance(c, dict) and "image" not in c and c.get("name") not in from_stream for c in containers):
        return True
    return workload.selects and not value_at(found, _SELECTOR) and not value_at(found, _TEMPLATE_LABELS)


def _containers_with_image_stream(found: Mapping[str, Any]) -> frozenset[object]:
    """The names of containers whose image OpenShift fills in from an ImageStream."""
    triggers = value_at(found, ("spec", "triggers"))
    names = (
        value_at(trigger, ("imageChangeParams", "containerNames"))
        for trigger in (triggers if isinstance(triggers, list) else ())
    )
    return frozenset(name for listed in names if isinstance(listed, list) for name in listed if isinstance(name, str))
