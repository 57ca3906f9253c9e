"""`gracegate policy check`: all that is wrong with a policy set, or how it is evaluated."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from gracegate.cli.main import CLEAN
from gracegate.cli.policies import built_policies, set_folder
from gracegate.cli.terminal import write_output
from gracegate.outputs import plural
from gracegate.policy import Catalog

EXIT_CODES = """\b
Exit codes:
  0  the set can be used
  1  it has mistakes
  2  wrong usage
"""


@click.command("check", epilog=EXIT_CODES)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def command(folder: Path | None) -> int:
    """Name all mistakes of a policy set, as every use of it does.

    FOLDER is by default the one above the working directory that has a gracegate-policies.yaml, else the working
    directory.
    """
    with ExitStack() as stack:
        _, catalogs = built_policies(set_folder(folder), stack)
    write_output("".join(f"{_line(name, catalog)}\n" for name, catalog in catalogs.items()))
    return CLEAN


def _line(name: str, catalog: Catalog) -> str:
    missing = ", ".join(catalog.missing_builtins)
    why = f", because Wasm lacks {missing}" if missing else ""
    engine = f"by OPA{why}" if catalog.needs_opa else "in Wasm"
    return f"{name}: {plural(len(catalog.rules), 'rule')}, evaluated {engine}; {catalog.digest[:12]}"
