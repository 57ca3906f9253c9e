"""A module per rendering of a report; each is a pure function from the report to what is shown."""

from __future__ import annotations

from gracegate.outputs import (
    charts,
    check_run,
    command_text,
    comment_text,
    policy_check,
    rollout_json,
    rollout_mermaid,
    rollout_svg,
    rollout_text,
    step_text,
    text,
)
from gracegate.outputs.check_run import CheckOutput, Commenting, CommentState, Conclusion, FixButton
from gracegate.outputs.formats import FORMATS
from gracegate.outputs.html import (
    Navigation,
    Picture,
    ReportContext,
    draw_rollouts,
    render_report,
    render_template,
    stylesheet,
)
from gracegate.outputs.json import report_values
from gracegate.outputs.markdown import printable
from gracegate.outputs.phrasing import (
    FIX_CLASSES,
    SEVERITY_MARKS,
    enumeration,
    has_advice,
    location,
    mode_words,
    object_name,
    plural,
    step_action,
    waiver_hint,
)
from gracegate.outputs.playground_page import PlaygroundForm, PlaygroundPage, playground_script, render_playground
from gracegate.outputs.rollout_comment import has_rollout_section
from gracegate.outputs.rule_page import foreign_rule_page, rule_page_files
from gracegate.outputs.text import TextStyle

__all__ = [
    "FIX_CLASSES",
    "FORMATS",
    "SEVERITY_MARKS",
    "CheckOutput",
    "CommentState",
    "Commenting",
    "Conclusion",
    "FixButton",
    "Navigation",
    "Picture",
    "PlaygroundForm",
    "PlaygroundPage",
    "ReportContext",
    "TextStyle",
    "charts",
    "check_run",
    "command_text",
    "comment_text",
    "draw_rollouts",
    "enumeration",
    "foreign_rule_page",
    "has_advice",
    "has_rollout_section",
    "location",
    "mode_words",
    "object_name",
    "playground_script",
    "plural",
    "policy_check",
    "printable",
    "render_playground",
    "render_report",
    "render_template",
    "report_values",
    "rollout_json",
    "rollout_mermaid",
    "rollout_svg",
    "rollout_text",
    "rule_page_files",
    "step_action",
    "step_text",
    "stylesheet",
    "text",
    "waiver_hint",
]
