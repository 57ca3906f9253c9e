"""`gracegate simulate`: what a rolling update of each workload would lose, as a timeline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

import click

from gracegate.check import simulated_rollouts
from gracegate.cli.main import CLEAN, INCOMPLETE
from gracegate.cli.rendering import build_renderer
from gracegate.cli.request import (
    CheckOptions,
    build_request,
    open_policy_engines,
    path_shower,
    paths_argument,
    shared_options,
)
from gracegate.cli.terminal import progress, shows_colour, write_output
from gracegate.outputs import rollout_json, rollout_mermaid, rollout_svg, rollout_text, text
from gracegate.rollout import RolloutEstimate, estimate_rollout

Form = Literal["text", "svg", "json", "mermaid"]

EXIT_CODES = """\b
Exit codes:
  0  the rollouts are shown, whatever they lose
  2  wrong usage, or a wrong configuration
  3  something could not be evaluated
"""


@click.command("simulate", epilog=EXIT_CODES)
@paths_argument
@shared_options
@click.option("--format", "form", type=click.Choice(get_args(Form)), default="text", show_default=True)
def command(form: Form, opa: str | None, **options: Any) -> int:
    """Show what a rolling update of each workload would lose.

    PATHS are files and directories, as in `gracegate check`. Shown are the update as the manifests have it, and with
    all safe fixes together. It is a model, not a measurement, and decides no severity; what it assumes stands below.
    """
    given = CheckOptions(**options)
    with progress("Simulating") as shown, open_policy_engines(opa, given, shown.clock) as policies:
        rollouts, problems = simulated_rollouts(build_request(given, policies), build_renderer(given, shown))
        estimates = [estimate_rollout(rollout) for rollout in rollouts]
    write_output(_written(estimates, form))
    click.echo(text.problems(problems, path_shower(given)), err=True, nl=False)
    if not estimates:
        click.echo("There is no workload here.", err=True)
    return INCOMPLETE if any(problem.blocks for problem in problems) else CLEAN


def _written(estimates: Iterable[RolloutEstimate], form: Form) -> str:
    match form:
        case "text":
            return rollout_text.render(estimates, colour=shows_colour())
        case "svg":
            return rollout_svg.render(estimates)
        case "json":
            return rollout_json.render(estimates)
        case "mermaid":
            return rollout_mermaid.render(estimates)
