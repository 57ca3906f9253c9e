"""Which lines of a chart's templates a rendered line was made of: marks go into the templates and come out again.

A mark stands before the first character of a line of a template's own text, never in an action, so that trimming works
as before. It is of characters that are for private use, and that YAML allows everywhere. As in `provenance`, nothing is
taken on trust: a rendered line that is another one without its mark has no origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from gracegate.manifests.kinds import read_kinds
from gracegate.manifests.provenance import RenderedObject
from gracegate.model import Limits, Pointer, Rendered, Root, SourceFile, SourceLine
from gracegate.yaml import (
    LineIndex,
    MappingNode,
    Node,
    SequenceNode,
    json_value,
    key_name,
    parse_yaml,
    split_documents,
)

_OPENING, _CLOSING = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPENING}([0-9]+):([0-9]+){_CLOSING}")
# A comment, or an action with its strings, in which braces are text.
_ACTION = re.compile(
    r"""\{\{(?:-[ \t\r\n])?/\*.*?\*/(?:[ \t\r\n]-)?\}\}
    |\{\{(?:"(?:\\.|[^"\\\n])*+"|`[^`]*+`|'(?:\\.|[^'\\\n])*+'|(?!\}\})[^"`'])*+\}\}""",
    re.DOTALL | re.VERBOSE,
)
_HOOK = "helm.sh/hook"
_LINE_OF_TEXT = re.compile(r"^[ \t]*+(?=[^ \t\r\n])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MarkedTemplates:
    """The texts of templates with marks in them, by path; a mark names its file by the place in `paths`."""

    texts: Mapping[str, str]
    paths: tuple[str, ...]

    @property
    def without_helpers(self) -> MarkedTemplates:
        """Without marks in the files of helpers, whose names begin with `_`.

        What a chart computes with the text of a helper (`fromYaml`, a comparison) goes wrong where that has marks.
        """
        texts = {path: text for path, text in self.texts.items() if not path.rpartition("/")[2].startswith("_")}
        return MarkedTemplates(texts, self.paths)


def mark_templates(files: Mapping[str, SourceFile], paths: Iterable[str]) -> MarkedTemplates:
    """Marks the templates among `paths`; what cannot be marked is left out."""
    texts: dict[str, str] = {}
    for path in sorted(paths):
        source = files.get(path)
        if source is not None and (text := _marked(source.data, len(texts))):
            texts[path] = text
    return MarkedTemplates(texts, tuple(texts))


def is_same_without_marks(plain: str, marked: str) -> bool:
    """Whether marks have changed nothing of what is rendered."""
    return _MARK.sub("", marked) == plain


def read_template_objects(
    plain: str, lines: Sequence[SourceLine | None], root: Root, limits: Limits
) -> Iterator[RenderedObject]:
    """The objects of kinds that rules read in `plain`; `lines` has the origin of each of its lines. Raises YamlError
    where `plain` cannot be read."""
    for number, span in enumerate(split_documents(plain)):
        text = plain[span.start : span.end]
        node = None if read_kinds(limits.own_kinds).is_of_other_kind(text) else parse_yaml(text, limits)
        value = None if node is None else json_value(text, node)
        if node is not None and isinstance(value, dict):
            index = LineIndex(text)
            starts = ((pointer, span.first_line - 2 + index.line(start)) for pointer, start in _starts(node, ()))
            origins = {pointer: line for pointer, at in starts if (line := lines[at]) is not None}
            yield RenderedObject(value, Rendered(root, number, lines=origins))


def _starts(node: Node, pointer: Pointer) -> Iterator[tuple[Pointer, int]]:
    """Where keys and items of lists start in the text."""
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            yield (*pointer, index), item.start
            yield from _starts(item, (*pointer, index))
    elif isinstance(node, MappingNode):
        for key, value in node.pairs:
            if (name := key_name(key)) is not None:
                yield (*pointer, name), key.start
                yield from _starts(value, (*pointer, name))


def read_template_lines(plain: str, marked: str, templates: MarkedTemplates) -> tuple[SourceLine | None, ...]:
    """For each line of `plain` where it was made, as `marked`, rendered of the marked templates, tells; None where it
    is not certain."""
    lines, marked_lines = plain.split("\n"), marked.split("\n")
    if len(lines) != len(marked_lines):
        return (None,) * len(lines)
    pairs = zip(lines, marked_lines, strict=True)
    return tuple(
        _origin(marked_line, templates) if _MARK.sub("", marked_line) == line else None for line, marked_line in pairs
    )


def lines_in(marked: str, templates: MarkedTemplates) -> frozenset[SourceLine]:
    """The lines of templates' own text that a rendering of the marked templates has."""
    marks = {(int(number), int(line)) for number, line in _MARK.findall(marked)}
    return frozenset(
        SourceLine(templates.paths[number], line) for number, line in marks if number < len(templates.paths)
    )


def changed_lines(before: SourceFile | None, after: SourceFile, limits: Limits) -> frozenset[SourceLine]:
    """The lines of a template's own text that a change adds, where rules may read what they make.

    Notes, tests and hooks are no part of what is installed.
    """
    path = after.path
    is_helper = path.rpartition("/")[2].startswith("_")
    may_hold_objects = read_kinds(limits.own_kinds).may_hold_objects
    if path.endswith("/NOTES.txt") or "/tests/" in path or not (is_helper or may_hold_objects(after.data)):
        return frozenset()
    marked = mark_templates({path: after}, [path])
    if not marked.texts or _HOOK in marked.texts[path]:
        return frozenset()
    old, new = ([] if one is None else one.data.decode(errors="replace").split("\n") for one in (before, after))
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    added = {number for tag, _, _, start, end in changes if tag != "equal" for number in range(start + 1, end + 1)}
    return frozenset(one for one in lines_in(marked.texts[path], marked) if one.line in added)


def _origin(marked_line: str, templates: MarkedTemplates) -> SourceLine | None:
    """The last mark of a line: those before it are of text around a template that another one includes."""
    marks = _MARK.findall(marked_line)
    if not marks or int(marks[-1][0]) >= len(templates.paths):
        return None
    return SourceLine(templates.paths[int(marks[-1][0])], int(marks[-1][1]))


def _marked(data: bytes, number: int) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if _OPENING in text or _CLOSING in text:
        return None
    parts: list[str] = []
    end, line = 0, 1
    for place in _places(text):
        line += text.count("\n", end, place)
        parts += [text[end:place], f"{_OPENING}{number}:{line}{_CLOSING}"]
        end = place
    return "".join((*parts, text[end:])) if parts else None


def _places(text: str) -> Sequence[int]:
    """Where the lines of a template's own text begin; none where an action has no end."""
    actions = [action.span() for action in _ACTION.finditer(text)]
    starts, ends = (0, *(end for _, end in actions)), (*(start for start, _ in actions), len(text))
    texts = [*zip(starts, ends, strict=True)]
    if any(text.find("{{", start, end) >= 0 for start, end in texts):
        return []
    return [place for start, end in texts for place in _text_places(text, start, end)]


def _text_places(text: str, start: int, end: int) -> Iterator[int]:
    for line in _LINE_OF_TEXT.finditer(text, start, end):
        # What follows an action on its line is no line of its own.
        if line.start() == 0 or text[line.start() - 1] == "\n":
            yield line.end()
