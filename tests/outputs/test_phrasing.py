"""Why there is no suggestion: one closed set of codes, each with a sentence for the author."""

from __future__ import annotations

import json
from importlib import resources
from typing import get_args

import pytest

from gracegate.model import NoSuggestion
from gracegate.outputs.phrasing import REASONS, reason

CODES = get_args(NoSuggestion)


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    assert sorted(REASONS) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_reason_is_a_sentence(code: NoSuggestion) -> None:
    text = REASONS[code]
    assert (text[:1].isupper(), text[-1:], text.count("\n")) == (True, ".", 0)
    assert reason(code) in {text, ""}


def test_a_finding_with_a_suggestion_has_no_reason() -> None:
    assert reason(None) == ""


def test_the_schema_of_the_report_has_all_codes() -> None:
    schema = json.loads(resources.files("gracegate.outputs").joinpath("report.schema.json").read_text())
    assert schema["$defs"]["finding"]["properties"]["no_suggestion"]["enum"] == [*CODES, None]
