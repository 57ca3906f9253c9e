"""The pages of the rules in the operator's policy sets, as far as these are in use and built on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gracegate.errors import ConfigError, GracegateError
from gracegate.model import Rule
from gracegate.policy import Catalog
from gracegate.policy.sets import find_rule_page, find_version, load_parts, read_policy_folder
from gracegate.settings import Settings
from gracegate.store import Store, policy_sets


class OwnRules:
    """What is in use is asked of the database at each question: a worker may have activated another version."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._loaded: dict[Path, Mapping[str, Catalog]] = {}

    def sets(self) -> dict[str, list[Rule]]:
        """The rules of each set by its name."""
        return {name: [*catalog.rules.values()] for name, catalog in self._catalogs()}

    def page(self, rule: str) -> Mapping[str, bytes]:
        """The page of a rule in Markdown and its picture, by their names; empty where no set has the rule."""
        catalog = next((catalog for _, catalog in self._catalogs() if rule in catalog.rules), None)
        return {} if catalog is None else find_rule_page(catalog, rule)

    def _catalogs(self) -> Iterator[tuple[str, Catalog]]:
        in_use = {}
        for source in self._settings.policies:
            with self._store.reading() as tx:
                active = policy_sets.read(tx, source.text).active
            folder = None if active is None else find_version(active, self._settings.data_dir)
            if folder is not None:
                in_use[folder] = self._loaded.get(folder) or self._load(folder, source.text)
        self._loaded = in_use
        for catalogs in in_use.values():
            yield from catalogs.items()

    def _load(self, folder: Path, name: str) -> Mapping[str, Catalog]:
        """What a worker has built; a page is no reason to build anything."""
        try:
            catalogs, _ = load_parts(read_policy_folder(folder, name), _build_nothing, self._settings.data_dir)
        except (GracegateError, OSError):
            return {}
        return catalogs


def _build_nothing() -> Path:
    raise ConfigError("this process builds no policy sets")
