"""The acceptance runs, on a small scale: that they work, and find no mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import WAIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("program", ["crash", "faults", "load", "real_rollout"])
def test_an_acceptance_run(program: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{program}", "--quick"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=3 * WAIT_SECONDS,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout.strip() != "") == (0, True), f"{ended.stdout}\n{ended.stderr[-3000:]}"
