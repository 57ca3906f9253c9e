"""The check of pull requests that have the same head: GitHub has one for a commit, so the worst verdict counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from gracegate.outputs import CheckOutput, Conclusion
from gracegate.store import Sibling, verdicts

_ONE_CHECK = "GitHub has one check for a commit, so the worst verdict counts for all pull requests with this head."


def share_conclusion(own: CheckOutput, siblings: Sequence[Sibling]) -> CheckOutput | None:
    """The output with the worst conclusion of all, and why; None if a sibling must have its verdict first."""
    conclusion = verdicts.shared_conclusion(own.conclusion, siblings)
    if conclusion is None or conclusion == own.conclusion:
        return own if conclusion else None
    worst = next(one for one in siblings if one.conclusion == conclusion)
    note = (
        f"Pull request #{worst.number} has the same head commit, and its verdict is `{worst.verdict}`. {_ONE_CHECK}"
        f" This one is free again when #{worst.number} passes or is closed, or when its branch gets another commit."
    )
    title = f"Pull request #{worst.number} has the same head and {_WORDS[conclusion]}"
    return replace(own, conclusion=cast("Conclusion", conclusion), title=title, summary=f"{note}\n\n{own.summary}")


def waiting_output(own: CheckOutput, siblings: Sequence[Sibling]) -> CheckOutput:
    """What a check shows while it waits for the verdicts of siblings."""
    waits_for = [f"#{one.number}" for one in siblings if not one.conclusion]
    numbers, have, are = ", ".join(waits_for), *(("has", "is") if len(waits_for) == 1 else ("have", "are"))
    note = f"This pull request is evaluated. {_ONE_CHECK} The check is concluded when {numbers} {are} evaluated too."
    return replace(own, title=f"Waiting for {numbers}, which {have} the same head", summary=f"{note}\n\n{own.summary}")


_WORDS = {"failure": "does not pass", "neutral": "passes with remarks"}
