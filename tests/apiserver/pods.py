"""The API server's validation of a Pod's spec, where it concerns probes, hooks, ports and the grace period."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Errors = Iterator[tuple[str, str]]
"""Pairs of a path and a reason."""

PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
DEFAULT_GRACE = 30
_PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?")

# Minor versions from which a field counts; before, the API server drops it as if it had not been written.
NATIVE_SIDECAR, NATIVE_SLEEP, SLEEP_OF_ZERO, RESTART_POLICY_OF_ANY = 29, 30, 33, 35


def pod_spec(spec: Mapping[str, Any], path: str, minor: int) -> Errors:
    grace = spec.get("terminationGracePeriodSeconds")
    limits = (DEFAULT_GRACE if grace is None else grace, minor)
    names: set[str] = set()
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or []):
            place = f"{path}.{kind}[{index}]"
            if container["name"] in names:
                yield f"{place}.name", "Duplicate value"
            names.add(container["name"])
            yield from _container(container, place, limits, init=kind == "initContainers")
            if spec.get("hostNetwork"):
                yield from _host_ports(container, place)


def _container(container: Mapping[str, Any], path: str, limits: tuple[int, int], *, init: bool) -> Errors:
    _, minor = limits
    policy = container.get("restartPolicy")
    if policy and not init and minor < RESTART_POLICY_OF_ANY:
        yield f"{path}.restartPolicy", "may not be set for non-init containers"
    if not container.get("image"):
        yield f"{path}.image", "Required value"
    yield from _ports(container, path)
    hooks = {name: hook for name, hook in (container.get("lifecycle") or {}).items() if hook is not None}
    probes = {name: container[name] for name in PROBES if container.get(name) is not None}
    if init and not (policy == "Always" and minor >= NATIVE_SIDECAR):
        for name in (*(["lifecycle"] if hooks else []), *probes):
            yield f"{path}.{name}", "may not be set for init containers without restartPolicy=Always"
        return
    for name in ("postStart", "preStop"):
        if name in hooks:
            yield from _hook(hooks[name], f"{path}.lifecycle.{name}", limits)
    for name, probe in probes.items():
        yield from _probe(probe, name, f"{path}.{name}")


def _ports(container: Mapping[str, Any], path: str) -> Errors:
    names = [port.get("name") or "" for port in container.get("ports") or []]
    for index, port in enumerate(container.get("ports") or []):
        place = f"{path}.ports[{index}]"
        if not 1 <= port.get("containerPort", 0) <= 65535:
            yield f"{place}.containerPort", "must be between 1 and 65535, inclusive"
        if names[index] and not _PORT_NAME.fullmatch(names[index]):
            yield f"{place}.name", "is no valid port name"
        if names[index] and names[index] in names[:index]:
            yield f"{place}.name", "Duplicate value"


def _host_ports(container: Mapping[str, Any], path: str) -> Errors:
    for index, port in enumerate(container.get("ports") or []):
        if port.get("hostPort") and port["hostPort"] != port["containerPort"]:
            yield f"{path}.ports[{index}].containerPort", "must match `hostPort` when `hostNetwork` is true"


def _hook(hook: Mapping[str, Any], path: str, limits: tuple[int, int]) -> Errors:
    grace, minor = limits
    known = {name: hook[name] for name in HOOK_HANDLERS if name != "sleep" or minor >= NATIVE_SLEEP if name in hook}
    yield from _handler(known, path)
    if known.get("sleep") is not None:
        seconds = known["sleep"].get("seconds") or 0
        least = 0 if minor >= SLEEP_OF_ZERO else 1
        if not least <= seconds <= grace:
            yield f"{path}.sleep", f"must be at least {least} and at most terminationGracePeriodSeconds ({grace})"


def _probe(probe: Mapping[str, Any], name: str, path: str) -> Errors:
    yield from _handler({handler: probe.get(handler) for handler in PROBE_HANDLERS}, path)
    for number in NUMBERS:
        if (probe.get(number) or 0) < 0:
            yield f"{path}.{number}", "must be greater than or equal to 0"
    if name != "readinessProbe" and (probe.get("successThreshold") or 1) != 1:
        yield f"{path}.successThreshold", "must be 1"
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and name == "readinessProbe":
        yield f"{path}.terminationGracePeriodSeconds", "must not be set for readinessProbes"
    elif grace is not None and grace <= 0:
        yield f"{path}.terminationGracePeriodSeconds", "must be greater than 0"


def _handler(hook: Mapping[str, Any], path: str) -> Errors:
    handlers = {name: action for name, action in hook.items() if action is not None}
    if len(handlers) != 1:
        yield path, "may not specify more than 1 handler type" if handlers else "must specify a handler type"
    for name, action in handlers.items():
        if name == "exec" and not action.get("command"):
            yield f"{path}.exec.command", "Required value"
        if name == "grpc" and not valid_port(action.get("port", 0)):
            yield f"{path}.grpc.port", "must be between 1 and 65535, inclusive"
        if name in {"httpGet", "tcpSocket"} and not valid_port(action.get("port")):
            yield f"{path}.{name}.port", "is neither a port number nor a valid port name"


def valid_port(port: int | str | None) -> bool:
    """A number in range, or what may be a name; nobody looks whether there is such a port."""
    return 1 <= port <= 65535 if isinstance(port, int) else bool(_PORT_NAME.fullmatch(port or ""))


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector matches labels."""
    wanted = (selector.get("matchLabels") or {}).items()
    return wanted <= labels.items() and all(_matches(e, labels) for e in selector.get("matchExpressions") or [])


def _matches(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    there = labels.get(expression["key"])
    values: Sequence[str] = expression.get("values") or []
    return {
        "In": there in values,
        "NotIn": there not in values,
        "Exists": there is not None,
        "DoesNotExist": there is None,
    }[expression["operator"]]
