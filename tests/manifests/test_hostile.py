"""Hostile text, each in a process of its own: it ends in what is said, never in a crash, a hang or a full memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.manifests.hostile import INPUTS, Hostile

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 300
HANGS = 20
"""Seconds after which nobody would wait any more; tests/bench/hostile_inputs.py tells what it takes."""


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES * 2**20, MEGABYTES * 2**20))


@pytest.mark.parametrize(("name", "hostile"), [pytest.param(*item, id=item[0]) for item in INPUTS.items()])
def test_hostile_text_is_refused_or_read(name: str, hostile: Hostile) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.manifests.hostile", name],
        cwd=ROOT,
        preexec_fn=bounded,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said["problems"] == ([] if hostile.code is None else [[hostile.line, hostile.code]])
    assert said["megabytes"] <= MEGABYTES
