"""A module per rendering of a report; each is a pure function from the report to what is shown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gracegate.outputs import text
from gracegate.outputs.formats import FORMATS
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
from gracegate.outputs.text import TextStyle

if TYPE_CHECKING:
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
    )
    from gracegate.outputs.check_run import CheckOutput, Commenting, CommentState, Conclusion, FixButton
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
    from gracegate.outputs.playground_page import PlaygroundForm, PlaygroundPage, playground_script, render_playground
    from gracegate.outputs.rollout_comment import has_rollout_section
    from gracegate.outputs.rule_page import foreign_rule_page, rule_page_files

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

_LATER = {
    "check_run": ("CheckOutput", "CommentState", "Commenting", "Conclusion", "FixButton"),
    "html": (
        "Navigation",
        "Picture",
        "ReportContext",
        "draw_rollouts",
        "render_report",
        "render_template",
        "stylesheet",
    ),
    "json": ("report_values",),
    "playground_page": ("PlaygroundForm", "PlaygroundPage", "playground_script", "render_playground"),
    "rollout_comment": ("has_rollout_section",),
    "rule_page": ("foreign_rule_page", "rule_page_files"),
}
"""Names by their module, which is imported when one of them is used: `gracegate check` shows one format."""


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(name)
