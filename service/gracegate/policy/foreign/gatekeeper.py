"""Gatekeeper's constraint templates and constraints: what they would say of the objects of a pull request. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from gracegate.model import WORKLOAD_KINDS, Pointer, Rule, Severity
from gracegate.policy.foreign.engine import Choose
from gracegate.policy.foreign.messages import Question
from gracegate.policy.foreign.questions import ForeignPolicies, ForeignRule

GROUP = "gatekeeper"
TARGET = "admission.k8s.gatekeeper.sh"

_TEMPLATES = "templates.gatekeeper.sh/"
_CONSTRAINTS = "constraints.gatekeeper.sh/"
# https://open-policy-agent.github.io/gatekeeper/website/docs/enforcement-points
_LEVELS: Mapping[str, Severity] = {"deny": "error", "warn": "warning", "dryrun": "info"}
_WEAKEST_FIRST = ("dryrun", "warn", "deny")
_PACKAGE = re.compile(r"^(\s*package\s+)([\w.]+)", re.MULTILINE)
_LIBRARY = re.compile(r"\bdata\.lib\b")
# What only an admission request or a cluster has.
_UNKNOWN = {
    re.compile(r"\bdata\.inventory\b"): "it reads data.inventory, the objects of a cluster",
    re.compile(r"\binput\.review\.userInfo\b"): "it reads who applies the object",
    re.compile(r"\binput\.review\.oldObject\b"): "it reads what the object was in the cluster",
}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A constraint or a template that cannot be evaluated in a pull request, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class GatekeeperPolicies:
    """The rules of constraints, and what was skipped."""

    policies: ForeignPolicies
    skipped: tuple[Skipped, ...] = ()


def chosen_by(matches: Mapping[str, Mapping[str, Any]]) -> Choose:
    """The questions about a document: about itself, and about the Pods of a workload.

    Gatekeeper sees those Pods when they are created, each after the workload was accepted.
    """

    def choose(document: Mapping[str, Any], rules: Sequence[str]) -> Iterator[tuple[Pointer, Question]]:
        manifest, namespace = document["object"], document["namespace"]
        about_itself = [rule for rule in rules if _matches(matches[rule], manifest, namespace)]
        if about_itself:
            yield (), Question(manifest, document["path"], tuple(about_itself))
        workload = WORKLOAD_KINDS.get(manifest.get("kind"))
        pod = _pod(manifest, workload.template) if workload and workload.template else None
        if workload is None or pod is None:
            return
        others = [rule for rule in rules if rule not in about_itself and _matches(matches[rule], pod, namespace)]
        if others:
            yield workload.template, Question(pod, document["path"], tuple(others))

    return choose


def gatekeeper_policies(objects: Iterable[Mapping[str, Any]]) -> GatekeeperPolicies:
    """The policies in manifests of templates and constraints; other kinds are passed over."""
    templates: dict[str, Mapping[str, Any]] = {}
    constraints: list[Mapping[str, Any]] = []
    for one in objects:
        version = str(one.get("apiVersion", ""))
        if version.startswith(_TEMPLATES) and one.get("kind") == "ConstraintTemplate":
            templates[str(_at(one, "spec", "crd", "spec", "names", "kind"))] = one
        elif version.startswith(_CONSTRAINTS):
            constraints.append(one)
    modules: dict[str, str] = {}
    v0: set[str] = set()
    rules: list[ForeignRule] = []
    matches: dict[str, Mapping[str, Any]] = {}
    skipped: list[Skipped] = []
    for constraint in constraints:
        kind, name = str(constraint["kind"]), str(_at(constraint, "metadata", "name"))
        source = _source(templates.get(kind))
        if isinstance(source, str):
            skipped.append(Skipped(f"{kind}/{name}", source))
            continue
        room = (GROUP, re.sub(r"\W", "_", kind.lower()))
        files = source.modules("/".join(room), ".".join(room))
        modules.update(files)
        v0.update(files if not source.is_v1 else ())
        rule = _rule(constraint, templates[kind])
        parameters = _at(constraint, "spec", "parameters")
        rules.append(
            ForeignRule(
                rule,
                (*room, *source.package.split(".")),
                "violation",
                parameters=parameters if isinstance(parameters, Mapping) else {},
            )
        )
        match = _at(constraint, "spec", "match")
        matches[rule.id] = match if isinstance(match, Mapping) else {}
    return GatekeeperPolicies(ForeignPolicies(modules, frozenset(v0), tuple(rules), matches), tuple(skipped))


@dataclass(frozen=True, slots=True)
class _Source:
    """The Rego of a template."""

    text: str
    libraries: tuple[str, ...]
    is_v1: bool

    @property
    def package(self) -> str:
        match = _PACKAGE.search(self.text)
        return match[2] if match else ""

    def modules(self, folder: str, room: str) -> dict[str, str]:
        """The modules below a package of their own, as templates share names of packages and libraries."""
        texts = {f"{folder}/template.rego": self.text}
        texts.update({f"{folder}/library_{n}.rego": text for n, text in enumerate(self.libraries)})
        return {
            path: _LIBRARY.sub(f"data.{room}.lib", _PACKAGE.sub(rf"\g<1>{room}.\g<2>", text, count=1))
            for path, text in texts.items()
        }


def _source(template: Mapping[str, Any] | None) -> _Source | str:
    """The Rego of a template, or why there is none that can be evaluated."""
    if template is None:
        return "there is no template of its kind"
    targets = [one for one in _list(template, "spec", "targets") if one.get("target") == TARGET]
    if not targets:
        return f"its template has no target {TARGET}"
    code = next((one.get("source", {}) for one in _list(targets[0], "code") if one.get("engine") == "Rego"), None)
    source = targets[0] if code is None else code
    text, libraries = source.get("rego"), [str(text) for text in _list(source, "libs")]
    if not isinstance(text, str) or not _PACKAGE.search(text):
        return "its template has no Rego"
    for pattern, reason in _UNKNOWN.items():
        if any(pattern.search(part) for part in (text, *libraries)):
            return reason
    return _Source(text, tuple(libraries), source.get("version") == "v1")


def _rule(constraint: Mapping[str, Any], template: Mapping[str, Any]) -> Rule:
    name = str(_at(constraint, "metadata", "name"))
    annotations = _at(template, "metadata", "annotations")
    annotations = annotations if isinstance(annotations, Mapping) else {}
    title = str(annotations.get("metadata.gatekeeper.sh/title") or constraint["kind"])
    description = " ".join(str(annotations.get("description") or "").split())
    kinds = [
        f"{group}/{kind}" if group not in ("", "*") else str(kind)
        for entry in _list(constraint, "spec", "match", "kinds")
        for group in entry.get("apiGroups") or ("",)
        for kind in entry.get("kinds") or ()
        if kind != "*"
    ]
    return Rule(
        id=f"{GROUP}.{re.sub(r'[^a-z0-9.]+', '-', name.lower())}",
        group=GROUP,
        title=title,
        description=description,
        severity=_level(constraint),
        fix="none",
        parameters=(),
        example="",
        links=(),
        kinds=tuple(dict.fromkeys(kinds)),
    )


def _level(constraint: Mapping[str, Any]) -> Severity:
    action = str(_at(constraint, "spec", "enforcementAction") or "deny")
    actions = {str(one.get("action")) for one in _list(constraint, "spec", "scopedEnforcementActions")}
    known = [one for one in _WEAKEST_FIRST if one in (actions if action == "scoped" else {action})]
    return _LEVELS[known[-1]] if known else "warning"


def _pod(manifest: Mapping[str, Any], template: Pointer) -> dict[str, Any] | None:
    """The Pod that a workload makes, with its name: it has none of its own before it is created."""
    found = _at(manifest, *map(str, template))
    if not isinstance(found, Mapping):
        return None
    named = {key: value for key in ("name", "namespace") if (value := _at(manifest, "metadata", key))}
    metadata = found.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    return {**found, "apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, **named}}


# https://open-policy-agent.github.io/gatekeeper/website/docs/howto#the-match-field
def _matches(match: Mapping[str, Any], manifest: Mapping[str, Any], namespace: str) -> bool:
    """Whether a constraint is about an object. What nobody knows of it, its namespace above all, excludes nothing."""
    group = str(manifest.get("apiVersion", "")).rpartition("/")[0]
    kinds = _list(match, "kinds")
    labels = _at(manifest, "metadata", "labels")
    return (
        (
            not kinds
            or any(_is_one(group, one, "apiGroups") and _is_one(manifest.get("kind"), one, "kinds") for one in kinds)
        )
        and (not namespace or not match.get("namespaces") or _is_like(namespace, match["namespaces"]))
        and not (namespace and _is_like(namespace, match.get("excludedNamespaces") or ()))
        and (not match.get("name") or _is_like(str(_at(manifest, "metadata", "name")), [match["name"]]))
        and _selects(match.get("labelSelector") or {}, labels if isinstance(labels, Mapping) else {})
    )


def _is_one(value: Any, entry: Mapping[str, Any], key: str) -> bool:
    """Whether an entry of `kinds` allows the value; one that lists none allows all."""
    listed = entry.get(key) or ["*"]
    return "*" in listed or value in listed


def _is_like(name: str, patterns: Iterable[Any]) -> bool:
    return any(fnmatchcase(name, str(pattern)) for pattern in patterns)


def _selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    pairs = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in pairs.items()) and all(
        _fulfils(one, labels) for one in selector.get("matchExpressions") or ()
    )


def _fulfils(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = str(expression.get("key")), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return True


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _list(value: Any, *keys: str) -> list[Any]:
    found = _at(value, *keys)
    return found if isinstance(found, list) else []
