"""What an owner wants of all repositories that say nothing else: the configuration in OWNER/.github."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gracegate.errors import ConfigError
from gracegate.model import Problem, Rule
from gracegate.repo_config import DEFAULT_CONFIG, RepoConfig, parse_owner_defaults


@dataclass(frozen=True, slots=True)
class OwnerDefaults:
    """The text of a configuration, "" for none; `file` names it for people. `problem` says why it was not read."""

    file: str = ""
    text: str = ""
    problem: str = ""


def parse_defaults(
    defaults: OwnerDefaults, rules: Mapping[str, Rule], unavailable: Collection[str]
) -> tuple[RepoConfig, Problem | None]:
    """What counts where a repository says nothing, and what is wrong with it, which blocks nobody: the authors of pull
    requests cannot correct it.

    Of rules that not every repository has, what is said counts where they are.
    """
    if defaults.problem:
        return DEFAULT_CONFIG, _problem(f"`{defaults.file}` was not read: {defaults.problem}")
    try:
        return parse_owner_defaults(defaults.text, rules, defaults.file, unavailable), None
    except ConfigError as error:
        mistake = str(error)
    try:
        config = parse_owner_defaults(defaults.text, rules, defaults.file, None)
    except ConfigError:
        return DEFAULT_CONFIG, _problem(f"`{defaults.file}` counts for nothing, because it is wrong: {mistake}")
    return config, _problem(f"A part of `{defaults.file}` counts for nothing: {mistake}", is_uncovered=False)


def _problem(message: str, *, is_uncovered: bool = True) -> Problem:
    return Problem("", 0, "owner_defaults", f"{message}.", is_manifest=is_uncovered)
