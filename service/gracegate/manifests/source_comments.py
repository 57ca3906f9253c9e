"""A rendering for people to read: above each mapping that was made of known lines, a comment that names them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from gracegate.manifests.kinds import read_kinds
from gracegate.manifests.provenance import MarkedSources, mapping_places, read_origins
from gracegate.manifests.source_places import SourcePlaces
from gracegate.manifests.template_provenance import MarkedTemplates, read_template_lines
from gracegate.model import Limits, Pointer, Root, SourceFile, SourceLine
from gracegate.yaml import LineIndex, YamlError, json_value, parse_yaml, split_documents


def comment_objects(
    plain: str, marked: str, sources: MarkedSources, files: Mapping[str, SourceFile], limits: Limits
) -> str:
    """What kustomize made of a tree, with comments; `marked` is what it made of the marked sources.

    Raises YamlError where `plain` cannot be read.
    """
    root = Root("kustomize", "")
    rendered = (found.rendered for found in read_origins(plain, marked, sources, root, limits))
    origins = {each.number: each.origins for each in rendered}
    places = SourcePlaces(files, limits)

    def sources_of(number: int, pointer: Pointer, _line: int) -> Iterable[SourceLine]:
        return map(places.first_line, origins.get(number, {}).get(pointer, ()))

    return _commented(plain, sources_of, limits)


def comment_template(plain: str, marked: str, templates: MarkedTemplates, limits: Limits) -> str:
    """What Helm made of a chart, with comments; `marked` is what it made of the marked templates."""
    made_of = read_template_lines(plain, marked, templates)

    def sources_of(_number: int, _pointer: Pointer, line: int) -> Iterable[SourceLine]:
        return filter(None, [made_of[line - 1]])

    return _commented(plain, sources_of, limits)


def _commented(text: str, sources_of: Callable[[int, Pointer, int], Iterable[SourceLine]], limits: Limits) -> str:
    """The text with comments; `sources_of` gets the number of a YAML document, the pointer of a mapping in it, and the
    first line of that in the text, from 1."""
    parts: list[str] = []
    end = 0
    for number, span in enumerate(split_documents(text)):
        document = text[span.start : span.end]
        parts += [text[end : span.start], _commented_document(document, number, span.first_line, sources_of, limits)]
        end = span.end
    return "".join((*parts, text[end:]))


def _commented_document(
    text: str,
    number: int,
    first_line: int,
    sources_of: Callable[[int, Pointer, int], Iterable[SourceLine]],
    limits: Limits,
) -> str:
    """The document with comments; as it is where it cannot be read, or where they would be read as something else."""
    try:
        root = parse_yaml(text, limits)
        if root is None:
            return text
        comments: dict[int, set[SourceLine]] = defaultdict(set)
        index = LineIndex(text)
        for mapping, pointer in mapping_places(root, read_kinds(limits.own_kinds)):
            line = index.line(mapping.body)
            comments[line].update(sources_of(number, pointer, first_line - 1 + line))
        commented = _with_comments(text, comments)
        is_same = json_value(commented, parse_yaml(commented, limits)) == json_value(text, root)
    except YamlError:  # a template may make anything
        return text
    return commented if is_same else text


def _with_comments(text: str, comments: Mapping[int, Iterable[SourceLine]]) -> str:
    lines: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if names := ", ".join(f"{source.path}:{source.line}" for source in sorted(comments.get(number, ()))):
            lines.append(f"{' ' * (len(line) - len(line.lstrip()))}# {names}")
        lines.append(line)
    return "\n".join(lines)
