"""Questions to policies for conftest or Gatekeeper, and what is read of their answers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gracegate.errors import RuleFailed
from gracegate.model import Pointer


@dataclass(frozen=True, slots=True)
class Question:
    """An object of the file at `path`, and the ids of the rules that are asked about it.

    For all files at once, the object is a list of objects with `path` and `contents`, as conftest makes it.
    """

    object: Any
    path: str
    rules: tuple[str, ...]


class Said(NamedTuple):
    """What a rule answers to the question of a number, counted from 0."""

    question: int
    rule: str
    result: Any


Ask = Callable[[Sequence[Question], float | None], Sequence[Said]]
"""Asks questions with a limit of seconds, None for the usual one. Raises EngineError."""


class Message(NamedTuple):
    """A text about an object, and what the policy names itself: the place in the object, None where it names none,
    and the path of the file, "" for none."""

    text: str
    named: Pointer | None
    file: str = ""


def read_messages(answers: Iterable[Said], manifests: Sequence[Any]) -> dict[tuple[int, str], list[Message]]:
    """The messages by number of the question and rule, sorted; `manifests` are the objects that were asked about.

    Raises RuleFailed for an object without a text.
    """
    messages: dict[tuple[int, str], list[Message]] = {}
    for said in answers:
        if isinstance(said.result, Mapping) and not isinstance(said.result.get("msg"), str):
            raise RuleFailed("it answers with an object that has no text `msg`", (said.rule,))
        of_rule = messages.setdefault((said.question, said.rule), [])
        of_rule += _read(said.result, manifests[said.question])
    return {key: sorted(of_rule, key=lambda one: one.text) for key, of_rule in messages.items()}


def texts_of(result: Any) -> list[str]:
    """The text of a result, on one line. conftest does not report numbers and lists either."""
    text = result.get("msg") if isinstance(result, Mapping) else result
    return [" ".join(text.split()) or "The policy gives no text."] if isinstance(text, str) else []


def named_place(result: Any, manifest: Any) -> Pointer | None:
    """The place that a result names itself, if the object has it: `path`, or `path` in `_loc`, as a list of keys and
    indexes or as a JSON pointer."""
    location = _location(result)
    for source in (result, location):
        path = source.get("path") if isinstance(source, Mapping) else None
        found = _found(_segments(path), manifest)
        if found is not None:
            return found
    return None


def _read(result: Any, manifest: Any) -> Iterator[Message]:
    file = _location(result).get("file")
    for text in texts_of(result):
        yield Message(text, named_place(result, manifest), file if isinstance(file, str) else "")


def _location(result: Any) -> Mapping[str, Any]:
    """What conftest calls the location of a result, https://github.com/open-policy-agent/conftest/issues/1194."""
    location = result.get("_loc") if isinstance(result, Mapping) else None
    return location if isinstance(location, Mapping) else {}


def _segments(path: Any) -> Sequence[Any] | None:
    if isinstance(path, list):
        return path
    if isinstance(path, str) and path.startswith("/"):
        return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    return None


def _found(path: Sequence[Any] | None, manifest: Any) -> Pointer | None:
    """The path with the indexes of lists as numbers; None where it leads to nothing."""
    found: list[str | int] = []
    for segment in path or ():
        # A JSON pointer has its indexes as text.
        is_index = isinstance(manifest, list) and isinstance(segment, str) and segment.isdecimal()
        key = int(segment) if is_index else segment
        try:
            manifest = manifest[key]
        except (LookupError, TypeError):
            return None
        found.append(key)
    return None if path is None else tuple(found)
