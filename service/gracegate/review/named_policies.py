"""The policy sets that a repository's own configuration names: which may be used, and how they are read and loaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gracegate.errors import ConfigError, InputError, RepositoryError
from gracegate.model import PolicySource, parse_policy_source
from gracegate.policy.engines import OwnPolicies
from gracegate.review.recently_read import RecentlyRead

if TYPE_CHECKING:
    from gracegate.policy.sets import OperatorPolicies
    from gracegate.policy.sources import PolicyFetcher, PolicyFiles

MAX_NAMED = 10
"""Policy sets that one configuration may name."""
_READ_EVERY = 60.0
"""Seconds between two looks at a branch or tag."""
_MAX_KEPT = 100
"""Versions that a process keeps in memory."""


@dataclass(frozen=True, slots=True)
class NamingRepository:
    """The repository whose configuration names policy sets: its full name, the commit of its base branch's tip, and
    the `allowed` patterns of the operator."""

    full_name: str = ""
    commit: str = ""
    allowed: tuple[str, ...] = ()

    def source(self, text: str) -> PolicySource | None:
        """The source that a text of the configuration names, None where it is none or not allowed. A folder is one of
        this repository, at the base's tip."""
        try:
            found = parse_policy_source(text)
        except ValueError:
            return None
        if found.kind == "folder":
            path = PurePosixPath(text)
            if path.is_absolute() or ".." in path.parts:
                return None
            found = PolicySource(text, "repository", self.full_name, "/".join(path.parts), self.commit)
        return found if found.is_allowed(self.allowed) else None


@dataclass(frozen=True, slots=True)
class NamedPolicies:
    """What was read of one source: its files, or why there are none; `error` may come with the files of before."""

    files: PolicyFiles | None
    error: str = ""


class NamedPolicyReader:
    """Reads the policy sets that configurations name, for the threads of one worker process."""

    def __init__(self, fetcher: PolicyFetcher, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._recent: RecentlyRead[PolicySource, NamedPolicies] = RecentlyRead(_READ_EVERY, _MAX_KEPT, clock)

    def read(self, texts: Iterable[str], repository: NamingRepository) -> dict[str, NamedPolicies]:
        """What each text names, as far as it is allowed, which the caller need not have looked at."""
        sources = ((text, repository.source(text)) for text in list(texts)[:MAX_NAMED])
        return {
            text: self._recent.get(source, partial(self._fetch, source))
            for text, source in sources
            if source is not None
        }

    def _fetch(self, source: PolicySource, before: NamedPolicies | None) -> NamedPolicies:
        files = None if before is None else before.files
        try:
            found = self._fetcher.fetch(source, "" if files is None else files.commit)
        except RepositoryError as error:
            return NamedPolicies(files, str(error))
        return NamedPolicies(found or files)


def load_named(
    named: Mapping[str, NamedPolicies], opa: Path | None, cache_dir: Path, others: Collection[OperatorPolicies]
) -> tuple[OperatorPolicies, ...]:
    """The sets, each built unless something is wrong with it: in the child, because they are not the operator's."""
    loaded: list[OperatorPolicies] = []
    for text, one in named.items():
        in_use = [part for other in (*others, *loaded) for part in other.own]
        loaded.append(_load(text, one, opa, cache_dir, in_use))
    return tuple(loaded)


def _load(
    source: str, named: NamedPolicies, opa: Path | None, cache_dir: Path, others: Collection[OwnPolicies]
) -> OperatorPolicies:
    from gracegate.policy.sets import (  # noqa: PLC0415 - slow to import, and most repositories name none
        OperatorPolicies,
        clash_mistakes,
        load_parts,
        own_policies,
        read_policy_folder,
        version_of,
        write_version,
    )

    errors = (InputError(named.error),) if named.error else ()
    if named.files is None:
        return OperatorPolicies(source, source, (), errors)
    version = version_of(named.files)
    try:
        policies = read_policy_folder(write_version(version, named.files.files, cache_dir), source)
    except ConfigError as error:
        return OperatorPolicies(version.name, source, (), (error,))

    def find_opa() -> Path:
        if opa is None:
            raise ConfigError("there is no OPA on this machine: set GRACEGATE_OPA")
        return opa

    catalogs, mistakes = load_parts(policies, find_opa, cache_dir)
    own: tuple[OwnPolicies, ...] = ()
    try:
        own = own_policies(catalogs, source, find_opa, version.commit)
    except ConfigError as error:
        mistakes.append(error)
    mistakes += clash_mistakes(policies.name, catalogs.values(), others)
    if mistakes:
        return OperatorPolicies(policies.name, source, (), tuple(mistakes), policies.rule_ids)
    return OperatorPolicies(policies.name, source, own, errors)
