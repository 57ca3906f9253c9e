"""The index of the libraries names each fact and says what it is."""

from __future__ import annotations

import re

import pytest

from gracegate.policy import builtin_policies, load_builtin
from gracegate.policy.build import library_index

INDEX = (builtin_policies() / library_index.LIBRARY_INDEX_FILE).read_text()
LIBRARIES = [name for name in load_builtin().modules if name.startswith("lib/")]


@pytest.mark.parametrize("name", LIBRARIES)
def test_every_public_fact_of_a_library_is_in_the_index(name: str) -> None:
    text = load_builtin().modules[name]
    library = name.removeprefix("lib/").removesuffix(".rego")
    section = INDEX.split(f"\n## {library}\n")[1].split("\n## ")[0]
    facts = set(re.findall(r"^([a-z][a-z0-9_]*)(?:\(| :=| if| contains|\[| = )", text, re.MULTILINE))
    facts -= {"package", "import", "default", "else"}
    assert facts
    assert [fact for fact in sorted(facts) if f"| `{fact}` | " not in section] == []


def test_a_description_fits_into_a_cell() -> None:
    path = [{"value": part} for part in ("data", "gracegate", "lib", "hooks")]
    found = {"title": "Hooks", "description": "What a | b\nis.\n"}
    fact = {"path": [*path, {"value": "by_container"}], "annotations": {**found, "title": "By container"}}
    package = {"path": path, "annotations": found}
    text = library_index.render([fact, package, {"path": path[:2], "annotations": {"title": "Other"}}])
    assert text.endswith(
        "## hooks\n\nWhat a \\| b is.\n\n| fact | what it is | in detail |\n|---|---|---|\n"
        "| `by_container` | By container | What a \\| b is. |\n"
    )
