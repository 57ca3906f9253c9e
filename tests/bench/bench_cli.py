"""How long `gracegate check` takes as a process, and its peak memory: python tests/bench/bench_cli.py [DIR...].

One file, each checkout given as an argument, then synthetic trees of 500 to 4,000 documents, whose time should grow
linearly. Every figure is the median of five runs after one that warms the caches; `first` is the wall clock where
gracegate's own cache, which keeps the rules compiled for this machine, is empty each time.
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

ONE_FILE = Path(__file__).resolve().parents[1] / "demo" / "shop_layers" / "base" / "apps" / "web.yaml"
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
    """Wall clock and processor seconds; peak resident memory of the largest process, in MB."""

    wall: float
    cpu: float
    peak: float


def run(command: list[str], cache: str) -> Figures:
    """One run, its output thrown away; an exit code that is no verdict ends the benchmark."""
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    started = time.perf_counter()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in {0, 1, 3}:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}")
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure(path: Path, runs: int) -> tuple[Figures, float]:
    """The medians, and that of the wall clock with an empty cache."""
    command = [str(Path(sys.executable).with_name("gracegate")), "check", str(path)]
    with tempfile.TemporaryDirectory() as cache:
        run(command, cache)
        figures = [run(command, cache) for _ in range(runs)]
    warm = Figures(*(statistics.median(getattr(f, name) for f in figures) for name in ("wall", "cpu", "peak")))
    return warm, statistics.median(first(command) for _ in range(runs))


def first(command: list[str]) -> float:
    with tempfile.TemporaryDirectory() as cache:
        return run(command, cache).wall


def synthetic(folder: Path, documents: int) -> Path:
    """A tree of Deployments, every fourth with a fault, each with its Service, ten pairs to a directory."""
    for number in range(documents // 2):
        name = f"app-{number}"
        place = folder / f"team-{number // 10}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.yaml").write_text(PAIR.format(name=name, port="http" if number % 4 else "web"))
    return folder


def rows(paths: list[Path], runs: int) -> Iterator[tuple[str, Figures, float]]:
    for path in (ONE_FILE, *paths):
        yield path.resolve().name, *measure(path, runs)
    with tempfile.TemporaryDirectory() as scratch:
        for documents in GROWTH:
            tree = synthetic(Path(scratch) / str(documents), documents)
            yield f"{documents} documents", *measure(tree, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, help="checkouts to measure besides")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    print(f"{'':36} {'wall':>8} {'cpu':>8} {'peak':>9} {'first':>8}")
    for name, warm, cold in rows(given.paths, given.runs):
        print(f"{name:36} {warm.wall:6.2f} s {warm.cpu:6.2f} s {warm.peak:6.0f} MB {cold:6.2f} s", flush=True)


if __name__ == "__main__":
    main()
