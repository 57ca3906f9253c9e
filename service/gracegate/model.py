"""The nouns of gracegate, frozen. Lines count from 1, ranges include both ends, indexes count from 0."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Pointer = tuple[str | int, ...]
"""A path inside one Kubernetes object: keys of mappings and indexes of lists, from the object's root."""

DocumentKey = tuple[str, int, Pointer]
"""Path, number of the YAML document in its file, pointer to the object in it."""

Severity = Literal["error", "warning", "info"]
Status = Literal["introduced", "worsened", "pre-existing", "present"]
Verdict = Literal["fail", "incomplete", "pass"]
FixClass = Literal["safe", "assumes", "text"]
ChangeKind = Literal["added", "modified", "renamed", "removed"]
Gate = Literal["enforce", "advise"]
CommentScope = Literal["introduced", "touched"]
NoSuggestion = Literal[
    "no_fix",
    "advice_only",
    "assumes",
    "pre_existing",
    "not_tried",
    "other_file",
    "no_such_path",
    "shared_anchor",
    "merge_key",
    "templated",
    "unsupported_layout",
    "would_change_more",
    "not_fixed",
    "new_finding",
    "conflicts",
    "overlaps",
    "outside_diff",
    "crlf",
    "no_final_newline",
    "too_long",
]
"""Why a finding comes without a suggestion. outputs/words.py says each in words, metrics count them."""
Profile = Literal["baseline", "recommended", "strict"]

SEVERITY_ORDER: Mapping[str, int] = {"info": 0, "warning": 1, "error": 2}


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of untrusted text: `bytes` and `documents` of one file, the others of one YAML document.

    `documents` also bounds the objects of one list, `nodes` counts what an alias stands for at each of its uses, and
    `depth` counts through aliases.
    """

    bytes: int = 5_000_000
    documents: int = 10_000
    depth: int = 100
    nodes: int = 200_000
    aliases: int = 1_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a tree: `path` is relative to the tree, with forward slashes; `blob` is git's id of the content."""

    path: str
    data: bytes
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """The candidate files of one commit or directory, by path, and what was there but could not be taken."""

    files: Mapping[str, SourceFile]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Hunk:
    """The lines of the head's file that one hunk of the diff shows, context included."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One changed file; `hunks` is None where nobody knows them (a file without a patch)."""

    path: str
    change: ChangeKind
    previous_path: str | None = None
    hunks: tuple[Hunk, ...] | None = None


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Which Kubernetes object. `group` is the API group without version, empty for the core group."""

    kind: str
    namespace: str
    name: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One Kubernetes object of a file.

    `number` is the YAML document's number in its file, `pointer` leads from that document to the object (`()`, or
    `("items", 3)` in a List). `fragment` says that this is a patch of an object. `root` is the directory of the
    component it belongs to: the nearest ancestor with a kustomization or a chart, else the file's own directory.
    """

    path: str
    number: int
    pointer: Pointer
    object: Mapping[str, Any]
    ref: ObjectRef
    fragment: bool
    root: str

    @property
    def key(self) -> DocumentKey:
        """What tells this document from all others of its tree, whatever it is called."""
        return (self.path, self.number, self.pointer)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file: `line` is the one to show, `end_line` the last one that belongs to it."""

    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read or evaluated. `line` is 0 where only the file is known, `file` "" where none is.

    `manifest` says whether the file is a Kubernetes manifest by name and content, so that not reading it matters.
    """

    file: str
    line: int
    code: str
    message: str
    manifest: bool = True


NOT_COVERED = frozenset({"template", "fragment", "not_followed"})
"""Codes of problems with what is not read yet by design: they colour the check neutral and block nobody."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of a rule that configuration may replace."""

    name: str
    default: Any
    description: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What the METADATA of a rule file says; `example` is a manifest that violates the rule.

    Before the day `effective_on` the rule's errors are warnings. `exceptions` say when it is right to waive it.
    """

    id: str
    group: str
    title: str
    description: str
    severity: Severity
    fix: FixClass | Literal["none"]
    parameters: tuple[Parameter, ...]
    example: str
    links: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    effective_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a fix: RFC 6902 with array paths; `add` creates missing parents. `document` is a batch index."""

    op: Literal["add", "replace", "remove"]
    path: Pointer
    value: Any = None
    document: int = 0


@dataclass(frozen=True, slots=True)
class Fix:
    """How a violation goes away. `patch` is empty where only `advice` can be given; `diff` is the proved text edit."""

    klass: FixClass
    patch: tuple[Operation, ...] = ()
    advice: str | None = None
    assumption: str | None = None
    diff: str | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule said of one place. `level` is at most the rule's severity; a bigger `measure` is worse.

    `blocks_from` is the day from which it will be an error, where it is only a warning until then.
    """

    rule: str
    document: int
    pointer: Pointer
    message: str
    level: Severity
    measure: float | None = None
    fix: Fix | None = None
    blocks_from: str | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """Who may be silent about a finding. `source` is "config" or "annotation"; file and line say where it stands."""

    source: Literal["config", "annotation"]
    reason: str
    file: str
    line: int
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation at its place, judged against the base.

    `id` is stable across line shifts and rebases. `spot` groups the findings of one container, or of one object
    outside its containers: one comment each. `anchored` is False where the finding's file is not part of the diff.
    """

    id: str
    rule: str
    severity: Severity
    status: Status
    file: str
    line: int
    end_line: int
    object: ObjectRef
    container: str | None
    message: str
    spot: str
    fix: Fix | None = None
    suggestion: str | None = None
    no_suggestion: NoSuggestion | None = None
    waiver: Waiver | None = None
    anchored: bool = True
    blocks_from: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Lines `start_line` to `end_line` of the head's file are replaced by `text` (no newline at its end)."""

    id: str
    file: str
    start_line: int
    end_line: int
    text: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A finding of the base that the head no longer has."""

    id: str
    rule: str
    file: str
    object: ObjectRef
    container: str | None


@dataclass(frozen=True, slots=True)
class Engine:
    """Which engine evaluated which rules."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Checked:
    """How much was looked at at head."""

    files: int
    documents: int
    workloads: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the head's own .gracegate.yaml would change, shown and never applied; `error` where it is wrong."""

    verdict: Verdict | None
    silenced: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one review found. `remarks` says that a passing verdict is to be shown as neutral.

    `comments` says what is worth a comment: what a change introduced, or all that is wrong in objects it touches.
    """

    verdict: Verdict
    remarks: bool
    gate: Gate
    engine: Engine
    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...]
    fixed: tuple[Fixed, ...]
    problems: tuple[Problem, ...]
    checked: Checked
    compared: bool
    proposal: Proposal | None = None
    comments: CommentScope = "introduced"


@dataclass(frozen=True, slots=True)
class Comment:
    """A review comment to post; `line` is None for a comment on the whole file. `findings` holds finding ids."""

    path: str
    line: int | None
    start_line: int | None
    body: str
    findings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PostedComment:
    """A review comment of ours that GitHub has; `line` is None where it is outdated or on the whole file."""

    id: int
    path: str
    line: int | None
    body: str
