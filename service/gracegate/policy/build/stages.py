"""The stages of `make policies`, in order. Each reads what the one before it wrote into the folder of rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from gracegate.policy import digest_of, read_modules
from gracegate.policy.build import input_schema, library_index, metadata, pages, rego_tables, wasm_build
from gracegate.policy.build.examples import BASELINE_FILE
from gracegate.policy.build.rule_heads import check_rule_heads

Stage = Callable[[Path, Path], dict[str, bytes]]
"""Takes the folder of rules and the path of OPA; gives the generated files by path inside the folder.

The bytes depend on the rules and on the version of OPA alone. Raises RulesError.
"""


def build_libraries(_folder: Path, _opa: Path) -> dict[str, bytes]:
    """The Rego libraries that are generated."""
    return {rego_tables.WORKLOAD_KINDS_FILE: rego_tables.build_workload_kinds().encode()}


def build_catalog(folder: Path, opa: Path) -> dict[str, bytes]:
    """All that follows from the METADATA and the code of the rules."""
    modules = read_modules(folder)
    check_rule_heads(modules)
    annotations, wasm = wasm_build.inspect_and_compile(modules, opa, folder.resolve() / "capabilities.json")
    baseline = folder / BASELINE_FILE
    rules = metadata.read_rules(annotations, modules, baseline.read_text("utf-8") if baseline.is_file() else "")
    catalog = {"digest": digest_of(modules), "rules": [asdict(rule) for rule in rules]}
    return {
        "README.md": pages.render_index(rules).encode(),
        library_index.LIBRARY_INDEX_FILE: library_index.render(annotations).encode(),
        input_schema.SCHEMA_FILE: input_schema.build(rules).encode(),
        rego_tables.TEST_DEFAULTS_FILE: rego_tables.build_test_defaults(rules).encode(),
        "compiled/catalog.json": (json.dumps(catalog, indent=1, ensure_ascii=False, default=str) + "\n").encode(),
        "compiled/policy.wasm": wasm,
    }


def build_pages(folder: Path, _opa: Path) -> dict[str, bytes]:
    """A page for each rule, with what the compiled rules find in its example."""
    return pages.build_pages(folder)


STAGES: tuple[Stage, ...] = (build_libraries, build_catalog, build_pages)
