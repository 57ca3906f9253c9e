"""`gracegate policy input`: what rules get of manifests, for OPA and for debuggers of Rego."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import click

from gracegate.check import check
from gracegate.cli.main import CLEAN
from gracegate.cli.rendering import build_renderer
from gracegate.cli.request import CheckOptions, build_request, open_policy_engines, paths_argument, shared_options
from gracegate.cli.terminal import progress, write_output
from gracegate.errors import InputError
from gracegate.policy import Recording, builtin_policies


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
    with progress("Reading") as shown, open_policy_engines(opa, given, shown.clock) as policies:
        request = build_request(given, policies)
        recordings = [Recording(one.evaluate) for one in request.policies]
        sets = tuple(
            replace(one, evaluate=recording.evaluate)
            for one, recording in zip(request.policies, recordings, strict=True)
        )
        check(replace(request, policies=sets, max_verified_fixes=0), build_renderer(given, shown))
    # Of the head every set is asked first, each for its own rules.
    questions = [recording.questions[0].opa_input for recording in recordings if recording.questions]
    if not questions:
        raise InputError("there is no manifest that a rule reads")
    head = questions[0]
    rules = sorted({rule for one in questions for rule in one["rules"]})
    write_output(json.dumps({**head, "rules": rules}, indent=2) + "\n")
    folder = builtin_policies()
    click.echo(f"The libraries of gracegate, for --data: {folder / 'lib'} and {folder / 'main.rego'}", err=True)
    return CLEAN
