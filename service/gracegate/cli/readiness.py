"""The checks of /readyz: whether a review could be done now. Each returns what is missing, or None."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import requests

from gracegate.errors import RulesError
from gracegate.policy import load_builtin
from gracegate.settings import Settings


def readiness_checks(settings: Settings) -> Mapping[str, Callable[[], str | None]]:
    """A check of the rules, and one of OPA where one is configured."""
    checks: dict[str, Callable[[], str | None]] = {"rules": check_rules}
    if settings.opa_url:
        checks["opa"] = partial(check_opa_server, settings.opa_url)
    elif settings.opa:
        checks["opa"] = partial(check_opa_binary, settings.opa)
    return checks


def check_rules() -> str | None:
    try:
        catalog = load_builtin()
    except (RulesError, OSError) as error:
        return f"the built-in rules cannot be read: {error}"
    return None if catalog.rules else "there are no rules"


def check_opa_server(url: str) -> str | None:
    try:
        response = requests.get(f"{url}/health", timeout=2)
    except requests.RequestException as error:
        return f"OPA at OPA_URL does not answer ({type(error).__name__}): start it, or unset OPA_URL"
    return None if response.ok else f"OPA at OPA_URL answers {response.status_code} to /health"


def check_opa_binary(path: Path) -> str | None:
    return None if os.access(path, os.X_OK) else f"GRACEGATE_OPA is {path}, which is not an executable file"
