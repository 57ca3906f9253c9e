"""`gracegate check`: what is wrong in these manifests, or in what changed since a revision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, get_args

import click

from gracegate.check import check
from gracegate.cli.main import CLEAN, EXIT_CODES, FINDINGS, INCOMPLETE
from gracegate.cli.request import Asked, engine, prepare, shared_options
from gracegate.cli.terminal import colour, progress, say
from gracegate.model import SEVERITY_ORDER, Report
from gracegate.outputs import FORMATS
from gracegate.policy import load_builtin

FailOn = Literal["error", "warning", "info", "never"]


@click.command("check", epilog=EXIT_CODES)
@shared_options
@click.option("--base", metavar="REV", help="Say what changed since the merge base with this revision.")
@click.option("--head", metavar="REV", help="Judge this revision instead of the work tree; needs --base.")
@click.option("--format", "form", type=click.Choice([*FORMATS]), default="text", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(get_args(FailOn)),
    help="The least severity that counts.  [default: what the profile blocks]",
)
def command(form: str, fail_on: FailOn | None, opa: str | None, **asked: Any) -> int:
    """Find what would make a rolling update drop requests.

    PATHS are files and directories, `-` is standard input; by default the working directory is checked. A file is
    judged with what lies beside it. In a repository, paths in the output count from its top.
    """
    if asked["head"] and not asked["base"]:
        raise click.UsageError("--head needs --base")
    output = FORMATS[form]
    report = _checked(Asked(**asked), opa, output.max_diffs)
    render = output.render_coloured if output.render_coloured and colour() else output.render
    say(render(report))
    return exit_code(report, fail_on)


def exit_code(report: Report, fail_on: FailOn | None) -> int:
    """FINDINGS outranks INCOMPLETE; what is waived or was there before does not count.

    Without `fail_on` what makes the verdict `fail` counts, which the profile decides.
    """
    bound = len(SEVERITY_ORDER) if fail_on is None else SEVERITY_ORDER.get(fail_on, len(SEVERITY_ORDER))
    reached = any(f.counts and SEVERITY_ORDER[f.severity] >= bound for f in report.findings)
    if reached or (fail_on is None and report.verdict == "fail"):
        return FINDINGS
    return INCOMPLETE if any(p.blocks for p in report.problems) else CLEAN


def _checked(asked: Asked, opa: str | None, most_proofs: int | None) -> Report:
    catalog = load_builtin()
    with progress("Checking"), engine(opa, catalog) as (identity, evaluate):
        return check(replace(prepare(asked, catalog, identity), most_proofs=most_proofs), evaluate)
