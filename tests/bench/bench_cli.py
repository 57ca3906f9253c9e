"""How long `gracegate check` takes as a whole process, and its peak memory: python tests/bench/bench_cli.py [DIR...].

One file, each checkout given as an argument, then synthetic trees of 500 to 4,000 documents, whose time should grow
linearly. Every figure is the median of five runs after one that warms the disk's cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ONE_FILE = Path(__file__).resolve().parents[1] / "manifests" / "base" / "apps" / "web.yaml"
GROWTH = (500, 1000, 2000, 4000)

PAIR = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: app
          image: registry.example.com/{name}:1
          ports:
            - name: http
              containerPort: 8080
          readinessProbe:
            tcpSocket: {{port: {port}}}
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: shop
spec:
  selector: {{app: {name}}}
  ports:
    - port: 80
      targetPort: http
"""


@dataclass(frozen=True)
class Figures:
    """Medians: wall clock and processor seconds; peak resident memory of the largest process, in MB."""

    wall: float
    cpu: float
    peak: float


def run(command: list[str]) -> Figures:
    """One run, its output thrown away; an exit code above 1 (not a verdict) ends the benchmark."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in {0, 1, 3}:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}")
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure(path: Path, runs: int) -> Figures:
    command = [str(Path(sys.executable).with_name("gracegate")), "check", str(path)]
    run(command)
    figures = [run(command) for _ in range(runs)]
    return Figures(*(statistics.median(getattr(f, name) for f in figures) for name in ("wall", "cpu", "peak")))


def synthetic(folder: Path, documents: int) -> Path:
    """A tree of Deployments, every fourth with a fault, each with its Service, ten pairs to a directory."""
    for number in range(documents // 2):
        name = f"app-{number}"
        place = folder / f"team-{number // 10}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.yaml").write_text(PAIR.format(name=name, port="http" if number % 4 else "web"))
    return folder


def rows(paths: list[Path], runs: int) -> Iterator[tuple[str, Figures]]:
    for path in (ONE_FILE, *paths):
        yield path.name, measure(path, runs)
    with tempfile.TemporaryDirectory() as scratch:
        for documents in GROWTH:
            tree = synthetic(Path(scratch) / str(documents), documents)
            yield f"{documents} documents", measure(tree, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, help="checkouts to measure besides")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    print(f"{'':32} {'wall':>8} {'cpu':>8} {'peak':>9}")
    for name, figures in rows(given.paths, given.runs):
        print(f"{name:32} {figures.wall:6.2f} s {figures.cpu:6.2f} s {figures.peak:6.0f} MB", flush=True)


if __name__ == "__main__":
    main()
