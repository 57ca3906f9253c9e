"""The module through which an OPA is asked for what foreign policies say. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gracegate.model import Rule

PACKAGE = "gracegate_foreign"
"""Of the module that asks; its rule `said` has what the rules answer to the questions of the input."""

_QUESTIONS = f"{PACKAGE}/questions.rego"
_HEADER = f"""package {PACKAGE}

import rego.v1

# What Gatekeeper would be asked on admission, as far as a manifest says it.
_review(manifest) := {{
	"object": manifest,
	"operation": "CREATE",
	"name": object.get(manifest, ["metadata", "name"], ""),
	"namespace": object.get(manifest, ["metadata", "namespace"], ""),
	"kind": {{"group": concat("/", array.slice(parts, 0, count(parts) - 1)), "version": last, "kind": manifest.kind}},
}} if {{
	parts := split(object.get(manifest, "apiVersion", ""), "/")
	last := parts[count(parts) - 1]
}}
"""


@dataclass(frozen=True, slots=True)
class ForeignRule:
    """A rule that answers with a set of messages: `name` in the package `package`, below data.

    `exemption` is the name by which a rule `exception` of its package exempts an object from it, None without one.
    With `parameters` it reads a review as Gatekeeper writes it, without them the object itself, or all files at once
    where it `is_combined`.
    """

    rule: Rule
    package: tuple[str, ...]
    name: str
    exemption: str | None = None
    parameters: Mapping[str, Any] | None = None
    is_combined: bool = False


@dataclass(frozen=True, slots=True)
class ForeignPolicies:
    """Rego texts by path, of which those in `v0` are in the Rego of before OPA 1.0, and the rules in them.

    `matches` has for the rules of Gatekeeper, by id, what selects the objects that each is about, and `data` is what
    the rules read beside their input.
    """

    modules: Mapping[str, str]
    v0: frozenset[str]
    rules: tuple[ForeignRule, ...]
    matches: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reads_file(self) -> bool:
        """Whether a rule asks which file an object is in, as conftest says it."""
        return any("conftest" in text for text in self.modules.values())

    def described(self) -> dict[str, Any]:
        """All but the texts and the rules' METADATA, as JSON."""
        rules = {
            one.rule.id: {
                "package": list(one.package),
                "name": one.name,
                "exemption": one.exemption,
                "parameters": one.parameters,
                "is_combined": one.is_combined,
            }
            for one in self.rules
        }
        return {"v0": sorted(self.v0), "rules": rules, "matches": dict(self.matches), "data": dict(self.data)}

    @classmethod
    def of(cls, described: Mapping[str, Any], modules: Mapping[str, str], rules: Mapping[str, Rule]) -> ForeignPolicies:
        """What `described` was written of, with the texts and the rules by id."""
        found = (
            ForeignRule(rules[name], **{**one, "package": tuple(one["package"])})
            for name, one in described["rules"].items()
        )
        return cls(modules, frozenset(described["v0"]), tuple(found), described["matches"], described["data"])


def bundle_of(policies: ForeignPolicies) -> dict[str, str]:
    """The files of a bundle with the policies and what asks them."""
    versions = {f"/{path}": 0 for path in sorted(policies.v0)}
    return {
        **policies.modules,
        **({"data.json": json.dumps(policies.data)} if policies.data else {}),
        _QUESTIONS: questions_module(policies.rules, with_file=policies.reads_file),
        ".manifest": json.dumps({"rego_version": 1, "file_rego_versions": versions}),
    }


def questions_module(rules: Sequence[ForeignRule], *, with_file: bool = False) -> str:
    """The module that asks each of the rules about the objects of the input, and tells them the file where they ask."""
    parts = [_HEADER]
    file = " with data.conftest.file as question.file" if with_file else ""
    for number, one in enumerate(rules):
        identity = json.dumps(one.rule.id)
        body = ["some i, question in input.questions", f"{identity} in question.rules"]
        asked = "question.object"
        if one.parameters is not None:
            body.append(f'review := {{"parameters": {json.dumps(one.parameters)}, "review": _review(question.object)}}')
            asked = "review"
        if one.exemption is not None:
            exceptions = f"{_reference((*one.package, 'exception'))}[_][_]"
            parts.append(f"_exempts_{number} if {exceptions} == {json.dumps(one.exemption)}\n")
            body.append(f"not _exempts_{number} with input as {asked}{file}")
        body.append(f"some result in {_reference((*one.package, one.name))} with input as {asked}{file}")
        lines = "".join(f"\t{line}\n" for line in body)
        parts.append(f'said contains {{"question": i, "rule": {identity}, "result": result}} if {{\n{lines}}}\n')
    return "\n".join(parts)


def _reference(path: Sequence[str]) -> str:
    return "data" + "".join(f"[{json.dumps(part)}]" for part in path)
