"""What every test may need: the pinned OPA, and how long random tests run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
OPA_VERSION = "1.22.2"

# `make fuzz` runs the random tests alone, for as many examples as EXAMPLES says.
settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("EXAMPLES", "10000")),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


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
