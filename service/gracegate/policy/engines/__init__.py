"""What evaluates Rego: Wasm inside this process, or an OPA server. `choice` alone decides which."""

from __future__ import annotations

from gracegate.policy.engines.choice import OpaAddress, PolicyEngines, open_policy_set

__all__ = [
    "OpaAddress",
    "PolicyEngines",
    "open_policy_set",
]
