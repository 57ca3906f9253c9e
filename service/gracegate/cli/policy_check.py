"""`gracegate policy check`: all that is wrong with a policy set, or how it is evaluated."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import click

from gracegate.cli.main import CLEAN, FINDINGS
from gracegate.cli.policies import build_parts, built_policies, format_option, refused_folder, set_folder, write_json
from gracegate.cli.terminal import write_output
from gracegate.outputs import plural
from gracegate.policy import Catalog
from gracegate.policy.sets import PolicyFolder, read_policy_folder

EXIT_CODES = """\b
Exit codes:
  0  the set can be used
  1  it has mistakes
  2  wrong usage
"""


@click.command("check", epilog=EXIT_CODES)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@format_option
def command(folder: Path | None, form: Literal["text", "json"]) -> int:
    """Name all mistakes of a policy set, as every use of it does.

    FOLDER is by default the one above the working directory that has a gracegate-policies.yaml, else the working
    directory.
    """
    with ExitStack() as stack:
        if form == "json":
            return _write_json(read_policy_folder(set_folder(folder)), stack)
        _, catalogs = built_policies(set_folder(folder), stack)
    write_output("".join(f"{_line(name, catalog)}\n" for name, catalog in catalogs.items()))
    return CLEAN


def _write_json(policies: PolicyFolder, stack: ExitStack) -> int:
    catalogs, mistakes = build_parts(policies, stack)
    parts = [
        {
            "name": name,
            "digest": catalog.digest,
            "rules": sorted(catalog.rules),
            "engine": "opa" if catalog.needs_opa else "wasm",
            "missing_builtins": [*catalog.missing_builtins],
        }
        for name, catalog in catalogs.items()
    ]
    placed = refused_folder(policies, mistakes).placed_mistakes()
    found = [{"file": one.file, "line": one.line, "message": one.message} for one in placed]
    write_json({"policy_set": policies.name, "parts": parts, "mistakes": found})
    return FINDINGS if mistakes else CLEAN


def _line(name: str, catalog: Catalog) -> str:
    missing = ", ".join(catalog.missing_builtins)
    why = f", because Wasm lacks {missing}" if missing else ""
    engine = f"by OPA{why}" if catalog.needs_opa else "in Wasm"
    return f"{name}: {plural(len(catalog.rules), 'rule')}, evaluated {engine}; {catalog.digest[:12]}"
