"""What every test may need: the pinned OPA, a PostgreSQL server, and one profile for all random tests."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from wasmtime._managed import Managed

from gracegate.rendering import WasmRenderer, find_renderer
from tests import postgresql, processes
from tests.browser.browser import Browser, BrowserMissing
from tests.scene_rules import has_scenes, keep_scene_rules

ROOT = Path(__file__).resolve().parents[1]
OPA_VERSION = "1.22.2"

# No random test measures time: a busy machine is no reason to fail.
settings.register_profile(
    "gracegate", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("gracegate")
# `make fuzz` runs the random tests alone, for as many examples as EXAMPLES says.
settings.register_profile(
    "fuzz",
    parent=settings.get_profile("gracegate"),
    max_examples=int(os.environ.get("EXAMPLES", "10000")),
    print_blob=True,
)


def pytest_unconfigure() -> None:
    """Closes what wasmtime still holds: at the interpreter's end it would print errors below pytest's last line."""
    for held in gc.get_objects():
        if isinstance(held, Managed):
            held.close()


@pytest.fixture(autouse=True)
def scene_rules(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more built-in rule breaks no scene, see scene_rules.py."""
    if has_scenes(request.path):
        keep_scene_rules(monkeypatch)


@pytest.fixture
def free_port() -> int:
    return processes.free_port()


def _version(binary: str) -> str:
    output = subprocess.run(
        [binary, "version"], capture_output=True, text=True, check=False, timeout=processes.WAIT_SECONDS
    ).stdout
    return output.splitlines()[0].removeprefix("Version: ") if output else ""


@pytest.fixture(scope="session")
def opa() -> Path:
    """Path of the pinned OPA; the tests that need it are skipped by name where there is none."""
    for candidate in (ROOT / ".tools" / "opa", shutil.which("opa")):
        if candidate and Path(candidate).is_file() and _version(str(candidate)) == OPA_VERSION:
            return Path(candidate)
    pytest.skip(f"needs OPA {OPA_VERSION}: run `make tools`")


@pytest.fixture(scope="session")
def renderer() -> WasmRenderer:
    """The renderer with its usual limits; the tests that need it are skipped by name where it is not built."""
    if (wasm := find_renderer()) is None:
        pytest.skip("needs the renderer: run `make tools`")
    return WasmRenderer(wasm, ROOT / ".tools" / "cache" / "gracegate")


# Both databases run the tests of the store, the queue and the runner, most of those of the workers with the kill test,
# and the reviews from end to end that are marked `on_both_databases`. To save time, all others run on SQLite alone.
@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of one server for all tests; those that need it are skipped by name where it cannot be had."""
    try:
        with postgresql.start_server() as server:
            yield server.url
    except postgresql.ServerMissing as error:
        pytest.skip(f"needs PostgreSQL: {error}")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests of pages; they are skipped by name where there is no browser, or no axe-core."""
    try:
        with Browser(tmp_path_factory.mktemp("profile")) as started:
            yield started
    except BrowserMissing as missing:
        pytest.skip(str(missing))
