"""The catalogue belongs to the rules it was made of, or is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gracegate.errors import RulesError
from gracegate.model import Parameter
from gracegate.policy import catalog

BUILTIN = catalog.builtin_policies()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUILTIN, tmp_path / "policies"))


def test_the_builtin_rules_are_those_of_the_files() -> None:
    files = {path for path in (BUILTIN / "rules").rglob("*.rego") if not path.stem.endswith("_test")}
    named = {(path.parent.name, path.stem.replace("_", "-")) for path in files}
    assert {(rule.group, rule.id) for rule in catalog.load_builtin().rules.values()} == named


def test_a_rule_as_its_metadata_says_it() -> None:
    rule = catalog.load_builtin().rules["grace-period-exhausted"]
    assert (rule.title, rule.severity, rule.fix, rule.parameters, rule.aliases) == (
        "Container is killed before it can shut down",
        "error",
        "safe",
        (
            Parameter(
                "least_seconds",
                10,
                "Seconds that a container must have after its preStop hook, however short its own shutdown is.",
            ),
        ),
        (),
    )


def test_modules_are_the_rules_without_their_tests() -> None:
    modules = catalog.load_builtin().modules
    assert "main.rego" in modules
    assert "rules/readiness/readiness_probe_missing.rego" in modules
    assert [name for name in modules if name.endswith("_test.rego")] == []


def test_a_test_changes_nothing(folder: Path) -> None:
    (folder / "main_test.rego").write_text("package gracegate.main_test\n")
    assert catalog.load_catalog(folder) == catalog.load_builtin()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda folder: (folder / "main.rego").write_text("package gracegate.main\n"), id="changed"),
        pytest.param(lambda folder: (folder / "rules" / "new.rego").write_text("package x\n"), id="added"),
        pytest.param(lambda folder: (folder / "lib" / "joins.rego").unlink(), id="removed"),
        pytest.param(lambda folder: (folder / "main.rego").rename(folder / "again.rego"), id="renamed"),
        pytest.param(lambda folder: (folder / catalog.COMPILED).unlink(), id="no catalogue"),
        pytest.param(lambda folder: (folder / catalog.COMPILED).write_text("{"), id="half a catalogue"),
        pytest.param(lambda folder: (folder / catalog.COMPILED).write_text("[]"), id="another shape"),
        pytest.param(
            lambda folder: (folder / catalog.COMPILED).write_text(
                json.dumps(
                    {"digest": catalog.load_builtin().digest, "missing_builtins": [], "settings": "", "rules": [{}]}
                )
            ),
            id="rules of another shape",
        ),
    ],
)
def test_a_catalogue_of_something_else_is_refused(folder: Path, spoil: object) -> None:
    assert callable(spoil)
    spoil(folder)
    with pytest.raises(RulesError, match="run `make policies`"):
        catalog.load_catalog(folder)


def test_names_and_texts_cannot_trade_places() -> None:
    digests = {
        catalog.digest_of(modules) for modules in ({"ab": "c"}, {"a": "bc"}, {"a": "b", "c": ""}, {"a": "", "b": "c"})
    }
    assert len(digests) == 4


def test_the_order_of_names_does_not_matter() -> None:
    assert catalog.digest_of({"a": "1", "b": "2"}) == catalog.digest_of({"b": "2", "a": "1"})
