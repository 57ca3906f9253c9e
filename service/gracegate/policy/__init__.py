"""Sets of Rego rules: what their METADATA says, and the input and the answer of one evaluation."""

from __future__ import annotations

from gracegate.policy.catalog import (
    COMPILED,
    DATA,
    FOREIGN,
    WASM,
    Catalog,
    builtin_policies,
    digest_of,
    kinds_of,
    load_builtin,
    load_catalog,
    read_modules,
    rules_of,
    without_modes,
    write_catalog,
)
from gracegate.policy.query import (
    Answer,
    BaseDocument,
    Batch,
    Cluster,
    Evaluate,
    PolicySet,
    ask,
    ask_rollouts,
    failed_rule_problems,
)
from gracegate.policy.recording import Question, Recording
from gracegate.policy.rollouts import FoundRollout, SetNumber, Shutdown
from gracegate.policy.violations import conventional_order

__all__ = [
    "COMPILED",
    "DATA",
    "FOREIGN",
    "WASM",
    "Answer",
    "BaseDocument",
    "Batch",
    "Catalog",
    "Cluster",
    "Evaluate",
    "FoundRollout",
    "PolicySet",
    "Question",
    "Recording",
    "SetNumber",
    "Shutdown",
    "ask",
    "ask_rollouts",
    "builtin_policies",
    "conventional_order",
    "digest_of",
    "failed_rule_problems",
    "kinds_of",
    "load_builtin",
    "load_catalog",
    "read_modules",
    "rules_of",
    "without_modes",
    "write_catalog",
]
