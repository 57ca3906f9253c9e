"""What is generated of the rules is fresh, and the same on every machine."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gracegate.errors import RulesError
from gracegate.policy import builtin_policies, load_builtin
from gracegate.policy.build.__main__ import main
from gracegate.policy.build.stages import build_catalog

BUILTIN = builtin_policies()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUILTIN, tmp_path / "elsewhere" / "policies"))


def test_what_the_repository_holds_is_fresh(opa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (main(["--check", "--opa", str(opa)]), capsys.readouterr().err) == (0, "")


def test_the_same_bytes_elsewhere(opa: Path, folder: Path) -> None:
    made = build_catalog(folder, opa)
    assert {name: data == (BUILTIN / name).read_bytes() for name, data in made.items()} == dict.fromkeys(made, True)


def test_a_stale_file_is_named_and_written(opa: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "README.md").write_text("# Old\n")
    arguments = [str(folder), "--opa", str(opa)]
    assert main(["--check", *arguments]) == 1
    assert capsys.readouterr().err == f"{folder / 'README.md'} is not fresh: run `make policies`\n"
    assert (folder / "README.md").read_text() == "# Old\n"
    assert main(arguments) == 0
    assert (folder / "README.md").read_bytes() == (BUILTIN / "README.md").read_bytes()
    assert main(["--check", *arguments]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("package gracegate.lib.joins\n\nx := y\n", r"lib/joins\.rego:3: .*var y is unsafe", id="unsafe"),
        pytest.param(
            "package gracegate.lib.joins\n\nx := opa.runtime()\n", "undefined function opa.runtime", id="builtin"
        ),
        pytest.param(
            'package gracegate.lib.joins\n\nx := sprintf("%s", [1])\n', "undefined function sprintf", id="host"
        ),
    ],
)
def test_rules_that_opa_rejects(
    opa: Path, folder: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (folder / "lib" / "joins.rego").write_text(text)
    with pytest.raises(RulesError, match=re.compile(message, re.DOTALL)):
        build_catalog(folder, opa)
    assert main([str(folder), "--opa", str(opa)]) == 2
    assert "OPA rejects the rules" in capsys.readouterr().err


def test_metadata_that_is_misspelt_is_named_with_its_line(opa: Path, folder: Path) -> None:
    rule = folder / "rules" / "rollout" / "rollout_drops_all_replicas.rego"
    rule.write_text(rule.read_text().replace("#   severity:", "#   severety:"))
    with pytest.raises(RulesError) as caught:
        build_catalog(folder, opa)
    line = rule.read_text().splitlines().index("#   severety: error") + 1
    assert [(one.line, one.message) for one in caught.value.mistakes] == [
        (line, "unknown key `severety` in custom, did you mean `severity`?"),
        (1, "METADATA lacks `severity`"),
    ]


def test_the_readme_leads_to_every_rule() -> None:
    readme = (BUILTIN / "README.md").read_text()
    for rule in load_builtin().rules.values():
        assert f"| [{rule.id}](pages/{rule.id}.md) | {rule.title} | {rule.severity} | {rule.fix} |\n" in readme
        assert (BUILTIN / "pages" / f"{rule.id}.md").is_file()
