"""`gracegate render`: what a kustomization or a chart renders to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from gracegate import git, settings
from gracegate.cli.inputs import fetch_sources
from gracegate.cli.main import EXIT_CODES
from gracegate.cli.request import fetch_option, source_fetcher, top_directory
from gracegate.cli.terminal import progress, write_output
from gracegate.errors import RenderingFailed
from gracegate.manifests import (
    CHART_FILE,
    KUSTOMIZATIONS,
    Kustomizations,
    ReadCache,
    comment_objects,
    comment_template,
    directory,
    is_candidate,
    is_fetched,
    mark_sources,
    mark_templates,
    read_kustomizations,
)
from gracegate.model import RenderBatch, Rendering, RenderRequest, Root, Tree
from gracegate.policy import Cluster

if TYPE_CHECKING:
    from gracegate.render_sources import SourceFetcher


@click.command("render", epilog=EXIT_CODES)
@click.argument("folder", metavar="DIR", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--values",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Values for a chart; can be repeated, later ones win.",
)
@click.option("--release", default="release-name", show_default=True, help="The name of a chart's release.")
@click.option("--namespace", default="default", show_default=True, help="The namespace of a chart's release.")
@click.option(
    "--kubernetes",
    "minor",
    metavar="1.N",
    default=f"1.{Cluster().min_minor}",
    show_default=True,
    help="The version of the cluster that a chart asks for.",
)
@fetch_option
@click.option("--sources", "with_sources", is_flag=True, help="Say in comments from which lines the specs come.")
def command(  # noqa: PLR0913 - the options
    folder: Path,
    values: tuple[Path, ...],
    release: str,
    namespace: str,
    minor: str,
    fetch: tuple[str, ...],
    *,
    with_sources: bool,
) -> None:
    """Print what a kustomization or a chart renders to, as gracegate sees it.

    DIR is the directory of the kustomization or chart, by default the working directory. It is rendered without
    plugins, programs and, but for what `--fetch` names, network: what needs those is an error, in the words of
    kustomize or Helm.
    """
    is_kustomization = any((folder / name).is_file() for name in KUSTOMIZATIONS)
    if not is_kustomization and not (folder / CHART_FILE).is_file():
        raise click.UsageError(f"{folder} has neither a kustomization nor a chart")
    major, _, number = minor.partition(".")
    if major != "1" or not number.isdecimal():
        raise click.UsageError(f"--kubernetes {minor} is no version of Kubernetes, like 1.30")
    if is_kustomization:
        top = top_directory((str(folder),))
        found = _read_kustomization(top, _inside(top, folder), source_fetcher(fetch))
        _name_problems(found.tree)
        output = _render_kustomization(found, int(number), with_sources=with_sources)
    else:
        texts = tuple(path.read_text(encoding="utf-8") for path in values)
        request = RenderRequest(Root("helm", ""), values=texts, release=release, namespace=namespace)
        tree = git.read_paths(folder, ["."])
        _name_problems(tree)
        output = _render_chart(tree, request, int(number), with_sources=with_sources)
    write_output(output)


def _name_problems(tree: Tree) -> None:
    for problem in tree.problems:
        click.echo(f"gracegate: {problem.file}: {problem.message}", err=True)


def _render_chart(tree: Tree, request: RenderRequest, minor: int, *, with_sources: bool) -> str:
    if not with_sources:
        return _renderings(tree, [request], minor)[0].text
    templates = mark_templates(tree.files, [path for path in tree.files if path.startswith("templates/")])
    plain, marked = _renderings(tree, [request, replace(request, replaced=templates.texts)], minor)
    return comment_template(plain.text, marked.text, templates, settings.limits())


@dataclass(frozen=True, slots=True)
class _Kustomization:
    """The files that a kustomization reads, and those of the tree's that hold kustomizations."""

    directory: str
    tree: Tree
    all: Kustomizations

    @property
    def is_readable(self) -> bool:
        return self.directory in self.all.by_directory

    def request(self, replaced: Mapping[str, str] = MappingProxyType({})) -> RenderRequest:
        """How it is rendered with other texts for some files."""
        fetched = self.all.fetched_texts(self.directory, replaced, settings.limits()) if self.is_readable else {}
        return RenderRequest(Root("kustomize", self.directory), replaced={**replaced, **fetched})


def _render_kustomization(found: _Kustomization, minor: int, *, with_sources: bool) -> str:
    if not with_sources:
        return _renderings(found.tree, [found.request()], minor)[0].text
    sources = found.all.object_files(found.directory) if found.is_readable else ()
    manifests = mark_sources(found.tree.files, sources, settings.limits())
    plain, marked = _renderings(found.tree, [found.request(), found.request(manifests.texts)], minor)
    return comment_objects(plain.text, marked.text, manifests, found.tree.files, settings.limits())


def _renderings(tree: Tree, requests: list[RenderRequest], minor: int) -> list[Rendering]:
    """A rendering for each request. Raises RenderingFailed if there is none of the first one."""
    with progress("Loading the renderer"):
        from gracegate.rendering import WasmRenderer, find_renderer  # noqa: PLC0415 - wasmtime is slow to import

        renderer = WasmRenderer(find_renderer(), settings.cache_dir(), baseline_roots=len(requests))
    with progress("Compiling the renderer, once on this machine"):
        renderer.load(len(requests))
    with progress("Rendering"):
        renderings = renderer.render(
            [RenderBatch({path: source.data for path, source in tree.files.items()}, requests)], minor
        )
    if problem := renderings[0].problem:
        raise RenderingFailed(problem.message)
    return renderings


def _read_kustomization(top: Path, root: str, fetcher: SourceFetcher | None) -> _Kustomization:
    """The kustomization in the directory `root` with all files below it if what it reads cannot be told."""
    limits, cache = settings.limits(), ReadCache()
    candidates = git.read_paths(top, ["."], is_candidate)
    own = [path for path in candidates.files if directory(path) == root and path.rpartition("/")[2] in KUSTOMIZATIONS]
    (candidates,) = fetch_sources([candidates], own, fetcher, limits, cache)
    known = read_kustomizations(candidates, limits)
    if root not in known.by_directory:
        return _Kustomization(root, git.read_paths(top, [root or "."]), known)
    files = known.closure(root).files
    fetched = {path: known.files[path] for path in files if is_fetched(path) and path in known.files}
    # A directory among them has a kustomization that could not be read.
    tree = git.read_paths(top, sorted(path for path in files - fetched.keys() if os.path.lexists(top / path)))
    return _Kustomization(root, replace(tree, files={**tree.files, **fetched}), known)


def _inside(top: Path, folder: Path) -> str:
    path = os.path.relpath(folder.absolute(), top)
    return "" if path == "." else Path(path).as_posix()
