"""The builtins of OPA that its Wasm leaves to the host, with the very results of OPA's server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gracegate.policy.engines.wasm_abi import HostFunction


def json_patch(target: str, steps: str) -> Any:
    """`json.patch`, as far as adding members to the members of an object. Raises ValueError for anything else."""
    document = json.loads(target)
    for step in json.loads(steps):
        match step:
            case {"op": "add", "path": [str(outer), str(inner)], "value": value} if outer in document:
                document[outer][inner] = value
            case _:
                raise ValueError(f"{step!r} does not add a member of a member")
    return document


HOST_BUILTINS: Mapping[str, HostFunction] = {"json.patch": json_patch}
