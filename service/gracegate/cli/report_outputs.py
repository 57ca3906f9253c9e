"""Where reports go: each format to standard output or into a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from gracegate import settings
from gracegate.cli.terminal import shows_colour, write_output
from gracegate.errors import InputError
from gracegate.model import Report
from gracegate.outputs import FORMATS, TextStyle, text


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


def max_diffs(outputs: Sequence[ReportOutput], *, is_verbose: bool) -> int | None:
    """Up to how many findings one of the formats shows fixes; None for always."""
    forms = [FORMATS[output.form] for output in outputs]
    limits = [None if is_verbose and form.render_styled else form.max_diffs for form in forms]
    known = [limit for limit in limits if limit is not None]
    return max(known) if len(known) == len(limits) else None


def needs_rollouts(outputs: Sequence[ReportOutput]) -> bool:
    """Whether one of the formats shows rollouts."""
    return any(FORMATS[output.form].needs_rollouts for output in outputs)


def text_style(shown_path: Callable[[str], str], *, is_verbose: bool = False) -> TextStyle:
    """How texts are shown on this standard output."""
    return TextStyle(shows_colour(), is_verbose, shown_path)


def write_report(
    report: Report, outputs: Sequence[ReportOutput], style: TextStyle = text.PLAIN, *, is_quiet: bool = False
) -> None:
    """Standard output first, so that nothing is lost where a file cannot be written. Raises InputError for that.

    Of what is for readers, a quiet command shows the verdict alone. Where all goes into files, standard error has it.
    Where a workflow of GitHub Actions runs, the format `github` adds the page to the summary of its step.
    """
    for output in sorted(outputs, key=lambda one: one.file is not None):
        form = FORMATS[output.form]
        if form.render_styled is None:
            rendered = form.render(report)
        elif is_quiet:
            rendered = f"{text.verdict(report)}\n"
        else:
            rendered = form.render_styled(report, style if output.file is None else replace(style, has_colour=False))
        if output.file is None:
            write_output(rendered)
        else:
            write_file(output.file, rendered)
    if all(output.file is not None for output in outputs):
        click.echo(text.verdict(report), err=True)
    if (summary := settings.step_summary()) is not None and any(output.form == "github" for output in outputs):
        write_file(summary, FORMATS["markdown"].render(report), append=True)


def write_file(file: Path, text: str, *, append: bool = False) -> None:
    """Raises InputError."""
    try:
        with file.open("a" if append else "w", encoding="utf-8", errors="backslashreplace", newline="") as opened:
            opened.write(text)
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror or error}") from error
