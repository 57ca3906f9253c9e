"""Fixes on manifests as people write them: python tests/bench/corpus_fixes.py DIR...

Every container of every workload under each DIR (a checkout of a public repository, say) gets four edits planned: the
drain, the readiness probe, both with the grace period in one, and the drain as near to some line of the document as it
can stand. What is planned is compared by a reader of its own
(PyYAML's pure parser, see tests/yaml/oracle.py): the value, the lines outside of the edit, the comments. Prints a
row for each DIR and what was refused; exit code 1 where anything is wrong, or less than 99.9 % of the plain containers
in block style came through.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gracegate.manifests import Manifest, collect_documents, edit_manifest, locate
from gracegate.model import WORKLOAD_KINDS, Document, Hunk, Operation, Pointer
from gracegate.yaml_edit import EditRefused
from gracegate.yaml_edit.patches import apply_operation
from tests.bench.bench_manifests import containers, tree
from tests.yaml import oracle

DRAIN: tuple[Pointer, Any] = (("lifecycle", "preStop", "sleep"), {"seconds": 10})
READINESS: tuple[Pointer, Any] = (("readinessProbe",), {"httpGet": {"path": "/healthz", "port": 8080}})
ENOUGH = 0.999
COMMENT = re.compile(r"(?:^|\s)#.*", re.MULTILINE)


@dataclass
class Figures:
    """What came of the edits of one checkout."""

    plain: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    size: int = 0
    insertions: int = 0

    def add(self, more: Figures) -> None:
        self.plain += more.plain
        self.other += more.other
        self.wrong += more.wrong
        self.seconds += more.seconds
        self.size += more.size
        self.insertions += more.insertions


@dataclass(frozen=True)
class Original:
    """One YAML document of a file, split and read without our help."""

    chunks: list[str]
    number: int
    value: Any
    root: Any


def original(manifest: Manifest, document: Document) -> Original | None:
    """None where the independent reader cannot read it (JSON's surrogates, tabs), or splits the file otherwise."""
    chunks = re.split(r"^(?=---)", manifest.text, flags=re.MULTILINE)
    wanted = manifest.text[manifest.spans[document.number].start : manifest.spans[document.number].end]
    fitting = [n for n, chunk in enumerate(chunks) if chunk and wanted.endswith(chunk.removesuffix("...\n"))]
    for number in fitting:
        try:
            (value,) = oracle.load_all(chunks[number])
            return Original(chunks, number, value, yaml.compose(chunks[number], Loader=yaml.SafeLoader))
        except (yaml.YAMLError, ValueError):
            continue
    return None


def is_plain(root: Any, text: str, pointer: Pointer) -> bool:
    """A container in block style, in a document without anchors and without a template's marks."""
    if re.search(r"\{\{|\{%", text) or any(isinstance(e, yaml.AliasEvent) for e in yaml.parse(text)):
        return False
    node = root
    for segment in pointer:
        if node.flow_style:
            return False
        if isinstance(node, yaml.MappingNode):
            node = next((child for key, child in node.value if key.value == segment), None)
        else:
            node = node.value[segment]
        if node is None:
            return False
    return not node.flow_style


@dataclass(frozen=True)
class Plan:
    """One edit of one container."""

    pointer: Pointer
    operations: tuple[Operation, ...]
    near: tuple[Hunk, ...] = ()


def planned(manifest: Manifest, document: Document) -> Iterator[Plan]:
    place, last = locate(manifest, document, ()), manifest.text.count("\n") + 1
    grace = Operation("add", (*WORKLOAD_KINDS[document.ref.kind].pod_spec, "terminationGracePeriodSeconds"), 47)
    for pointer, _ in containers(document):
        drain, readiness = (Operation("add", (*pointer, *path), value) for path, value in (DRAIN, READINESS))
        for operations in ((drain,), (readiness,), (drain, readiness, grace)):
            yield Plan(pointer, operations)
        line = place.line + zlib.crc32(f"{document.path} {pointer}".encode()) % (place.end_line - place.line + 1)
        yield Plan(pointer, (drain,), (Hunk(line, min(line + 1, last)),))


def measured(folder: Path) -> Figures:
    figures = Figures()
    collection = collect_documents(tree(folder))
    for document in collection.documents:
        if document.ref.kind not in WORKLOAD_KINDS:
            continue
        manifest = collection.manifests[document.path]
        before = original(manifest, document)
        for plan in planned(manifest, document):
            outcome = tried(figures, manifest, document, plan, before)
            inside = document.pointer + plan.pointer
            plain = before is not None and is_plain(before.root, before.chunks[before.number], inside)
            (figures.plain if plain else figures.other)[outcome] += 1
            if outcome.startswith("WRONG"):
                figures.wrong.append(f"{outcome}: {folder.name}/{document.path} #{document.number} {inside}")
    return figures


def tried(figures: Figures, manifest: Manifest, document: Document, plan: Plan, before: Original | None) -> str:
    figures.size += len(manifest.source.data)
    started = time.process_time()
    try:
        done = edit_manifest(manifest, [(document, operation) for operation in plan.operations], plan.near)
    except EditRefused as refused:
        return refused.reason
    finally:
        figures.seconds += time.process_time() - started
    old, new = manifest.text.split("\n"), done.manifest.text.split("\n")
    at = shift = 0
    for one in done.edits:
        if old[at : one.start_line - 1] != new[at + shift : one.start_line - 1 + shift]:
            return "WRONG lines outside the edit"
        at, shift = one.end_line, shift + len(one.lines) - (one.end_line - one.start_line + 1)
    if old[at:] != new[at + shift :]:
        return "WRONG lines behind the edit"
    figures.insertions += all(is_insertion(old[e.start_line - 1 : e.end_line], e.lines) for e in done.edits)
    if before is None:
        return "proved (by us alone)"
    return against(before, done.manifest.text, document, plan.operations)


def is_insertion(old: list[str], new: tuple[str, ...]) -> bool:
    left = iter(new)
    return all(line in left for line in old)


def against(before: Original, new: str, document: Document, operations: tuple[Operation, ...]) -> str:
    wanted, replaces = before.value, False
    for operation in operations:
        place = Operation("add", document.pointer + operation.path, operation.value)
        replaces = replaces or stands(wanted, place.path)
        wanted = apply_operation(wanted, place)
    chunks = re.split(r"^(?=---)", new, flags=re.MULTILINE)
    others = [chunk for n, chunk in enumerate(chunks) if n != before.number]
    if others != [chunk for n, chunk in enumerate(before.chunks) if n != before.number]:
        return "WRONG other documents"
    (found,) = oracle.load_all(chunks[before.number])
    if json.dumps(found, sort_keys=True) != json.dumps(wanted, sort_keys=True):
        return "WRONG value"
    then, now = (Counter(COMMENT.findall(text)) for text in (before.chunks[before.number], chunks[before.number]))
    if now != then and not (replaces and now <= then):
        return "WRONG comments"
    return "proved"


def stands(value: Any, path: Pointer) -> bool:
    for segment in path:
        if isinstance(value, Mapping) and segment not in value:
            return False
        value = value[segment] if isinstance(value, Mapping | list) else {}
    return True


def row(name: str, figures: Figures) -> str:
    plain, edits = figures.plain.total(), figures.plain.total() + figures.other.total()
    proved = figures.plain["proved"]
    share = f"{proved / plain:8.3%}" if plain else "       -"
    others = f"{figures.other['proved'] + figures.other['proved (by us alone)']}/{figures.other.total()}"
    speed = f"{edits / figures.seconds:8.0f} {figures.size / figures.seconds / 1e6:7.1f}" if edits else ""
    return f"{name:28} {plain:7} {share} {others:>10} {len(figures.wrong):6} {figures.insertions:9} {speed}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    total = Figures()
    titles = f"{'checkout':28} {'plain':>7} {'proved':>8} {'others':>10} {'wrong':>6} {'insertion':>9}"
    print(f"{titles} {'edits/s':>8} {'MB/s':>7}")
    for folder in parser.parse_args().folders:
        figures = measured(folder)
        print(row(folder.name, figures), flush=True)
        total.add(figures)
    print(row("all", total))
    print("refused in plain ones:", {k: v for k, v in total.plain.items() if k != "proved"})
    print("in the others:", dict(total.other))
    print(*total.wrong, sep="\n")
    proved = total.plain["proved"] / max(total.plain.total(), 1)
    return 0 if proved >= ENOUGH and not total.wrong else 1


if __name__ == "__main__":
    sys.exit(main())
