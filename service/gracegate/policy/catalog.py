"""A set of rules as it lies in a folder: its modules, what their METADATA says, and the digest that names it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from gracegate.errors import RulesError
from gracegate.model import Parameter, Rule

COMPILED = Path("compiled", "catalog.json")
REMEDY = "run `make policies`"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Rules by id, Rego texts by path inside `folder` (tests excluded), and the digest of those texts."""

    rules: Mapping[str, Rule]
    modules: Mapping[str, str]
    digest: str
    folder: Path = field(default=Path(), compare=False)


def builtin_policies() -> Path:
    """The rules that travel in the wheel, or those of the checkout."""
    package = Path(__file__).resolve().parents[1]
    packed = package / "policies"
    return packed if packed.is_dir() else package.parents[1] / "policies"


@cache
def load_builtin() -> Catalog:
    return load_catalog(builtin_policies())


def load_catalog(folder: Path) -> Catalog:
    """Read a folder of rules and the catalogue that `gracegate.policy.build` made of it.

    Raises RulesError where there is no catalogue, or where it was made of other texts than the folder holds now.
    """
    modules = read_modules(folder)
    digest = digest_of(modules)
    compiled = folder / COMPILED
    try:
        stored = json.loads(compiled.read_bytes())
        made_of, rules = stored["digest"], [_rule(entry) for entry in stored["rules"]]
    except (OSError, ValueError, TypeError, LookupError) as error:
        message = f"the catalogue of the rules cannot be read ({error}): {REMEDY}"
        raise RulesError(message, file=str(compiled)) from error
    if made_of != digest:
        raise RulesError(f"the rules changed after their catalogue was made: {REMEDY}", file=str(compiled))
    return Catalog(rules={rule.id: rule for rule in rules}, modules=modules, digest=digest, folder=folder)


def read_modules(folder: Path) -> dict[str, str]:
    """Rego texts by path inside the folder, sorted, without tests."""
    paths = sorted(path for path in folder.rglob("*.rego") if not path.name.endswith("_test.rego"))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def digest_of(modules: Mapping[str, str]) -> str:
    """SHA-256 over names and texts, each with its length before it so that no two sets look alike."""
    state = hashlib.sha256()
    for part in (part for name in sorted(modules) for part in (name, modules[name])):
        data = part.encode()
        state.update(b"%d:" % len(data) + data)
    return state.hexdigest()


def _rule(entry: dict[str, Any]) -> Rule:
    parameters = tuple(Parameter(**parameter) for parameter in entry["parameters"])
    texts = {name: tuple(entry[name]) for name in ("links", "aliases", "exceptions")}
    day = dt.date.fromisoformat(entry["effective_on"]) if entry["effective_on"] else None
    return Rule(**{**entry, **texts, "parameters": parameters, "effective_on": day})
