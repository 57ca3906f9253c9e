"""The policy sets that an operator chose for all reviews: the newest version of each that can be used."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gracegate.errors import ConfigError, EngineError, InputError, RulesError
from gracegate.module_cache import is_private
from gracegate.policy import Catalog, digest_of, load_catalog
from gracegate.policy.engines import OWN_SECONDS, OwnPolicies, open_policy_set
from gracegate.policy.sets.folder import PolicyFolder, read_policy_folder
from gracegate.policy.sets.set_tests import cases, run_tests
from gracegate.policy.sets.store import policies_folder, policy_parts

_TESTED = "/tested"
"""The key of what was tested beside the names of parts, which do not begin with a slash."""


@dataclass(frozen=True, slots=True)
class OperatorPolicies:
    """A policy set of the operator. `own` are the parts of the version in use, none where none ever could be used.

    `mistakes` are those of the newest version where it is refused, and `rule_ids` the ids that its rules would have.
    """

    name: str
    source: str
    own: tuple[OwnPolicies, ...] = ()
    mistakes: tuple[InputError, ...] = ()
    rule_ids: frozenset[str] = frozenset()


class PolicySets:
    """The sets in `folders`, for the threads of one process.

    A set that has changed is built at the next question, and used from then on if nothing is wrong with it; else the
    version before stays, also after a restart: what is in use is written down beside what is built in `cache_dir`.
    """

    def __init__(self, folders: Iterable[Path], find_opa: Callable[[], Path], cache_dir: Path) -> None:
        self._folders = tuple(folders)
        self._find_opa = find_opa
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[PolicyFolder, OperatorPolicies]] = {}

    def current(self) -> tuple[OperatorPolicies, ...]:
        """The sets as they are to be used now, in the operator's order. A name or a rule that two of them have is a
        mistake of the later one."""
        with self._lock:
            sets: list[OperatorPolicies] = []
            for folder in self._folders:
                sets.append(self._current(folder, sets))
            return tuple(sets)

    def _current(self, folder: Path, before: Iterable[OperatorPolicies]) -> OperatorPolicies:
        try:
            policies = read_policy_folder(folder)
        except ConfigError as error:
            return self._refused(folder, folder.name, error.file or str(folder), (error,), frozenset())
        known = self._known.get(folder)
        if known is None or known[0] != policies:
            known = (policies, self._load(folder, policies))
            self._known[folder] = known
        return _without_clashes(known[1], before)

    def _load(self, folder: Path, policies: PolicyFolder) -> OperatorPolicies:
        catalogs: dict[str, Catalog] = {}
        mistakes: list[InputError] = []
        for name, load in policy_parts(policies, self._find_opa, self._cache_dir):
            try:
                catalogs[name] = load()
            except RulesError as error:
                mistakes += error.mistakes
            except ConfigError as error:
                mistakes.append(error)
        note = self._note(folder)
        own = self._own(folder, catalogs)
        if not mistakes:
            mistakes += self._failures(policies, own, note)
        if mistakes:
            return self._refused(folder, policies.name, str(folder), tuple(mistakes), policies.rule_ids)
        note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        note.write_text(json.dumps(_built(own) | {_TESTED: _digest_of_tests(policies)}), encoding="utf-8")
        return OperatorPolicies(policies.name, str(folder), own)

    def _failures(self, policies: PolicyFolder, own: Iterable[OwnPolicies], note: Path) -> list[InputError]:
        """The tests and cases that fail; those of the version in use passed when it came into use."""
        with suppress(OSError, ValueError):
            if json.loads(note.read_text(encoding="utf-8")) == _built(own) | {_TESTED: _digest_of_tests(policies)}:
                return []
        for one in own:
            if one.name == policies.name:
                try:
                    with open_policy_set(one.engine, one.catalog, seconds=OWN_SECONDS) as policy_set:
                        result = run_tests(policies, policy_set, self._find_opa())
                except (RulesError, EngineError) as error:
                    return [RulesError(f"its tests cannot be run: {error}")]
                return [RulesError(f"a test fails: {f.message}", file=f.file, line=f.line) for f in result.failures]
        return []

    def _refused(
        self, folder: Path, name: str, source: str, mistakes: tuple[InputError, ...], rule_ids: frozenset[str]
    ) -> OperatorPolicies:
        """The set with the version that was in use before, if there is one."""
        own: tuple[OwnPolicies, ...] = ()
        with suppress(OSError, ValueError, RulesError):
            built = json.loads(self._note(folder).read_text(encoding="utf-8"))
            del built[_TESTED]
            folders = {part: policies_folder(self._cache_dir) / built[part] for part in built}
            if all(map(is_private, folders.values())):
                own = self._own(folder, {part: load_catalog(folders[part]) for part in folders})
        return OperatorPolicies(name, source, own, mistakes, rule_ids)

    def _own(self, folder: Path, catalogs: Mapping[str, Catalog]) -> tuple[OwnPolicies, ...]:
        return tuple(
            OwnPolicies(name, str(folder), catalog, self._find_opa() if catalog.needs_opa else None)
            for name, catalog in catalogs.items()
        )

    def _note(self, folder: Path) -> Path:
        """The file that names what is in use of a folder."""
        name = hashlib.sha256(str(folder).encode()).hexdigest()
        return self._cache_dir / "policies-in-use" / name


def _built(own: Iterable[OwnPolicies]) -> dict[str, str]:
    """The folders of what was built, by the names of the parts."""
    return {one.name: one.catalog.folder.name for one in own}


def _digest_of_tests(policies: PolicyFolder) -> str:
    return digest_of({**policies.tests, **{name: path.read_text("utf-8", "replace") for name, path in cases(policies)}})


def _without_clashes(found: OperatorPolicies, before: Iterable[OperatorPolicies]) -> OperatorPolicies:
    names = _rule_names(found)
    mistakes: list[InputError] = []
    for other in before:
        if other.name == found.name:
            mistakes.append(ConfigError(f"another policy set is called `{found.name}`", file=found.source))
        mistakes += [
            RulesError(f"the policy set {other.name} has a rule `{name}` too", file=found.source)
            for name in sorted(names & _rule_names(other))
        ]
    if not mistakes:
        return found
    return OperatorPolicies(found.name, found.source, (), tuple(mistakes), names)


def _rule_names(policies: OperatorPolicies) -> frozenset[str]:
    rules = (rule for one in policies.own for rule in one.catalog.rules.values())
    return frozenset(name for rule in rules for name in (rule.id, *rule.aliases))
