"""What a review needs, asked without doing one: each check says in words what is missing, or None."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import requests

from gracegate.errors import RulesError
from gracegate.policy import load_builtin
from gracegate.settings import Settings


def checks(settings: Settings) -> Mapping[str, Callable[[], str | None]]:
    """The rules, and OPA where one is configured."""
    found: dict[str, Callable[[], str | None]] = {"rules": _rules}
    if settings.opa_url:
        found["opa"] = partial(_opa_server, settings.opa_url)
    elif settings.opa:
        found["opa"] = partial(_opa_binary, settings.opa)
    return found


def _rules() -> str | None:
    try:
        catalog = load_builtin()
    except (RulesError, OSError) as error:
        return f"the built-in rules cannot be read: {error}"
    return None if catalog.rules else "there are no rules"


def _opa_server(url: str) -> str | None:
    try:
        answer = requests.get(f"{url}/health", timeout=2)
    except requests.RequestException as error:
        return f"OPA at OPA_URL does not answer ({type(error).__name__}): start it, or unset OPA_URL"
    return None if answer.ok else f"OPA at OPA_URL answers {answer.status_code} to /health"


def _opa_binary(path: Path) -> str | None:
    return None if os.access(path, os.X_OK) else f"GRACEGATE_OPA is {path}, where there is no program"
