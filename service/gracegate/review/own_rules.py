"""The pages of the rules in the operator's policy sets, as far as these are in use and built on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gracegate.errors import ConfigError, GracegateError
from gracegate.model import Rule
from gracegate.policy import Catalog, without_modes
from gracegate.policy.engines import OwnPolicies
from gracegate.policy.sets import find_rule_page, find_version, load_parts, read_policy_folder
from gracegate.settings import Settings, installed_opa
from gracegate.store import Store, policy_sets


class OwnRules:
    """What is in use is asked of the database at each question: a worker may have activated another version."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._loaded: dict[Path, Mapping[str, Catalog]] = {}

    def sets(self) -> dict[str, list[Rule]]:
        """The rules of each set by its name."""
        catalogs = (item for _, found in self._in_use() for item in found.items())
        return {name: [*catalog.rules.values()] for name, catalog in catalogs}

    def missing(self) -> list[str]:
        """The sets that are in use and were built elsewhere alone: by a worker with a data folder of its own."""
        return [name for name, catalogs in self._in_use() if not catalogs]

    def page(self, rule: str) -> Mapping[str, bytes]:
        """The page of a rule in Markdown and its picture, by their names; empty where no set has the rule."""
        catalogs = (catalog for _, found in self._in_use() for catalog in found.values())
        catalog = next((catalog for catalog in catalogs if rule in catalog.rules), None)
        return {} if catalog is None else find_rule_page(catalog, rule)

    def find(self, rule: str) -> OwnPolicies | None:
        """The set that has a rule, to evaluate it alone; None where there is none that this machine can evaluate."""
        for _, catalogs in self._in_use():
            for name, catalog in catalogs.items():
                opa = installed_opa() if catalog.needs_opa else None
                if rule in catalog.rules and (opa is not None or not catalog.needs_opa):
                    return OwnPolicies(name, name, without_modes(catalog), opa)
        return None

    def _in_use(self) -> list[tuple[str, Mapping[str, Catalog]]]:
        """The name of each set in use, and what it is made of by name; empty where that is not on this machine."""
        found: list[tuple[str, Mapping[str, Catalog]]] = []
        loaded = {}
        for source in self._settings.policies:
            with self._store.reading() as tx:
                active = policy_sets.read(tx, source.text).active
            if active is None:
                continue
            folder = find_version(active, self._settings.data_dir)
            if folder is not None:
                loaded[folder] = self._loaded.get(folder) or self._load(folder, source.text)
            found.append((active.name, {} if folder is None else loaded[folder]))
        self._loaded = loaded
        return found

    def _load(self, folder: Path, name: str) -> Mapping[str, Catalog]:
        """What a worker has built; a page is no reason to build anything."""
        try:
            catalogs, _ = load_parts(read_policy_folder(folder, name), _build_nothing, self._settings.data_dir)
        except (GracegateError, OSError):
            return {}
        return catalogs


def _build_nothing() -> Path:
    raise ConfigError("this process builds no policy sets")
