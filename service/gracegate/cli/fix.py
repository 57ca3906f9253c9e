"""`gracegate fix`: the safe fixes, verified, as a diff or written into the files."""

from __future__ import annotations

import difflib
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import click

from gracegate.check import CheckRequest, FixedFiles, fix_all
from gracegate.cli.main import CLEAN, FINDINGS, INCOMPLETE
from gracegate.cli.rendering import build_renderer
from gracegate.cli.request import (
    CheckOptions,
    build_request,
    open_policy_engines,
    path_shower,
    paths_argument,
    shared_options,
    top_directory,
)
from gracegate.cli.terminal import progress, shows_colour, write_output
from gracegate.errors import RepositoryError
from gracegate.outputs import plural, text

EXIT_CODES = """\b
Exit codes:
  0  nothing to fix, or all fixes were written
  1  there are fixes, which were shown and not written
  2  wrong usage, a wrong configuration, or a file that changed during the run
  3  something could not be evaluated
"""


@click.command("fix", epilog=EXIT_CODES)
@paths_argument
@shared_options
@click.option("--write", is_flag=True, help="Write the fixes into the files.")
def command(write: bool, opa: str | None, **options: Any) -> int:
    """Show the safe fixes as a diff, or write them.

    Each fix has been applied and the rules run again: the finding is gone, there is no new error or warning, and no
    other line of the file changed. PATHS are files and directories, by default the working directory.
    """
    if "-" in options["paths"]:
        raise click.UsageError("Standard input has no file to fix; give the file's name")
    given = CheckOptions(**options)
    with progress("Fixing") as shown, open_policy_engines(opa, given, shown.clock) as policies:
        request = build_request(given, policies)
        fixed = fix_all(request, build_renderer(given, shown))
    if not write:
        write_output("".join(_diff(path, *texts) for path, texts in fixed.files.items()))
    else:
        write_files(top_directory(options["paths"] or (".",)), fixed.files, request)
    problems = (*policies.chosen.problems(), *fixed.problems)
    click.echo(text.problems(problems, path_shower(given)), err=True, nl=False)
    _print_summary(fixed, write=write)
    if any(p.blocks for p in problems):
        return INCOMPLETE
    return FINDINGS if fixed.files and not write else CLEAN


def _diff(path: str, old: str, new: str) -> str:
    lines = list(difflib.unified_diff(old.split("\n"), new.split("\n"), f"a/{path}", f"b/{path}", lineterm=""))
    return text.coloured_diff("\n".join(line.removesuffix("\r") for line in lines), colour=shows_colour()) + "\n"


def write_files(top: Path, files: Mapping[str, tuple[str, str]], request: CheckRequest) -> None:
    """Writes all files (path -> old and new text) or none.

    Raises RepositoryError if a file has changed since it was checked, or cannot be written. The new texts are written
    to temporary files first, so that only renaming is left when all files have been compared.
    """
    with ExitStack() as cleanup:
        temporary = {path: _write_beside(top / path, new, cleanup) for path, (_, new) in files.items()}
        for path, (old, _) in files.items():
            checked = request.head.files[path].data
            if _read_bytes(top / path) != checked or old.encode("utf-8", "surrogatepass") != checked:
                raise RepositoryError(
                    "nothing was written, because the file changed during the run; run it again", file=path
                )
        for path, new_file in temporary.items():
            new_file.replace(top / path)


def _read_bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _write_beside(path: Path, text: str, cleanup: ExitStack) -> Path:
    """A temporary file in the directory of `path`, with its mode and owner and the new text; `cleanup` deletes it."""
    try:
        status = path.stat()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        cleanup.callback(Path(name).unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
            with suppress(PermissionError):
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
    except OSError as error:
        raise RepositoryError(f"cannot be written: {error.strerror}", file=str(path)) from error
    return Path(name)


def _print_summary(fixed: FixedFiles, *, write: bool) -> None:
    summary = "Nothing to fix."
    if fixed.files:
        count = f"{plural(fixed.applied, 'finding')} in {plural(len(fixed.files), 'file')}"
        summary = f"{'Fixed' if write else '`gracegate fix --write` fixes'} {count}."
    if fixed.refused:
        summary += f" {plural(len(fixed.refused), 'finding')} without a safe fix: `gracegate check` lists them."
    click.echo(summary, err=True)
