"""Hostile inputs, each in its own process: the result is a problem, never a crash, a hang or exhausted memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.manifests.hostile import INPUTS, Input

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 300
TIMEOUT_SECONDS = 20
"""Far more than any of them needs; tests/bench/hostile_inputs.py measures them."""


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES * 2**20, MEGABYTES * 2**20))


@pytest.mark.parametrize(("name", "hostile"), [pytest.param(*item, id=item[0]) for item in INPUTS.items()])
def test_hostile_text_results_in_the_expected_problem(name: str, hostile: Input) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "tests.manifests.hostile", name],
        cwd=ROOT,
        preexec_fn=limit_memory,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    assert (process.returncode, process.stderr) == (0, "")
    result = json.loads(process.stdout)
    assert result["problems"] == ([] if hostile.code is None else [[hostile.line, hostile.code]])
    assert result["megabytes"] <= MEGABYTES
