"""`gracegate completion`: what a shell needs to complete commands, options and names of rules."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from gracegate.cli.main import PROGRAM, cli
from gracegate.cli.terminal import write_output
from gracegate.errors import InputError
from gracegate.policy import load_builtin

_SHELLS = ("bash", "fish", "zsh")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> int:
    """Print the script for a shell.

    \b
    bash, in ~/.bashrc:  eval "$(gracegate completion bash)"
    zsh, in ~/.zshrc:    eval "$(gracegate completion zsh)"
    fish:                gracegate completion fish > ~/.config/fish/completions/gracegate.fish
    """
    of_shell = get_completion_class(shell)
    if of_shell is None:
        raise InputError(f"click cannot complete in {shell}")
    write_output(f"{of_shell(cli, {}, PROGRAM, f'_{PROGRAM.upper()}_COMPLETE').source()}\n")
    return 0


def complete_rule(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The rules whose names begin like that, with their titles."""
    rules = load_builtin().rules.values()
    return [CompletionItem(rule.id, help=rule.title) for rule in rules if rule.id.startswith(incomplete)]
