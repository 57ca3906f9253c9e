"""The stages of `make policies`, in order. Each reads what the one before it wrote into the folder of rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gracegate.policy import COMPILED, WASM, digest_of, read_modules, write_catalog
from gracegate.policy.build import input_schema, library_index, pages, rego_tables
from gracegate.policy.engines import missing_builtins
from gracegate.policy.sets import (
    BASELINE_FILE,
    CAPABILITIES_FILE,
    OpaCommand,
    check_rule_heads,
    read_rules,
    set_capabilities,
    written_modules,
)

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
    with written_modules(modules) as written:
        command = OpaCommand(opa, written)
        annotations = command.inspect()
        wasm = command.build_wasm(folder.resolve() / "capabilities.json", written.parent / "bundle.tar.gz")
        of_sets = set_capabilities(command.capabilities())
    baseline = folder / BASELINE_FILE
    rules = read_rules(annotations, modules, baseline.read_text("utf-8") if baseline.is_file() else "")
    return {
        "README.md": pages.render_index(rules).encode(),
        library_index.LIBRARY_INDEX_FILE: library_index.render(annotations).encode(),
        input_schema.SCHEMA_FILE: input_schema.build(rules).encode(),
        rego_tables.TEST_DEFAULTS_FILE: rego_tables.build_test_defaults(rules).encode(),
        CAPABILITIES_FILE: of_sets,
        str(COMPILED): write_catalog(rules, digest_of(modules), missing_builtins(wasm)),
        str(WASM): wasm,
    }


def build_pages(folder: Path, _opa: Path) -> dict[str, bytes]:
    """A page for each rule, with what the compiled rules find in its example."""
    return pages.build_pages(folder)


STAGES: tuple[Stage, ...] = (build_libraries, build_catalog, build_pages)
