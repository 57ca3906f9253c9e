"""Names that two policy sets have."""

from __future__ import annotations

from collections.abc import Iterable

from gracegate.errors import RulesError
from gracegate.model import BUILTIN_POLICIES
from gracegate.policy import Catalog
from gracegate.policy.engines import OwnPolicies
from gracegate.repo_config import POLICIES_FILE


def clash_mistakes(name: str, catalogs: Iterable[Catalog], others: Iterable[OwnPolicies]) -> list[RulesError]:
    """What of a set is called as something of the others is, or as the built-in set: the set itself, and rules by their
    ids and former ids. Each mistake is in the file of the rule."""
    catalogs, others = tuple(catalogs), tuple(others)
    taken = {BUILTIN_POLICIES, *(one.name.partition("/")[0] for one in others)}
    mistakes = []
    if name in taken:
        message = f"there is another policy set called `{name}`: give this one a `name` in {POLICIES_FILE}"
        mistakes.append(RulesError(message, file=POLICIES_FILE, line=1))
    for other in others:
        theirs = _rule_files(other.catalog)
        for catalog in catalogs:
            for rule, file in sorted(_rule_files(catalog).items()):
                if rule in theirs:
                    where = f", in {other.source}/{theirs[rule]}" if theirs[rule] != POLICIES_FILE else ""
                    message = f"the policy set {other.name} has a rule `{rule}` too{where}"
                    mistakes.append(RulesError(message, file=file, line=1))
    return mistakes


def _rule_files(catalog: Catalog) -> dict[str, str]:
    """The files of rules by their ids and former ids; those for other tools are in files of any name."""
    found = {}
    for rule in catalog.rules.values():
        ending = f"/{rule.id.replace('-', '_')}.rego"
        file = next((name for name in catalog.modules if name.startswith("rules/") and name.endswith(ending)), "")
        for name in (rule.id, *rule.aliases):
            found[name] = file or POLICIES_FILE
    return found
