"""One violation of OPA's report -> a Violation; strict, so that a mistake in a rule is an error. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence, Set
from typing import Any, get_args

from gracegate.model import (
    SEVERITY_ORDER,
    Confidence,
    Document,
    EditedCopy,
    Fix,
    FixClass,
    IntendedStep,
    Operation,
    Pointer,
    RelatedPointer,
    Rule,
    Severity,
    Violation,
)

_FIRST = frozenset({"exec", "grpc", "httpGet", "name", "sleep", "tcpSocket", "type"})


class Malformed(ValueError):
    """A value of a report does not have the shape that the rule contract requires."""


def read_violation(raw: Any, rule: Rule, subjects: Set[int], documents: Sequence[Document], before: int) -> Violation:
    """The violation `raw`, about one of the `subjects` of a batch of `documents`, by index, and of that many from
    `before` the change. Raises Malformed."""
    check_members(
        raw, required={"rule", "at", "message"}, optional={"level", "measure", "fix", "related", "confidence", "steps"}
    )
    at = raw["at"]
    check_members(at, required={"document", "path"})
    if not is_index(at["document"], len(documents)) or at["document"] not in subjects:
        raise Malformed(f"at.document {at['document']!r} is not a subject")
    if not isinstance(raw["message"], str) or not raw["message"]:
        raise Malformed("the message is not a text")
    confidence: Confidence = raw.get("confidence", "certain")
    if confidence not in get_args(Confidence):
        raise Malformed(f"{confidence!r} is not a confidence")
    pointer = read_pointer(at["path"])
    if not _leads_somewhere(pointer, documents[at["document"]].object):
        raise Malformed(f"at.path {at['path']!r} leads to nothing")
    return Violation(
        rule=rule.id,
        document=at["document"],
        pointer=pointer,
        message=raw["message"],
        level=_level(raw, rule.severity if confidence == "certain" else _min_level(rule.severity, "warning")),
        measure=_measure(raw),
        fix=_fix(raw["fix"], rule, at["document"], len(documents)) if "fix" in raw else None,
        related=_related(raw.get("related", []), len(documents)),
        confidence=confidence,
        steps=_steps(raw["steps"], at["document"], len(documents), before) if "steps" in raw else None,
    )


def check_members(raw: Any, *, required: Collection[str], optional: Collection[str] = ()) -> None:
    """Raises Malformed unless `raw` is an object with all `required` members and no others than the `optional`."""
    if not isinstance(raw, Mapping):
        raise Malformed(f"{raw!r} is not an object")
    missing = sorted(set(required).difference(raw))
    unknown = sorted(set(raw).difference(required, optional))
    if missing or unknown:
        raise Malformed(f"an object lacks {missing} and has unknown {unknown}")


def _leads_somewhere(pointer: Pointer, found: Any) -> bool:
    """Whether a pointer leads to a value, or to keys that a mapping lacks: this is how a rule says what is missing."""
    for number, segment in enumerate(pointer):
        if isinstance(found, list):
            if isinstance(segment, str) or segment >= len(found):
                return False
        elif not isinstance(found, Mapping) or segment not in found:
            # A mapping without entries may be written as null, and any field may have a wrong type.
            return all(isinstance(missing, str) for missing in pointer[number:])
        found = found[segment]
    return True


def _level(raw: Mapping[str, Any], highest: Severity) -> Severity:
    level: Severity = raw.get("level", highest)
    if level not in get_args(Severity):
        raise Malformed(f"{level!r} is not a level")
    return _min_level(level, highest)


def _min_level(one: Severity, other: Severity) -> Severity:
    return min(one, other, key=SEVERITY_ORDER.__getitem__)


def _related(raw: Any, documents: int) -> tuple[RelatedPointer, ...]:
    if not isinstance(raw, list):
        raise Malformed("`related` is not a list")
    for place in raw:
        check_members(place, required={"document", "path"}, optional={"note"})
        if not isinstance(place.get("note", ""), str):
            raise Malformed("the note of a related place is not a text")
        if not is_index(place["document"], documents):
            raise Malformed(f"the document {place['document']!r} of a related place is not in the batch")
    return tuple(RelatedPointer(place["document"], read_pointer(place["path"]), place.get("note", "")) for place in raw)


def _measure(raw: Mapping[str, Any]) -> float | None:
    measure = raw.get("measure")
    if "measure" not in raw:
        return None
    if isinstance(measure, bool) or not isinstance(measure, int | float) or not math.isfinite(measure):
        raise Malformed(f"the measure {measure!r} is not a number")
    return float(measure)


def _fix(raw: Any, rule: Rule, document: int, documents: int) -> Fix:
    check_members(raw, required=(), optional={"class", "patch", "advice", "assumption"})
    fix_class = raw.get("class", rule.fix)
    if fix_class not in get_args(FixClass):
        raise Malformed(f"{fix_class!r} is not a class of a fix")
    for key in ("advice", "assumption"):
        if not isinstance(raw.get(key, ""), str):
            raise Malformed(f"the {key} is not a text")
    patch = raw.get("patch", [])
    if not isinstance(patch, list):
        raise Malformed("the patch is not a list")
    fix = Fix(
        fix_class=fix_class,
        patch=tuple(_operation(step, document, documents) for step in patch),
        advice=raw.get("advice") or None,
        assumption=raw.get("assumption") or None,
    )
    _check_class(fix)
    return fix


def _check_class(fix: Fix) -> None:
    if fix.fix_class == "text" and (fix.patch or not fix.advice):
        raise Malformed("a fix of class text needs advice and must not have a patch")
    if fix.fix_class != "text" and not fix.patch:
        raise Malformed(f"a fix of class {fix.fix_class} has no patch")
    if fix.fix_class == "assumes" and not fix.assumption:
        raise Malformed("a fix of class assumes does not say what it assumes")


def _steps(raw: Any, document: int, documents: int, before: int) -> tuple[IntendedStep, ...]:
    if not isinstance(raw, list):
        raise Malformed("`steps` is not a list")
    steps = tuple(_step(step, document, documents, before) for step in raw)
    if steps and (steps[-1].patch or steps[-1].restored or steps[-1].instead or steps[-1].copies):
        raise Malformed("the last step is not the head")
    return steps


def _step(raw: Any, document: int, documents: int, before: int) -> IntendedStep:
    check_members(raw, required={"title"}, optional={"patch", "restored", "instead", "copies", "by_hand"})
    lists = {key: raw.get(key, []) for key in ("patch", "restored", "instead", "copies")}
    if not all(isinstance(value, list) for value in lists.values()):
        raise Malformed("what a step changes is not a list")
    if not all(isinstance(text, str) and text for text in (raw["title"], raw.get("by_hand", "none"))):
        raise Malformed("a text of a step is not a text")
    if not all(is_index(number, before) for number in lists["restored"]):
        raise Malformed(f"{lists['restored']!r} are not all documents from before the change")
    instead = tuple(_copy(copy, documents, before) for copy in lists["instead"])
    if not all(copy.is_former for copy in instead):
        raise Malformed("what stands instead of a document is not from before the change")
    return IntendedStep(
        title=raw["title"],
        patch=tuple(_operation(step, document, documents) for step in lists["patch"]),
        restored=tuple(lists["restored"]),
        instead=instead,
        copies=tuple(_copy(copy, documents, before) for copy in lists["copies"]),
        by_hand=raw.get("by_hand"),
    )


def _copy(raw: Any, documents: int, before: int) -> EditedCopy:
    is_former = isinstance(raw, Mapping) and "former" in raw
    key, count = ("former", before) if is_former else ("document", documents)
    check_members(raw, required={key, "patch"})
    if not is_index(raw[key], count) or not isinstance(raw["patch"], list):
        raise Malformed(f"{raw!r} is not a copy of a document")
    patch = tuple(_operation(step, 0, 1) for step in raw["patch"])
    return EditedCopy(raw[key], patch, is_former)


def _operation(raw: Any, document: int, documents: int) -> Operation:
    op = raw.get("op") if isinstance(raw, Mapping) else None
    if op == "remove":
        check_members(raw, required={"op", "path"}, optional={"document", "reason"})
    elif op in ("add", "replace"):
        check_members(raw, required={"op", "path", "value"}, optional={"document", "reason"})
    else:
        raise Malformed(f"{op!r} is not an operation")
    target = raw.get("document", document)
    if not is_index(target, documents):
        raise Malformed(f"an operation's document {target!r} is not in the batch")
    reason = raw.get("reason")
    if "reason" in raw and not isinstance(reason, str):
        raise Malformed("the reason of an operation is not a text")
    return Operation(op, read_pointer(raw["path"]), conventional_order(raw.get("value")), target, reason or None)


def conventional_order(value: Any) -> Any:
    """A value with its keys as people write them, the same from both engines: the action first, then its settings."""
    if isinstance(value, Mapping):
        return {key: conventional_order(value[key]) for key in sorted(value, key=lambda key: (key not in _FIRST, key))}
    return [conventional_order(item) for item in value] if isinstance(value, list) else value


def read_pointer(raw: Any) -> Pointer:
    """A path of keys and indexes. Raises Malformed."""
    if not isinstance(raw, list) or not all(isinstance(part, str) or is_index(part) for part in raw):
        raise Malformed(f"{raw!r} is not a path of keys and indexes")
    return tuple(raw)


def is_index(value: Any, length: float = math.inf) -> bool:
    """Whether a value is a whole number from 0 that is smaller than `length`."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < length
