"""The entry of the command line: imports the command, and turns every error into one line and an exit code."""

from __future__ import annotations

import errno
import importlib
import sys
import traceback
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, cast

import click

from gracegate import __version__
from gracegate.errors import GracegateError, InputError
from gracegate.processes import end_at_once, run_without_collector

PROGRAM = "gracegate"
CLEAN, FINDINGS, USAGE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130

EXIT_CODES = """\b
Exit codes:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on
  2  wrong usage, or a wrong configuration
  3  something could not be evaluated
"""

# `--help` does not import the commands, because some are slow to import.
COMMANDS = {
    "audit": "List what the GitHub App has written to GitHub, and why.",
    "baseline": "Accept the findings that there are, so that only others count.",
    "check": "Find what would make a rolling update drop requests.",
    "completion": "Print the script with which a shell completes commands, options and rules.",
    "config": "Write and test the configuration of a repository.",
    "doctor": "Check the set-up of the GitHub App.",
    "fix": "Show the safe fixes as a diff, or write them.",
    "policy": "Write, test and use rules of your own.",
    "render": "Print what a kustomization or a chart renders to.",
    "rules": "List the rules, or explain one.",
    "schema": "Print the JSON Schema of a file, for editors.",
    "serve": "Run the GitHub App on one machine: a web process and workers.",
    "setup": "Register the GitHub App, and write its settings down.",
    "simulate": "Show what a rolling update of each workload would lose.",
    "steps": "Split a change into steps that are safe one after the other.",
    "worker": "Run one more worker of the GitHub App.",
}

_SERVICES = frozenset({"serve", "worker"})
"""The commands that run for as long as they can."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class LazyGroup(click.Group):
    """Commands, each with its help, whose modules are imported when they are called.

    The module of a command is named after it, behind `prefix`.
    """

    def __init__(self, *arguments: Any, helps: Mapping[str, str], prefix: str = "", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._helps = helps
        self._prefix = prefix

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self._helps)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._helps:
            return None
        module = importlib.import_module(f"gracegate.cli.{self._prefix}{cmd_name}")
        return cast("click.Command", module.command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self._helps and not name.startswith("-"):
            near = get_close_matches(name, self._helps, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"`{ctx.command_path} --help` lists them."
            raise click.UsageError(f"There is no command `{name}`; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._helps.items()))


@click.command(
    cls=LazyGroup, helps=COMMANDS, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """Find what would make rolling updates of Kubernetes workloads drop requests, and fix it."""


def main() -> None:
    """The program `gracegate`."""
    arguments = sys.argv[1:]
    if not _SERVICES.isdisjoint(arguments[:1]):
        sys.exit(run(arguments))
    run_without_collector()
    end_at_once(run(arguments), unwritten=INCOMPLETE)


def run(arguments: list[str]) -> int:
    """Runs a command and returns the exit code; nothing is raised."""
    try:
        result = cli.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - Python would end with 1, which means findings
        return _report_error(error)
    return result if isinstance(result, int) else CLEAN


def _report_error(error: BaseException) -> int:
    """Prints the error, in one line unless it is a bug, and returns the exit code."""
    if isinstance(error, click.ClickException):
        error.show()
        return USAGE
    if isinstance(error, GracegateError):
        click.echo(f"gracegate: {' '.join(str(error).split())}", err=True)
        return USAGE if isinstance(error, InputError) else INCOMPLETE
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("gracegate"):
        click.echo(f"gracegate: the package `{error.name}` is not installed: pip install 'gracegate[app]'", err=True)
        return USAGE
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        click.echo(f"gracegate: the output cannot be written: {error.strerror}", err=True)
        return INCOMPLETE
    traceback.print_exception(error)
    click.echo("gracegate: this is a bug, please report it with the lines above", err=True)
    return INCOMPLETE
