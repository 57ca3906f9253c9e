"""`gracegate policy new`: a rule to start from, with a test and a case, which all pass."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import click

from gracegate.cli.main import CLEAN
from gracegate.cli.policies import format_option, set_folder, write_json
from gracegate.cli.terminal import write_output
from gracegate.errors import InputError
from gracegate.policy import load_builtin

_NAME = re.compile(r"(?P<group>[a-z][a-z0-9_]*)/(?P<rule>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)")
_OBJECT = """\
{indent}apiVersion: apps/v1
{indent}kind: Deployment
{indent}metadata: {{name: web}}
{indent}spec:
{indent}  selector: {{matchLabels: {{app: web}}}}
{indent}  template:
{indent}    metadata: {{labels: {{app: web}}}}
{indent}    spec:
{indent}      containers:
{indent}      - name: web
{indent}        image: registry.example/web:1.4.2
"""
_RULE = """\
# METADATA
# title: The fault in a few words
# description: What goes wrong at run time, and for whom.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
# custom:
#   severity: warning
#   fix: none
#   example: |
{example}package gracegate.rules.{group}["{rule}"]

import data.gracegate.lib.text

violation contains {{"at": {{"document": i, "path": ["metadata", "labels"]}}, "message": message}} if {{
	some i, document in input.documents
	document.object.kind == "Deployment"
	not document.object.metadata.labels.owner
	message := text.format(`Deployment "{{}}" names no owner.`, [document.object.metadata.name])
}}
"""
_TEST = """\
package gracegate.rules.{group}["{rule}_test"]

import data.gracegate.rules.{group}["{rule}"] as rule
import data.gracegate.testing

test_without_an_owner if {{
	found := rule.violation with input as testing.batch([{{"kind": "Deployment", "metadata": {{"name": "web"}}}}])
	{{violation.message | some violation in found}} == {{`Deployment "web" names no owner.`}}
}}

test_with_an_owner if {{
	labelled := {{"kind": "Deployment", "metadata": {{"name": "web", "labels": {{"owner": "shop"}}}}}}
	count(rule.violation) == 0 with input as testing.batch([labelled])
}}
"""


@click.command("new")
@click.argument("name", metavar="GROUP/RULE")
@format_option
def command(name: str, form: Literal["text", "json"]) -> int:
    """Write a rule to start from, with a test and a case.

    They go into the policy set above the working directory, else into the working directory. Nothing is overwritten.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise click.UsageError(f"{name} is no name of a rule: write a group and an id, as in acme/image-not-pinned")
    group, rule = match["group"], match["rule"]
    builtin = load_builtin().rules.values()
    if group in {one.group for one in builtin} or rule in {name for one in builtin for name in (one.id, *one.aliases)}:
        raise click.UsageError(f"{name} is taken by the built-in rules: choose another group and another id")
    folder, file = set_folder(None), rule.replace("-", "_")
    found = _OBJECT.format(indent="").replace("metadata: {name", f"# finding: {rule} warning\nmetadata: {{name", 1)
    texts = {
        f"rules/{group}/{file}.rego": _RULE.format(group=group, rule=rule, example=_OBJECT.format(indent="#     ")),
        f"rules/{group}/{file}_test.rego": _TEST.format(group=group, rule=rule),
        f"cases/{rule}/bad.yaml": found,
    }
    if taken := [path for path in texts if (folder / path).exists()]:
        raise InputError("it is there already", file=str(folder / taken[0]))
    for path, text in texts.items():
        _write(folder / path, text)
    if form == "json":
        write_json({"folder": str(folder), "created": [*texts]})
    else:
        write_output("".join(f"created {path}\n" for path in texts))
        write_output("next: write `violation` and what it finds, then `gracegate policy test`\n")
    return CLEAN


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=str(path)) from error
