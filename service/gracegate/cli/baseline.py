"""`gracegate baseline`: accepts the findings that there are, so that `check --baseline` counts only others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gracegate.check import render_baseline, take_baseline
from gracegate.cli.main import CLEAN, INCOMPLETE
from gracegate.cli.rendering import build_renderer
from gracegate.cli.report_outputs import write_file
from gracegate.cli.request import (
    CheckOptions,
    build_request,
    open_policy_engines,
    path_shower,
    paths_argument,
    shared_options,
)
from gracegate.cli.terminal import progress
from gracegate.outputs import plural, text


@click.command("baseline")
@paths_argument
@shared_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default="gracegate-baseline.json",
    show_default=True,
    help="The file to write.",
)
def command(output: Path, opa: str | None, **options: Any) -> int:
    """Accept the findings that there are, for trees without history.

    Writes them into a file. `gracegate check --baseline FILE` then counts only what is new or got worse, as --base does
    with a git revision. Findings are recognised by rule, object, container and place, wherever their file moves.
    """
    given = CheckOptions(**options)
    with progress("Checking") as shown, open_policy_engines(opa, given, shown.clock) as policies:
        taken = take_baseline(build_request(given, policies), build_renderer(given, shown))
        problems = (*policies.chosen.problems(), *taken.problems)
    write_file(output, render_baseline(taken.findings))
    click.echo(text.problems(problems, path_shower(given)), err=True, nl=False)
    click.echo(f"{output} accepts {plural(taken.count, 'finding')}.", err=True)
    if any(problem.blocks for problem in problems):
        click.echo("Not everything was evaluated: what is found there later will count.", err=True)
        return INCOMPLETE
    return CLEAN
