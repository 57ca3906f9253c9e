"""`gracegate fix`: the safe fixes that were proved, as a diff or written into the files."""

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
from gracegate.cli.request import Asked, engine, prepare, shared_options, top_of
from gracegate.cli.terminal import colour, progress, say
from gracegate.errors import RepositoryError
from gracegate.outputs import plural, text
from gracegate.policy import load_builtin

EXIT_CODES = """\b
Exit codes:
  0  nothing to fix, or all of it is written
  1  there are fixes, which were shown and not written
  2  wrong usage, a wrong configuration, or a file that changed meanwhile
  3  something could not be evaluated
"""


@click.command("fix", epilog=EXIT_CODES)
@shared_options
@click.option("--write", is_flag=True, help="Write the fixes into the files.")
def command(write: bool, opa: str | None, **asked: Any) -> int:
    """Show the safe fixes as a diff, or write them.

    Each was applied and evaluated again before it is shown: the finding is gone, nothing new has come, and no other
    line of the file changed. PATHS are files and directories, by default the working directory.
    """
    if "-" in asked["paths"]:
        raise click.UsageError("Standard input has no file to fix; give the file's name")
    catalog = load_builtin()
    with progress("Fixing"), engine(opa, catalog) as (identity, evaluate):
        request = prepare(Asked(**asked), catalog, identity)
        fixed = fix_all(request, evaluate)
    if not write:
        say("".join(_diff(path, *texts) for path, texts in fixed.files.items()))
    else:
        written(top_of(asked["paths"] or (".",)), fixed.files, request)
    click.echo(text.problems(fixed.problems), err=True, nl=False)
    _sum_up(fixed, write=write)
    if any(p.blocks for p in fixed.problems):
        return INCOMPLETE
    return FINDINGS if fixed.files and not write else CLEAN


def _diff(path: str, old: str, new: str) -> str:
    lines = list(difflib.unified_diff(old.split("\n"), new.split("\n"), f"a/{path}", f"b/{path}", lineterm=""))
    return text.coloured_diff("\n".join(line.removesuffix("\r") for line in lines), colour=colour()) + "\n"


def written(top: Path, files: Mapping[str, tuple[str, str]], request: CheckRequest) -> None:
    """Writes all files or none: RepositoryError where one is not any more what was judged, or cannot be written.

    New contents are laid beside their files first, so that only renaming is left once all files were looked at.
    """
    with ExitStack() as leftovers:
        staged = {path: _staged(top / path, new, leftovers) for path, (_, new) in files.items()}
        for path, (old, _) in files.items():
            judged = request.head.files[path].data
            if _content(top / path) != judged or old.encode("utf-8", "surrogatepass") != judged:
                raise RepositoryError(
                    "the file changed while it was judged; nothing was written, run it again", file=path
                )
        for path, new_file in staged.items():
            new_file.replace(top / path)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _staged(path: Path, text: str, leftovers: ExitStack) -> Path:
    """A file beside `path` with its mode and owner and the new text; it goes away with `leftovers`."""
    try:
        status = path.stat()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        leftovers.callback(Path(name).unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
            with suppress(PermissionError):
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
    except OSError as error:
        raise RepositoryError(f"it cannot be written: {error.strerror}", file=str(path)) from error
    return Path(name)


def _sum_up(fixed: FixedFiles, *, write: bool) -> None:
    done = f"{plural(fixed.applied, 'finding')} in {plural(len(fixed.files), 'file')}"
    said = f"{'Fixed' if write else '`gracegate fix --write` fixes'} {done}." if fixed.files else "Nothing to fix."
    left = f" {plural(len(fixed.refused), 'finding')} without a safe fix: `gracegate check` names them."
    click.echo(said + (left if fixed.refused else ""), err=True)
