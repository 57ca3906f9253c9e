"""What was read in the findings of public repositories, and what it says of each rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gracegate.errors import RulesError
from gracegate.policy import builtin_policies, load_builtin
from gracegate.policy.build.readings import COLUMNS, READINGS_FILE, Reading, read_readings, summary

HEAD = ",".join(COLUMNS)
RULES = load_builtin().rules
ROW = "pdb-missing,shop/manifests,1a2b3c4,apps/web.yaml,12,right"
READING = Reading("pdb-missing", "shop/manifests", "1a2b3c4", "apps/web.yaml", 12, "right")
ENOUGH = 20
"""Readings from which on the level of a rule depends on them."""


def write(folder: Path, *lines: str) -> Path:
    (folder / READINGS_FILE).write_text("".join(f"{line}\n" for line in lines))
    return folder


def test_no_file(tmp_path: Path) -> None:
    assert read_readings(tmp_path, RULES) == {}


def test_rows_by_rule(tmp_path: Path) -> None:
    assert read_readings(write(tmp_path, HEAD, ROW), RULES) == {"pdb-missing": [READING]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("rule,line", ROW), "1: the columns are rule, repository, commit, path, line, reading"),
        ((HEAD, "pdb-missing,shop"), "2: the row has other columns than rule, repository, commit, path, line, reading"),
        ((HEAD, f"{ROW},more"), "2: the row has other columns than rule, repository, commit, path, line, reading"),
        ((HEAD, ROW, ROW.replace("pdb-missing", "pdb")), "3: there is no rule `pdb`"),
        ((HEAD, ROW.replace("right", "wrong")), "2: a reading is right, noise or false, not `wrong`"),
        ((HEAD, ROW.replace("12", "x")), "2: `x` is not the number of a line"),
    ],
)
def test_wrong_rows(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(RulesError, match=f"{re.escape(message)}$"):
        read_readings(write(tmp_path, *lines), RULES)


def test_summary() -> None:
    readings = [READING, READING, Reading("pdb-missing", "shop/other", "1a2b3c4", "web.yaml", 1, "noise")]
    assert summary(readings) == "3 findings in 2 repositories: 2 right, 1 noise"
    assert summary([READING]) == "1 finding in 1 repository: 1 right"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_rule_above_info_is_right(rule) -> None:
    readings = read_readings(builtin_policies(), RULES).get(rule.id, [])
    right = sum(one.reading == "right" for one in readings)
    assert rule.severity == "info" or len(readings) < ENOUGH or right >= 0.95 * len(readings), summary(readings)
