"""How fast manifests are read: python tests/bench/bench_manifests.py DIR...

For each checkout: collects all its documents, and parses and locates 500 workload files, compared with PyYAML's C
loader on the same files in the same run. For edits see corpus_fixes.py.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from gracegate.manifests import Collection, collect_documents, is_candidate, locate, read_manifest
from gracegate.model import WORKLOAD_KINDS, Document, Pointer, SourceFile, Tree

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
    if document.ref.kind not in WORKLOAD_KINDS:
        return
    pod: Any = document.object
    for segment in WORKLOAD_KINDS[document.ref.kind].pod_spec:
        pod = pod.get(segment) if isinstance(pod, dict) else None
    found = pod.get("containers") if isinstance(pod, dict) else None
    for index, container in enumerate(found if isinstance(found, list) else ()):
        if isinstance(container, dict):
            yield (*WORKLOAD_KINDS[document.ref.kind].pod_spec, "containers", index), container


def reading_figures(collection: Collection) -> dict[str, float]:
    """Parsing and locating, compared with PyYAML's C loader, which gives nodes and marks but no values.

    `ratio` is for complete files, of which gracegate skips the documents that no rule reads; `parsed_ratio` is for the
    documents that gracegate parses, so that both do all the work.
    """
    workloads = [m for m in collection.manifests.values() if any(d.ref.kind in WORKLOAD_KINDS for d in m.documents)]
    readable = [m for m in workloads if not m.problems][:WORKLOAD_FILES]
    sources = [m.source for m in readable]
    parsed = [
        SourceFile(m.source.path, m.text[m.spans[n].start : m.spans[n].end].encode())
        for m in readable
        for n in sorted({d.number for d in m.documents})
    ]
    figures = {"files": len(sources), "megabytes": sum(len(s.data) for s in sources) / 1e6}
    for name, texts in (("", sources), ("parsed_", parsed)):
        one, other = median(lambda texts=texts: parse_and_locate(texts)), median(lambda texts=texts: compose(texts))
        figures |= {f"{name}seconds": one, f"{name}pyyaml_seconds": other, f"{name}ratio": one / other}
    return figures


def parse_and_locate(sources: list[SourceFile]) -> None:
    for source in sources:
        manifest = read_manifest(source, "")
        for document in manifest.documents:
            for pointer, _ in containers(document):
                locate(manifest, document, pointer)


def compose(sources: list[SourceFile]) -> None:
    for source in sources:
        list(yaml.compose_all(source.data.decode(), Loader=yaml.CSafeLoader))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        files = tree(folder)
        collection = collect_documents(files)
        figures = {
            "folder": folder.name,
            "files": len(files.files),
            "megabytes": sum(len(f.data) for f in files.files.values()) / 1e6,
            "documents": len(collection.documents),
            "problems": dict(Counter(problem.code for problem in collection.problems)),
            "collect_seconds": median(lambda files=files: collect_documents(files)),
            "read_speed": reading_figures(collection),
            "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        print(json.dumps(figures, default=str))


if __name__ == "__main__":
    main()
