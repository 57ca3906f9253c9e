"""How an evaluation grows where documents of one repository join each other: python tests/bench/bench_growth.py.

Each shape is evaluated by both engines, from --least documents, doubled up to --most. Printed are the processor
seconds of the evaluation in that engine, and for each shape the exponent of a power law through them. An engine that
takes longer than --seconds is not asked for more documents. For Wasm the instructions are printed too, in millions,
which are the same in every run: seconds grow a little faster, as less and less of the values fits into the
processor's caches. Exit code 1 if the seconds of OPA or the instructions of Wasm grow faster than MOST, or if something
was not evaluated.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import wasmtime

from gracegate.errors import EngineError, EngineOutOfMemory
from gracegate.model import Document, ObjectRef
from gracegate.policy import BaseDocument, Batch, Catalog, Cluster, Evaluate, ask, load_builtin
from gracegate.policy.engines.opa_server import start_child
from gracegate.policy.engines.opa_wasm import ENTRYPOINT, WasmEngine, encode_json
from gracegate.policy.engines.wasm_abi import Aborted, Instance
from gracegate.policy.engines.wasm_builtins import HOST_BUILTINS

MOST = 1.1
FUEL = 1 << 62
WASM_BYTES = 2 << 30
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Copy:
    """Where the copy of a number stands and what it is called."""

    number: int
    folder: str = "shop"
    namespace: str = ""
    label: str = "web"
    name: str = "web"
    team: str = ""


def document(copy: Copy, kind: str, api: str, spec: Mapping[str, Any], name: str = "") -> Document:
    name = name or copy.name
    metadata = {"name": name, **({"namespace": copy.namespace} if copy.namespace else {})}
    ref = ObjectRef(kind, copy.namespace, name, api.rpartition("/")[0])
    manifest = {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": dict(spec)}
    return Document(f"{copy.folder}/{copy.name}-{kind}.yaml", 0, (), manifest, ref, False, "shop")


def deployment(copy: Copy, name: str = "") -> Document:
    ports = [{"name": "http", "containerPort": 8080}]
    containers = [{"name": "web", "image": "registry.example/web:1", "ports": ports}, {"name": "log", "image": "log:1"}]
    labels = {"app": copy.label, **({"team": copy.team} if copy.team else {})}
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    return document(copy, "Deployment", "apps/v1", spec, name)


def service(copy: Copy, name: str = "") -> Document:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return document(copy, "Service", "v1", {"selector": {"app": copy.label}, "ports": ports}, name)


def budget(copy: Copy, name: str = "") -> Document:
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": copy.label}}}
    return document(copy, "PodDisruptionBudget", "policy/v1", spec, name)


def autoscaler(copy: Copy, name: str = "") -> Document:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": copy.name}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4}
    return document(copy, "HorizontalPodAutoscaler", "autoscaling/v2", spec, name)


def ingress(copy: Copy, name: str = "") -> Document:
    spec = {"defaultBackend": {"service": {"name": copy.name, "port": {"name": "http"}}}}
    return document(copy, "Ingress", "networking.k8s.io/v1", spec, name)


APPLICATION = (deployment, service, budget, autoscaler, ingress)


def varied() -> Iterator[Document]:
    """Applications of their own names, ten in a folder."""
    for number in count():
        copy = Copy(number, f"shop/team-{number // 10}", "shop", f"app-{number}", f"app-{number}")
        yield from (make(copy) for make in APPLICATION)


def namespaces() -> Iterator[Document]:
    """One application, copied into namespaces."""
    for number in count():
        copy = Copy(number, f"shop/env-{number}", f"env-{number}")
        yield from (make(copy) for make in APPLICATION)


def folders() -> Iterator[Document]:
    """The same without namespaces."""
    for number in count():
        copy = Copy(number, f"shop/env-{number}")
        yield from (make(copy) for make in APPLICATION)


def budgets() -> Iterator[Document]:
    """Budgets and Deployments: each budget selects the pods of all."""
    yield service(Copy(0))
    for number in count():
        copy = Copy(number, namespace="shop", name=f"web-{number}")
        yield from (deployment(copy), budget(copy))


def services() -> Iterator[Document]:
    """Services and Deployments: each Service selects the pods of all."""
    for number in count():
        copy = Copy(number, namespace="shop", name=f"web-{number}")
        yield from (deployment(copy), service(copy))


def labels() -> Iterator[Document]:
    """Deployments whose pods have labels of their own, all selected by one Service and one budget."""
    yield from (service(Copy(0)), budget(Copy(0)))
    for number in count():
        copy = Copy(number, name=f"web-{number}", team=f"team-{number}")
        yield deployment(copy)


def autoscalers() -> Iterator[Document]:
    """Autoscalers of one Deployment."""
    yield from (deployment(Copy(0)), service(Copy(0)))
    yield from (autoscaler(Copy(number), name=f"web-{number}") for number in count())


def changed_applications() -> Iterator[Document]:
    """As varied, where the labels of all pods and the selectors of all Services were others at base."""
    yield from varied()


def changed_services() -> Iterator[Document]:
    """As services, where these labels and selectors were others at base."""
    yield from services()


SHAPES = (varied, namespaces, folders, budgets, services, labels, autoscalers, changed_applications, changed_services)
CHANGED = (changed_applications, changed_services)


def former(document: Document) -> Document:
    """The document with other labels of pods, and another selector of a Service."""
    text = re.sub(r'("labels"|"selector"): \{"app": "', r"\g<0>old-", json.dumps(document.object))
    return replace(document, object=json.loads(text))


def batch(shape: Callable[[], Iterator[Document]], documents: int, rules: Catalog) -> Batch:
    """That many documents, all to be reported."""
    found = tuple(islice(shape(), documents))
    before = tuple(BaseDocument(former(one), index) for index, one in enumerate(found)) if shape in CHANGED else ()
    return Batch(found, frozenset(range(documents)), (), rules.rules, rules.rules, {}, Cluster(), before=before)


def processor_seconds(pid: int) -> float:
    """Of a process, its own and the system's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(evaluate: Evaluate, read_cost: Callable[[], float], rules: Catalog, asked: Batch) -> tuple[float, int]:
    """What the evaluation adds to the cost of its engine, and the number of violations. Raises EngineError."""
    used = []

    def counted(question: Mapping[str, Any], seconds: float | None = None) -> Any:
        before = read_cost()
        try:
            return evaluate(question, seconds)
        finally:
            used.append(read_cost() - before)

    answer = ask(counted, asked, rules.digest)
    if answer.failed:
        raise EngineError("; ".join(f"{rule}: {reason}" for rule, reason in answer.failed.items()))
    return sum(used), len(answer.violations)


class CountingEngine:
    """The rules in Wasm, with a count of the instructions that each evaluation takes."""

    def __init__(self, rules: Catalog) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = True
        config.consume_fuel = True
        self._engine = wasmtime.Engine(config)
        self._module = wasmtime.Module.from_file(self._engine, rules.folder / "compiled" / "policy.wasm")
        self._data = encode_json({"gracegate_release": {"digest": rules.digest}})
        self.instructions = 0

    def evaluate(self, question: Mapping[str, Any], _seconds: float | None = None) -> Any:
        """The report. Raises EngineOutOfMemory where the one that is measured does."""
        with closing(CountingInstance(self._engine, self._module, HOST_BUILTINS, WASM_BYTES)) as instance:
            try:
                results = json.loads(instance.evaluate(ENTRYPOINT, self._data, encode_json(question)))
            except Aborted as error:
                raise EngineOutOfMemory(str(error)) from error
            finally:
                self.instructions += instance.instructions()
        return results[0]["result"]


class CountingInstance(Instance):
    """A policy whose instructions wasmtime counts as fuel."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._store.set_fuel(FUEL)

    def instructions(self) -> int:
        return FUEL - self._store.get_fuel()


def exponent(measured: Mapping[int, float]) -> float:
    """The slope of the times over the sizes, both as logarithms; nan of fewer than three."""
    if len(measured) < 3:
        return math.nan
    xs, ys = ([math.log(value) for value in values] for values in (measured, measured.values()))
    return statistics.linear_regression(xs, ys).slope


def main() -> int:
    names = {shape.__name__: shape for shape in SHAPES}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opa", type=Path, default=Path(__file__).resolve().parents[2] / ".tools" / "opa")
    parser.add_argument("--shape", choices=names, action="append", help="of these only")
    parser.add_argument("--engine", choices=("instructions", "wasm", "opa"), action="append", help="of these only")
    parser.add_argument("--least", type=int, default=500)
    parser.add_argument("--most", type=int, default=16_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    rules = load_builtin()
    sizes = [given.least << power for power in range(20) if given.least << power <= given.most]
    is_slow = False
    print(f"{'shape':20} {'engine':12} " + " ".join(f"{size:>8}" for size in sizes) + "  exponent", flush=True)
    with start_child(given.opa, rules, seconds=600) as server, closing(WasmEngine(rules, seconds=600)) as wasm:
        server.ensure_running()
        counting = CountingEngine(rules)
        child = _child_of(os.getpid())
        engines: Mapping[str, tuple[Evaluate, Callable[[], float]]] = {
            "instructions": (counting.evaluate, lambda: counting.instructions / 1e6),
            "wasm": (wasm.evaluate, lambda: processor_seconds(os.getpid())),
            "opa": (server.evaluate, lambda: processor_seconds(child)),
        }
        for engine in given.engine or engines:
            measure(*engines[engine], rules, batch(varied, given.least, rules))
        for name in given.shape or names:
            for engine in given.engine or engines:
                measured: dict[int, float] = {}
                print(f"{name:20} {engine:12} ", end="", flush=True)
                for size in sizes:
                    started = time.process_time()
                    try:
                        measured[size], _ = measure(*engines[engine], rules, batch(names[name], size, rules))
                    except EngineError as error:
                        is_slow = True
                        print(f" {error}", end="", flush=True)
                        break
                    print(f"{measured[size]:8.{0 if engine == 'instructions' else 2}f} ", end="", flush=True)
                    if time.process_time() - started > given.seconds:
                        break
                grows = exponent(measured)
                is_slow |= engine != "wasm" and not grows <= MOST
                print(f"  n^{grows:.2f}", flush=True)
    return int(is_slow)


def _child_of(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


if __name__ == "__main__":
    sys.exit(main())
