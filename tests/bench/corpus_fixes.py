"""Fixes of manifests as people write them: python tests/bench/corpus_fixes.py DIR...

Makes four edits for every container of every workload under each DIR (for example a checkout of a public repository):
the drain, the readiness probe, both together with the grace period, and the drain as near as possible to some line of
the document. Compares each result by an independent parser (tests/yaml/oracle.py): the value, the lines outside the
edit, the comments. Prints a row for each DIR and the reasons of refused edits; the exit code is 1 if any result is
wrong, or if less than 99.9 % of the edits of plain containers in block style succeed.
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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gracegate.manifests import Manifest, SourceOperation, collect_documents, edit_source, locate
from gracegate.manifests.source_places import SourcePlaces
from gracegate.model import WORKLOAD_KINDS, Document, Hunk, Operation, Pointer
from gracegate.yaml_edit import EditRefused
from gracegate.yaml_edit.patches import apply_operation
from tests.bench.bench_manifests import containers, tree
from tests.yaml import oracle

DRAIN: tuple[Pointer, Any] = (("lifecycle", "preStop", "sleep"), {"seconds": 10})
READINESS: tuple[Pointer, Any] = (("readinessProbe",), {"httpGet": {"path": "/healthz", "port": 8080}})
REQUIRED_SHARE = 0.999
COMMENT = re.compile(r"(?:^|\s)#.*", re.MULTILINE)


@dataclass
class Figures:
    """The results of the edits of one checkout: how many edits had each outcome, and how long they took."""

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
    """One YAML document of a file, split and parsed without the code under test."""

    chunks: list[str]
    number: int
    value: Any
    root: Any


def original(manifest: Manifest, document: Document) -> Original | None:
    """None if the independent parser cannot parse it (JSON's surrogates, tabs), or splits the file in another way."""
    chunks = re.split(r"^(?=---)", manifest.text, flags=re.MULTILINE)
    expected = manifest.text[manifest.spans[document.number].start : manifest.spans[document.number].end]
    candidates = [n for n, chunk in enumerate(chunks) if chunk and expected.endswith(chunk.removesuffix("...\n"))]
    for number in candidates:
        try:
            (value,) = oracle.load_all(chunks[number])
            return Original(chunks, number, value, yaml.compose(chunks[number], Loader=yaml.SafeLoader))
        except (yaml.YAMLError, ValueError):
            continue
    return None


def is_plain(root: Any, text: str, pointer: Pointer) -> bool:
    """True for a container in block style, in a document without aliases and template braces."""
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
class ContainerEdit:
    """One edit of one container."""

    pointer: Pointer
    operations: tuple[Operation, ...]
    preferred: tuple[Hunk, ...] = ()


def container_edits(manifest: Manifest, document: Document) -> Iterator[ContainerEdit]:
    lines, last = locate(manifest, document, ()), manifest.text.count("\n") + 1
    grace = Operation("add", (*WORKLOAD_KINDS[document.ref.kind].pod_spec, "terminationGracePeriodSeconds"), 47)
    for pointer, _ in containers(document):
        drain, readiness = (Operation("add", (*pointer, *path), value) for path, value in (DRAIN, READINESS))
        for operations in ((drain,), (readiness,), (drain, readiness, grace)):
            yield ContainerEdit(pointer, operations)
        line = lines.line + zlib.crc32(f"{document.path} {pointer}".encode()) % (lines.end_line - lines.line + 1)
        yield ContainerEdit(pointer, (drain,), (Hunk(line, min(line + 1, last)),))


def measure(folder: Path) -> Figures:
    figures = Figures()
    collection = collect_documents(tree(folder))
    for document in collection.documents:
        if document.ref.kind not in WORKLOAD_KINDS:
            continue
        manifest = collection.manifests[document.path]
        before = original(manifest, document)
        for edit in container_edits(manifest, document):
            outcome = make_edit(figures, collection.places, manifest, document, edit, before)
            inside = document.pointer + edit.pointer
            plain = before is not None and is_plain(before.root, before.chunks[before.number], inside)
            (figures.plain if plain else figures.other)[outcome] += 1
            if outcome.startswith("WRONG"):
                figures.wrong.append(f"{outcome}: {folder.name}/{document.path} #{document.number} {inside}")
    return figures


def make_edit(
    figures: Figures,
    places: SourcePlaces,
    manifest: Manifest,
    document: Document,
    edit: ContainerEdit,
    before: Original | None,
) -> str:
    figures.size += len(manifest.source.data)
    started = time.process_time()
    try:
        steps = [
            SourceOperation(document.path, document.number, replace(o, path=document.pointer + o.path))
            for o in edit.operations
        ]
        edited = edit_source(places, document.path, steps, edit.preferred)
    except EditRefused as refused:
        return refused.reason
    finally:
        figures.seconds += time.process_time() - started
    old, new = manifest.text.split("\n"), edited.text.split("\n")
    end = shift = 0
    for line_edit in edited.edits:
        if old[end : line_edit.start_line - 1] != new[end + shift : line_edit.start_line - 1 + shift]:
            return "WRONG lines outside the edit"
        end, shift = line_edit.end_line, shift + len(line_edit.lines) - (line_edit.end_line - line_edit.start_line + 1)
    if old[end:] != new[end + shift :]:
        return "WRONG lines after the edit"
    figures.insertions += all(is_insertion(old[e.start_line - 1 : e.end_line], e.lines) for e in edited.edits)
    if before is None:
        return "verified by itself only"
    return compare(before, edited.text, document, edit.operations)


def is_insertion(old: list[str], new: tuple[str, ...]) -> bool:
    remaining = iter(new)
    return all(line in remaining for line in old)


def compare(before: Original, new: str, document: Document, operations: tuple[Operation, ...]) -> str:
    expected, replaces = before.value, False
    for operation in operations:
        in_document = Operation("add", document.pointer + operation.path, operation.value)
        replaces = replaces or exists(expected, in_document.path)
        expected = apply_operation(expected, in_document)
    chunks = re.split(r"^(?=---)", new, flags=re.MULTILINE)
    others = [chunk for n, chunk in enumerate(chunks) if n != before.number]
    if others != [chunk for n, chunk in enumerate(before.chunks) if n != before.number]:
        return "WRONG other documents"
    (value,) = oracle.load_all(chunks[before.number])
    if json.dumps(value, sort_keys=True) != json.dumps(expected, sort_keys=True):
        return "WRONG value"
    old_comments, new_comments = (
        Counter(COMMENT.findall(text)) for text in (before.chunks[before.number], chunks[before.number])
    )
    if new_comments != old_comments and not (replaces and new_comments <= old_comments):
        return "WRONG comments"
    return "verified"


def exists(value: Any, path: Pointer) -> bool:
    for segment in path:
        if isinstance(value, Mapping) and segment not in value:
            return False
        value = value[segment] if isinstance(value, Mapping | list) else {}
    return True


def row(name: str, figures: Figures) -> str:
    plain, edits = figures.plain.total(), figures.plain.total() + figures.other.total()
    verified = figures.plain["verified"]
    share = f"{verified / plain:8.3%}" if plain else "       -"
    others = f"{figures.other['verified'] + figures.other['verified by itself only']}/{figures.other.total()}"
    speed = f"{edits / figures.seconds:8.0f} {figures.size / figures.seconds / 1e6:7.1f}" if edits else ""
    return f"{name:28} {plain:7} {share} {others:>10} {len(figures.wrong):6} {figures.insertions:9} {speed}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    total = Figures()
    titles = f"{'checkout':28} {'plain':>7} {'verified':>8} {'others':>10} {'wrong':>6} {'insertion':>9}"
    print(f"{titles} {'edits/s':>8} {'MB/s':>7}")
    for folder in parser.parse_args().folders:
        figures = measure(folder)
        print(row(folder.name, figures), flush=True)
        total.add(figures)
    print(row("all", total))
    print("refused in plain containers:", {k: v for k, v in total.plain.items() if k != "verified"})
    print("in other containers:", dict(total.other))
    print(*total.wrong, sep="\n")
    verified = total.plain["verified"] / max(total.plain.total(), 1)
    return 0 if verified >= REQUIRED_SHARE and not total.wrong else 1


if __name__ == "__main__":
    sys.exit(main())
