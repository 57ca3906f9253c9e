"""`gracegate steps`: a change in steps that are safe one after the other, as diffs or as patches in a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gracegate import git
from gracegate.check import PlannedChange, plan_change
from gracegate.cli.main import CLEAN, FINDINGS, INCOMPLETE
from gracegate.cli.rendering import build_renderer
from gracegate.cli.request import CheckOptions, build_request, open_policy_engines, path_shower, shared_options
from gracegate.cli.terminal import progress, shows_colour, write_output
from gracegate.errors import InputError
from gracegate.model import Report
from gracegate.outputs import plural, step_text, text

EXIT_CODES = """\b
Exit codes:
  0  one step is enough
  1  the change needs the steps, or has a part without safe steps
  2  wrong usage, or a wrong configuration
  3  something could not be evaluated
"""
_MAX_NAME = 60


@click.command("steps", epilog=EXIT_CODES)
@click.argument("base")
@click.argument("head", default="HEAD")
@shared_options
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a patch for each step into this folder; `git apply` takes them in order.",
)
def command(base: str, head: str, folder: Path | None, opa: str | None, **options: Any) -> int:
    """Split a change into steps that are safe one after the other.

    The change is that from the merge base with the revision BASE to the revision HEAD. The rules have compared each
    step with the one before it and found nothing that they do not find in the whole change; the last step ends in HEAD.
    Apply a step when the rollout of the one before it has ended, and after what it says has to be done by hand.
    """
    given = CheckOptions(base=base, head=head, **options)
    with progress("Planning") as shown, open_policy_engines(opa, given, shown.clock) as policies:
        planned = plan_change(build_request(given, policies), build_renderer(given, shown))
        planned = replace(planned, report=policies.complete(planned.report))
    if planned.report.steps:
        patches = _patches(planned, base, head)
        if folder is None:
            _show(planned.report, patches)
        else:
            _write(folder, planned.report, patches)
    click.echo(text.problems(planned.report.problems, path_shower(given)), err=True, nl=False)
    click.echo(step_text.unsplit(planned.report), err=True, nl=False)
    click.echo(_summary(planned.report, folder), err=True)
    if any(problem.blocks for problem in planned.report.problems):
        return INCOMPLETE
    return FINDINGS if planned.report.steps or step_text.has_unsplit(planned.report) else CLEAN


def _patches(planned: PlannedChange, base: str, head: str) -> Sequence[bytes]:
    top = git.find_top_level(Path.cwd())
    end = git.resolve_commit(top, head)
    merge_base = git.find_merge_base(top, git.resolve_commit(top, base), end)
    states = [{p: t.encode("utf-8", "surrogatepass") for p, t in texts.items()} for texts in planned.texts]
    return git.make_patches(top, merge_base, end, states)


def _show(report: Report, patches: Sequence[bytes]) -> None:
    for number, patch in enumerate(patches, 1):
        write_output(step_text.heading(report, number) + "\n")
        shown = text.coloured_diff(patch.decode(errors="replace").replace("\r\n", "\n"), colour=shows_colour())
        write_output(shown + "\n")


def _write(folder: Path, report: Report, patches: Sequence[bytes]) -> None:
    """Raises InputError where the folder has patches already, which would be taken for these, or cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.glob("*.patch")):
            raise InputError(f"--write {folder} has patches already: empty it, or name another folder")
        for number, patch in enumerate(patches, 1):
            # `git apply` skips what stands before a diff.
            text_before = f"{step_text.heading(report, number)}\n".encode()
            (folder / f"{number:04}-{_file_name(report, number)}.patch").write_bytes(text_before + patch)
    except OSError as error:
        raise InputError(f"--write {folder} cannot be written: {error.strerror}") from error


def _file_name(report: Report, number: int) -> str:
    """The beginning of what the step does first."""
    title = next(action.title for f in report.findings for action in f.steps if action.number == number)
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:_MAX_NAME].strip("-")


def _summary(report: Report, folder: Path | None) -> str:
    if report.steps:
        where = "" if folder is None else f" in {folder}: `git apply {folder}/*.patch` applies all of them"
        return f"{plural(len(report.steps), 'step')}{where}."
    if any(problem.blocks for problem in report.problems):
        return "Not everything was evaluated, so this change may need steps."
    return "No safe steps for this change." if step_text.has_unsplit(report) else "One step is enough."
