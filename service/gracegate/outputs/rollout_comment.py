"""What a comment says of rollouts: how long an outage they are like, before and after all fixes of the review."""

from __future__ import annotations

from collections.abc import Iterable

from gracegate.model import Rollout
from gracegate.outputs.markdown import Section, code
from gracegate.outputs.phrasing import object_name
from gracegate.outputs.rollout_mermaid import gantt
from gracegate.outputs.rollout_phrasing import assumptions, details, outage
from gracegate.rollout import Estimate, RolloutEstimate, estimate_rollout

_SUMMARY = "What each rollout loses"


def rollout_section(rollouts: Iterable[Rollout]) -> Section:
    """A collapsed paragraph for each rollout that loses less with the fixes, the worst first; empty if none does."""
    estimates = map(estimate_rollout, rollouts)
    improved = [(found, *found.improvement) for found in estimates if found.improvement is not None]
    improved.sort(key=lambda one: (one[1].typical.seconds, one[1].most), reverse=True)
    summary = f"{_SUMMARY}: {outage(improved[0][1])}" if improved else ""
    return Section([_paragraph(*one) for one in improved], collapsed=summary)


def has_rollout_section(body: str) -> bool:
    """Whether the body of a comment has one."""
    return f"<summary>{_SUMMARY}: " in body


def _paragraph(found: RolloutEstimate, before: Estimate, after: Estimate) -> str:
    name = object_name(found.rollout.object)
    lost = f"**{code(name)}: {outage(before)} in each rollout**"
    numbers = "; ".join(details(before))
    left = ", ".join([outage(after), *details(after)])
    return "\n\n".join(
        [
            f"{lost}{f' ({numbers})' if numbers else ''}. With all fixes of this review: {left}.",
            gantt(before, f"{name} - As it is", before.typical.timeline.end),
            gantt(after, f"{name} - With all fixes", after.typical.timeline.end),
            f"<sub>{' '.join(assumptions(found))}</sub>",
        ]
    )
