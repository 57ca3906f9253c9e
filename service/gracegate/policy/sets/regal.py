"""Regal, the linter of Rego, on the modules of a policy set: without environment, and without settings of the set."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gracegate.errors import RulesError
from gracegate.policy.sets.opa_command import written_modules

_CATEGORIES = ("bugs", "performance")
"""Of Regal's rules: what is likely wrong. Style is the author's business."""
_SECONDS = 60.0


def lint(regal: Path, modules: Mapping[str, str]) -> list[RulesError]:
    """What Regal finds, by file and line; nothing where it fails, as a set without Regal is as good.

    Only the modules are shown to it: its settings may name rules of its own, and addresses.
    """
    with written_modules(modules) as folder:
        options = ["--format", "json", "--disable-all", *(f"--enable-category={one}" for one in _CATEGORIES)]
        try:
            done = subprocess.run(
                [str(regal), "lint", *options, "."],
                cwd=folder,
                env={},
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
            violations: list[dict[str, Any]] = json.loads(done.stdout)["violations"]
        except (OSError, subprocess.TimeoutExpired, ValueError, LookupError):
            return []
    return [_mistake(one) for one in violations]


def _mistake(violation: Mapping[str, Any]) -> RulesError:
    location = violation["location"]
    message = f"Regal: {violation['description']} ({violation['category']}/{violation['title']})"
    return RulesError(message, file=str(location["file"]).removeprefix("./"), line=int(location["row"]))
