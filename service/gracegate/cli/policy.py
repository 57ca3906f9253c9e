"""`gracegate policy`: what authors of rules need, a module per command."""

from __future__ import annotations

import click

from gracegate.cli.main import LazyGroup

_COMMANDS = {
    "bench": "Show what each rule of a policy set costs.",
    "bundle": "Write the built-in rules for an OPA server.",
    "check": "Name all mistakes of a policy set.",
    "docs": "Write pages about the rules of a policy set.",
    "impact": "Show what a change of rules would find, and would have blocked.",
    "import": "Use policies for conftest or Gatekeeper as they are.",
    "input": "Print what rules get of manifests.",
    "new": "Write a rule to start from.",
    "playground": "Try rules and manifests in a browser.",
    "rollback": "Use the version before of a set in the service.",
    "test": "Run the tests and cases of a policy set.",
    "try": "Show what rules find and print in manifests.",
}


@click.command("policy", cls=LazyGroup, helps=_COMMANDS, prefix="policy_")
def command() -> None:
    """Write, test and use rules of your own."""
