"""How long both engines take to start and evaluate: python tests/bench/bench_engines.py [--opa PATH] [--rules FOLDER].

Starts are processes that evaluate one document; the others are evaluations in a running one, from documents to
violations. Every figure is the median of three runs after one that warms up. Last comes how the time grows with the
documents: the exponent of a power law through the larger batches, to be at most MOST.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

from gracegate.model import Document, ObjectRef
from gracegate.policy import Batch, Catalog, Cluster, Evaluate, ask, builtin_policies, load_catalog
from gracegate.policy.engines.opa_server import start_child
from gracegate.policy.engines.opa_wasm import WasmEngine

SIZES = (1, 100, 500, 1000, 2000, 4000)
RUNS = 3
FROM = 100
"""Documents from which growth is measured: below it a batch costs what every call costs."""
MOST = 1.2
STARTED = """\
import sys
from pathlib import Path
from gracegate.policy import load_catalog
from gracegate.policy.engines.opa_wasm import WasmEngine
opa_input = {"documents": [], "unread": [], "rules": [], "params": {}, "cluster": {}}
WasmEngine(load_catalog(Path(sys.argv[1])), Path(sys.argv[2])).evaluate(opa_input)
"""
STARTED_CHILD = """\
import sys
from pathlib import Path
from gracegate.policy import load_catalog
from gracegate.policy.engines.opa_server import start_child
with start_child(Path(sys.argv[2]), load_catalog(Path(sys.argv[1]))) as engine:
    engine.ensure_running()
"""


def application(number: int) -> Iterator[Document]:
    """A Deployment with two containers of ten variables, and all that can be joined with it, in one namespace."""
    name, folder = f"app-{number}", f"team-{number // 10}"
    for index, (kind, api, spec) in enumerate(_objects(name)):
        manifest = {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": spec}
        ref = ObjectRef(kind, "shop", name, api.rpartition("/")[0])
        yield Document(f"{folder}/{name}.yaml", index, (), manifest, ref, False, folder)


def _objects(name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    labels, target = {"app": name}, {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    variables = [{"name": f"VARIABLE_{n}", "value": "v" * 20} for n in range(10)]
    probe = {"httpGet": {"path": "/alive", "port": "http"}, "initialDelaySeconds": 60}
    more = [{"ports": [{"name": "http", "containerPort": 8080}], "livenessProbe": probe}, {}]
    containers = [{"name": f"c{n}", "image": "i:1", "env": variables, **more[n]} for n in range(2)]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    selector = {"matchLabels": labels}
    port = {"name": "http", "port": 80, "targetPort": "http"}
    yield "Deployment", "apps/v1", {"replicas": 2, "selector": selector, "template": template}
    yield "Service", "v1", {"selector": labels, "ports": [port]}
    yield "PodDisruptionBudget", "policy/v1", {"minAvailable": 2, "selector": selector}
    yield "HorizontalPodAutoscaler", "autoscaling/v2", {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 4}
    yield "Ingress", "networking.k8s.io/v1", {"defaultBackend": {"service": {"name": name, "port": {"name": "http"}}}}


def batch(documents: int, rules: Catalog) -> Batch:
    """That many documents, all to be reported."""
    found = tuple(islice((d for number in count() for d in application(number)), documents))
    return Batch(found, frozenset(range(documents)), (), rules.rules, rules.rules, {}, Cluster())


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


def evaluations(name: str, evaluate: Evaluate, rules: Catalog) -> Iterator[tuple[int, str, Callable[[], object]]]:
    for size in SIZES:
        action = partial(ask, evaluate, batch(size, rules), rules.digest)
        yield size, f"{name}, {size} documents, {len(action().violations)} found", action


def exponent(walls: Mapping[int, float]) -> float:
    """The slope of the times over the sizes, both as logarithms."""
    larger = {math.log(size): math.log(wall) for size, wall in walls.items() if size >= FROM}
    return statistics.linear_regression(list(larger), list(larger.values())).slope


def measured(name: str, action: Callable[[], object]) -> float:
    """Prints the figures of an action, and returns its wall clock."""
    wall, cpu = seconds(action)
    print(f"{name:44} {wall:7.4f} s {cpu:7.4f} s", flush=True)
    return wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opa", type=Path, default=Path(__file__).resolve().parents[2] / ".tools" / "opa")
    parser.add_argument("--rules", type=Path, default=builtin_policies())
    given = parser.parse_args()
    rules = load_catalog(given.rules)
    print(f"{'':44} {'wall':>9} {'cpu':>9}")
    with tempfile.TemporaryDirectory() as scratch, start_child(given.opa, rules, seconds=300) as server:
        for name, action in starts(given.opa, given.rules, Path(scratch)):
            measured(name, action)
        engines = {"Wasm": WasmEngine(load_catalog(given.rules), seconds=300).evaluate, "OPA server": server.evaluate}
        walls = {
            engine: {size: measured(name, action) for size, name, action in evaluations(engine, evaluate, rules)}
            for engine, evaluate in engines.items()
        }
    for engine, by_size in walls.items():
        grows = exponent(by_size)
        print(f"{engine} grows with n^{grows:.2f} from {FROM} documents on{', too fast' if grows > MOST else ''}")


if __name__ == "__main__":
    main()
