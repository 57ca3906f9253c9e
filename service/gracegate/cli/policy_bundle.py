"""`gracegate policy bundle`: the built-in rules, for an OPA server."""

from __future__ import annotations

from pathlib import Path

import click

from gracegate.errors import InputError
from gracegate.policy import load_builtin
from gracegate.policy.engines import rules_bundle


@click.command("bundle")
@click.argument("file", type=click.Path(path_type=Path), default=Path("gracegate.tar.gz"), required=False)
def command(file: Path) -> None:
    """Write the built-in rules as a bundle into FILE, gracegate.tar.gz by default.

    `opa run --server --bundle gracegate.tar.gz` evaluates them for `gracegate check --opa http://127.0.0.1:8181`, and
    for the service with OPA_URL. The service itself has the bundle at /bundles/gracegate.tar.gz, where OPA can look for
    newer ones.
    """
    catalog = load_builtin()
    try:
        file.write_bytes(rules_bundle(catalog))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=str(file)) from error
    click.echo(f"{file}: {len(catalog.rules)} rules, {catalog.digest[:12]}")
