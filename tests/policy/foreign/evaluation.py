"""What foreign policies find in an object on a real OPA."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gracegate.policy import FOREIGN, Catalog
from gracegate.policy.engines.foreign_policies import open_foreign_policies
from gracegate.policy.foreign import ForeignPolicies


def found_in(manifest: Mapping[str, Any], policies: ForeignPolicies, opa: Path) -> list[tuple[str, list[Any], str]]:
    """The id of the rule, the path and the message of each violation."""
    rules = {one.rule.id: one.rule for one in policies.rules}
    catalog = Catalog(rules, policies.modules, "digest", data={FOREIGN: policies.described()})
    document = {"object": manifest, "path": "a.yaml", "subject": True, "fragment": False, "namespace": ""}
    with open_foreign_policies(opa, catalog) as (_, evaluate):
        report = evaluate({"documents": [document], "before": [], "rules": list(rules)}, 60.0)
    return [(one["rule"], one["at"]["path"], one["message"]) for one in report["violations"]]
