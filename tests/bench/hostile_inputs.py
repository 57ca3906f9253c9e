"""Time and memory for hostile inputs: python tests/bench/hostile_inputs.py

Reads each input of tests/manifests/hostile.py in its own process; prints a line for each, and the maxima at the end.
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
    results = []
    for name in INPUTS:
        command = [sys.executable, "-m", "tests.manifests.hostile", name]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if process.returncode:
            print(f"{name:40} DIED with {process.returncode}: {process.stderr[-200:]}")
            continue
        results.append(json.loads(process.stdout))
        problems = ", ".join(f"{code} on line {line:,}" for line, code in results[-1]["problems"]) or "no problem"
        print(f"{name:40} {results[-1]['seconds']:6.2f} s {results[-1]['megabytes']:5} MB  {problems}")
    worst = {key: max(result[key] for result in results) for key in ("seconds", "megabytes")}
    print(f"{len(results)} of {len(INPUTS)} ended normally; the maxima: {worst['seconds']} s, {worst['megabytes']} MB")


if __name__ == "__main__":
    main()
