"""What the commands of policy sets print for programs, against its schema."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema

SCHEMA = json.loads(resources.files("gracegate.outputs").joinpath("policy.schema.json").read_text(encoding="utf-8"))


def validate_policy_json(command: str, values: Any) -> None:
    """Raises ValidationError where the schema says otherwise of what a command prints."""
    jsonschema.Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{command}"}).validate(values)
