"""What evaluates Rego: Wasm inside this process, or an OPA server. `choice` alone decides which."""

from __future__ import annotations

from gracegate.policy.engines.bundle import rules_bundle
from gracegate.policy.engines.choice import (
    OWN_SECONDS,
    OpaAddress,
    OwnPolicies,
    PolicyEngines,
    count_instructions,
    missing_builtins,
    open_own_policies,
    open_policy_set,
    open_policy_sets,
)

__all__ = [
    "OWN_SECONDS",
    "OpaAddress",
    "OwnPolicies",
    "PolicyEngines",
    "count_instructions",
    "missing_builtins",
    "open_own_policies",
    "open_policy_set",
    "open_policy_sets",
    "rules_bundle",
]
