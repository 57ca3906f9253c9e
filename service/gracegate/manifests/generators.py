"""The parameters that the generators of an ApplicationSet make, as far as the tree knows them.

A set of parameters may lack some: those of clusters are known to Argo CD alone. What is rendered with it keeps the
placeholders of what it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gracegate.manifests.applications import Sources
from gracegate.manifests.contents import items, mapping, read_values, text
from gracegate.manifests.globs import matches

Parameters = Mapping[str, str]
"""Values by key: `path`, `path[0]`, `values.zone`. Mappings are flattened."""

PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_FIELD = re.compile(r"\.([\w.-]+)")
_SEGMENT = re.compile(r"index \.path\.segments (\d+)")
_NO_LABEL = re.compile(r"[^a-z0-9.-]+")
# More would be an attack: an Application for each directory of a large repository is less.
_MOST = 2000


def generated_parameters(generators: Any, sources: Sources, *, go: bool) -> Iterator[Parameters]:
    """The parameters of each Application that generators make; `go` says that templates are those of Go."""
    for generator in items(generators):
        yield from _of_generator(mapping(generator), sources, go=go)


def generator_kinds(generators: Any) -> Iterator[str]:
    """What the generators are, as `list` or `merge(clusters, list)`."""
    for generator in items(generators):
        for kind, content in mapping(generator).items():
            inner = [*generator_kinds(mapping(content).get("generators"))]
            if kind not in {"selector", "template"}:
                yield f"{kind}({', '.join(inner)})" if inner else kind


def fill_in(value: Any, parameters: Parameters, *, go: bool) -> Any:
    """A JSON value with the parameters in the place of their placeholders; those of unknown ones stay."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: _looked_up(match, parameters, go=go), value) if "{{" in value else value
    if isinstance(value, list):
        return [fill_in(item, parameters, go=go) for item in value]
    if isinstance(value, dict):
        return {key: fill_in(item, parameters, go=go) for key, item in value.items()}
    return value


def _looked_up(match: re.Match[str], parameters: Parameters, *, go: bool) -> str:
    expression = match[1].strip().removeprefix("-").removesuffix("-").strip()
    if go:
        if segment := _SEGMENT.fullmatch(expression):
            expression = f"path[{segment[1]}]"
        elif named := _FIELD.fullmatch(expression):
            expression = named[1].removesuffix(".path") if named[1] == "path.path" else named[1]
        else:
            return match[0]
    return parameters.get(expression, match[0])


def _of_generator(generator: Mapping[str, Any], sources: Sources, *, go: bool) -> Sequence[Parameters]:
    if isinstance(elements := mapping(generator.get("list")).get("elements"), list):
        return [_flat(mapping(element)) for element in elements]
    if (git := mapping(generator.get("git"))) and sources.is_own(text(git.get("repoURL"))):
        found = [*_of_directories(git, sources), *_of_files(git, sources)][:_MOST]
        return [dict(_values(git, parameters, go=go)) | dict(parameters) for parameters in found]
    if matrix := mapping(generator.get("matrix")):
        return _matrix(items(matrix.get("generators")), sources, go=go)
    if merge := mapping(generator.get("merge")):
        return _merge(merge, sources, go=go)
    # Of clusters, pull requests and plugins only the values are known that each of them is given.
    return [_values(mapping(next(iter(generator.values()), None)), {}, go=go)]


def _values(generator: Mapping[str, Any], parameters: Parameters, *, go: bool) -> Parameters:
    return _flat({"values": fill_in(mapping(generator.get("values")), parameters, go=go)})


def _matrix(generators: list[Any], sources: Sources, *, go: bool) -> Sequence[Parameters]:
    made: Sequence[Parameters] = [{}]
    for generator in generators:
        made = [
            {**first, **second}
            for first in made
            # A generator may be written with the parameters of those before it.
            for second in _of_generator(fill_in(mapping(generator), first, go=go), sources, go=go)
        ][:_MOST]
    return made


def _merge(merge: Mapping[str, Any], sources: Sources, *, go: bool) -> Sequence[Parameters]:
    """The sets of the first generator with what others say of the same keys.

    Where one lacks a key, such as the name of a cluster, it may be any of theirs or none.
    """
    keys = [key for key in items(merge.get("mergeKeys")) if isinstance(key, str)]
    made, *others = [_of_generator(mapping(one), sources, go=go) for one in items(merge.get("generators"))] or [[]]
    for other in others:
        merged: list[Parameters] = []
        for one in made:
            same = [more for more in other if all(key in more and one.get(key, more[key]) == more[key] for key in keys)]
            merged += [{**one, **more} for more in same]
            if not same or any(key not in one for key in keys):
                merged.append(one)
        made = merged[:_MOST]
    return made


def _of_directories(git: Mapping[str, Any], sources: Sources) -> Iterator[Parameters]:
    is_wanted = _chooser(git.get("directories"))
    for folder in sorted(sources.directories):
        is_hidden = any(part.startswith(".") for part in folder.split("/"))
        if folder and not is_hidden and is_wanted(folder):
            yield _path_parameters(git, folder)


def _of_files(git: Mapping[str, Any], sources: Sources) -> Iterator[Parameters]:
    if not git.get("files"):
        return
    is_wanted = _chooser(git["files"])
    for path in filter(is_wanted, sorted(sources.files)):
        folder, _, name = path.rpartition("/")
        of_path = {
            **_path_parameters(git, folder),
            **_prefixed(git, {"path.filename": name, "path.filenameNormalized": _label(name)}),
        }
        for value in read_values(sources.files[path].data, sources.limits) or []:
            for content in value if isinstance(value, list) else [value]:
                yield {**_flat(mapping(content)), **of_path}


def _chooser(patterns: Any) -> Callable[[str], bool]:
    """Whether the patterns of a git generator choose a path."""
    given = [mapping(item) for item in items(patterns)]
    wanted, unwanted = (
        [
            text(item.get("path")).removeprefix("./").rstrip("/")
            for item in given
            if (item.get("exclude") is True) is out
        ]
        for out in (False, True)
    )
    return lambda path: any(matches(p, path) for p in wanted) and not any(matches(p, path) for p in unwanted)


def _path_parameters(git: Mapping[str, Any], folder: str) -> Parameters:
    name = folder.rpartition("/")[2]
    segments = {f"path[{number}]": part for number, part in enumerate(folder.split("/"))}
    return _prefixed(git, {"path": folder, "path.basename": name, "path.basenameNormalized": _label(name), **segments})


def _prefixed(git: Mapping[str, Any], parameters: Parameters) -> Parameters:
    prefix = text(git.get("pathParamPrefix"))
    return {f"{prefix}.{key}": value for key, value in parameters.items()} if prefix else parameters


def _label(name: str) -> str:
    return _NO_LABEL.sub("-", name.lower())[:253].strip("-.")


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            found |= _flat(item, f"{prefix}{key}.")
        elif isinstance(item, bool):
            found[f"{prefix}{key}"] = str(item).lower()
        elif isinstance(item, str | int | float):
            found[f"{prefix}{key}"] = str(item)
    return found
