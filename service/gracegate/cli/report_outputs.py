"""Where reports go: each format to standard output or into a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from gracegate import settings
from gracegate.cli.terminal import shows_colour, write_output
from gracegate.errors import InputError
from gracegate.model import Report
from gracegate.outputs import FORMATS, check_run


@dataclass(frozen=True, slots=True)
class ReportOutput:
    """A format, and the file that it is written to; None for standard output."""

    form: str
    file: Path | None = None


class FormatOption(click.ParamType[ReportOutput]):
    """`FORMAT` or `FORMAT=FILE`."""

    name = "format"

    def convert(
        self, value: str | ReportOutput, param: click.Parameter | None, ctx: click.Context | None
    ) -> ReportOutput:
        if isinstance(value, ReportOutput):
            return value
        form, is_to_file, file = value.partition("=")
        form = click.Choice([*FORMATS]).convert(form, param, ctx)
        if is_to_file and not file:
            self.fail(f"{value!r} names no file", param, ctx)
        return ReportOutput(form, Path(file) if file else None)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return click.Choice([*FORMATS]).shell_complete(ctx, param, incomplete)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click gives them
        return f"[{'|'.join(FORMATS)}][=FILE]"


def check_outputs(outputs: Sequence[ReportOutput]) -> None:
    """Raises UsageError where two formats would be mixed on standard output."""
    shown = [output.form for output in outputs if output.file is None]
    if len(shown) > 1:
        raise click.UsageError(
            f"--format {shown[0]} and --format {shown[1]} would be mixed: give one a file, as --format {shown[1]}=FILE"
        )


def max_diffs(outputs: Sequence[ReportOutput]) -> int | None:
    """Up to how many findings one of the formats shows fixes; None for always."""
    limits = [FORMATS[output.form].max_diffs for output in outputs]
    known = [limit for limit in limits if limit is not None]
    return max(known) if len(known) == len(limits) else None


def needs_details(outputs: Sequence[ReportOutput]) -> bool:
    """Whether one of the formats shows rollouts and excerpts."""
    return any(FORMATS[output.form].needs_details for output in outputs)


def write_report(report: Report, outputs: Sequence[ReportOutput]) -> None:
    """Standard output first, so that nothing is lost where a file cannot be written. Raises InputError for that.

    Where a workflow of GitHub Actions runs, the format `github` adds the page to the summary of its step.
    """
    for output in sorted(outputs, key=lambda one: one.file is not None):
        form = FORMATS[output.form]
        if output.file is not None:
            _write_file(output.file, form.render(report))
        elif form.render_coloured and shows_colour():
            write_output(form.render_coloured(report))
        else:
            write_output(form.render(report))
    if (summary := settings.step_summary()) is not None and any(output.form == "github" for output in outputs):
        _write_file(summary, check_run.render_page(report), append=True)


def _write_file(file: Path, text: str, *, append: bool = False) -> None:
    try:
        with file.open("a" if append else "w", encoding="utf-8", errors="backslashreplace", newline="") as opened:
            opened.write(text)
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror or error}") from error
