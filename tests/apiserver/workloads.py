"""The API server's validation of workloads, and of what is joined with them: budgets, scalers, Services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.apiserver.pods import Errors, pod_spec, selects, valid_port

STATEFUL_MAX_UNAVAILABLE = 35
_PERCENT = re.compile(r"[0-9]+%")


def refused(manifest: Mapping[str, Any], minor: int) -> Errors:
    """Pairs of a path and a reason; the object has to have its kind's shape."""
    spec = manifest.get("spec") or {}
    kind = manifest["kind"]
    if kind == "Pod":
        yield from pod_spec(spec, "spec", minor)
    if kind == "CronJob":
        yield from _template(spec["jobTemplate"]["spec"], "spec.jobTemplate.spec", minor, ("Never", "OnFailure"))
    if kind == "Job":
        yield from _template(spec, "spec", minor, ("Never", "OnFailure"))
    if kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"}:
        yield from _template(spec, "spec", minor, ("Always",))
        yield from _numbers(spec, ("replicas", "minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit"))
    if kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}:
        yield from _selector(spec)
    own = {
        "Deployment": _deployment,
        "StatefulSet": _stateful_set,
        "DaemonSet": _daemon_set,
        "PodDisruptionBudget": _budget,
        "HorizontalPodAutoscaler": _scaler,
        "Service": _service,
    }
    if kind in own:
        yield from own[kind](spec, minor)


def _template(spec: Mapping[str, Any], path: str, minor: int, policies: tuple[str, ...]) -> Errors:
    pod = (spec.get("template") or {}).get("spec") or {}
    yield from pod_spec(pod, f"{path}.template.spec", minor)
    if (pod.get("restartPolicy") or "Always") not in policies:
        yield f"{path}.template.spec.restartPolicy", f"Unsupported value, supported: {', '.join(policies)}"


def _numbers(spec: Mapping[str, Any], names: tuple[str, ...]) -> Errors:
    for name in names:
        if (spec.get(name) or 0) < 0:
            yield f"spec.{name}", "must be greater than or equal to 0"


def _selector(spec: Mapping[str, Any]) -> Errors:
    selector = spec.get("selector") or {}
    if not any(selector.values()):
        yield "spec.selector", "empty selector is invalid for a workload"
    elif not selects(selector, ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}):
        yield "spec.template.metadata.labels", "`selector` does not match template `labels`"


def _deployment(spec: Mapping[str, Any], _minor: int) -> Errors:
    strategy = spec.get("strategy") or {}
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate":
        if rolling is not None:
            yield "spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"
    else:
        rolling = {"maxUnavailable": "25%", "maxSurge": "25%"} | _given(rolling)
        yield from _amounts(rolling, "spec.strategy.rollingUpdate")
        if _is_zero(rolling["maxUnavailable"]) and _is_zero(rolling["maxSurge"]):
            yield "spec.strategy.rollingUpdate.maxUnavailable", "may not be 0 when `maxSurge` is 0"
    deadline = spec.get("progressDeadlineSeconds")
    if (600 if deadline is None else deadline) <= (spec.get("minReadySeconds") or 0):
        yield "spec.progressDeadlineSeconds", "must be greater than minReadySeconds"


def _stateful_set(spec: Mapping[str, Any], minor: int) -> Errors:
    strategy = spec.get("updateStrategy") or {}
    rolling = _given(strategy.get("rollingUpdate"))
    if strategy.get("type") == "OnDelete" and strategy.get("rollingUpdate") is not None:
        yield "spec.updateStrategy.rollingUpdate", "only allowed for updateStrategy 'RollingUpdate'"
    if minor >= STATEFUL_MAX_UNAVAILABLE and "maxUnavailable" in rolling:
        yield from _amounts(rolling, "spec.updateStrategy.rollingUpdate")
        if _is_zero(rolling["maxUnavailable"]):
            yield "spec.updateStrategy.rollingUpdate.maxUnavailable", "cannot be 0"
    if (rolling.get("partition") or 0) < 0:
        yield "spec.updateStrategy.rollingUpdate.partition", "must be greater than or equal to 0"


def _daemon_set(spec: Mapping[str, Any], _minor: int) -> Errors:
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return
    path = "spec.updateStrategy.rollingUpdate"
    rolling = {"maxUnavailable": 1, "maxSurge": 0} | _given(strategy.get("rollingUpdate"))
    yield from _amounts(rolling, path)
    surges, drops = (not _is_zero(rolling[name]) for name in ("maxSurge", "maxUnavailable"))
    if surges and drops:
        yield f"{path}.maxSurge", "may not be set when maxUnavailable is non-zero"
    if not surges and not drops:
        yield f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"
    containers = spec["template"]["spec"]["containers"]
    if surges and any(port.get("hostPort") for c in containers for port in c.get("ports") or []):
        yield f"{path}.maxSurge", "may not be set with a hostPort"


def _budget(spec: Mapping[str, Any], _minor: int) -> Errors:
    given = {name: value for name, value in _given(spec).items() if name in {"minAvailable", "maxUnavailable"}}
    if len(given) == 2:
        yield "spec", "minAvailable and maxUnavailable cannot be both set"
    yield from _amounts(given, "spec")
    if spec.get("unhealthyPodEvictionPolicy") not in {None, "IfHealthyBudget", "AlwaysAllow"}:
        yield "spec.unhealthyPodEvictionPolicy", "Unsupported value"


def _scaler(spec: Mapping[str, Any], _minor: int) -> Errors:
    least = spec.get("minReplicas")
    least = 1 if least is None else least
    if least < 1:
        yield "spec.minReplicas", "must be greater than or equal to 1"
    if spec["maxReplicas"] < max(1, least):
        yield "spec.maxReplicas", "must be greater than or equal to `minReplicas`"


def _service(spec: Mapping[str, Any], _minor: int) -> Errors:
    ports = spec.get("ports") or []
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield "spec.ports", "Required value"
    names = [port.get("name") or "" for port in ports]
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        if not 1 <= port["port"] <= 65535:
            yield f"{path}.port", "must be between 1 and 65535, inclusive"
        if port.get("targetPort") not in {None, 0, ""} and not valid_port(port["targetPort"]):
            yield f"{path}.targetPort", "is neither a port number nor a valid port name"
        if len(ports) > 1 and (not names[index] or names[index] in names[:index]):
            yield f"{path}.name", "Duplicate value" if names[index] else "Required value"


def _given(spec: Mapping[str, Any] | None) -> dict[str, Any]:
    """Null is the same as nothing."""
    return {name: value for name, value in (spec or {}).items() if value is not None}


def _amounts(settings: Mapping[str, Any], path: str) -> Errors:
    for name in ("minAvailable", "maxUnavailable", "maxSurge"):
        amount = settings.get(name, 0)
        if isinstance(amount, str) and not _PERCENT.fullmatch(amount):
            yield f"{path}.{name}", "a valid percent string must be a numeric string followed by an ending '%'"
        elif isinstance(amount, str) and name != "maxSurge" and int(amount[:-1]) > 100:
            yield f"{path}.{name}", "must not be greater than 100%"
        elif isinstance(amount, int) and amount < 0:
            yield f"{path}.{name}", "must be greater than or equal to 0"


def _is_zero(amount: int | str) -> bool:
    """A percentage counts as it is written: 1% of two pods is not 0 to the API server."""
    return amount == 0 if isinstance(amount, int) else amount.strip("0") == "%"
