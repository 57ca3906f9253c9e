"""What a shell completes, asked as its script asks."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.processes import WAIT_SECONDS


def gracegate(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "gracegate", *arguments]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=WAIT_SECONDS
    )
    return done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("gracegate com", ["completion"], id="command"),
        pytest.param("gracegate check --fail", ["--fail-on"], id="option"),
        pytest.param(
            "gracegate check --rule prestop-d", ["prestop-drain-missing", "prestop-drain-too-short"], id="rule"
        ),
        pytest.param("gracegate rules strategy", ["strategy-recreate"], id="argument"),
        pytest.param("gracegate check --format g", ["github", "gitlab"], id="format"),
    ],
)
def test_completions(words: str, expected: list[str]) -> None:
    last = str(len(words.split()) - 1)
    out = gracegate(COMP_WORDS=words, COMP_CWORD=last, _GRACEGATE_COMPLETE="bash_complete")
    assert [line.partition(",")[2] for line in out.splitlines()] == expected


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_the_script_asks_gracegate(shell: str) -> None:
    assert f"_GRACEGATE_COMPLETE={shell}_complete" in gracegate("completion", shell)
