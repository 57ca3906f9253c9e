"""The renderer, compiled at most once on this machine."""

from __future__ import annotations

import pytest

from gracegate.rendering import WasmRenderer, find_renderer
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def renderer() -> WasmRenderer:
    """The renderer with its usual limits; the tests that need it are skipped by name where it is not built."""
    if (wasm := find_renderer()) is None:
        pytest.skip("needs the renderer: run `make tools`")
    return WasmRenderer(wasm, ROOT / ".tools" / "cache" / "gracegate")
