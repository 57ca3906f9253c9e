"""A module per rendering of a report; each is a pure function from the report to what is shown."""

from __future__ import annotations

from gracegate.outputs import (
    check_run,
    comment_text,
    policy_check,
    rollout_json,
    rollout_mermaid,
    rollout_svg,
    rollout_text,
    step_text,
    text,
)
from gracegate.outputs.check_run import CheckOutput, Commenting, CommentState, Conclusion
from gracegate.outputs.comment_text import fix_blocks
from gracegate.outputs.formats import FORMATS
from gracegate.outputs.html import (
    Picture,
    ReportContext,
    draw_rollouts,
    render_report,
    render_template,
    stylesheet,
)
from gracegate.outputs.markdown import code_block, prose
from gracegate.outputs.phrasing import (
    FIX_CLASSES,
    SEVERITY_MARKS,
    enumeration,
    has_advice,
    location,
    mode_words,
    plural,
    step_action,
)
from gracegate.outputs.rollout_comment import has_rollout_section

__all__ = [
    "FIX_CLASSES",
    "FORMATS",
    "SEVERITY_MARKS",
    "CheckOutput",
    "CommentState",
    "Commenting",
    "Conclusion",
    "Picture",
    "ReportContext",
    "check_run",
    "code_block",
    "comment_text",
    "draw_rollouts",
    "enumeration",
    "fix_blocks",
    "has_advice",
    "has_rollout_section",
    "location",
    "mode_words",
    "plural",
    "policy_check",
    "prose",
    "render_report",
    "render_template",
    "rollout_json",
    "rollout_mermaid",
    "rollout_svg",
    "rollout_text",
    "step_action",
    "step_text",
    "stylesheet",
    "text",
]
