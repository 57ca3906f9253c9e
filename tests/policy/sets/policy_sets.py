"""A policy set that works, in files by path, for tests to break."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

RULE = "rules/acme/memory_limit_missing.rego"
ID = "memory-limit-missing"
METADATA = """\
# METADATA
# title: A container without a memory limit can take the whole node
# description: A leak in one container ends others on the same node.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   severity: error
#   fix: assumes
#   parameters:
#     limit:
#       default: 256Mi
#       description: The limit to suggest.
#   example: []
package gracegate.rules.acme["memory-limit-missing"]
"""
CODE = """
import data.gracegate.lib.text

violation contains {"at": at, "message": message} if {
	some at, container in _unlimited
	message := text.format(`Container "{}" has no memory limit.`, [container.name])
}

fix contains {
	"at": at,
	"patch": [{
		"op": "add",
		"path": array.concat(at.path, ["resources", "limits", "memory"]),
		"value": input.params["memory-limit-missing"].limit,
	}],
	"assumption": "It needs no more.",
} if some at, _ in _unlimited

_unlimited := {at: container |
	some i, document in input.documents
	some n, container in document.object.spec.template.spec.containers
	not container.resources.limits.memory
	at := {"document": i, "path": ["spec", "template", "spec", "containers", n]}
}
"""
GOOD: Mapping[str, str] = {RULE: METADATA + CODE}

_SPRINTF_CODE = CODE.replace("import data.gracegate.lib.text\n\n", "").replace("text.format(", "sprintf(")
SPRINTF: Mapping[str, str] = {RULE: METADATA + _SPRINTF_CODE.replace('"{}"', "%q")}
"""With a builtin that Wasm lacks."""

NETWORK_POLICY = "rules/acme/open_network_policy.rego"
"""A rule on a kind that no built-in rule reads, with a library and data of its own."""
OTHER_KIND: Mapping[str, str] = {
    NETWORK_POLICY: """\
# METADATA
# title: A policy that lets everybody in
# description: Any pod of the cluster can reach the workload.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: warning
#   fix: none
#   kinds: [NetworkPolicy]
#   example: |
#     apiVersion: networking.k8s.io/v1
#     kind: NetworkPolicy
#     metadata: {name: web}
#     spec: {podSelector: {}, ingress: [{}]}
package gracegate.rules.acme["open-network-policy"]

import data.acme.owners

violation contains {"at": {"document": i, "path": ["spec", "ingress", n]}, "message": message} if {
	some i, document in input.documents
	document.object.kind == "NetworkPolicy"
	some n, {} in document.object.spec.ingress
	message := concat("", ["Anybody is let in: ask ", owners.of(document.object.metadata.name), "."])
}
""",
    "lib/owners.rego": """\
package acme.owners

of(name) := object.get(data.teams.owners, name, data.teams.default_owner)
""",
    "data/teams/data.yaml": "default_owner: the platform team\nowners: {web: the web team}\n",
}

FOREIGN: Mapping[str, str] = {
    "gracegate-policies.yaml": """\
name: others
foreign:
- {kind: conftest, path: policy}
- {kind: gatekeeper, path: gk}
""",
    "policy/deny.rego": """\
package main

# METADATA
# title: Images come from us
# related_resources:
# - ref: https://example.com/images
deny[msg] {
  container := input.spec.template.spec.containers[_]
  not startswith(container.image, "ours/")
  msg := sprintf("%v is not ours", [container.image])
}
""",
    "policy/deny_test.rego": "package main\n\ntest_deny { deny with input as {} }\n",
    "gk/template.yaml": """\
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: replicas}
spec:
  crd: {spec: {names: {kind: Replicas}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    rego: |
      package replicas
      violation[{"msg": msg}] {
        input.review.object.spec.replicas < input.parameters.least
        msg := sprintf("%v runs too few", [input.review.name])
      }
""",
    "gk/constraint.yaml": """\
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: Replicas
metadata: {name: enough-replicas}
spec:
  enforcementAction: warn
  parameters: {least: 5}
""",
}
"""Policies for conftest, in Rego v0, and for Gatekeeper, in a set without rules of its own."""


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
