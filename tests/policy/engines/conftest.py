"""A small set of rules, of which some work and some misbehave on purpose, for both engines."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gracegate.policy import Catalog, catalog
from gracegate.policy.engines.opa_server import ChildEngine, start_child
from tests.processes import WAIT_SECONDS

SMALL = Path(__file__).parent / "small"
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def small(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of rules, compiled."""
    folder = tmp_path_factory.mktemp("rules") / "small"
    shutil.copytree(SMALL, folder)
    (folder / "compiled").mkdir()
    bundle = folder.parent / "bundle.tar.gz"
    build = [opa, "build", "-t", "wasm", "-e", "gracegate/main/report", "-b", ".", "-o", bundle]
    subprocess.run(build, cwd=folder, check=True, timeout=WAIT_SECONDS)
    with tarfile.open(bundle) as archive:
        archive.extract("/policy.wasm", folder / "compiled", filter="data")
    digest = catalog.digest_of(catalog.read_modules(folder))
    (folder / "compiled" / "catalog.json").write_bytes(catalog.write_catalog([], digest, []))
    return folder


@pytest.fixture(scope="session")
def small_catalog(small: Path) -> Catalog:
    return catalog.load_catalog(small)


@pytest.fixture(scope="session")
def server(opa: Path, small_catalog: Catalog) -> Iterator[ChildEngine]:
    """The small rules on a child OPA that the tests of a session share and may not kill."""
    with start_child(opa, small_catalog, seconds=WAIT_SECONDS) as engine:
        yield engine


@pytest.fixture(scope="session")
def opa_input() -> Ask:
    """Builds an input: the named documents, all subjects, and the rules to ask for."""

    def build(*names: object, rules: tuple[str, ...] = ("named-badly",)) -> dict[str, Any]:
        objects = [{"kind": "Pod", "metadata": {"name": name}} for name in names]
        return {"documents": [{"object": item, "subject": True} for item in objects], "rules": list(rules)}

    return build
