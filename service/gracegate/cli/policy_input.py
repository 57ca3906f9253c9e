"""`gracegate policy input`: what rules get of manifests, for OPA and for debuggers of Rego."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from gracegate.check import check
from gracegate.cli.main import CLEAN
from gracegate.cli.rendering import build_renderer
from gracegate.cli.request import CheckOptions, build_request, open_policy_engines, paths_argument, shared_options
from gracegate.cli.terminal import progress, write_output
from gracegate.errors import InputError
from gracegate.policy import Evaluate, builtin_policies


@click.command("input")
@paths_argument
@shared_options
@click.option("--base", metavar="REV", help="What rules on a change get: since the merge base with this revision.")
@click.option("--head", metavar="REV", help="Read this revision instead of the work tree; needs --base.")
def command(opa: str | None, **options: Any) -> int:
    """Print the input that rules get of manifests, as `opa eval --input` and Regal's debugger take it.

    PATHS and options are as in `gracegate check`, which asks all rules the same.
    """
    if options["head"] and not options["base"]:
        raise click.UsageError("--head needs --base")
    given = CheckOptions(**options)
    questions: list[Mapping[str, Any]] = []
    with progress("Reading") as shown, open_policy_engines(opa, given, shown.clock) as policies:
        request = build_request(given, policies)
        sets = tuple(replace(one, evaluate=_recorded(one.evaluate, questions)) for one in request.policies)
        check(replace(request, policies=sets, max_verified_fixes=0), build_renderer(given, shown))
    if not questions:
        raise InputError("there is no manifest that a rule reads")
    head = questions[0]
    # Of the head every set is asked first, each for its own rules.
    rules = sorted({rule for one in questions if one["documents"] == head["documents"] for rule in one["rules"]})
    write_output(json.dumps({**head, "rules": rules}, indent=2) + "\n")
    folder = builtin_policies()
    click.echo(f"The libraries of gracegate, for --data: {folder / 'lib'} and {folder / 'main.rego'}", err=True)
    return CLEAN


def _recorded(evaluate: Evaluate, questions: list[Mapping[str, Any]]) -> Evaluate:
    """Evaluates, and keeps what it was asked."""

    def evaluate_recorded(opa_input: Mapping[str, Any]) -> Any:
        questions.append(opa_input)
        return evaluate(opa_input)

    return evaluate_recorded
