"""action.yml: its steps are run in a shell, as GitHub's runner does, against a repository."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sarif_pydantic
import yaml

from tests.processes import WAIT_SECONDS
from tests.shop import DEPLOYMENT, SERVICE, WITHOUT_DRAIN

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
INSTALL, CHECK = ACTION["runs"]["steps"][1:]
FOUND = "::error file=web.yaml,line=14,col=11,title=Container stops before traffic does (prestop-drain-missing)::"


@pytest.fixture(scope="module")
def runner_temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job in which the first steps were run."""
    folder = tmp_path_factory.mktemp("runner")
    python = {"steps.python.outputs.python-path": "python3.11"}
    run_step(INSTALL, python, cwd=folder, RUNNER_TEMP=str(folder), GITHUB_ACTION_PATH=str(ROOT)).check_returncode()
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout whose last commit takes the drain of a workload away."""
    git(tmp_path, "init", "-q", "-b", "main")
    for text in (DEPLOYMENT, WITHOUT_DRAIN):
        (tmp_path / "web.yaml").write_text(text)
        (tmp_path / "service.yaml").write_text(SERVICE)
        git(tmp_path, "add", "-A")
        git(tmp_path, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "change")
    return tmp_path


def test_only_the_script_of_a_step_is_shell() -> None:
    for step in (INSTALL, CHECK):
        assert "${{" not in step["run"]


def test_other_actions_are_pinned() -> None:
    uses = [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]
    assert uses
    assert [one for one in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one)] == []


@pytest.mark.parametrize(
    ("inputs", "code", "annotation"),
    [
        ({}, 1, FOUND),
        ({"base": "HEAD~1"}, 1, FOUND),
        ({"base": "HEAD"}, 0, ""),
        ({"fail-on": "never"}, 0, FOUND),
        ({"paths": "service.yaml web.yaml", "sarif": "out.sarif"}, 1, FOUND),
        ({"paths": "nothing.yaml"}, 2, ""),
        ({"paths": "-h; touch $(echo owned)"}, 2, ""),
    ],
)
def test_the_action(
    runner_temp: Path, repository: Path, tmp_path: Path, inputs: dict[str, str], code: int, annotation: str
) -> None:
    before = sorted(repository.iterdir())
    output = tmp_path / ".git" / "output"
    given = {f"inputs.{name}": inputs.get(name, of["default"]) for name, of in ACTION["inputs"].items()}
    given |= {"inputs.base": inputs.get("base", ""), "github.event.pull_request.head.repo.fork": ""}
    result = run_step(CHECK, given, cwd=repository, RUNNER_TEMP=str(runner_temp), GITHUB_OUTPUT=str(output))
    assert result.returncode == code, result.stderr
    assert annotation in result.stdout
    assert output.read_text() == f"exit-code={code}\n"
    if sarif := inputs.get("sarif"):
        report = sarif_pydantic.Sarif.model_validate_json((repository / sarif).read_text())
        assert report.runs[0].results
        (repository / sarif).unlink()
    assert sorted(repository.iterdir()) == before


def test_a_fork_cannot_bring_rules(runner_temp: Path, repository: Path, tmp_path: Path) -> None:
    (repository / ".gracegate.yaml").write_text("policies: [nowhere]\n")
    given = {f"inputs.{name}": "" for name in ACTION["inputs"]} | {"inputs.paths": "."}
    codes = []
    for is_fork in ("true", "false"):
        fork = {"github.event.pull_request.head.repo.fork": is_fork}
        output = str(tmp_path / ".git" / "output")
        result = run_step(CHECK, given | fork, cwd=repository, RUNNER_TEMP=str(runner_temp), GITHUB_OUTPUT=output)
        codes.append(result.returncode)
    assert codes == [1, 2]


def run_step(step: dict[str, Any], given: dict[str, str], cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """What GitHub's runner does for a step with `shell: bash`; `given` are the values of the expressions in `env`."""
    assert step["shell"] == "bash"
    variables = {name: given[re.fullmatch(r"\$\{\{ (.*) \}\}", text)[1]] for name, text in step["env"].items()}  # type: ignore[index]
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=cwd,
        env={**os.environ, **variables, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, timeout=WAIT_SECONDS)
