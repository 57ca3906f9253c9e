"""The model of the API server, table by table: what it takes, what it refuses, and from which version on."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from tests.apiserver.server import errors

NEWEST = 37
POD = "spec.template.spec"
APP = f"{POD}.containers[0]"

DEPLOYMENT = yaml.safe_load("""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      initContainers:
      - {name: init, image: init:1}
      containers:
      - name: web
        image: web:1
        ports: [{name: http, containerPort: 8080}]
""")
OTHERS = {
    one["kind"]: one
    for one in yaml.safe_load_all("""\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, maxUnavailable: 1, unhealthyPodEvictionPolicy: AlwaysAllow}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {minReplicas: 2, maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: job:1}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: often}
spec:
  schedule: "* * * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: job, image: job:1}]}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: alone}
spec: {containers: [{name: pod, image: pod:1}]}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: custom}
spec: {anything: true}
""")
}


def merged(old: Any, new: Any) -> Any:
    """`old` with the entries of `new`; a list takes them by position."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merged(old.get(key), value) for key, value in new.items()}
    if isinstance(old, list) and isinstance(new, list):
        return [merged(*pair) for pair in zip(old, new, strict=False)] + old[len(new) :] + new[len(old) :]
    return new


def deployment(spec: str, kind: str = "Deployment") -> dict[str, Any]:
    return merged(deepcopy(DEPLOYMENT), {"kind": kind, "spec": yaml.safe_load(spec)})


def app(container: str, pod: str = "{}", kind: str = "Deployment") -> dict[str, Any]:
    """A workload whose container says that too, and whose Pod does."""
    pod_spec = yaml.safe_load(pod) | {"containers": [yaml.safe_load(container)]}
    return merged(deployment("{}", kind), {"spec": {"template": {"spec": pod_spec}}})


def init(container: str) -> dict[str, Any]:
    return deployment(f"{{template: {{spec: {{initContainers: [{container}]}}}}}}")


@pytest.mark.parametrize("minor", [28, 30, 34, 37])
@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(DEPLOYMENT, id="Deployment"),
        *(pytest.param(manifest, id=kind) for kind, manifest in OTHERS.items()),
        pytest.param(deployment("{}", "StatefulSet") | {"spec": DEPLOYMENT["spec"] | {"serviceName": "x"}}, id="sts"),
        pytest.param(deployment("{}", "DaemonSet"), id="DaemonSet"),
        pytest.param(deployment("{replicas: 0, strategy: {type: Recreate}}"), id="Recreate"),
        pytest.param(deployment("{strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}}"), id="surge"),
        pytest.param(deployment("{strategy: {rollingUpdate: {maxSurge: 300%, maxUnavailable: 0}}}"), id="much"),
        pytest.param(deployment("{strategy: {rollingUpdate: {maxSurge: 0}}}"), id="the other is 25 %"),
        pytest.param(deployment("{strategy: null, minReadySeconds: 599}"), id="null is nothing"),
        pytest.param(app("{lifecycle: {preStop: {exec: {command: [sleep, '60']}}}}"), id="60 s of 30 s by exec"),
        pytest.param(app("{lifecycle: {preStop: {tcpSocket: {port: 80}}}}"), id="a hook that always fails"),
        pytest.param(app("{readinessProbe: {httpGet: {port: nowhere}}}"), id="a port that is not there"),
        pytest.param(app("{readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 0}}"), id="0 is the default"),
        pytest.param(app("{readinessProbe: {tcpSocket: {port: 1}, successThreshold: 3}}"), id="ready after three"),
        pytest.param(app("{livenessProbe: {exec: {command: [x]}, terminationGracePeriodSeconds: 5}}"), id="own grace"),
        pytest.param(app("{livenessProbe: null, lifecycle: {preStop: null}}"), id="null handlers"),
        pytest.param(app("{ports: [{containerPort: 80, hostPort: 80}]}", "{hostNetwork: true}"), id="host network"),
    ],
)
def test_taken(manifest: dict[str, Any], minor: int) -> None:
    assert errors(manifest, minor) == []


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param(deployment("{replicaz: 2}"), "spec: Additional properties are not allowed", id="unknown field"),
        pytest.param(deployment("{replicas: '2'}"), "spec.replicas: '2' is not of type", id="wrong type"),
        pytest.param(
            app("{lifecycle: {preStop: {exec: {command: [sleep, 10]}}}}"),
            f"{POD}.containers.0.lifecycle.preStop.exec.command.1: 10 is not of type",
            id="a number in a command",
        ),
        pytest.param(
            app("{readinessProbe: {grpc: {port: grpc}}}"),
            f"{POD}.containers.0.readinessProbe.grpc.port: 'grpc' is not of type",
            id="grpc by name",
        ),
        pytest.param(deployment("{replicas: -1}"), "spec.replicas: must be greater", id="negative"),
        pytest.param(deployment("{selector: {matchLabels: null}}"), "spec.selector: empty selector", id="no selector"),
        pytest.param(
            deployment("{selector: {matchLabels: {app: api}}}"),
            "spec.template.metadata.labels: `selector` does not match",
            id="another selector",
        ),
        pytest.param(
            deployment("{selector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}"),
            "spec.template.metadata.labels: `selector` does not match",
            id="by expression",
        ),
        pytest.param(
            deployment("{strategy: {rollingUpdate: {maxSurge: 0%, maxUnavailable: 0}}}"),
            "spec.strategy.rollingUpdate.maxUnavailable: may not be 0",
            id="both 0",
        ),
        pytest.param(
            deployment("{strategy: {rollingUpdate: {maxUnavailable: 101%}}}"),
            "spec.strategy.rollingUpdate.maxUnavailable: must not be greater than 100%",
            id="more than all",
        ),
        pytest.param(
            deployment("{strategy: {rollingUpdate: {maxSurge: '1'}}}"),
            "spec.strategy.rollingUpdate.maxSurge: a valid percent string",
            id="a number as text",
        ),
        pytest.param(
            deployment("{strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}"),
            "spec.strategy.rollingUpdate: may not be specified",
            id="Recreate with numbers",
        ),
        pytest.param(
            deployment("{minReadySeconds: 600}"),
            "spec.progressDeadlineSeconds: must be greater than minReadySeconds",
            id="the default deadline",
        ),
        pytest.param(
            deployment("{minReadySeconds: 10, progressDeadlineSeconds: 10}"),
            "spec.progressDeadlineSeconds: must be greater than minReadySeconds",
            id="a short deadline",
        ),
        pytest.param(
            deployment("{template: {spec: {restartPolicy: Never}}}"),
            f"{POD}.restartPolicy: Unsupported value, supported: Always",
            id="restart policy",
        ),
        pytest.param(app("{name: init}"), f"{APP}.name: Duplicate value", id="one name for two containers"),
        pytest.param(app("{image: ''}"), f"{APP}.image: Required value", id="no image"),
        pytest.param(
            app("{readinessProbe: {}}"), f"{APP}.readinessProbe: must specify a handler type", id="no handler"
        ),
        pytest.param(
            app("{readinessProbe: {tcpSocket: {port: 80}, exec: {command: [x]}}}"),
            f"{APP}.readinessProbe: may not specify more than 1 handler type",
            id="two handlers",
        ),
        pytest.param(
            app("{readinessProbe: {exec: {command: []}}}"),
            f"{APP}.readinessProbe.exec.command: Required value",
            id="no command",
        ),
        pytest.param(
            app("{readinessProbe: {tcpSocket: {port: 0}}}"), f"{APP}.readinessProbe.tcpSocket.port: is", id="port 0"
        ),
        pytest.param(
            app("{readinessProbe: {httpGet: {port: '8080'}}}"),
            f"{APP}.readinessProbe.httpGet.port: is",
            id="digits are no name",
        ),
        pytest.param(
            app("{readinessProbe: {grpc: {port: 70000}}}"), f"{APP}.readinessProbe.grpc.port: must be", id="grpc port"
        ),
        pytest.param(
            app("{livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}}"),
            f"{APP}.livenessProbe.successThreshold: must be 1",
            id="alive after two",
        ),
        pytest.param(
            app("{startupProbe: {tcpSocket: {port: 80}, periodSeconds: -1}}"),
            f"{APP}.startupProbe.periodSeconds: must be greater",
            id="a negative period",
        ),
        pytest.param(
            app("{readinessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: 5}}"),
            f"{APP}.readinessProbe.terminationGracePeriodSeconds: must not be set",
            id="grace of readiness",
        ),
        pytest.param(
            app("{livenessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: 0}}"),
            f"{APP}.livenessProbe.terminationGracePeriodSeconds: must be greater than 0",
            id="no grace",
        ),
        pytest.param(app("{lifecycle: {preStop: {}}}"), f"{APP}.lifecycle.preStop: must specify", id="an empty hook"),
        pytest.param(
            app("{ports: [{}, {name: http, containerPort: 81}]}"), f"{APP}.ports[1].name: Duplicate value", id="twice"
        ),
        pytest.param(
            app("{ports: [{containerPort: 0}]}"), f"{APP}.ports[0].containerPort: must be between", id="no port"
        ),
        pytest.param(app("{ports: [{name: UPPER}]}"), f"{APP}.ports[0].name: is no valid", id="upper case"),
        pytest.param(
            app("{ports: [{name: a-name-too-long-by}]}"), f"{APP}.ports[0].name: is no valid", id="more than 15"
        ),
        pytest.param(
            app("{ports: [{hostPort: 80}]}", "{hostNetwork: true}"),
            f"{APP}.ports[0].containerPort: must match",
            id="another port on the host",
        ),
        pytest.param(
            init("{readinessProbe: {tcpSocket: {port: 80}}}"),
            f"{POD}.initContainers[0].readinessProbe: may not be set",
            id="a probe before the start",
        ),
        pytest.param(
            init("{lifecycle: {postStart: {exec: {command: [x]}}}}"),
            f"{POD}.initContainers[0].lifecycle: may not be set",
            id="a hook before the start",
        ),
        pytest.param(
            merged(OTHERS["Service"], {"spec": {"ports": [{"port": 0}]}}), "spec.ports[0].port: must be", id="port"
        ),
        pytest.param(
            merged(OTHERS["Service"], {"spec": {"ports": [{"targetPort": "too-long-a-name-for-it"}]}}),
            "spec.ports[0].targetPort: is neither",
            id="target",
        ),
        pytest.param(
            merged(OTHERS["Service"], {"spec": {"ports": [{}, {"port": 81}]}}),
            "spec.ports[1].name: Required",
            id="unnamed",
        ),
        pytest.param(merged(OTHERS["Service"], {"spec": {"ports": None}}), "spec.ports: Required", id="no ports"),
        pytest.param(
            merged(OTHERS["PodDisruptionBudget"], {"spec": {"minAvailable": 1}}), "spec: minAvailable and", id="both"
        ),
        pytest.param(
            merged(OTHERS["PodDisruptionBudget"], {"spec": {"maxUnavailable": "101%"}}),
            "spec.maxUnavailable: must not",
            id="budget",
        ),
        pytest.param(
            merged(OTHERS["PodDisruptionBudget"], {"spec": {"unhealthyPodEvictionPolicy": "Never"}}),
            "spec.unhealthyPodEvictionPolicy: Unsupported",
            id="policy",
        ),
        pytest.param(
            merged(OTHERS["HorizontalPodAutoscaler"], {"spec": {"minReplicas": 0}}),
            "spec.minReplicas: must be",
            id="scaled to nothing",
        ),
        pytest.param(
            merged(OTHERS["HorizontalPodAutoscaler"], {"spec": {"maxReplicas": 1}}),
            "spec.maxReplicas: must be",
            id="less than the least",
        ),
        pytest.param(
            merged(OTHERS["Job"], {"spec": {"template": {"spec": {"restartPolicy": "Always"}}}}),
            f"{POD}.restartPolicy: Unsupported",
            id="a Job for ever",
        ),
        pytest.param(
            merged(OTHERS["Pod"], {"spec": {"containers": [{"livenessProbe": {}}]}}),
            "spec.containers[0].livenessProbe: must specify",
            id="a Pod",
        ),
        pytest.param(
            deployment("{updateStrategy: {rollingUpdate: {maxSurge: 1}}}", "DaemonSet"),
            "spec.updateStrategy.rollingUpdate.maxSurge: may not be set when maxUnavailable",
            id="a surging DaemonSet",
        ),
        pytest.param(
            deployment("{updateStrategy: {rollingUpdate: {maxUnavailable: 0}}}", "DaemonSet"),
            "spec.updateStrategy.rollingUpdate.maxUnavailable: cannot be 0",
            id="a DaemonSet that cannot move",
        ),
        pytest.param(
            merged(
                app("{ports: [{hostPort: 80}]}", kind="DaemonSet"),
                {"spec": {"updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}},
            ),
            "spec.updateStrategy.rollingUpdate.maxSurge: may not be set with a hostPort",
            id="two on one port of the host",
        ),
        pytest.param(
            deployment("{updateStrategy: {rollingUpdate: {maxUnavailable: 0}}}", "StatefulSet"),
            "spec.updateStrategy.rollingUpdate.maxUnavailable: cannot be 0",
            id="a StatefulSet that cannot move",
        ),
        pytest.param(
            deployment("{updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}}", "StatefulSet"),
            "spec.updateStrategy.rollingUpdate: only allowed",
            id="OnDelete",
        ),
    ],
)
def test_refused(manifest: dict[str, Any], expected: str) -> None:
    assert [error for error in errors(manifest, NEWEST) if error.startswith(expected)] != []
    assert len(errors(manifest, NEWEST)) == 1


def sleeping(seconds: int, grace: str = "null") -> dict[str, Any]:
    return app(
        f"{{lifecycle: {{preStop: {{sleep: {{seconds: {seconds}}}}}}}}}", f"{{terminationGracePeriodSeconds: {grace}}}"
    )


MINORS = (28, 29, 30, 32, 33, 34, 35, 36, 37)


@pytest.mark.parametrize(
    ("manifest", "accepted"),
    [
        pytest.param(sleeping(10), [30, 32, 33, 34, 35, 36, 37], id="native sleep"),
        pytest.param(sleeping(30), [30, 32, 33, 34, 35, 36, 37], id="a sleep as long as the default grace period"),
        pytest.param(sleeping(31), [], id="longer than the default grace period"),
        pytest.param(sleeping(60, "60"), [30, 32, 33, 34, 35, 36, 37], id="a sleep as long as the grace period"),
        pytest.param(sleeping(0), [33, 34, 35, 36, 37], id="a sleep of nothing"),
        pytest.param(
            init("{restartPolicy: Always, readinessProbe: {tcpSocket: {port: 80}}}"), list(MINORS[1:]), id="sidecar"
        ),
        pytest.param(app("{restartPolicy: Always}"), [35, 36, 37], id="restart policy of an ordinary container"),
        pytest.param(
            deployment("{serviceName: web, updateStrategy: {rollingUpdate: {maxUnavailable: 0%}}}", "StatefulSet"),
            [28, 29, 30, 32, 33, 34],
            id="a field that is dropped is not looked at",
        ),
    ],
)
def test_from_which_version_on(manifest: dict[str, Any], accepted: list[int]) -> None:
    assert [minor for minor in MINORS if errors(manifest, minor) == []] == accepted
