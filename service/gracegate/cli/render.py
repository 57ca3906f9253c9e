"""`gracegate render`: what a kustomization or a chart renders to."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import click

from gracegate import git, settings
from gracegate.cli.main import EXIT_CODES
from gracegate.cli.request import top_directory
from gracegate.cli.terminal import progress, write_output
from gracegate.errors import RenderingFailed
from gracegate.manifests import (
    CHART_FILE,
    KUSTOMIZATIONS,
    comment_objects,
    comment_template,
    is_candidate,
    mark_sources,
    mark_templates,
    read_kustomizations,
)
from gracegate.model import Rendering, RenderRequest, Root, Tree
from gracegate.policy import Cluster


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
@click.option("--sources", "with_sources", is_flag=True, help="Say in comments from which lines the specs come.")
def command(
    folder: Path, values: tuple[Path, ...], release: str, namespace: str, minor: str, *, with_sources: bool
) -> None:
    """Print what a kustomization or a chart renders to, as gracegate sees it.

    DIR is the directory of the kustomization or chart, by default the working directory. It is rendered without
    plugins, programs and network: what needs those is an error, in the words of kustomize or Helm.
    """
    is_kustomization = any((folder / name).is_file() for name in KUSTOMIZATIONS)
    if not is_kustomization and not (folder / CHART_FILE).is_file():
        raise click.UsageError(f"{folder} has neither a kustomization nor a chart")
    major, _, number = minor.partition(".")
    if major != "1" or not number.isdecimal():
        raise click.UsageError(f"--kubernetes {minor} is no version of Kubernetes, like 1.30")
    if is_kustomization:
        top = top_directory((str(folder),))
        request = RenderRequest(Root("kustomize", _inside(top, folder)))
        tree, sources = _read_kustomization(top, request.root.directory)
    else:
        texts = tuple(path.read_text(encoding="utf-8") for path in values)
        request = RenderRequest(Root("helm", ""), values=texts, release=release, namespace=namespace)
        tree = git.read_paths(folder, ["."])
        sources = [path for path in tree.files if path.startswith("templates/")]
    for problem in tree.problems:
        click.echo(f"gracegate: {problem.file}: {problem.message}", err=True)
    if with_sources:
        write_output(_render_with_sources(tree, request, int(number), sources))
    else:
        write_output(_renderings(tree, [request], int(number))[0].text)


def _render_with_sources(tree: Tree, request: RenderRequest, minor: int, sources: Collection[str]) -> str:
    limits = settings.limits()
    if request.root.renderer == "helm":
        templates = mark_templates(tree.files, sources)
        plain, marked = _renderings(tree, [request, replace(request, replaced=templates.texts)], minor)
        return comment_template(plain.text, marked.text, templates, limits)
    manifests = mark_sources(tree.files, sources, limits)
    plain, marked = _renderings(tree, [request, replace(request, replaced=manifests.texts)], minor)
    return comment_objects(plain.text, marked.text, manifests, tree.files, limits)


def _renderings(tree: Tree, requests: list[RenderRequest], minor: int) -> list[Rendering]:
    """A rendering for each request. Raises RenderingFailed if there is none of the first one."""
    with progress("Loading the renderer"):
        from gracegate.rendering import WasmRenderer, find_renderer  # noqa: PLC0415 - wasmtime is slow to import

        renderer = WasmRenderer(find_renderer(), settings.cache_dir())
    with progress("Compiling the renderer, once on this machine"):
        renderer.load()
    with progress("Rendering"):
        renderings = renderer.render({path: source.data for path, source in tree.files.items()}, requests, minor)
    if problem := renderings[0].problem:
        raise RenderingFailed(problem.message)
    return renderings


def _read_kustomization(top: Path, root: str) -> tuple[Tree, Collection[str]]:
    """The files that the kustomization in the directory `root` reads, all those below it if that cannot be told; and
    the paths of those that hold objects and patches."""
    candidates = git.read_paths(top, ["."], is_candidate)
    kustomizations = read_kustomizations(candidates, settings.limits())
    if root not in kustomizations.by_directory:
        return git.read_paths(top, [root or "."]), ()
    # A directory among them has a kustomization that could not be read.
    read = sorted(path for path in kustomizations.closure(root).files if os.path.lexists(top / path))
    return git.read_paths(top, read), kustomizations.object_files(root)


def _inside(top: Path, folder: Path) -> str:
    path = os.path.relpath(folder.absolute(), top)
    return "" if path == "." else Path(path).as_posix()
