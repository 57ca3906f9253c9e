"""Evaluate policies that others wrote for conftest or Gatekeeper, by the contract of gracegate's own rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gracegate.errors import RuleFailed
from gracegate.model import Pointer
from gracegate.policy.foreign import placement
from gracegate.policy.foreign.placement import Variant, variants

MAX_MESSAGE = 1000
"""Characters of what is said of one place; the rest is cut."""

_AT_ONCE = 400
"""Variants in one question to OPA."""


@dataclass(frozen=True, slots=True)
class Question:
    """An object of a file, and the ids of the rules that are asked about it."""

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

Choose = Callable[[Mapping[str, Any], Sequence[str]], Iterable[tuple[Pointer, Question]]]
"""Which questions some rules answer about a document: about itself, or about what is at a place in it."""


def whole_document(document: Mapping[str, Any], rules: Sequence[str]) -> Iterator[tuple[Pointer, Question]]:
    """Each document as it is, for each rule."""
    yield (), Question(document["object"], document["path"], tuple(rules))


class _Message(NamedTuple):
    """A text about an object, and the place of it that the policy names, None where it names none."""

    text: str
    named: Pointer | None


class ForeignEngine:
    """Policies behind `ask`, of which `digest` identifies the texts.

    What they find in an object is kept: base, head and the verification of fixes ask about almost the same ones.
    """

    def __init__(self, ask: Ask, digest: str, choose: Choose = whole_document) -> None:
        self._ask = ask
        self._digest = digest
        self._choose = choose
        self._found: dict[tuple[str, str], Mapping[Pointer, Sequence[str]]] = {}

    def evaluate(self, opa_input: Mapping[str, Any], seconds: float | None = None) -> Any:
        """A report as of gracegate's own rules, each message at its place. Raises EngineError.

        Only subjects are asked about, and no fragments, which lack what another file completes.
        """
        rules: Sequence[str] = opa_input["rules"]
        asked = [
            (number, at, question, json.dumps([question.path, question.object], sort_keys=True))
            for number, document in enumerate(opa_input["documents"])
            if document["subject"] and not document["fragment"]
            for at, question in self._choose(document, rules)
        ]
        new: dict[str, Question] = {}
        for _, _, question, name in asked:
            known = new.get(name, replace(question, rules=())).rules
            unknown = [rule for rule in question.rules if (name, rule) not in self._found and rule not in known]
            if unknown:
                new[name] = replace(question, rules=(*known, *unknown))
        self._find(new, seconds)
        violations = [
            {"rule": rule, "at": {"document": number, "path": [*at, *place]}, "message": " ".join(texts)[:MAX_MESSAGE]}
            for number, at, question, name in asked
            for rule in question.rules
            for place, texts in self._found[name, rule].items()
        ]
        return {"digest": self._digest, "rules": list(rules), "violations": violations}

    def _find(self, questions: Mapping[str, Question], seconds: float | None) -> None:
        """Keeps what the rules find in objects, by the names of these."""
        asked = list(questions.values())
        messages: dict[tuple[int, str], list[_Message]] = {}
        for said in self._ask(asked, seconds) if asked else ():
            of_rule = messages.setdefault((said.question, said.rule), [])
            of_rule += _read(said, asked[said.question].object)
        without = self._variants_without(asked, messages, seconds)
        for number, (name, question) in enumerate(questions.items()):
            for rule in question.rules:
                found: dict[Pointer, list[str]] = {}
                for message in sorted(messages.get((number, rule), ()), key=lambda one: one.text):
                    pointer = (
                        placement.place(without[number, rule, message]) if message.named is None else message.named
                    )
                    found.setdefault(pointer, []).append(message.text)
                self._found[name, rule] = found

    def _variants_without(
        self, asked: Sequence[Question], messages: Mapping[tuple[int, str], Sequence[_Message]], seconds: float | None
    ) -> Mapping[tuple[int, str, _Message], Sequence[Variant]]:
        """By message without a place: the variants of its object of which its rule says less, and not this."""
        speaking: dict[int, list[str]] = {}
        for (number, rule), of_rule in messages.items():
            if any(message.named is None for message in of_rule):
                speaking.setdefault(number, []).append(rule)
        changed = [
            (number, variant, Question(variant.object, asked[number].path, tuple(rules)))
            for number, rules in speaking.items()
            for variant in variants(asked[number].object)
        ]
        without: dict[tuple[int, str, _Message], list[Variant]] = {
            (number, rule, message): [] for (number, rule), of_rule in messages.items() for message in of_rule
        }
        for start in range(0, len(changed), _AT_ONCE):
            part = changed[start : start + _AT_ONCE]
            still: dict[tuple[int, str], list[str]] = {}
            for said in self._ask([question for _, _, question in part], seconds):
                still.setdefault((said.question, said.rule), []).extend(_texts(said.result))
            for index, (number, variant, question) in enumerate(part):
                for rule in question.rules:
                    texts = still.get((index, rule), [])
                    if len(texts) >= len(messages[number, rule]):
                        continue
                    for message in messages[number, rule]:
                        if message.text not in texts:
                            without[number, rule, message].append(variant)
        return without


def _read(said: Said, manifest: Any) -> Iterator[_Message]:
    if isinstance(said.result, Mapping) and not isinstance(said.result.get("msg"), str):
        raise RuleFailed("it answers with an object that has no text `msg`", (said.rule,))
    for text in _texts(said.result):
        yield _Message(text, _named_place(said.result, manifest))


def _texts(result: Any) -> list[str]:
    """The text of a result, on one line. conftest does not report numbers and lists either."""
    text = result.get("msg") if isinstance(result, Mapping) else result
    return [" ".join(text.split()) or "The policy gives no text."] if isinstance(text, str) else []


def _named_place(result: Any, manifest: Any) -> Pointer | None:
    """The place that a result names itself: `path` as a list of keys and indexes, if the object has it."""
    path = result.get("path") if isinstance(result, Mapping) else None
    if not isinstance(path, list):
        return None
    for segment in path:
        try:
            manifest = manifest[segment]
        except (LookupError, TypeError):
            return None
    return tuple(path)
