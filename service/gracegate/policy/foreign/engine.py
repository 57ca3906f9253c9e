"""Evaluate policies that others wrote for conftest or Gatekeeper, by the contract of gracegate's own rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gracegate.model import Pointer
from gracegate.policy.foreign import placement
from gracegate.policy.foreign.all_files import AllFiles, Culprit
from gracegate.policy.foreign.messages import Ask, Message, Question, read_messages, texts_of
from gracegate.policy.foreign.placement import Variant, variants

MAX_MESSAGE = 1000
"""Characters of what is said of one place; the rest is cut."""

_AT_ONCE = 400
"""Variants in one question to OPA."""

Choose = Callable[[Mapping[str, Any], Sequence[str]], Iterable[tuple[Pointer, Question]]]
"""Which questions some rules answer about a document: about itself, or about what is at a place in it."""


def whole_document(document: Mapping[str, Any], rules: Sequence[str]) -> Iterator[tuple[Pointer, Question]]:
    """Each document as it is, for each rule."""
    yield (), Question(document["object"], document["path"], tuple(rules))


class ForeignEngine:
    """Policies behind `ask`, of which `digest` identifies the texts. The rules in `combined` are asked about all files
    at once, all others about one object after the other.

    What they find is kept: base, head and the verification of fixes ask about almost the same objects.
    """

    def __init__(
        self, ask: Ask, digest: str, choose: Choose = whole_document, combined: Collection[str] = frozenset()
    ) -> None:
        self._ask = ask
        self._digest = digest
        self._choose = choose
        self._combined = frozenset(combined)
        self._found: dict[tuple[str, str], Mapping[Pointer, Sequence[str]]] = {}
        self._found_in_all: dict[str, list[tuple[int, str, Pointer, str]]] = {}

    def evaluate(self, opa_input: Mapping[str, Any], seconds: float | None = None) -> Any:
        """A report as of gracegate's own rules, each message at its place. Raises EngineError.

        Only subjects are asked about, and no fragments, which lack what another file completes.
        """
        rules: Sequence[str] = opa_input["rules"]
        texts: dict[tuple[str, int, Pointer], list[str]] = {}
        of_each = self._of_each(opa_input["documents"], [rule for rule in rules if rule not in self._combined], seconds)
        of_all = self._of_all(opa_input, [rule for rule in rules if rule in self._combined], seconds)
        for number, rule, place, text in (*of_each, *of_all):
            texts.setdefault((rule, number, place), []).append(text)
        violations = [
            {"rule": rule, "at": {"document": number, "path": [*place]}, "message": " ".join(said)[:MAX_MESSAGE]}
            for (rule, number, place), said in texts.items()
        ]
        return {"digest": self._digest, "rules": list(rules), "violations": violations}

    def _of_each(
        self, documents: Sequence[Mapping[str, Any]], rules: Sequence[str], seconds: float | None
    ) -> Iterator[tuple[int, str, Pointer, str]]:
        """What rules say of each document: its number, the rule, the place and the text."""
        asked = [
            (number, at, question, json.dumps([question.path, question.object], sort_keys=True))
            for number, document in enumerate(documents)
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
        for number, at, question, name in asked:
            for rule in question.rules:
                for place, texts in self._found[name, rule].items():
                    yield from ((number, rule, (*at, *place), text) for text in texts)

    def _find(self, questions: Mapping[str, Question], seconds: float | None) -> None:
        """Keeps what the rules find in objects, by the names of these."""
        asked = list(questions.values())
        messages = read_messages(self._ask(asked, seconds) if asked else (), [one.object for one in asked])
        cures = self._cures([Culprit(one.object, one) for one in asked], messages, seconds)
        for number, (name, question) in enumerate(questions.items()):
            for rule in question.rules:
                found: dict[Pointer, list[str]] = {}
                for message in messages.get((number, rule), ()):
                    found.setdefault(_place(message, cures[number, rule, message]), []).append(message.text)
                self._found[name, rule] = found

    def _of_all(
        self, opa_input: Mapping[str, Any], rules: Sequence[str], seconds: float | None
    ) -> list[tuple[int, str, Pointer, str]]:
        """What rules say of all documents together, as `_of_each` says it of one."""
        if not rules:
            return []
        documents, before = opa_input["documents"], opa_input["before"]
        files = AllFiles(self._ask, documents, before, rules, seconds)
        if not files.has_subjects:
            return []
        name = hashlib.sha256(json.dumps([rules, documents, before], sort_keys=True).encode()).hexdigest()
        if name not in self._found_in_all:
            found = files.find()
            messages = {(n, rule): said for n, one in enumerate(found) for rule, said in one.baseline.items()}
            cures = self._cures([one.culprit for one in found], messages, seconds)
            self._found_in_all[name] = [
                (one.document, rule, _place(message, cures[number, rule, message]), message.text)
                for number, one in enumerate(found)
                for rule, message in one.said
            ]
        return self._found_in_all[name]

    def _cures(
        self,
        asked: Sequence[Culprit],
        messages: Mapping[tuple[int, str], Sequence[Message]],
        seconds: float | None,
    ) -> Mapping[tuple[int, str, Message], Sequence[Variant]]:
        """By message: the variants of its object of which its rule says less, and not this; none where the message
        names its place."""
        speaking: dict[int, list[str]] = {}
        for (number, rule), of_rule in messages.items():
            if any(message.named is None for message in of_rule):
                speaking.setdefault(number, []).append(rule)
        changed = [
            (number, variant, asked[number].about(variant.object, rules))
            for number, rules in speaking.items()
            for variant in variants(asked[number].manifest)
        ]
        without: dict[tuple[int, str, Message], list[Variant]] = {
            (number, rule, message): [] for (number, rule), of_rule in messages.items() for message in of_rule
        }
        for start in range(0, len(changed), _AT_ONCE):
            part = changed[start : start + _AT_ONCE]
            still: dict[tuple[int, str], list[str]] = {}
            for said in self._ask([question for _, _, question in part], seconds):
                still.setdefault((said.question, said.rule), []).extend(texts_of(said.result))
            for index, (number, variant, question) in enumerate(part):
                for rule in question.rules:
                    texts = still.get((index, rule), [])
                    if len(texts) >= len(messages[number, rule]):
                        continue
                    for message in messages[number, rule]:
                        if message.text not in texts:
                            without[number, rule, message].append(variant)
        return without


def _place(message: Message, cured_by: Iterable[Variant]) -> Pointer:
    return placement.place(cured_by) if message.named is None else message.named
