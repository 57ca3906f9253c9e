"""Built policy sets, kept per user for each digest, because the gate and OPA's compiler cost seconds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gracegate import __version__
from gracegate.errors import RulesError
from gracegate.module_cache import is_private
from gracegate.policy import Catalog, digest_of, load_catalog
from gracegate.policy.sets.folder import PolicyFolder
from gracegate.policy.sets.gate import build_policies, world_of

_MAX_KEPT = 20
"""Policy sets; those that were not used for longest go first."""


def load_policies(policies: PolicyFolder, find_opa: Callable[[], Path], cache_dir: Path) -> Catalog:
    """The catalogue of a policy set, built before or now; `find_opa` is called only if it has to be built.

    Raises RulesError with all mistakes if the set cannot be used.
    """
    # Another version of gracegate may find other mistakes in the same texts.
    folder = cache_dir / "policies" / f"{digest_of(world_of(policies), policies.data)}-{__version__}"
    if not policies.mistakes and folder.is_dir() and is_private(folder):
        with suppress(RulesError):  # it is damaged: built anew
            catalog = load_catalog(folder)
            folder.touch()
            return catalog
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # What was built is renamed into its place, so that another process never reads a part of it.
    building = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))  # mode 0700
    try:
        build_policies(policies, find_opa(), building)
        if folder.exists():
            shutil.rmtree(folder)
        with suppress(OSError):  # another process was faster
            building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    _remove_oldest(folder.parent)
    return load_catalog(folder)


def _remove_oldest(folder: Path) -> None:
    built = [path for path in folder.iterdir() if not path.name.startswith("building-")]
    for path in sorted(built, key=lambda path: path.stat().st_mtime, reverse=True)[_MAX_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
