"""How long both engines take to start and evaluate: python tests/bench/bench_engines.py [--opa PATH] [--rules FOLDER].

Starts are whole processes that evaluate one document; the others are evaluations in a running one, from documents to
violations. Every figure is the median of three runs after one that warms up.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from gracegate.model import Document, ObjectRef
from gracegate.policy import catalog
from gracegate.policy.catalog import Catalog
from gracegate.policy.opa_server import child
from gracegate.policy.opa_wasm import WasmEngine
from gracegate.policy.query import Batch, Cluster, Evaluate, ask

SIZES = (1, 100, 500, 1000, 2000, 4000)
RUNS = 3
STARTED = """\
import sys
from pathlib import Path
from gracegate.policy.opa_wasm import WasmEngine
assert WasmEngine(*map(Path, sys.argv[1:])).ready() is None
"""
STARTED_CHILD = """\
import sys
from pathlib import Path
from gracegate.policy import catalog
from gracegate.policy.opa_server import child
with child(Path(sys.argv[2]), catalog.load(Path(sys.argv[1]))) as engine:
    assert engine.ready() is None
"""


def pair(number: int) -> Iterator[Document]:
    """A Deployment with two containers of ten variables, and its Service."""
    name, folder = f"app-{number}", f"team-{number // 10}"
    labels = {"app": name}
    variables = [{"name": f"VARIABLE_{n}", "value": "v" * 20} for n in range(10)]
    ports = [[{"name": "http", "containerPort": 8080}], []]
    containers = [{"name": f"c{n}", "image": "i:1", "env": variables, "ports": ports[n]} for n in range(2)]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    objects = (
        {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2, "template": template}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": "http"}]},
        },
    )
    for index, manifest in enumerate(objects):
        manifest["metadata"] = {"name": name, "namespace": "shop"}
        ref = ObjectRef(str(manifest["kind"]), "shop", name)
        yield Document(f"{folder}/{name}.yaml", index, (), manifest, ref, False, folder)


def batch(documents: int, rules: Catalog) -> Batch:
    """That many documents, all to be reported."""
    found = tuple(document for number in range((documents + 1) // 2) for document in pair(number))
    return Batch(found[:documents], frozenset(range(documents)), (), rules.rules, {}, Cluster())


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    """Medians of wall clock and of this process's own processor seconds."""
    action()
    figures = []
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        figures.append((time.perf_counter() - wall, time.process_time() - cpu))
    return statistics.median(wall for wall, _ in figures), statistics.median(cpu for _, cpu in figures)


def process(program: str, *arguments: Path) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", program, *arguments], check=True)


def starts(opa: Path, folder: Path, scratch: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    (scratch / "no folder").touch()
    yield "python alone", process("")
    yield "start of Wasm, nothing cached", process(STARTED, folder, scratch / "no folder")
    yield "start of Wasm, cached", process(STARTED, folder, scratch / "cache")
    yield "start of a child OPA", process(STARTED_CHILD, folder, opa)


def evaluations(name: str, evaluate: Evaluate, rules: Catalog) -> Iterator[tuple[str, Callable[[], object]]]:
    for size in SIZES:
        action = partial(ask, evaluate, batch(size, rules), rules.digest)
        yield f"{name}, {size} documents, {len(action().violations)} found", action


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opa", type=Path, default=Path(__file__).resolve().parents[2] / ".tools" / "opa")
    parser.add_argument("--rules", type=Path, default=catalog.builtin_policies())
    given = parser.parse_args()
    rules = catalog.load(given.rules)
    print(f"{'':44} {'wall':>9} {'cpu':>9}")
    with tempfile.TemporaryDirectory() as scratch, child(given.opa, rules, seconds=300) as server:
        rows = chain(
            starts(given.opa, given.rules, Path(scratch)),
            evaluations("Wasm", WasmEngine(given.rules, seconds=300).evaluate, rules),
            evaluations("OPA server", server.evaluate, rules),
        )
        for name, action in rows:
            wall, cpu = seconds(action)
            print(f"{name:44} {wall:7.4f} s {cpu:7.4f} s", flush=True)


if __name__ == "__main__":
    main()
