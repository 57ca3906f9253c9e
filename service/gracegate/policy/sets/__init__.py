"""Policy sets: rules of organisations, read from their folders and built once for each digest, if nothing is wrong."""

from __future__ import annotations

from gracegate.policy.sets.bench import USUAL_BUDGET, PolicyCosts, cost_words, input_of, measure, own_manifests
from gracegate.policy.sets.change_review import SetReview, line_ranges
from gracegate.policy.sets.clashes import clash_mistakes
from gracegate.policy.sets.examples import BASELINE_FILE
from gracegate.policy.sets.folder import ForeignFolder, PolicyFolder, read_foreign_folder, read_policy_folder
from gracegate.policy.sets.foreign_gate import ReadPolicies, read_foreign
from gracegate.policy.sets.gate import CAPABILITIES_FILE, build_policies, find_rule_page, set_capabilities
from gracegate.policy.sets.metadata import Annotation, one_line, read_rules
from gracegate.policy.sets.opa_command import OpaCommand, written_modules
from gracegate.policy.sets.operator import OperatorPolicies, PolicySets
from gracegate.policy.sets.records import MemoryRecords, PolicyRecords, first_and_more
from gracegate.policy.sets.rule_heads import check_rule_heads
from gracegate.policy.sets.set_tests import Failure, PolicyTestResult, run_tests
from gracegate.policy.sets.store import (
    find_version,
    load_foreign,
    load_parts,
    load_policies,
    own_policies,
    version_of,
    write_version,
)

__all__ = [
    "BASELINE_FILE",
    "CAPABILITIES_FILE",
    "USUAL_BUDGET",
    "Annotation",
    "Failure",
    "ForeignFolder",
    "MemoryRecords",
    "OpaCommand",
    "OperatorPolicies",
    "PolicyCosts",
    "PolicyFolder",
    "PolicyRecords",
    "PolicySets",
    "PolicyTestResult",
    "ReadPolicies",
    "SetReview",
    "build_policies",
    "check_rule_heads",
    "clash_mistakes",
    "cost_words",
    "find_rule_page",
    "find_version",
    "first_and_more",
    "input_of",
    "line_ranges",
    "load_foreign",
    "load_parts",
    "load_policies",
    "measure",
    "one_line",
    "own_manifests",
    "own_policies",
    "read_foreign",
    "read_foreign_folder",
    "read_policy_folder",
    "read_rules",
    "run_tests",
    "set_capabilities",
    "version_of",
    "write_version",
    "written_modules",
]
