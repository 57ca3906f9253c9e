"""The documentation is right: what its pages have readers write and run works as they say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest

from gracegate.cli.main import CLEAN, FINDINGS, run
from gracegate.policy import builtin_policies
from gracegate.policy.sets.fences import FORBIDDEN_BUILTINS, PUBLIC_LIBRARIES
from tests.shop import SERVICE, WITHOUT_DRAIN

PAGE = Path(__file__).resolve().parents[1] / "service/gracegate/docs/policy-authors.md"
FILE = re.compile(r"<!-- file: (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)```\n", re.DOTALL)
STEP = re.compile(rf"{FILE.pattern}|```sh\n(?P<commands>.*?)```\n", re.DOTALL)


def test_the_path_of_a_newcomer(
    tmp_path: Path, opa: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(opa.parent), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "web.yaml").write_text(WITHOUT_DRAIN)
    (tmp_path / "apps" / "service.yaml").write_text(SERVICE)
    outputs = []
    for step in STEP.finditer(PAGE.read_text(encoding="utf-8")):
        if step["name"]:
            (tmp_path / step["name"]).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / step["name"]).write_text(step["text"])
        for command in (step["commands"] or "").splitlines():
            program, *arguments = shlex.split(command)
            assert (program, run(arguments) in {CLEAN, FINDINGS}) == ("gracegate", True)
            outputs.append(capfd.readouterr().out)
    one, rules, page, whole, checked, tested = outputs
    assert 'warning: Container "web" has no memory limit. [memory-limit-missing]' in one
    assert "  memory-limit-missing  warning  A container without a memory limit" in rules
    assert "memory: 256Mi" in page
    assert '"value": "512Mi"' in whole
    assert checked.startswith("policies: 1 rule, evaluated in Wasm; ")
    assert "1 rule, 0 tests, 0 cases: all pass." in tested


def test_the_page_names_what_is_public_and_what_is_forbidden() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"are for you, and keep their meaning with `contract: 1`: {_listed(PUBLIC_LIBRARIES)}, and for tests" in text
    *first, last = sorted(FORBIDDEN_BUILTINS)
    assert f"every builtin of OPA but {_listed(first)} and `{last}`." in text
    assert {f"{name}.rego" for name in PUBLIC_LIBRARIES} <= {
        path.name for path in (builtin_policies() / "lib").iterdir()
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
