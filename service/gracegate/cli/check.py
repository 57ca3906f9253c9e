"""`gracegate check`: findings in manifests, or in what changed since a revision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, get_args

import click

from gracegate.check import check
from gracegate.cli.main import CLEAN, EXIT_CODES, FINDINGS, INCOMPLETE
from gracegate.cli.rendering import build_renderer
from gracegate.cli.report_outputs import (
    FormatOption,
    ReportOutput,
    check_outputs,
    max_diffs,
    needs_rollouts,
    text_style,
    write_report,
)
from gracegate.cli.request import (
    CheckOptions,
    build_request,
    open_policy_engines,
    path_shower,
    paths_argument,
    shared_options,
)
from gracegate.cli.terminal import progress
from gracegate.model import SEVERITY_ORDER, Report
from gracegate.outputs import text

FailOn = Literal["error", "warning", "info", "never"]


@click.command("check", epilog=EXIT_CODES)
@paths_argument
@shared_options
@click.option("--base", metavar="REV", help="Check what changed since the merge base with this revision.")
@click.option("--baseline", metavar="FILE", help="Count only what `gracegate baseline` has not written into this file.")
@click.option("--head", metavar="REV", help="Check this revision instead of the work tree; needs --base.")
@click.option(
    "--format",
    "outputs",
    type=FormatOption(),
    multiple=True,
    default=("text",),
    show_default="text",
    help="On standard output, or into a file; can be repeated.",
)
@click.option(
    "--fail-on",
    type=click.Choice(get_args(FailOn)),
    help="The lowest severity that fails.  [default: what the profile blocks]",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever the report says.")
@click.option("-q", "--quiet", is_flag=True, help="Show the verdict alone, in one line.")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Show lines and fixes of many findings too, every note, and on standard error what rules in mode shadow find.",
)
def command(
    outputs: tuple[ReportOutput, ...],
    fail_on: FailOn | None,
    opa: str | None,
    *,
    exit_zero: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> int:
    """Find what would make a rolling update drop requests.

    PATHS are files and directories, by default the working directory; `-` is standard input. A file is checked together
    with the other manifests of its directory. Kustomizations and charts among them are rendered, without plugins,
    programs and network. The format text has paths from the working directory, the others from the repository's top.
    """
    if options["head"] and not options["base"]:
        raise click.UsageError("--head needs --base")
    if options["base"] and options["baseline"]:
        raise click.UsageError("--base and --baseline both say what was there before: choose one")
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose contradict each other")
    check_outputs(outputs)
    given = CheckOptions(**options)
    with progress("Checking", is_quiet=quiet) as shown, open_policy_engines(opa, given, shown.clock) as policies:
        request = build_request(given, policies)
        render = build_renderer(given, shown)
        max_verified = max_diffs(outputs, is_verbose=verbose)
        request = replace(request, max_verified_fixes=max_verified, with_rollouts=needs_rollouts(outputs))
        report = policies.complete(check(request, render))
    style = text_style(path_shower(given), is_verbose=verbose)
    write_report(report, outputs, style, is_quiet=quiet)
    if verbose:
        click.echo(text.shadows(report, replace(style, has_colour=False)), err=True, nl=False)
    return CLEAN if exit_zero else exit_code(report, fail_on)


def exit_code(report: Report, fail_on: FailOn | None) -> int:
    """Findings come before problems; waived and pre-existing ones do not count. By default the verdict decides."""
    min_severity = len(SEVERITY_ORDER) if fail_on is None else SEVERITY_ORDER.get(fail_on, len(SEVERITY_ORDER))
    fails = any(f.counts and SEVERITY_ORDER[f.severity] >= min_severity for f in report.findings)
    if fails or (fail_on is None and report.verdict == "fail"):
        return FINDINGS
    return INCOMPLETE if any(p.blocks for p in report.problems) else CLEAN
