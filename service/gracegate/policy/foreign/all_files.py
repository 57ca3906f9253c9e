"""What policies say of all files at once (conftest's --combine), and which document each message is about. Pure.

Such a message names no file either. A document that is asked about alone and says the same is the one; of what only
several say together, such as two Ingresses with one host, the fewest that still say it are searched by halving.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gracegate.policy.foreign.messages import Ask, Message, Question, read_messages

COMBINED = "Combined"
"""What conftest calls all files."""

_MOST_SEARCHES = 50
"""Messages of one evaluation that are searched by halving, which takes some twenty questions each."""
_MOST_VERIFIED = 20
"""Documents with one message that are verified one by one; all of more say it."""


@dataclass(frozen=True, slots=True)
class Culprit:
    """An object that something is said of, and the question that it was said in.

    Among all files, `index` is its place in the question's list.
    """

    manifest: Any
    question: Question
    index: int | None = None

    def about(self, manifest: Any, rules: Iterable[str]) -> Question:
        """The question with another object in the place of this one."""
        if self.index is None:
            return Question(manifest, self.question.path, tuple(rules))
        files = list(self.question.object)
        files[self.index] = {**files[self.index], "contents": manifest}
        return Question(files, self.question.path, tuple(rules))


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """The messages that are about a document, by rule, and all that is said where the document is the `culprit`."""

    document: int
    culprit: Culprit
    said: tuple[tuple[str, Message], ...]
    baseline: Mapping[str, Sequence[Message]]


@dataclass(frozen=True, slots=True)
class _File:
    number: int
    path: str
    contents: Any
    is_subject: bool


class AllFiles:
    """The documents of an evaluation as files, without fragments, which lack what another file completes. Those from
    `before` the change say what is new."""

    def __init__(
        self,
        ask: Ask,
        documents: Sequence[Mapping[str, Any]],
        before: Sequence[Mapping[str, Any]],
        rules: Sequence[str],
        seconds: float | None,
    ) -> None:
        self._ask = ask
        self._rules = tuple(rules)
        self._seconds = seconds
        files = (
            _File(number, one["path"], one["object"], one["subject"])
            for number, one in enumerate(documents)
            if not one["fragment"]
        )
        self._files = sorted(files, key=lambda one: one.path)
        self._subjects = [one for one in self._files if one.is_subject]
        self._before = [_File(-1, one["path"], one["object"], False) for one in before if not one["fragment"]]
        self._searches = 0

    @property
    def has_subjects(self) -> bool:
        return bool(self._subjects)

    def find(self) -> list[FoundDocument]:
        """The documents that something is said of: subjects alone. Raises EngineError."""
        every = self._said([self._files])[0]
        nothing, *alone = self._said([[], *([one] for one in self._subjects)])
        causes: dict[tuple[int, ...], list[tuple[str, Message]]] = {}
        for rule, messages in every.items():
            for message in messages:
                is_missing = _has(nothing.get(rule, ()), message)
                for files in self._lack(rule, message) if is_missing else self._causes(rule, message, alone):
                    causes.setdefault(files, []).append((rule, message))
        return list(self._found(causes))

    def _said(
        self, parts: Sequence[Sequence[_File]], rules: Iterable[str] = ()
    ) -> Sequence[Mapping[str, Sequence[Message]]]:
        """What is said of each part of the files, by rule. A place is only known in a file."""
        questions = [_question(part, rules or self._rules) for part in parts]
        answers = self._ask(questions, self._seconds) if questions else ()
        messages = read_messages(answers, [part[0].contents if part else None for part in parts])
        by_part: list[dict[str, list[Message]]] = [{} for _ in parts]
        for (number, rule), of_rule in messages.items():
            by_part[number][rule] = of_rule
        return by_part

    def _says(self, rule: str, message: Message, parts: Sequence[Sequence[_File]]) -> list[bool]:
        return [_has(said.get(rule, ()), message) for said in self._said(parts, [rule])]

    def _causes(
        self, rule: str, message: Message, alone: Sequence[Mapping[str, Sequence[Message]]]
    ) -> list[tuple[int, ...]]:
        """The files, by their index, that a message is about, each with those that it takes; the subject comes first.

        None of what is not about a subject: that was there before.
        """
        speakers = [one for one, said in zip(self._subjects, alone, strict=True) if _has(said.get(rule, ()), message)]
        if 1 < len(speakers) <= _MOST_VERIFIED:
            # Each alone may lack what another file has for it, such as its Service.
            without_others = [
                [one for one in self._files if one is speaker or all(one is not other for other in speakers)]
                for speaker in speakers
            ]
            says = self._says(rule, message, without_others)
            speakers = [speaker for speaker, is_said in zip(speakers, says, strict=True) if is_said]
        speakers = [one for one in speakers if not message.file or one.path == message.file] or speakers
        if speakers:
            return [(self._files.index(one),) for one in speakers]
        others = [one for one in self._files if not one.is_subject]
        if self._says(rule, message, [others])[0]:
            return self._lack(rule, message)
        found = self._search(rule, message, others)
        return [found] if found else []

    def _lack(self, rule: str, message: Message) -> list[tuple[int, ...]]:
        """Where to say what is said of the others alone, or of nothing at all: on the first subject, if all files are
        new or what the change has removed would keep it from being said."""
        others = [one for one in self._files if not one.is_subject]
        is_new = not others or (bool(self._before) and not self._says(rule, message, [others + self._before])[0])
        return [(self._files.index(self._subjects[0]),)] if is_new else []

    def _search(self, rule: str, message: Message, others: Sequence[_File]) -> tuple[int, ...]:
        """The fewest files that say a message together, subjects before others."""
        if self._searches >= _MOST_SEARCHES:
            return (self._files.index(self._subjects[0]),)
        self._searches += 1
        order = [*(one for one in self._subjects if one.path == message.file), *self._subjects, *others]
        rest = list({id(one): one for one in order}.values())
        needed: list[_File] = []
        while not self._says(rule, message, [needed])[0] and rest:
            # The shortest beginning of the rest that still says it: its last file is needed.
            low, high = 0, len(rest)
            while high - low > 1:
                middle = (low + high) // 2
                if self._says(rule, message, [needed + rest[:middle]])[0]:
                    high = middle
                else:
                    low = middle
            needed.append(rest[high - 1])
            rest = rest[: high - 1]
        subjects = [one for one in needed if one.is_subject]
        if not subjects:
            return ()
        first = next((one for one in subjects if one.path == message.file), min(subjects, key=self._files.index))
        return tuple(self._files.index(one) for one in (first, *(one for one in needed if one is not first)))

    def _found(self, causes: Mapping[tuple[int, ...], list[tuple[str, Message]]]) -> Iterator[FoundDocument]:
        parts = [[self._files[index] for index in indexes] for indexes in causes]
        for part, messages, baseline in zip(parts, causes.values(), self._said(parts), strict=True):
            culprit = Culprit(part[0].contents, _question(part, self._rules), 0)
            # What only all files together lack is said of none of them alone.
            known = {rule: list(said) for rule, said in baseline.items()}
            said = []
            for rule, message in messages:
                here = next((one for one in known.get(rule, ()) if one.text == message.text), None)
                if here is None:
                    here = Message(message.text, (), message.file)
                    known.setdefault(rule, []).append(here)
                said.append((rule, here))
            yield FoundDocument(part[0].number, culprit, tuple(said), known)


def _question(files: Sequence[_File], rules: Iterable[str]) -> Question:
    return Question([{"path": one.path, "contents": one.contents} for one in files], COMBINED, tuple(rules))


def _has(said: Iterable[Message], message: Message) -> bool:
    return any(one.text == message.text for one in said)
