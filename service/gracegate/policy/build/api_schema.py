"""The fields of Kubernetes' objects as a Rego library, from the official OpenAPI documents of its versions.

    python -m gracegate.policy.build.api_schema

The documents are those that the package kubernetes-validate brings, a development dependency: api/openapi-spec of
kubernetes/kubernetes, one of each minor version. They say name, place and type of a field, not which values it takes:
those follow from pkg/apis/*/types.go and pkg/apis/*/validation, and stand here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from gracegate.policy import builtin_policies

API_SCHEMA_FILE = "lib/api_schema.rego"
OLDEST, NEWEST = 25, 37
"""The minor versions whose documents are read."""
LEVELS = 12
"""How deep `by_document` of the library api_objects looks into an object; the object itself is the first level."""

Definitions = Mapping[str, Mapping[str, Any]]
Field = dict[str, Any]
"""`type`, and where they are known `of`, `since`, `enum`, `minimum`, `maximum`, `required`."""

_ROOTS: Mapping[str, str] = {
    "Deployment": "api.apps.v1",
    "StatefulSet": "api.apps.v1",
    "DaemonSet": "api.apps.v1",
    "ReplicaSet": "api.apps.v1",
    "ReplicationController": "api.core.v1",
    "Pod": "api.core.v1",
    "Job": "api.batch.v1",
    "CronJob": "api.batch.v1",
    "Service": "api.core.v1",
    "PodDisruptionBudget": "api.policy.v1",
    "HorizontalPodAutoscaler": "api.autoscaling.v2",
}
"""The kinds whose objects are described, with the package of their definition."""

_SCALARS: Mapping[str, str] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "integer or string",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
}
# The API server writes these, and gracegate reads nothing in them.
_OPEN = frozenset({"managedFields", "ownerReferences", "status"})

# An amount of pods: a number, or a percentage as text.
_AMOUNTS = frozenset({"maxSurge", "maxUnavailable", "minAvailable"})

_PROTOCOLS = ["TCP", "UDP", "SCTP"]
_ENUMS: Mapping[str, list[str]] = {
    "Container.imagePullPolicy": ["Always", "IfNotPresent", "Never"],
    "Container.restartPolicy": ["Always", "OnFailure", "Never"],
    "Container.terminationMessagePolicy": ["File", "FallbackToLogsOnError"],
    "ContainerPort.protocol": _PROTOCOLS,
    "CronJobSpec.concurrencyPolicy": ["Allow", "Forbid", "Replace"],
    "DaemonSetUpdateStrategy.type": ["RollingUpdate", "OnDelete"],
    "DeploymentStrategy.type": ["RollingUpdate", "Recreate"],
    "HTTPGetAction.scheme": ["HTTP", "HTTPS"],
    "LabelSelectorRequirement.operator": ["In", "NotIn", "Exists", "DoesNotExist"],
    "NodeSelectorRequirement.operator": ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"],
    "PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy": ["IfHealthyBudget", "AlwaysAllow"],
    "PodSpec.dnsPolicy": ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    "PodSpec.preemptionPolicy": ["PreemptLowerPriority", "Never"],
    "PodSpec.restartPolicy": ["Always", "OnFailure", "Never"],
    "ServicePort.protocol": _PROTOCOLS,
    "ServiceSpec.externalTrafficPolicy": ["Cluster", "Local"],
    "ServiceSpec.internalTrafficPolicy": ["Cluster", "Local"],
    "ServiceSpec.ipFamilyPolicy": ["SingleStack", "PreferDualStack", "RequireDualStack"],
    "ServiceSpec.sessionAffinity": ["None", "ClientIP"],
    "ServiceSpec.type": ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"],
    "StatefulSetSpec.podManagementPolicy": ["OrderedReady", "Parallel"],
    # Recreate is of 1.37, and off unless the operator of the cluster wants it.
    "StatefulSetUpdateStrategy.type": ["RollingUpdate", "OnDelete", "Recreate"],
    "TopologySpreadConstraint.whenUnsatisfiable": ["DoNotSchedule", "ScheduleAnyway"],
}
# Not all that the OpenAPI documents call required: the API server takes some of them for an empty text.
_REQUIRED = frozenset(
    {
        "Container.name",
        "ContainerPort.containerPort",
        "DaemonSetSpec.selector",
        "DaemonSetSpec.template",
        "DeploymentSpec.selector",
        "DeploymentSpec.template",
        "EnvVar.name",
        "HorizontalPodAutoscalerSpec.maxReplicas",
        "HorizontalPodAutoscalerSpec.scaleTargetRef",
        "ReplicaSetSpec.selector",
        "ServicePort.port",
        "StatefulSetSpec.selector",
        "StatefulSetSpec.template",
        "Volume.name",
        "VolumeMount.mountPath",
        "VolumeMount.name",
    }
)
# The API server takes 0 for a field that is not there where a default replaces it.
_RANGES: Mapping[str, tuple[int, int | None]] = {
    **dict.fromkeys(
        (
            "DaemonSetSpec.minReadySeconds",
            "DaemonSetSpec.revisionHistoryLimit",
            "DeploymentSpec.minReadySeconds",
            "DeploymentSpec.replicas",
            "DeploymentSpec.revisionHistoryLimit",
            "JobSpec.activeDeadlineSeconds",
            "JobSpec.backoffLimit",
            "JobSpec.completions",
            "JobSpec.parallelism",
            "PodSpec.terminationGracePeriodSeconds",
            "ReplicaSetSpec.minReadySeconds",
            "ReplicaSetSpec.replicas",
            "ReplicationControllerSpec.minReadySeconds",
            "ReplicationControllerSpec.replicas",
            "RollingUpdateStatefulSetStrategy.partition",
            "StatefulSetSpec.minReadySeconds",
            "StatefulSetSpec.replicas",
            "StatefulSetSpec.revisionHistoryLimit",
        ),
        (0, None),
    ),
    "ContainerPort.containerPort": (1, 65535),
    "ContainerPort.hostPort": (0, 65535),
    "HorizontalPodAutoscalerSpec.maxReplicas": (1, None),
    # 0 is for clusters with the feature gate HPAScaleToZero.
    "HorizontalPodAutoscalerSpec.minReplicas": (0, None),
    "ServicePort.nodePort": (0, 65535),
    "ServicePort.port": (1, 65535),
    "ServicePort.targetPort": (0, 65535),
}
_LARGEST = {"int32": 2**31 - 1, "int64": 2**63 - 1}


_ACCEPTED: Mapping[str, list[str]] = {
    "amount": ["null", "number", "string"],
    "any": ["array", "boolean", "null", "number", "object", "string"],
    "boolean": ["boolean", "null"],
    "integer": ["null", "number"],
    "integer or string": ["null", "number", "string"],
    "list": ["array", "null"],
    "map": ["null", "object"],
    "object": ["null", "object"],
    "quantity": ["null", "number", "string"],
    "string": ["null", "string"],
}


def build() -> str:
    """The text of the library, formatted as `opa fmt` does it."""
    versions = {minor: read_definitions(minor) for minor in range(OLDEST, NEWEST + 1)}
    types = {name: _fields(name, definition, versions) for name, definition in _reachable(versions[NEWEST]).items()}
    short = {_short(name): fields for name, fields in sorted(types.items())}
    if (levels := max(_levels(root, short) for root in _ROOTS)) > LEVELS:
        raise ValueError(f"an object has {levels} levels, and by_document in lib/api_objects.rego looks at {LEVELS}")
    return _HEAD.format(oldest=OLDEST, newest=NEWEST) + "\n".join(
        [
            _rule("newest", "Newest known minor version", "Of Kubernetes: later fields are not known.", NEWEST),
            _rule("api_versions", "API versions by kind", "Of the objects whose fields are known.", _api_versions()),
            _rule("fields", "Fields by type", _FIELDS_DESCRIPTION, short),
            _rule("accepted", "JSON types by type", "Of the values that a field of that type may have.", _ACCEPTED),
        ]
    )


def _api_versions() -> dict[str, str]:
    versions = {kind: package.removeprefix("api.").replace(".", "/") for kind, package in sorted(_ROOTS.items())}
    return {kind: version.removeprefix("core/") for kind, version in versions.items()}


_HEAD = """\
# METADATA
# title: API schema
# description: |
#   The fields of Kubernetes' objects, from the OpenAPI documents of 1.{oldest} to 1.{newest}. Generated by
#   gracegate/policy/build/api_schema.py, do not edit.
package gracegate.lib.api_schema

"""
_FIELDS_DESCRIPTION = """\
By the name of the type and of the field: its `type`, which is boolean, integer, string, amount (of pods, in percent
or not), "integer or string", quantity, object, list, map or any; what is in a list or a map is `of` a type. `since`
is the first minor version that has it, if that is known; `enum`, `minimum` and `maximum` are what the API server
accepts, and a `required` field has no default. The `maximum` of an amount is in percent."""


def _rule(name: str, title: str, description: str, value: Any) -> str:
    text = "".join(f"#   {line}\n" for line in description.splitlines())
    return f"# METADATA\n# title: {title}\n# description: |\n{text}{name} := {_rego(value)}\n"


def _rego(value: Any, indent: str = "") -> str:
    """A value as Rego text; the fields of a type on a line each."""
    if not isinstance(value, Mapping) or ("type" in value and isinstance(value["type"], str)):
        return json.dumps(value)
    lines = "".join(f"{indent}\t{json.dumps(key)}: {_rego(item, indent + chr(9))},\n" for key, item in value.items())
    return f"{{\n{lines}{indent}}}" if lines else "{}"


def read_definitions(minor: int) -> Definitions:
    """The types of one minor version by name."""
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v1.{minor}.0-local-strict"
    found: Definitions = json.loads((folder / "_definitions.json").read_bytes())["$defs"]
    return found


def _reachable(definitions: Definitions) -> dict[str, Mapping[str, Any]]:
    """The definitions of objects that the roots lead to."""
    found: dict[str, Mapping[str, Any]] = {}
    pending = [f"io.k8s.{package}.{kind}" for kind, package in _ROOTS.items()]
    while pending:
        name = pending.pop()
        if name not in found:
            found[name] = definitions[name]
            pending += [
                target
                for field, schema in definitions[name].get("properties", {}).items()
                if field not in _OPEN and (target := _target(schema)) and target not in _SCALARS
            ]
    return found


def _fields(name: str, definition: Mapping[str, Any], versions: Mapping[int, Definitions]) -> dict[str, Field]:
    fields = sorted(definition.get("properties", {}).items())
    return {field: _field(name, field, schema, versions) for field, schema in fields}


def _field(name: str, field: str, schema: Mapping[str, Any], versions: Mapping[int, Definitions]) -> Field:
    key = f"{_short(name).replace('EphemeralContainer', 'Container')}.{field}"
    # The fields of a new type are as new as the field that leads to it.
    oldest = min(minor for minor, known in versions.items() if name in known)
    since = min(minor for minor, known in versions.items() if field in known.get(name, {}).get("properties", {}))
    found: Field = {"type": "any"} if field in _OPEN else _type(schema)
    if since > oldest:
        found["since"] = since
    if field in _AMOUNTS:
        found["type"] = "amount"
        if field != "maxSurge":
            found["maximum"] = 100
    if key in _REQUIRED:
        found["required"] = True
    if key in _ENUMS:
        found["enum"] = _ENUMS[key]
    if found["type"] == "integer" or key in _RANGES:
        minimum, maximum = _RANGES.get(key, (None, None))
        largest = _LARGEST[schema.get("format", "int32")]
        found["minimum"] = -largest - 1 if minimum is None else minimum
        found["maximum"] = largest if maximum is None else maximum
    return found


def _type(schema: Mapping[str, Any]) -> Field:
    target = _target(schema)
    name = _SCALARS.get(target, _short(target)) if target else ""
    # A field that may be left out is of a type or null.
    given = schema.get("type", "any")
    kind = given if isinstance(given, str) else next(kind for kind in given if kind != "null")
    if kind == "array":
        return {"type": "list", "of": name or _type(schema["items"])["type"]}
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        return {"type": "map", "of": name or _type(values)["type"]}
    if target:
        return {"type": name} if target in _SCALARS else {"type": "object", "of": name}
    return {"type": kind if kind in {"boolean", "integer", "string"} else "any"}


def _target(schema: Mapping[str, Any]) -> str | None:
    """The name of the definition that a field, its items or its values have."""
    inside = schema.get("items") or schema.get("additionalProperties") or schema
    reference = inside.get("$ref") if isinstance(inside, Mapping) else None
    return None if reference is None else str(reference).rpartition("/")[2]


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _levels(name: str, types: Mapping[str, Mapping[str, Field]]) -> int:
    """How many objects are inside each other at most, from one of that type on."""
    return 1 + max((_levels(f["of"], types) for f in types[name].values() if f.get("of") in types), default=0)


def main() -> int:
    (builtin_policies() / API_SCHEMA_FILE).write_text(build(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
