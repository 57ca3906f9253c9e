"""What people read in the findings of public repositories: how often each rule is right, which its page says.

`readings.csv` in the folder of rules has a row for each finding that was read: the rule, where the finding is
(repository, commit, path, line) and what the reader made of it. `python -m tests.bench.precision` samples findings.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gracegate.errors import RulesError

READINGS_FILE = "readings.csv"
COLUMNS = ("rule", "repository", "commit", "path", "line", "reading")
WORDS = ("right", "noise", "false")
"""Right: its reader would change something for it. Noise: true, but not worth a word there. False: not true."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One finding that was read. `line` counts from 1."""

    rule: str
    repository: str
    commit: str
    path: str
    line: int
    reading: str


def read_readings(folder: Path, rules: Collection[str]) -> dict[str, list[Reading]]:
    """The readings by rule; none without the file. Raises RulesError for a row that is wrong, with its line."""
    path = folder / READINGS_FILE
    if not path.is_file():
        return {}
    by_rule: defaultdict[str, list[Reading]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise RulesError(f"{path}:1: the columns are {', '.join(COLUMNS)}")
        for row in rows:
            reading = _reading(row, f"{path}:{rows.line_num}", rules)
            by_rule[reading.rule].append(reading)
    return dict(by_rule)


def summary(readings: Iterable[Reading]) -> str:
    """What was read, as "40 findings in 12 repositories: 39 right, 1 noise"."""
    readings = list(readings)
    repositories = {one.repository for one in readings}
    counts = [(word, sum(one.reading == word for one in readings)) for word in WORDS]
    shown = ", ".join(f"{count} {word}" for word, count in counts if count)
    return f"{_counted(len(readings), 'finding')} in {_counted(len(repositories), 'repository')}: {shown}"


def _reading(row: Mapping[str, str | None], place: str, rules: Collection[str]) -> Reading:
    if any(row.get(name) is None for name in COLUMNS) or None in row:
        raise RulesError(f"{place}: the row has other columns than {', '.join(COLUMNS)}")
    values = {name: str(row[name]) for name in COLUMNS}
    if values["rule"] not in rules:
        raise RulesError(f"{place}: there is no rule `{values['rule']}`")
    if values["reading"] not in WORDS:
        raise RulesError(f"{place}: a reading is {', '.join(WORDS[:-1])} or {WORDS[-1]}, not `{values['reading']}`")
    if not values["line"].isdecimal():
        raise RulesError(f"{place}: `{values['line']}` is not the number of a line")
    line = int(values.pop("line"))
    return Reading(**values, line=line)


def _counted(count: int, noun: str) -> str:
    plural = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"
