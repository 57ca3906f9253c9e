"""What every test may need: the pinned OPA."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OPA_VERSION = "1.22.2"


def _version(binary: str) -> str:
    said = subprocess.run([binary, "version"], capture_output=True, text=True, check=False, timeout=30).stdout
    return said.splitlines()[0].removeprefix("Version: ") if said else ""


@pytest.fixture(scope="session")
def opa() -> Path:
    """Path of the pinned OPA; the tests that need it are skipped by name where there is none."""
    for candidate in (ROOT / ".tools" / "opa", shutil.which("opa")):
        if candidate and Path(candidate).is_file() and _version(str(candidate)) == OPA_VERSION:
            return Path(candidate)
    pytest.skip(f"needs OPA {OPA_VERSION}: run `make tools`")
