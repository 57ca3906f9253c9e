"""Manifests at corpus grade: python tests/bench/bench_manifests.py [--oracle] DIR...

For each checkout: reading all of it; parsing and locating 500 workload files against PyYAML's C loader composing them;
the drain fix and the readiness fix planned for every container, with the share that was proved, the reasons of the
rest and the speed. With --oracle each edited file is also compared by an independent reader (slow).
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gracegate.manifests.discovery import is_candidate
from gracegate.manifests.documents import Manifest, locate, read
from gracegate.manifests.edits import Refused, apply_edits, edit
from gracegate.manifests.fragments import POD_SPECS
from gracegate.manifests.patches import patched
from gracegate.manifests.plain import Collection, collect
from gracegate.model import Document, Operation, Pointer, SourceFile, Tree
from manifests_room import oracle

FIXES = {
    "drain": (("lifecycle", "preStop", "sleep", "seconds"), 10),
    "readiness": (("readinessProbe",), {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5}),
}
WORKLOAD_FILES = 500


def tree(folder: Path) -> Tree:
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if is_candidate(name) and path.is_file() and not path.is_symlink():
            files[name] = SourceFile(name, path.read_bytes())
    return Tree(files)


def median(work: Callable[[], object], runs: int = 5) -> float:
    """Seconds of processor time, which other work on the machine disturbs least."""
    times = []
    for _ in range(runs):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times)


def containers(document: Document) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    if document.ref.kind not in POD_SPECS:
        return
    pod: Any = document.object
    for segment in POD_SPECS[document.ref.kind]:
        pod = pod.get(segment) if isinstance(pod, dict) else None
    found = pod.get("containers") if isinstance(pod, dict) else None
    for index, container in enumerate(found if isinstance(found, list) else ()):
        if isinstance(container, dict):
            yield (*POD_SPECS[document.ref.kind], "containers", index), container


def reading(collection: Collection) -> dict[str, float]:
    """Parsing and locating against PyYAML's C loader, which gives nodes and marks but no values."""
    workloads = [m for m in collection.manifests.values() if any(d.ref.kind in POD_SPECS for d in m.documents)]
    sources = [m.source for m in workloads if not m.problems][:WORKLOAD_FILES]

    def ours() -> None:
        for source in sources:
            manifest = read(source, "")
            for document in manifest.documents:
                for pointer, _ in containers(document):
                    locate(manifest, document, pointer)

    def pyyaml() -> None:
        for source in sources:
            list(yaml.compose_all(source.data.decode(), Loader=yaml.CSafeLoader))

    one, other = median(ours), median(pyyaml)
    return {"files": len(sources), "seconds": one, "pyyaml_seconds": other, "ratio": one / other if sources else 0.0}


def editing(collection: Collection, *, with_oracle: bool) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    size = 0
    started = time.process_time()
    for document in collection.documents:
        manifest = collection.manifests[document.path]
        for pointer, container in containers(document):
            for path, value in FIXES.values():
                if path[0] in container:  # replacing one takes the comments inside along
                    continue
                outcomes[outcome(manifest, document, Operation("add", (*pointer, *path), value), with_oracle)] += 1
                size += len(manifest.source.data)
    seconds = time.process_time() - started
    planned = sum(outcomes.values())
    return {
        "planned": planned,
        "outcomes": dict(outcomes),
        "proved": outcomes["proved"] / planned if planned else 1.0,
        "edits_per_second": planned / seconds,
        "megabytes_per_second": size / seconds / 1e6,
    }


def outcome(manifest: Manifest, document: Document, operation: Operation, with_oracle: bool) -> str:
    try:
        done = edit(manifest, [(document, operation)])
    except Refused as refused:
        return refused.reason
    new = done.manifest.text
    if apply_edits(manifest.text, done.edits) != new:
        return "WRONG lines"
    if sorted(re.findall(r"(?:^|\s)#.*", manifest.text)) != sorted(re.findall(r"(?:^|\s)#.*", new)):
        return "WRONG comments"
    if with_oracle and (wrong := against_oracle(manifest.text, new, document, operation)):
        return wrong
    return "proved"


def against_oracle(old: str, new: str, document: Document, operation: Operation) -> str | None:
    try:
        wanted = oracle.load_all(old)
    except yaml.YAMLError:
        return "proved, but the independent reader cannot read the file"
    place = Operation("add", document.pointer + operation.path, operation.value)
    wanted[document.number] = patched(wanted[document.number], place)
    found = oracle.load_all(new)
    return None if json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True) else "WRONG value"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--oracle", action="store_true")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        files = tree(folder)
        collection = collect(files)
        figures = {
            "folder": folder.name,
            "files": len(files.files),
            "megabytes": sum(len(f.data) for f in files.files.values()) / 1e6,
            "documents": len(collection.documents),
            "problems": dict(Counter(problem.code for problem in collection.problems)),
            "collect_seconds": median(lambda files=files: collect(files)),
            "reading": reading(collection),
            "editing": editing(collection, with_oracle=arguments.oracle),
        }
        print(json.dumps(figures, default=str))


if __name__ == "__main__":
    main()
