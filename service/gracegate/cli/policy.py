"""`gracegate policy`: what authors of rules need, a module per command."""

from __future__ import annotations

import importlib
from typing import cast

import click

_COMMANDS = {
    "check": "Name all mistakes of a policy set.",
    "impact": "Show what a change of rules would find, and would have blocked.",
    "import": "Use policies for conftest or Gatekeeper as they are.",
    "input": "Print what rules get of manifests.",
    "new": "Write a rule to start from.",
    "test": "Run the tests and cases of a policy set.",
    "try": "Show what rules find and print in manifests.",
}


class _Commands(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        return cast("click.Command", importlib.import_module(f"gracegate.cli.policy_{cmd_name}").command)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command("policy", cls=_Commands)
def command() -> None:
    """Write, test and use rules of your own."""
