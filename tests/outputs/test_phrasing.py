"""Why there is no suggestion, and why there are no steps: closed sets of codes, each with a sentence for the author."""

from __future__ import annotations

import json
from importlib import resources
from typing import get_args

import pytest

from gracegate.model import NoSteps, NoSuggestion
from gracegate.outputs.phrasing import NO_STEPS, REASONS, reason

CODES = get_args(NoSuggestion)


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    assert (sorted(REASONS), sorted(NO_STEPS)) == (sorted(CODES), sorted(get_args(NoSteps)))


@pytest.mark.parametrize("text", [*REASONS.values(), *NO_STEPS.values()])
def test_a_reason_is_a_sentence(text: str) -> None:
    assert (text[:1].isupper(), text[-1:], text.count("\n")) == (True, ".", 0)


@pytest.mark.parametrize("code", CODES)
def test_a_reason_is_shown_or_said_elsewhere(code: NoSuggestion) -> None:
    assert reason(code) in {REASONS[code], ""}


def test_a_finding_with_a_suggestion_has_no_reason() -> None:
    assert reason(None) == ""


def test_the_schema_of_the_report_has_all_codes() -> None:
    schema = json.loads(resources.files("gracegate.outputs").joinpath("report.schema.json").read_text())
    properties = schema["$defs"]["finding"]["properties"]
    assert properties["no_suggestion"]["enum"] == [*CODES, None]
    assert properties["no_steps"]["enum"] == [*get_args(NoSteps), None]
