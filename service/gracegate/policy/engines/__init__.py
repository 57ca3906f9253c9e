"""What evaluates Rego: Wasm inside this process, or an OPA server. `choice` alone decides which."""

from __future__ import annotations

from gracegate.policy.engines.choice import (
    OpaAddress,
    OwnPolicies,
    PolicyEngines,
    missing_builtins,
    open_policy_set,
    open_policy_sets,
)

__all__ = [
    "OpaAddress",
    "OwnPolicies",
    "PolicyEngines",
    "missing_builtins",
    "open_policy_set",
    "open_policy_sets",
]
