"""A set of rules in a folder: its modules, their METADATA, and the digest that identifies it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from gracegate.errors import RulesError
from gracegate.model import ModeException, Parameter, Rule

COMPILED = Path("compiled", "catalog.json")
DATA = Path("compiled", "data.json")
WASM = Path("compiled", "policy.wasm")
FOREIGN = "gracegate_foreign"
"""What `data` of a catalogue has for policies that were written for another tool, see ForeignPolicies.described."""

REMEDY = "run `make policies`"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Rules by id, Rego texts by path inside `folder` (tests excluded), and the digest of those texts and of `data`.

    `data` is what the rules read beside their input. `missing_builtins` are called by them and are neither in Wasm nor
    in its host, so that only an OPA can evaluate them.
    """

    rules: Mapping[str, Rule]
    modules: Mapping[str, str]
    digest: str
    folder: Path = field(default=Path(), compare=False)
    data: Mapping[str, Any] = field(default_factory=dict)
    missing_builtins: tuple[str, ...] = ()

    @property
    def foreign(self) -> Mapping[str, Any] | None:
        """How policies that were written for another tool are asked, None for rules of gracegate's own contract."""
        return self.data.get(FOREIGN)

    @property
    def needs_opa(self) -> bool:
        """Whether only an OPA can evaluate the rules."""
        return bool(self.missing_builtins) or self.foreign is not None

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that its rules declare beside those that the built-in rules read."""
        return frozenset(kind for rule in self.rules.values() for kind in rule.kinds)


def without_modes(catalog: Catalog) -> Catalog:
    """The catalogue with all rules in mode `block`, as examples and cases show them."""
    rules = {id_: replace(rule, mode="block", mode_exceptions=()) for id_, rule in catalog.rules.items()}
    return replace(catalog, rules=rules)


def rules_of(catalogs: Iterable[Catalog]) -> dict[str, Rule]:
    """The rules of several catalogues by id."""
    return {rule.id: rule for catalog in catalogs for rule in catalog.rules.values()}


def kinds_of(catalogs: Iterable[Catalog]) -> frozenset[str]:
    """The kinds that several catalogues declare."""
    return frozenset[str]().union(*(catalog.kinds for catalog in catalogs))


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
    compiled = folder / COMPILED
    try:
        data = json.loads((folder / DATA).read_bytes()) if (folder / DATA).exists() else {}
        stored = json.loads(compiled.read_bytes())
        digest_of_catalog, rules = stored["digest"], [_rule(entry) for entry in stored["rules"]]
        missing_builtins, settings = tuple(stored["missing_builtins"]), stored["settings"]
    except (OSError, ValueError, TypeError, LookupError) as error:
        message = f"the catalogue of the rules cannot be read ({error}): {REMEDY}"
        raise RulesError(message, file=str(compiled)) from error
    digest = digest_of(modules, data, settings)
    if digest_of_catalog != digest:
        raise RulesError(f"the rules changed after their catalogue was written: {REMEDY}", file=str(compiled))
    return Catalog(
        rules={rule.id: rule for rule in rules},
        modules=modules,
        digest=digest,
        folder=folder,
        data=data,
        missing_builtins=missing_builtins,
    )


def write_catalog(rules: Iterable[Rule], digest: str, missing_builtins: Iterable[str], settings: str = "") -> bytes:
    """The catalogue as `load_catalog` reads it; for `settings` see `digest_of`."""
    catalog = {
        "digest": digest,
        "missing_builtins": [*missing_builtins],
        "settings": settings,
        "rules": [asdict(rule) for rule in rules],
    }
    return (json.dumps(catalog, indent=1, ensure_ascii=False, default=str) + "\n").encode()


def read_modules(folder: Path) -> dict[str, str]:
    """Rego texts by path inside the folder, sorted, without tests."""
    paths = sorted(path for path in folder.rglob("*.rego") if not path.name.endswith("_test.rego"))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def digest_of(modules: Mapping[str, str], data: Mapping[str, Any] | None = None, settings: str = "") -> str:
    """SHA-256 over names, texts and data, each preceded by its length, so that two sets never share a digest.

    `settings` is what a set says of its rules outside of them, as text.
    """
    state = hashlib.sha256()
    parts = {**modules, **({DATA.name: json.dumps(data, sort_keys=True)} if data else {})}
    parts |= {"settings": settings} if settings else {}
    for part in (part for name in sorted(parts) for part in (name, parts[name])):
        text = part.encode()
        state.update(b"%d:" % len(text) + text)
    return state.hexdigest()


def _rule(entry: dict[str, Any]) -> Rule:
    parameters = tuple(Parameter(**parameter) for parameter in entry["parameters"])
    texts = {name: tuple(entry[name]) for name in ("links", "aliases", "exceptions", "kinds")}
    day = dt.date.fromisoformat(entry["effective_on"]) if entry["effective_on"] else None
    modes = tuple(ModeException(**exception) for exception in entry["mode_exceptions"])
    return Rule(**{**entry, **texts, "parameters": parameters, "effective_on": day, "mode_exceptions": modes})
