"""`gracegate config`: the configuration of a repository, a module per command."""

from __future__ import annotations

import click

from gracegate.cli.main import LazyGroup

_COMMANDS = {"check": "Name all mistakes of a configuration."}


@click.command("config", cls=LazyGroup, helps=_COMMANDS, prefix="config_")
def command() -> None:
    """Write and test the configuration of a repository."""
