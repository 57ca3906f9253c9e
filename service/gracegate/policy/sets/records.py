"""What is recorded of policy sets: which version is in use, and what is wrong with a newer one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from gracegate.errors import InputError
from gracegate.model import PolicyRecord, PolicyVersion


class PolicyRecords(Protocol):
    """The records of all sources. They are shared by threads, and those of the service by its processes."""

    def read(self, source: str) -> PolicyRecord:
        """What is recorded of a source; nothing of one that is not known."""

    def read_archive(self, source: str, digest: str) -> bytes | None:
        """The packed files of a version, None where they are not kept."""

    def claim(self, source: str, seconds: float) -> bool:
        """Whether the caller is to read the source now: nobody has begun to in the last `seconds`."""

    def add(self, source: str, version: PolicyVersion, archive: bytes) -> None:
        """Record the newest version."""

    def record_error(self, source: str, error: str) -> None:
        """Record why the source could not be read, "" where it could."""

    def refuse(self, source: str, refusal: str) -> None:
        """Record what is wrong with a version, see Refusal."""

    def activate(self, source: str, name: str, digest: str) -> None:
        """Use a version from now on, unless it was rolled back."""


class MemoryRecords:
    """Records that end with the process, of one that only looks at policy sets."""

    def __init__(self) -> None:
        self._records: dict[str, PolicyRecord] = {}
        self._archives: dict[tuple[str, str], bytes] = {}

    def read(self, source: str) -> PolicyRecord:
        return self._records.get(source, PolicyRecord(source))

    def read_archive(self, source: str, digest: str) -> bytes | None:
        return self._archives.get((source, digest))

    def claim(self, source: str, seconds: float) -> bool:  # noqa: ARG002 - nobody else reads it
        return True

    def add(self, source: str, version: PolicyVersion, archive: bytes) -> None:
        self._archives[source, version.digest] = archive
        self._records[source] = replace(self.read(source), newest=version, error="")

    def record_error(self, source: str, error: str) -> None:
        self._records[source] = replace(self.read(source), error=error)

    def refuse(self, source: str, refusal: str) -> None:
        self._records[source] = replace(self.read(source), refusal=refusal)

    def activate(self, source: str, name: str, digest: str) -> None:
        record = self.read(source)
        if record.newest is not None and record.newest.digest == digest:
            changes = replace(record, name=name, previous=record.active, active=record.newest, refusal="")
            self._records[source] = changes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the version of a digest is not used, and the ids that its rules would have. As JSON it is recorded."""

    digest: str
    mistakes: tuple[InputError, ...]
    rule_ids: frozenset[str]

    def to_json(self) -> str:
        mistakes = [[one.message, one.file, one.line] for one in self.mistakes]
        return json.dumps({"digest": self.digest, "mistakes": mistakes, "rule_ids": sorted(self.rule_ids)})

    @classmethod
    def from_json(cls, text: str) -> Refusal:
        value = json.loads(text)
        mistakes = (InputError(message, file=file, line=line) for message, file, line in value["mistakes"])
        return cls(value["digest"], tuple(mistakes), frozenset(value["rule_ids"]))


def first_and_more(mistakes: Iterable[InputError]) -> str:
    """The first mistake, and how many there are beside it."""
    first, *others = mistakes
    return f"{first} and {len(others)} more" if others else str(first)
