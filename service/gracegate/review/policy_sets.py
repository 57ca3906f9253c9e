"""The policy sets of the service: which sources they have, who may read these, and what is recorded of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gracegate.errors import Gone
from gracegate.git import ReadLimits, TreeFetcher
from gracegate.github_app import AppClient, app, installations
from gracegate.model import PolicyRecord, PolicyVersion
from gracegate.policy.sets import PolicyRecords, PolicySets
from gracegate.policy.sources import MAX_BYTES, PolicyFetcher
from gracegate.settings import Settings, child_environment, find_opa
from gracegate.store import Store, policy_sets

_CACHE_BYTES = 500_000_000


class StoredRecords:
    """The records in the database. Implements PolicyRecords."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, source: str) -> PolicyRecord:
        with self._store.reading() as tx:
            return policy_sets.read(tx, source)

    def read_archive(self, source: str, digest: str) -> bytes | None:
        with self._store.reading() as tx:
            return policy_sets.read_archive(tx, source, digest)

    def claim(self, source: str, seconds: float) -> bool:
        with self._store.transaction() as tx:
            return policy_sets.claim(tx, source, seconds)

    def add(self, source: str, version: PolicyVersion, archive: bytes) -> None:
        with self._store.transaction() as tx:
            policy_sets.add(tx, source, version, archive)

    def record_error(self, source: str, error: str) -> None:
        with self._store.transaction() as tx:
            policy_sets.record_error(tx, source, error)

    def refuse(self, source: str, refusal: str) -> None:
        with self._store.transaction() as tx:
            policy_sets.refuse(tx, source, refusal)

    def activate(self, source: str, name: str, digest: str) -> None:
        with self._store.transaction() as tx:
            policy_sets.activate(tx, source, name, digest)


def build_policy_sets(settings: Settings, client: AppClient, records: PolicyRecords) -> PolicySets:
    """The operator's policy sets, for a process of the service or one that looks at it."""
    fetcher = build_policy_fetcher(settings, client)
    return PolicySets(settings.policies, fetcher, find_opa, settings.data_dir, records)


def build_policy_fetcher(settings: Settings, client: AppClient) -> PolicyFetcher:
    """What reads policy sets: repositories with a token of the App where it is installed on them, else as anybody."""
    trees = TreeFetcher(
        settings.data_dir / "policy-repositories",
        max_bytes=_CACHE_BYTES,
        limits=ReadLimits(MAX_BYTES, MAX_BYTES),
        environment=child_environment(),
    )
    return PolicyFetcher(trees, settings.git_url, _token_finder(client))


def _token_finder(client: AppClient) -> Callable[[str], str | None]:
    lock = threading.Lock()
    known: dict[str, tuple[int, int]] = {}

    def find(full_name: str) -> str | None:
        with lock:
            ids = known.get(full_name)
        if ids is not None:
            try:
                return client.git_token(*ids)
            except Gone:
                with lock:
                    known.pop(full_name, None)
        installation = app.find_installation(client, full_name)
        if installation is None:
            return None
        with client.installation(installation) as reader:
            ids = installation, installations.repository_id(reader, full_name)
        with lock:
            known[full_name] = ids
        return client.git_token(*ids)

    return find
