"""The table of Kubernetes' fields: it is fresh, and it says what the official documents and the validation say."""

from __future__ import annotations

import pytest

from gracegate.policy import builtin_policies
from gracegate.policy.build import api_schema


@pytest.fixture(scope="module")
def text() -> str:
    return api_schema.build()


def test_it_is_fresh(text: str) -> None:
    """`make policies` writes it."""
    assert (builtin_policies() / api_schema.API_SCHEMA_FILE).read_text() == text


@pytest.mark.parametrize(
    "line",
    [
        '"Service": "v1",',
        '"HorizontalPodAutoscaler": "autoscaling/v2",',
        '"preStop": {"type": "object", "of": "LifecycleHandler"},',
        '"sleep": {"type": "object", "of": "SleepAction", "since": 29},',
        # Its type is as new.
        '"seconds": {"type": "integer", "minimum": -9223372036854775808, "maximum": 9223372036854775807},',
        '"command": {"type": "list", "of": "string"},',
        '"matchLabels": {"type": "map", "of": "string"},',
        '"limits": {"type": "map", "of": "quantity"},',
        '"maxSurge": {"type": "amount"},',
        '"minAvailable": {"type": "amount", "maximum": 100},',
        '"targetPort": {"type": "integer or string", "minimum": 0, "maximum": 65535},',
        '"scheme": {"type": "string", "enum": ["HTTP", "HTTPS"]},',
        '"containerPort": {"type": "integer", "required": true, "minimum": 1, "maximum": 65535},',
        '"status": {"type": "any"},',
    ],
)
def test_it_says(text: str, line: str) -> None:
    assert f"\t{line}\n" in text


@pytest.mark.parametrize("table", [api_schema._ENUMS, api_schema._RANGES, dict.fromkeys(api_schema._REQUIRED)])
def test_what_is_added_by_hand_has_a_field(text: str, table: dict[str, object]) -> None:
    """A misspelt name would be left out without a word."""
    for key in table:
        name, field = key.split(".")
        fields = text.partition(f'\n\t"{name}": {{\n')[2].partition("\n\t},\n")[0]
        assert f'\t\t"{field}": ' in fields
