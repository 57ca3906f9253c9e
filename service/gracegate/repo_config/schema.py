"""JSON Schemas of the files that people write, for editors; their descriptions are also those of the reference.

Draft 7, which all editors read: https://json-schema.org/draft-07. The parsers decide what is right; tests hold the two
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from gracegate.model import CONFIG_FILE, EXPOSURES, Mode, Parameter, Rule
from gracegate.repo_config.config import RepoConfig
from gracegate.repo_config.policies_file import FOREIGN_TOOLS, POLICIES_FILE

Schema = Mapping[str, Any]

_DRAFT = "http://json-schema.org/draft-07/schema#"
_SEVERITIES = ["error", "warning", "info", "off"]
_TEXT: Schema = {"type": "string", "minLength": 1}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_SECONDS: Schema = {"type": "integer", "minimum": 0}
_DATE: Schema = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_DEFAULTS = RepoConfig()


def config_schema(rules: Iterable[Rule]) -> Schema:
    """The schema of .gracegate.yaml. The names of rules that are not among `rules` are not complained about: a policy
    set may have them."""
    known = {rule.id: _rule(rule) for rule in sorted(rules, key=lambda rule: rule.id)}
    properties = {
        "gate": {
            "enum": ["enforce", "advise"],
            "default": _DEFAULTS.gate,
            "description": "Whether a failing check may block a merge; with `advise` it is neutral at worst.",
            "examples": ["advise"],
        },
        "profile": {
            "enum": ["baseline", "recommended", "strict"],
            "default": _DEFAULTS.profile,
            "description": "Which rules are evaluated, and what blocks: `baseline` leaves out the rules that most "
            "existing manifests fail, `strict` blocks on warnings too.",
            "examples": ["strict"],
        },
        "comments": {
            "enum": ["introduced", "touched"],
            "default": _DEFAULTS.comments,
            "description": "Which findings of a pull request get a comment: those that it introduced, or also those "
            "that were there before in objects that it touches.",
            "examples": ["touched"],
        },
        "exclude": {
            **_TEXTS,
            "default": [],
            "description": "Files that are not checked, by patterns as in .gitignore.",
            "examples": [["vendor/**", "!vendor/ours/**"]],
        },
        "policies": {
            **_TEXTS,
            "default": [],
            "description": "Policy sets with rules of your own: folders of this repository, or sources such as "
            "`owner/repo@ref` as far as the operator of the App allows them.",
            "examples": [["policies"]],
        },
        "rules": {
            "type": "object",
            "properties": known,
            "additionalProperties": _rule(None),
            "default": {},
            "description": "Settings of single rules, by their id. A severity replaces the rule's own: it turns on a "
            "rule that the profile leaves out, and caps its findings, but never raises one. `off` turns the rule off.",
            "examples": [
                {"prestop-drain-missing": "warning", "grace-period-exhausted": {"effective_on": "2027-01-31"}}
            ],
        },
        "waivers": {
            "type": "array",
            "items": _WAIVER,
            "default": [],
            "description": "Findings that are accepted. Each is listed in the check with its reason.",
            "examples": [[{"rules": ["single-replica"], "path": "labs/**", "reason": "Nobody depends on it."}]],
        },
        "annotation_waivers": {
            "type": "boolean",
            "default": _DEFAULTS.annotation_waivers,
            "description": "Whether the annotation `gracegate.dev/ignore` of an object waives its findings.",
            "examples": [False],
        },
        "min_kubernetes_version": {
            "type": ["string", "number"],
            "pattern": r"^v?1\.[0-9]{1,3}(\.[0-9]+)?$",
            "description": "The oldest Kubernetes that the manifests are for, 1.30 if nothing is said.",
            "examples": ["1.30"],
        },
        "drain_seconds": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: {**_SECONDS, "default": exposure.drain, "description": _EXPOSURES[name]}
                for name, exposure in EXPOSURES.items()
            },
            "description": "How long a pod that terminates still gets requests, in seconds, by how it is exposed.",
            "examples": [{"cluster": 5, "alb_ip": 40}],
        },
        "app_drain_seconds": {
            **_SECONDS,
            "default": 10,
            "description": "How long the apps take to shut down after SIGTERM, in seconds, where nothing else says so.",
            "examples": [15],
        },
    }
    return _file(CONFIG_FILE, "The configuration of gracegate for a repository, read from its base branch.", properties)


def policies_schema() -> Schema:
    """The schema of gracegate-policies.yaml."""
    mode: Schema = {"enum": [*get_args(Mode)]}
    properties = {
        "name": {
            **_TEXT,
            "pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
            "not": {"const": "gracegate"},
            "description": "What the set is called in checks; by default as its folder.",
            "examples": ["acme"],
        },
        "contract": {
            "type": "integer",
            "default": 1,
            "description": "The contract that the rules are written for.",
            "examples": [1],
        },
        "owners": {
            "type": "object",
            "additionalProperties": {**_TEXT, "maxLength": 100},
            "description": "Whom to ask about rules, by their group; `default` for all others.",
            "examples": [{"default": "acme/platform", "network": "acme/edge"}],
        },
        "rules": {
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    mode,
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "mode": mode,
                            "where": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "additionalProperties": False,
                                    "required": ["mode"],
                                    "minProperties": 2,
                                    "properties": {"mode": mode, "repository": _TEXT, "path": _TEXT},
                                },
                            },
                        },
                    },
                ]
            },
            "description": "How loud rules are, by their id: `shadow` counts findings and shows none, `warn` never "
            "blocks, `block` blocks on errors. `where` sets another mode for repositories and paths.",
            "examples": [
                {
                    "memory-limit-missing": "shadow",
                    "host-network": {"mode": "warn", "where": [{"mode": "block", "path": "prod/**"}]},
                }
            ],
        },
        "budget": {
            "type": "object",
            "additionalProperties": False,
            "required": ["rule_ms_per_1000_documents"],
            "properties": {"rule_ms_per_1000_documents": {"type": "number", "exclusiveMinimum": 0}},
            "description": "How long a rule may take, in milliseconds for 1,000 documents.",
            "examples": [{"rule_ms_per_1000_documents": 500}],
        },
        "foreign": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["kind", "path"],
                "properties": {
                    "kind": {"enum": [*FOREIGN_TOOLS], "description": "The tool that the policies are written for."},
                    "path": {**_TEXT, "description": "The folder in this set that has them."},
                    "namespaces": {**_TEXTS, "description": "conftest: the packages that are asked about each object."},
                    "combine": {**_TEXTS, "description": "conftest: the packages that are asked about all files."},
                    "data": {**_TEXTS, "description": "conftest: files and folders in this set that they read."},
                    "kinds": {**_TEXTS, "description": "conftest: kinds that they read beside those of gracegate."},
                },
            },
            "description": "Folders with policies for other tools, used as they are.",
            "examples": [[{"kind": "conftest", "path": "conftest", "namespaces": ["main"]}]],
        },
    }
    return _file(POLICIES_FILE, "What a policy set of gracegate says of itself.", properties)


def _file(title: str, description: str, properties: Mapping[str, Any]) -> Schema:
    return {
        "$schema": _DRAFT,
        "title": title,
        "description": description,
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
    }


def _rule(rule: Rule | None) -> Schema:
    """What may stand under the id of a rule; for None under that of any."""
    params: Schema = {"type": "object"}
    if rule is not None:
        params = {**params, "additionalProperties": False, "properties": {p.name: _param(p) for p in rule.parameters}}
    severity = {"enum": _SEVERITIES, "description": "It caps the severity of the rule's findings; `off` turns it off."}
    entry = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "severity": severity,
            "params": params,
            "effective_on": {
                **_DATE,
                "description": "The day from which its errors block; until then they are warnings.",
            },
        },
    }
    told = {} if rule is None else {"description": f"{rule.title}."}
    return {**told, "anyOf": [{"enum": _SEVERITIES}, entry]}


def _param(parameter: Parameter) -> Schema:
    kinds = (
        (bool, "boolean"),
        ((int, float), "number"),
        (str, "string"),
        ((list, tuple), "array"),
        (Mapping, "object"),
    )
    kind = next(name for types, name in kinds if isinstance(parameter.default, types))
    return {"type": kind, "default": parameter.default, "description": parameter.description}


_WAIVER: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rules", "reason"],
    "properties": {
        "rules": {**_TEXTS, "minItems": 1, "description": "The ids of the rules whose findings are accepted."},
        "reason": {**_TEXT, "description": "Why they are; the check shows it."},
        "path": {**_TEXT, "description": "Only in files that match this pattern."},
        "kind": {**_TEXT, "description": "Only in objects of kinds that match this pattern."},
        "namespace": {**_TEXT, "description": "Only in namespaces that match this pattern."},
        "name": {**_TEXT, "description": "Only in objects whose names match this pattern."},
        "container": {**_TEXT, "description": "Only in containers whose names match this pattern."},
        "until": {**_DATE, "description": "The last day on which it holds."},
    },
}

_EXPOSURES: Mapping[str, str] = {
    "cluster": "By a Service inside the cluster.",
    "headless": "By a headless Service, whose addresses clients keep.",
    "ingress": "By an ingress controller or a gateway in the cluster.",
    "ambient": "By Istio without sidecars.",
    "node": "By a node port, or a load balancer that sends to nodes.",
    "alb_ip": "By an AWS Application Load Balancer that sends to pods.",
    "nlb_ip": "By an AWS Network Load Balancer that sends to pods.",
    "neg": "By a Google Cloud load balancer that sends to pods.",
    "clb_direct": "By a Tencent Cloud load balancer that sends to pods.",
    "ack_eni": "By an Alibaba Cloud load balancer that sends to pods.",
    "elb_dedicated": "By a Huawei Cloud load balancer that sends to pods.",
}
