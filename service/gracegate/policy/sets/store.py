"""Built policy sets, kept per user for each digest, because the gate and OPA's compiler cost seconds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from gracegate import __version__
from gracegate.errors import ConfigError, InputError, RulesError
from gracegate.file_cache import is_private
from gracegate.model import PolicyVersion
from gracegate.policy import Catalog, digest_of, load_catalog
from gracegate.policy.engines import OwnPolicies
from gracegate.policy.sets.folder import ForeignFolder, PolicyFolder
from gracegate.policy.sets.foreign_gate import build_foreign
from gracegate.policy.sets.gate import build_policies, world_of
from gracegate.policy.sources import PolicyFiles, digest_of_files, write_files
from gracegate.repo_config import POLICIES_FILE, PoliciesFile

_MAX_KEPT = 20
"""Versions of policy sets; those that were not used for longest go first."""


def load_parts(
    policies: PolicyFolder, find_opa: Callable[[], Path], cache_dir: Path
) -> tuple[dict[str, Catalog], list[InputError]]:
    """The parts of a set that can be used, by name, and all mistakes of the others: RulesErrors, and ConfigErrors where
    one has to be built and there is no OPA."""
    catalogs: dict[str, Catalog] = {}
    mistakes: list[InputError] = []
    for name, load in _parts(policies, find_opa, cache_dir):
        try:
            catalogs[name] = load()
        except RulesError as error:
            mistakes += error.mistakes
        except ConfigError as error:
            mistakes.append(error)
    return catalogs, mistakes


def own_policies(
    catalogs: Mapping[str, Catalog], source: str, find_opa: Callable[[], Path], commit: str = ""
) -> tuple[OwnPolicies, ...]:
    """The loaded parts of a set, as engines take them. Raises ConfigError where one needs OPA and there is none."""
    return tuple(
        OwnPolicies(name, source, catalog, find_opa() if catalog.needs_opa else None, commit)
        for name, catalog in catalogs.items()
    )


def _parts(
    policies: PolicyFolder, find_opa: Callable[[], Path], cache_dir: Path
) -> Iterator[tuple[str, Callable[[], Catalog]]]:
    """What of a set is evaluated by itself, with its name and what loads it: its own rules, and those for each of other
    tools."""
    if policies.modules or policies.mistakes:
        yield policies.name, partial(load_policies, policies, find_opa, cache_dir)
    for foreign in () if policies.mistakes else policies.foreign:
        yield (
            f"{policies.name}/{foreign.entry.path}",
            partial(load_foreign, foreign, find_opa, cache_dir, policies.described),
        )


def load_policies(policies: PolicyFolder, find_opa: Callable[[], Path], cache_dir: Path) -> Catalog:
    """The catalogue of a policy set, built before or now; `find_opa` is called only if it has to be built.

    Raises RulesError with all mistakes if the set cannot be used.
    """
    digest = "" if policies.mistakes else digest_of(world_of(policies), policies.data, policies.described.settings)
    return _load(digest, lambda folder: build_policies(policies, find_opa(), folder), cache_dir)


def load_foreign(
    foreign: ForeignFolder, find_opa: Callable[[], Path], cache_dir: Path, described: PoliciesFile
) -> Catalog:
    """The catalogue of policies for another tool, see `load_policies`; `described` is what their set says of rules."""
    digest = digest_of({**foreign.texts, POLICIES_FILE: repr(foreign.entry)}, foreign.data, settings=described.settings)
    return _load(digest, lambda folder: build_foreign(foreign, find_opa(), folder, described), cache_dir)


def _load(digest: str, build: Callable[[Path], object], cache_dir: Path) -> Catalog:
    """What was built for a digest, or is built now; "" is for what has mistakes, and has to be built to name them."""
    # Another version of gracegate may find other mistakes in the same texts.
    folder = policies_folder(cache_dir) / f"{digest}-{__version__}"
    if digest and folder.is_dir() and is_private(folder):
        with suppress(RulesError):  # it is damaged: built anew
            catalog = load_catalog(folder)
            folder.touch()
            return catalog
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # What was built is renamed into its place, so that another process never reads a part of it.
    building = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))  # mode 0700
    try:
        build(building)
        if folder.exists():
            shutil.rmtree(folder)
        with suppress(OSError):  # another process was faster
            building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    remove_oldest(folder.parent)
    return load_catalog(folder)


def version_of(found: PolicyFiles) -> PolicyVersion:
    """What identifies the files of a version."""
    return PolicyVersion(digest_of_files(found.files), found.commit, found.name)


def find_version(version: PolicyVersion, cache_dir: Path) -> Path | None:
    """The folder with the files of a version, where they have been written."""
    folder = _version_folder(version, cache_dir)
    return folder if folder.is_dir() and is_private(folder.parent) else None


def write_version(version: PolicyVersion, files: Mapping[str, bytes], cache_dir: Path) -> Path:
    """A folder with the files of a version, called as the version is: that may be the name of the set."""
    if (folder := find_version(version, cache_dir)) is not None:
        return folder
    top = _version_folder(version, cache_dir).parent
    top.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Renamed into its place, so that another process never reads a part of it.
    writing = Path(tempfile.mkdtemp(prefix="building-", dir=top.parent))  # mode 0700
    try:
        write_files(writing / version.name, files)
        with suppress(OSError):  # another process was faster
            writing.rename(top)
    finally:
        shutil.rmtree(writing, ignore_errors=True)
    remove_oldest(top.parent)
    return top / version.name


def _version_folder(version: PolicyVersion, cache_dir: Path) -> Path:
    # The same files may be of two sources with two names.
    return cache_dir / "policy-versions" / digest_of({version.digest: version.name}) / version.name


def policies_folder(cache_dir: Path) -> Path:
    """Where built sets are kept, each in a folder of its own."""
    return cache_dir / "policies"


def remove_oldest(folder: Path) -> None:
    """Deletes what was not used for longest of a folder that has a folder for each version."""
    built = [path for path in folder.iterdir() if not path.name.startswith("building-")]
    for path in sorted(built, key=lambda path: path.stat().st_mtime, reverse=True)[_MAX_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
