"""How long `gracegate check` takes as a process, and its peak memory: python tests/bench/bench_cli.py [DIR...].

One file, each checkout given as an argument, then synthetic trees of 500 to 4,000 documents, whose time should grow
linearly. Every figure is the median of five runs after one that warms the caches; `first` is the wall clock where
gracegate's own cache, which keeps the rules compiled for this machine, is empty each time.

Where kube-linter is installed (`make peers`), the processor seconds of one file and of each checkout are divided by its
own: medians of runs in turn, so that what else the machine does touches both alike.
"""

from __future__ import annotations

import argparse
import os
import shutil
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
    nowhere = subprocess.DEVNULL
    child = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, env=environment)
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


@dataclass(frozen=True)
class Goal:
    """What gracegate's processor seconds may be, in relation to kube-linter's, in a large checkout."""

    name: str
    ratio: float


GOALS = (Goal("first run", 0.85), Goal("later", 0.75), Goal("one file changed", 0.55), Goal("nothing changed", 0.20))


def find_kube_linter() -> str | None:
    """The program of `make peers`, else that of PATH."""
    own = Path(__file__).resolve().parents[2] / ".tools" / "kube-linter"
    return str(own) if own.is_file() else shutil.which("kube-linter")


def ratios(path: Path, kube_linter: str, runs: int) -> dict[str, float]:
    """The medians of processor seconds divided by kube-linter's on the same tree, in runs one after the other.

    Before each `later` run every file is another one than in the run before, and before `one file changed` one is.
    """
    ours = [str(Path(sys.executable).with_name("gracegate")), "check", str(path)]
    theirs = [kube_linter, "lint", str(path)]
    found: dict[str, list[float]] = {goal.name: [] for goal in GOALS}
    with tempfile.TemporaryDirectory() as cache:
        files = [one for one in (path.rglob("*.yaml") if path.is_dir() else [path]) if one.is_file()]
        for _ in range(runs):
            peer = run(theirs, cache).cpu
            with tempfile.TemporaryDirectory() as empty:
                found["first run"].append(run(ours, empty).cpu / peer)
            for name, changed in (("later", files), ("one file changed", files[:1]), ("nothing changed", [])):
                for file in changed:
                    touch(file)
                found[name].append(run(ours, cache).cpu / run(theirs, cache).cpu)
    return {name: statistics.median(values) for name, values in found.items()}


def touch(file: Path) -> None:
    """Makes a YAML file another one, which says the same."""
    with file.open("ab") as opened:
        opened.write(b"\n# measured")


def print_ratios(paths: list[Path], kube_linter: str, runs: int) -> None:
    print(f"\n{'processor seconds / kube-linter':36}" + "".join(f"{goal.name:>18}" for goal in GOALS))
    for path in (ONE_FILE, *paths):
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / path.name
            shutil.copytree(path, copy, symlinks=True) if path.is_dir() else shutil.copy(path, copy)
            found = ratios(copy, kube_linter, runs)
        print(f"{path.resolve().name:36}" + "".join(f"{found[goal.name]:18.2f}" for goal in GOALS), flush=True)
    print(f"{'goal, of infra-deployments':36}" + "".join(f"{goal.ratio:18.2f}" for goal in GOALS))


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
    parser.add_argument("--only-ratios", action="store_true", help="only what is beside kube-linter")
    given = parser.parse_args()
    if (kube_linter := find_kube_linter()) is not None:
        print_ratios(given.paths, kube_linter, given.runs)
    else:
        print("kube-linter is not installed, so there are no ratios: make peers", file=sys.stderr)
    if given.only_ratios:
        return
    print(f"{'':36} {'wall':>8} {'cpu':>8} {'peak':>9} {'first':>8}")
    for name, warm, cold in rows(given.paths, given.runs):
        print(f"{name:36} {warm.wall:6.2f} s {warm.cpu:6.2f} s {warm.peak:6.0f} MB {cold:6.2f} s", flush=True)


if __name__ == "__main__":
    main()
