"""What a line of a template says: its key, the values that it reads, and how deep it is in conditions and loops."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gracegate.model import Pointer

ACTION = "{{"
_NAME = r"[\w./-]+"
_KEY = re.compile(rf"""(?P<before> *(?P<dashes>(?:- +)*))(?P<key>{_NAME}|"{_NAME}"|'{_NAME}'):(?P<rest>(?: .*)?)""")
_VALUES = re.compile(r"(?<![\w)\]])\.Values((?:\.[A-Za-z_][A-Za-z0-9_]*)+)")
_CONTROL = re.compile(r"\{\{-?\s*(?:(?P<open>if|with|range|define|block)\b|(?P<close>end)\b|(?P<middle>else)\b)")


class KeyLine(NamedTuple):
    """A line with a key of a mapping: the `column` of the key, and the text after its colon, without line breaks.

    `is_item` says that a dash of a list stands before it.
    """

    key: str
    column: int
    is_item: bool
    rest: str

    @property
    def is_whole(self) -> bool:
        """Whether the value is a scalar that ends on the line, as far as the line tells."""
        value = self.rest.strip()
        has_value = bool(value) and not value.startswith(("#", "|", ">", "&", "{{-", "[", "{ "))
        return has_value and value.count(ACTION) == value.count("}}") and not value.endswith("-}}")


def read_key(line: str) -> KeyLine | None:
    """The key of a line; None where it does not begin with one."""
    match = _KEY.fullmatch(line.removesuffix("\r"))
    if match is None:
        return None
    return KeyLine(match["key"].strip("\"'"), len(match["before"]), bool(match["dashes"]), match["rest"])


def values_read(text: str) -> Iterator[Pointer]:
    """The values that a text reads by their whole names, each once, in order."""
    yield from dict.fromkeys(tuple(match[1][1:].split(".")) for match in _VALUES.finditer(text))


def control_depths(lines: Sequence[str]) -> list[int]:
    """For each line, in how many conditions and loops it starts."""
    depths: list[int] = []
    depth = 0
    for line in lines:
        depths.append(depth)
        depth += sum(map(_step, _CONTROL.finditer(line)))
    return depths


def is_balanced(lines: Sequence[str]) -> bool:
    """Whether all conditions and loops that begin in lines end in them, and no others do."""
    depth = 0
    for control in (control for line in lines for control in _CONTROL.finditer(line)):
        depth += _step(control)
        if depth < 0 or (control["middle"] and depth == 0):
            return False
    return depth == 0


def is_alone_in_condition(before: str, after: str) -> bool:
    """Whether a line begins and another one ends, or goes on with, what is between them alone."""
    first, last = ([*_CONTROL.finditer(line)] for line in (before, after))
    return bool(first and last) and not first[-1]["close"] and not last[0]["open"]


def _step(control: re.Match[str]) -> int:
    return 1 if control["open"] else -1 if control["close"] else 0
