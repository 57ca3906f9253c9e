"""A set of rules in a folder: its modules, their METADATA, and the digest that identifies it."""

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
    """The folder of the rules in the wheel, else in the checkout."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "policies"
    return packaged if packaged.is_dir() else package.parents[1] / "policies"


@cache
def load_builtin() -> Catalog:
    return load_catalog(builtin_policies())


def load_catalog(folder: Path) -> Catalog:
    """Reads a folder of rules and the catalogue that `make policies` wrote into it.

    Raises RulesError if there is no catalogue, or if the rules have changed since it was written.
    """
    modules = read_modules(folder)
    digest = digest_of(modules)
    compiled = folder / COMPILED
    try:
        stored = json.loads(compiled.read_bytes())
        digest_of_catalog, rules = stored["digest"], [_rule(entry) for entry in stored["rules"]]
    except (OSError, ValueError, TypeError, LookupError) as error:
        message = f"the catalogue of the rules cannot be read ({error}): {REMEDY}"
        raise RulesError(message, file=str(compiled)) from error
    if digest_of_catalog != digest:
        raise RulesError(f"the rules changed after their catalogue was written: {REMEDY}", file=str(compiled))
    return Catalog(rules={rule.id: rule for rule in rules}, modules=modules, digest=digest, folder=folder)


def read_modules(folder: Path) -> dict[str, str]:
    """Rego texts by path inside the folder, sorted, without tests."""
    paths = sorted(path for path in folder.rglob("*.rego") if not path.name.endswith("_test.rego"))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def digest_of(modules: Mapping[str, str]) -> str:
    """SHA-256 over names and texts, each preceded by its length, so that two sets never share a digest."""
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
