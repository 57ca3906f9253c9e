"""Kustomizations beside kustomize itself: python -m tests.bench.native_builds KUSTOMIZE REPO...

Builds every kustomization of the newest commit of each REPO, a git directory, that needs nothing from elsewhere: with
the program KUSTOMIZE, in a process for each, and with the renderer, as many in a run as in a check. Prints how many
texts are the same, and how much more of the processor the renderer takes for a root; the exit code is 1 if any text is
another one.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gracegate.git import read_commit_tree
from gracegate.manifests import Components, read_components
from gracegate.model import Limits, RenderBatch, RenderRequest, Root, Tree
from gracegate.rendering import RenderLimits, WasmRenderer, find_renderer
from tests.bench.table import log_progress, print_table
from tests.conftest import ROOT

MINOR = 30
RENDERER = WasmRenderer(find_renderer(), ROOT / ".tools" / "cache" / "gracegate", RenderLimits(fuel=10**15))


@dataclass(frozen=True)
class Build:
    """What the program and the renderer make of a root, None for nothing, and the processor seconds of each."""

    root: Root
    native: str | None
    rendered: str | None
    native_seconds: float
    rendered_seconds: float

    @property
    def ratio(self) -> float:
        return self.rendered_seconds / self.native_seconds


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def native_build(root: Root, kustomize: Path, folder: Path) -> tuple[str | None, float]:
    before = children_seconds()
    command = [str(kustomize), "build", "--load-restrictor=LoadRestrictionsNone", str(folder / root.directory)]
    ended = subprocess.run(command, capture_output=True, check=False)
    return None if ended.returncode else ended.stdout.decode(), children_seconds() - before


def measure(roots: Sequence[Root], kustomize: Path, tree: Tree, components: Components) -> Iterator[Build]:
    paths = set().union(*map(components.files_of, roots)) & tree.files.keys()
    times = [time.process_time()]
    renderings = RENDERER.render_all(
        [RenderBatch({path: tree.files[path].data for path in paths}, [RenderRequest(root) for root in roots])],
        MINOR,
        1,
        lambda: times.append(time.process_time()),
    )
    assert len(times) == len(roots) + 1, "a root has no time of its own"
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(tree.files[path].data)
        for rendering, (start, end) in zip(renderings, pairwise(times), strict=True):
            native, seconds = native_build(rendering.request.root, kustomize, Path(folder))
            rendered = None if rendering.problem else rendering.text
            yield Build(rendering.request.root, native, rendered, seconds, end - start)


def row(name: str, builds: Sequence[Build]) -> dict[str, object]:
    both = [one for one in builds if one.native is not None and one.rendered is not None]
    ratios = sorted(one.ratio for one in both)
    return {
        "repository": name,
        "roots": len(builds),
        "same": sum(one.native == one.rendered for one in both),
        "different": sum(one.native != one.rendered for one in both),
        "native alone": sum(one.native is not None and one.rendered is None for one in builds),
        "renderer alone": sum(one.native is None and one.rendered is not None for one in builds),
        "native s": sum(one.native_seconds for one in both),
        "renderer s": sum(one.rendered_seconds for one in both),
        "ratio p50": statistics.median(ratios),
        "p95": ratios[int(len(ratios) * 0.95)],
        "max": ratios[-1],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kustomize", type=Path, metavar="KUSTOMIZE")
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPO")
    parser.add_argument("--share", type=int, default=1, help="build one of so many roots")
    options = parser.parse_args()
    RENDERER.load()
    table: list[dict[str, object]] = []
    for path in options.repositories:
        tree = read_commit_tree(path, "HEAD", lambda _: True)
        components = read_components(tree, Limits())
        folders = (folder for folder, one in components.kustomizations.by_directory.items() if not one.is_component)
        roots = [Root("kustomize", folder) for folder in sorted(folders)]
        complete = [root for root in roots if not components.missing_parts(root)]
        builds = [*measure(complete[:: options.share], options.kustomize, tree, components)]
        for one in builds:
            if one.native != one.rendered:
                log_progress(f"  another text: {one.root.directory}")
        table.append(row(path.parent.name.rpartition("+")[2], builds))
    print_table(table)
    return int(any(line["different"] or line["native alone"] for line in table))


if __name__ == "__main__":
    sys.exit(main())
