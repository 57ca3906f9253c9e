"""Cuts openapi.json out of GitHub's full OpenAPI description; ORIGIN.md has its date and source.

python cut_openapi.py api.github.com.json openapi.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATIONS = """
apps/create-from-manifest apps/create-installation-access-token apps/delete-token apps/get-authenticated
apps/get-installation apps/get-repo-installation apps/get-webhook-config-for-app
apps/get-webhook-delivery apps/list-installation-repos-for-authenticated-user apps/list-installations
apps/list-installations-for-authenticated-user apps/list-repos-accessible-to-installation
apps/list-webhook-deliveries apps/redeliver-webhook-delivery
checks/create checks/get checks/get-suite checks/list-annotations checks/list-for-ref checks/list-for-suite
checks/list-suites-for-ref checks/rerequest-run checks/rerequest-suite checks/update
git/get-blob git/get-commit git/get-ref git/get-tree git/list-matching-refs
issues/create-comment issues/delete-comment issues/get-comment issues/list-comments issues/update-comment
pulls/create-reply-for-review-comment pulls/create-review pulls/create-review-comment pulls/delete-review-comment
pulls/get pulls/get-review pulls/get-review-comment pulls/list pulls/list-comments-for-review pulls/list-commits
pulls/list-files pulls/list-review-comments pulls/list-reviews pulls/merge pulls/update-review
pulls/update-review-comment
rate-limit/get
reactions/create-for-issue-comment reactions/create-for-pull-request-review-comment reactions/list-for-issue-comment
reactions/list-for-pull-request-review-comment
repos/compare-commits repos/create-commit-status repos/get repos/get-branch
repos/get-collaborator-permission-level repos/get-combined-status-for-ref repos/get-commit repos/get-content
repos/list-commit-statuses-for-ref repos/list-pull-requests-associated-with-commit
users/get-authenticated
"""
# What a validator does not read; examples are half of the size.
PROSE = frozenset(["description", "summary", "example", "examples", "externalDocs", "x-github", "tags", "title"])


def slim(node: Any, *, names: bool = False) -> Any:
    """The node without prose; `names` is true inside a mapping whose keys are names of properties or components."""
    if isinstance(node, list):
        return [slim(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or key not in PROSE}
    return {key: slim(value, names=not names and key in {"properties", "schemas"}) for key, value in kept.items()}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def cut(full: dict[str, Any]) -> dict[str, Any]:
    wanted = set(OPERATIONS.split())
    paths: dict[str, Any] = {}
    for path, operations in full["paths"].items():
        for method, operation in operations.items():
            if operation.get("operationId") in wanted:
                paths.setdefault(path, {})[method] = slim(operation)
    found = {operation["operationId"] for methods in paths.values() for operation in methods.values()}
    if found != wanted:
        raise SystemExit(f"not in the description: {sorted(wanted - found)}")
    small: dict[str, Any] = {"openapi": full["openapi"], "info": slim(full["info"]), "paths": paths, "components": {}}
    waiting = list(references(paths))
    while waiting:
        _, _, section, name = waiting.pop().split("/")
        if name not in small["components"].setdefault(section, {}):
            small["components"][section][name] = slim(full["components"][section][name])
            waiting.extend(references(small["components"][section][name]))
    return small


if __name__ == "__main__":
    text = json.dumps(cut(json.loads(Path(sys.argv[1]).read_text())), sort_keys=True, indent=1)
    Path(sys.argv[2]).write_text(f"{text}\n")
