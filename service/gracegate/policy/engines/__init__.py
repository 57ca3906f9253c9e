"""What evaluates Rego: Wasm inside this process, or an OPA server. `choice` alone decides which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from gracegate.policy.engines.bundle import rules_bundle

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


def __getattr__(name: str) -> Any:
    # What starts an OPA is slow to import, and most checks need none.
    if name == "rules_bundle":
        from gracegate.policy.engines.bundle import rules_bundle  # noqa: PLC0415

        return rules_bundle
    raise AttributeError(name)
