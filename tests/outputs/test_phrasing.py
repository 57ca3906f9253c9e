"""Why there is no suggestion: one closed set of codes, each with words for the author."""

from __future__ import annotations

import json
from importlib import resources
from typing import get_args

import pytest

from gracegate.model import NoSuggestion
from gracegate.outputs.phrasing import REASONS, reason

CODES = get_args(NoSuggestion)


def test_every_code_has_words_and_all_words_have_a_code() -> None:
    assert sorted(REASONS) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_words_are_a_sentence(code: NoSuggestion) -> None:
    words = REASONS[code]
    assert (words[:1].isupper(), words[-1:], words.count("\n")) == (True, ".", 0)
    assert reason(code) in {words, ""}


def test_nothing_is_said_of_a_finding_that_has_a_suggestion() -> None:
    assert reason(None) == ""


def test_the_schema_of_the_report_knows_all_codes() -> None:
    schema = json.loads(resources.files("gracegate.outputs").joinpath("report.schema.json").read_text())
    assert schema["$defs"]["finding"]["properties"]["no_suggestion"]["enum"] == [*CODES, None]
