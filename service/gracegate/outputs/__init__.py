"""A module per rendering of a report; each is a pure function from the report to what is shown."""

from __future__ import annotations

from gracegate.outputs import check_run, comment_text, json, text
from gracegate.outputs.check_run import CheckOutput, Conclusion
from gracegate.outputs.comment_text import RuleLink, change_blocks, rule_link
from gracegate.outputs.markdown import fence, prose
from gracegate.outputs.phrasing import MARKS, plural

__all__ = [
    "MARKS",
    "CheckOutput",
    "Conclusion",
    "RuleLink",
    "change_blocks",
    "check_run",
    "comment_text",
    "fence",
    "json",
    "plural",
    "prose",
    "rule_link",
    "text",
]
