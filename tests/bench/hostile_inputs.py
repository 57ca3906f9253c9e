"""What hostile text costs: python tests/bench/hostile_inputs.py

Each input of tests/manifests/hostile.py is read in a process of its own; one line each, with the worst at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.manifests.hostile import INPUTS

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    told = []
    for name in INPUTS:
        command = [sys.executable, "-m", "tests.manifests.hostile", name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name:40} DIED with {done.returncode}: {done.stderr[-200:]}")
            continue
        told.append(json.loads(done.stdout))
        said = ", ".join(f"{code} on line {line:,}" for line, code in told[-1]["problems"]) or "read"
        print(f"{name:40} {told[-1]['seconds']:6.2f} s {told[-1]['megabytes']:5} MB  {said}")
    worst = {key: max(one[key] for one in told) for key in ("seconds", "megabytes")}
    print(f"{len(told)} of {len(INPUTS)} ended by themselves; the worst: {worst['seconds']} s, {worst['megabytes']} MB")


if __name__ == "__main__":
    main()
