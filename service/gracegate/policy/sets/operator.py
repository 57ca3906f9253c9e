"""The policy sets that an operator chose for all reviews: the newest version of each that can be used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gracegate.errors import ConfigError, EngineError, InputError, RepositoryError, RulesError
from gracegate.model import PolicyRecord, PolicySource, PolicyVersion
from gracegate.policy import Catalog
from gracegate.policy.engines import OWN_SECONDS, OwnPolicies, open_policy_set
from gracegate.policy.sets.clashes import clash_mistakes
from gracegate.policy.sets.folder import PolicyFolder, read_policy_folder
from gracegate.policy.sets.records import PolicyRecords, Refusal
from gracegate.policy.sets.set_tests import run_tests
from gracegate.policy.sets.store import find_version, load_parts, own_policies, version_of, write_version
from gracegate.policy.sources import pack, unpack

if TYPE_CHECKING:
    from gracegate.policy.sources import PolicyFetcher

LOOK_EVERY = 60.0
"""Seconds between two looks at a source that is not on this machine."""
_ROLLED_BACK = "it was rolled back: the next version of the source is used again"


@dataclass(frozen=True, slots=True)
class OperatorPolicies:
    """A policy set of the operator. `own` are the parts of the version in use, none where none ever could be used.

    `mistakes` say why the newest version is not used, and `rule_ids` are the ids that its rules would have.
    `is_rolled_back` is True where that is what the operator wanted.
    """

    name: str
    source: str
    own: tuple[OwnPolicies, ...] = ()
    mistakes: tuple[InputError, ...] = ()
    rule_ids: frozenset[str] = frozenset()
    is_rolled_back: bool = False


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A version that was built: its name, its parts, and what is wrong with it."""

    name: str
    folder: PolicyFolder | None
    own: tuple[OwnPolicies, ...]
    mistakes: tuple[InputError, ...]

    @property
    def catalogs(self) -> Iterator[Catalog]:
        return (part.catalog for part in self.own)

    @property
    def rule_ids(self) -> frozenset[str]:
        return frozenset() if self.folder is None else self.folder.rule_ids


class PolicySets:
    """The sets of `sources`, for the threads of one process.

    What is on this machine is read at each question, and everything else by `look`, or by a thread of `keep_looking`. A
    version that has changed is built, and used from then on if nothing is wrong with it; else the version before stays:
    `records` say which is in use, to all processes of the service. `cache_dir` has what was built.
    """

    def __init__(
        self,
        sources: Iterable[PolicySource],
        fetcher: PolicyFetcher,
        find_opa: Callable[[], Path],
        cache_dir: Path,
        records: PolicyRecords,
    ) -> None:
        self._sources = tuple(sources)
        self._fetcher = fetcher
        self._find_opa = find_opa
        self._cache_dir = cache_dir
        self._records = records
        self._locks = {source.text: threading.Lock() for source in self._sources}
        self._loaded: dict[tuple[str, str], _Loaded] = {}
        self._refused: dict[str, object] = {}
        self._errors: dict[str, str] = {}
        self._looked_at: dict[str, float] = {}

    def current(self) -> tuple[OperatorPolicies, ...]:
        """The sets as they are to be used now, in the operator's order. A name or a rule that two of them have is a
        mistake of the later one."""
        sets: list[OperatorPolicies] = []
        for source in self._sources:
            if source.is_local:
                with self._locks[source.text]:
                    self._look(source)
            elif self._records.read(source.text).active is None:
                self._look_soon(source)
            sets.append(self._in_use(source, [part for one in sets for part in one.own]))
        return tuple(sets)

    def look(self) -> None:
        """Reads the sources that are not on this machine, unless another process has just done so."""
        for source in self._sources:
            if not source.is_local and self._records.claim(source.text, LOOK_EVERY):
                with self._locks[source.text]:
                    self._look(source)

    def keep_looking(self, log: Callable[[str], object]) -> None:
        """Calls `look` in a thread, as long as the process runs; `log` is told of errors of ours."""

        def run() -> None:
            while True:
                try:
                    self.look()
                except Exception as error:  # noqa: BLE001 - the next look may succeed
                    log(f"{type(error).__name__}: {error}")
                time.sleep(LOOK_EVERY)

        if not all(source.is_local for source in self._sources):
            threading.Thread(target=run, name="policy-sources", daemon=True).start()

    def _look_soon(self, source: PolicySource) -> None:
        """Reads a source of which no version is in use yet. A review waits for it, here or in the thread that looks."""
        with self._locks[source.text]:
            is_recent = time.monotonic() - self._looked_at.get(source.text, float("-inf")) < LOOK_EVERY
            if not is_recent and self._records.read(source.text).active is None:
                self._look(source)

    def _look(self, source: PolicySource) -> None:
        """Reads a source, and activates its version or records why not."""
        self._looked_at[source.text] = time.monotonic()
        record = self._records.read(source.text)
        try:
            found = self._fetcher.fetch(source, "" if record.newest is None else record.newest.commit)
        except RepositoryError as error:
            self._record_error(source, record, str(error))
            return
        self._record_error(source, record, "")
        if found is None:
            version, archive = record.newest, None
        else:
            version, archive = version_of(found), found.files
            if version != record.newest:
                self._records.add(source.text, version, pack(found.files))
        if version is not None:
            self._judge(source, record, version, archive)

    def _record_error(self, source: PolicySource, record: PolicyRecord, error: str) -> None:
        # A folder of this machine is no matter of the others.
        if source.is_local:
            self._errors[source.text] = error
        elif record.error != error:
            self._records.record_error(source.text, error)

    def _judge(
        self, source: PolicySource, record: PolicyRecord, version: PolicyVersion, files: Mapping[str, bytes] | None
    ) -> None:
        """Activates a version that is not in use, unless something is wrong with it."""
        used_or_rolled_back = {one.digest for one in (record.active, record.rolled_back) if one is not None}
        if version.digest in used_or_rolled_back:
            return
        others = [part for other in self._sources if other != source for part in self._in_use(other, ()).own]
        # What is wrong with a version may be what others have.
        state = (version.digest, frozenset(part.catalog.digest for part in others))
        if self._refused.get(source.text) == state:
            return
        loaded = self._load(source, version, files)
        mistakes = [
            *loaded.mistakes,
            *clash_mistakes(loaded.name, loaded.catalogs, others),
        ]
        mistakes = mistakes or self._failures(loaded)
        if mistakes:
            self._refused[source.text] = state
            self._records.refuse(source.text, Refusal(version.digest, tuple(mistakes), loaded.rule_ids).to_json())
        else:
            self._records.activate(source.text, loaded.name, version.digest)

    def _failures(self, loaded: _Loaded) -> list[InputError]:
        """The tests and cases that fail."""
        for one in loaded.own:
            if loaded.folder is not None and one.name == loaded.name:
                try:
                    with open_policy_set(one.engine, one.catalog, seconds=OWN_SECONDS) as policy_set:
                        result = run_tests(loaded.folder, policy_set, self._find_opa())
                except (InputError, EngineError) as error:
                    return [RulesError(f"its tests cannot be run: {error}")]
                return [RulesError(f"a test fails: {f.message}", file=f.file, line=f.line) for f in result.failures]
        return []

    def _in_use(self, source: PolicySource, before: Sequence[OwnPolicies]) -> OperatorPolicies:
        record = self._records.read(source.text)
        refusal = Refusal.from_json(record.refusal) if record.refusal else None
        is_rolled_back = record.rolled_back is not None and record.rolled_back == record.newest
        mistakes: list[InputError] = []
        error = self._errors.get(source.text, "") if source.is_local else record.error
        if error:
            mistakes.append(InputError(error))
        elif refusal and record.newest and refusal.digest == record.newest.digest:
            mistakes += refusal.mistakes
        elif is_rolled_back:
            mistakes.append(InputError(_ROLLED_BACK))
        rule_ids = refusal.rule_ids if refusal else frozenset[str]()
        if record.active is None:
            name = record.newest.name if record.newest else source.text
            mistakes = mistakes or [InputError("it has not been read yet", file=source.text)]
            return OperatorPolicies(name, source.text, (), tuple(mistakes), rule_ids)
        loaded = self._load(source, record.active, None)
        wrong = [
            *loaded.mistakes,
            *clash_mistakes(loaded.name, loaded.catalogs, before),
        ]
        if wrong:
            ids = frozenset(rule for part in loaded.own for rule in part.catalog.rules) | loaded.rule_ids
            return OperatorPolicies(loaded.name, source.text, (), tuple(wrong), ids)
        return OperatorPolicies(loaded.name, source.text, loaded.own, tuple(mistakes), rule_ids, is_rolled_back)

    def _load(self, source: PolicySource, version: PolicyVersion, files: Mapping[str, bytes] | None) -> _Loaded:
        """A version, built now where it was not before."""
        key = (source.text, version.digest)
        known = self._loaded.get(key)
        if known is None or known.mistakes or not all(map(_is_kept, known.own)):
            known = self._build(source, version, files)
            last = [other for other in self._loaded if other[0] == source.text and other != key][-1:]
            self._loaded = {other: self._loaded[other] for other in self._loaded if other[0] != key[0] or other in last}
            self._loaded[key] = known
        # The commit of the same files may be another one meanwhile.
        own = tuple(replace(part, commit=version.commit) for part in known.own)
        return _Loaded(known.name, known.folder, own, known.mistakes)

    def _build(self, source: PolicySource, version: PolicyVersion, files: Mapping[str, bytes] | None) -> _Loaded:
        try:
            policies = read_policy_folder(self._folder_of(source, version, files), source.text)
        except ConfigError as error:
            return _Loaded(version.name, None, (), (error,))
        catalogs, mistakes = load_parts(policies, self._find_opa, self._cache_dir)
        own: tuple[OwnPolicies, ...] = ()
        try:
            own = own_policies(catalogs, source.text, self._find_opa, version.commit)
        except ConfigError as error:
            mistakes.append(error)
        return _Loaded(policies.name, policies, () if mistakes else own, tuple(mistakes))

    def _folder_of(self, source: PolicySource, version: PolicyVersion, files: Mapping[str, bytes] | None) -> Path:
        """A folder with the files of a version, called as the version is, which may be the name of the set."""
        if files is None and (folder := find_version(version, self._cache_dir)) is not None:
            return folder
        if files is None:
            archive = self._records.read_archive(source.text, version.digest)
            if archive is None:
                raise ConfigError("the files of the version in use are lost", file=source.text)
            files = unpack(archive, source.text)
        return write_version(version, files, self._cache_dir)


def _is_kept(part: OwnPolicies) -> bool:
    """Whether what was built is still there; it is not the oldest then."""
    try:
        part.catalog.folder.touch()
    except OSError:
        return False
    return True
