"""`gracegate config check`: all mistakes of .gracegate.yaml, each with its line."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from gracegate.cli.main import CLEAN, USAGE
from gracegate.cli.policies import ChosenPolicies
from gracegate.cli.request import CheckOptions, chosen_policies, policy_options, read_text, top_directory
from gracegate.cli.terminal import write_output
from gracegate.errors import ConfigError
from gracegate.model import CONFIG_FILE
from gracegate.outputs import plural
from gracegate.repo_config import (
    POLICIES_FILE,
    RepoConfig,
    parse_owner_defaults,
    parse_policies_file,
    parse_repo_config,
)


@click.command("check")
@click.argument("file", required=False)
@click.option("--defaults", is_flag=True, help="It is the one of OWNER/.github, which counts in all repositories.")
@policy_options
def command(file: str | None, *, defaults: bool, **options: Any) -> int:
    """Name all mistakes of a configuration, each with its line.

    FILE is a .gracegate.yaml or a gracegate-policies.yaml, by default the configuration of the repository here.
    """
    path = Path(file) if file is not None else top_directory((".",)) / CONFIG_FILE
    shown = os.path.relpath(path)
    text = read_text(path)
    if text is None and file is not None:
        raise ConfigError("there is no such file", file=shown)
    if text is None:
        write_output(f"There is no {shown}: the defaults count.\n")
        return CLEAN
    mistakes, notes = _look_at(text, path, shown, CheckOptions(**options), is_for_owner=defaults)
    write_output("".join(f"{line}\n" for line in (*map(str, mistakes), *notes)))
    found = f"{shown} has {plural(len(mistakes), 'mistake')}." if mistakes else f"{shown} is valid."
    write_output(f"{found}\n")
    return USAGE if mistakes else CLEAN


def _look_at(
    text: str, path: Path, shown: str, options: CheckOptions, *, is_for_owner: bool
) -> tuple[Sequence[ConfigError], Sequence[str]]:
    """The mistakes of a file, and what else its author may want to know."""
    try:
        if path.name == POLICIES_FILE:
            parse_policies_file(text, shown)
            return (), ()
        with chosen_policies(options) as chosen:
            parse = parse_owner_defaults if is_for_owner else parse_repo_config
            config = parse(text, chosen.rules, shown, chosen.unavailable_rules)
            return (), tuple(_notes(config, chosen, shown))
    except ConfigError as error:
        return error.mistakes, ()


def _notes(config: RepoConfig, chosen: ChosenPolicies, file: str) -> Iterable[str]:
    today = dt.datetime.now().astimezone().date()
    for waiver in config.waivers:
        if waiver.until is not None and waiver.until < today:
            yield f"{file}:{waiver.line}: note: this waiver ended on {waiver.until}"
    for one in chosen.refused:
        yield f"note: the policy set {one.folder.name} has mistakes, so its rules are not checked here"
