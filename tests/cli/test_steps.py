"""`gracegate steps` on real repositories: what it prints, and patches that git applies up to the head."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from gracegate.cli.main import CLEAN, FINDINGS, INCOMPLETE, USAGE, run
from tests.check.unsafe_changes import BASE, UNSAFE_CHANGES, UnsafeChange, edited
from tests.processes import WAIT_SECONDS

SPLIT = {name: change for name, change in UNSAFE_CHANGES.items() if change.steps}
SELECTOR = UNSAFE_CHANGES["selector and labels in step"]
# What a change does beside its manifests: a program, bytes, a name that git quotes.
OTHERS = {
    "bin/run": b"#!/bin/sh\n",
    "logo.png": b"\x89PNG\r\n\x1a\n\x00",
    "docs/na\xefve caf\xe9.md": b"no end of line",
}


NAME = str.maketrans({" ": "-", '"': ""})


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository, which is also the working directory."""
    for name in ("OPA_URL", "GRACEGATE_OPA", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    folder = tmp_path / "repo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git(folder, "init", "-q")
    return folder


def git(folder: Path, *arguments: str) -> str:
    setup = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *setup, *arguments], cwd=folder, check=True, timeout=WAIT_SECONDS, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(folder: Path, files: Mapping[str, str | bytes], tag: str) -> None:
    """A commit that has these files and no others."""
    if git(folder, "ls-files"):
        git(folder, "rm", "-q", "-r", ".")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", tag)
    git(folder, "tag", tag)


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in SPLIT.items()])
def test_git_applies_the_patches_up_to_the_head(repo: Path, change: UnsafeChange) -> None:
    commit(repo, {**change.base, "README.md": "old\n", "gone.txt": "x\n"}, "base")
    commit(repo, {**change.head, "README.md": "new\n", **OTHERS}, "head")
    objects = git(repo, "count-objects", "-v")
    assert run(["steps", "base", "head", "--write", "../patches"]) == FINDINGS
    assert (git(repo, "count-objects", "-v"), git(repo, "status", "--porcelain")) == (objects, "")
    patches = sorted((repo.parent / "patches").iterdir())
    assert [path.name[:20] for path in patches] == [
        f"{number:04}-{title.lower().translate(NAME)}"[:20] for number, title in enumerate(change.steps, 1)
    ]
    git(repo, "checkout", "-q", "base")
    for patch in patches:
        git(repo, "apply", "--index", str(patch))
    assert git(repo, "write-tree") == git(repo, "rev-parse", "head^{tree}")


def test_what_is_printed(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    commit(repo, SELECTOR.base, "base")
    commit(repo, SELECTOR.head, "head")
    assert run(["steps", "base"]) == FINDINGS
    out, err = capfd.readouterr()
    first, second = out.split("\nStep 2 of 2, in 1 file:\n")
    assert first.startswith(
        'Step 1 of 2, in 2 files:\n  Service "web" selects old and new pods, by "app=web" alone.\n\ndiff --git '
    )
    assert [line for line in first.splitlines() if line[:1] in {"+", "-"}] == [
        "--- a/service.yaml",
        "+++ b/service.yaml",
        "-    release: v1",
        "--- a/web.yaml",
        "+++ b/web.yaml",
        "-        release: v1  # of the chart",
        "+        release: v2  # of the chart",
    ]
    assert second.startswith('  Service "web" selects only new pods: no old one runs any more.\n\ndiff --git ')
    assert [line for line in second.splitlines() if line[:1] in {"+", "-"}] == [
        "--- a/service.yaml",
        "+++ b/service.yaml",
        "+    release: v2",
    ]
    assert err == "2 steps.\n"


def test_the_merge_base_is_the_start(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    commit(repo, SELECTOR.base, "base")
    commit(repo, SELECTOR.head, "head")
    git(repo, "checkout", "-q", "base")
    commit(repo, {**SELECTOR.base, "other.txt": "y\n"}, "main")
    assert run(["steps", "main", "head"]) == FINDINGS
    assert "other.txt" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("head", "code", "lines"),
    [
        pytest.param(BASE, CLEAN, ["One step is enough."], id="no change"),
        pytest.param(
            edited(BASE, web=(":1.4.2", ":1.4.3")), CLEAN, ["One step is enough."], id="a change that is safe as it is"
        ),
        pytest.param(
            edited(BASE, web=("Seconds: 60", "Seconds: 50")),
            CLEAN,
            [
                (
                    'web.yaml:17: Pods of Deployment "web" are killed 50 s after they were told to stop, not 60 s: '
                    "work that takes longer is lost now. No order of changes helps: the state that this change ends in "
                    "is the problem. [grace-lowered]"
                ),
                "One step is enough.",
            ],
            id="what no order helps",
        ),
        pytest.param(
            UNSAFE_CHANGES["labels of everything"].head,
            FINDINGS,
            [
                (
                    'web.yaml:8: Deployment "web" is not updated: the API server refuses to change spec.selector. Its '
                    "steps were tried, and the rules find something else in them. [immutable-field-changed]"
                ),
                "No safe steps for this change.",
            ],
            id="a part without safe steps",
        ),
    ],
)
def test_without_steps(
    repo: Path, capfd: pytest.CaptureFixture[str], head: Mapping[str, str], code: int, lines: list[str]
) -> None:
    commit(repo, BASE, "base")
    commit(repo, head, "head")
    assert run(["steps", "base", "head"]) == code
    out, err = capfd.readouterr()
    assert (out, err.splitlines()) == ("", lines)


def test_what_cannot_be_read_is_incomplete(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    commit(repo, BASE, "base")
    commit(repo, {**BASE, "web.yaml": BASE["web.yaml"].replace("spec:", "spec: [", 1)}, "head")
    assert run(["steps", "base", "head"]) == INCOMPLETE
    err = capfd.readouterr().err
    assert "web.yaml:8: not evaluated" in err
    assert err.endswith("\nNot everything was evaluated, so this change may need steps.\n")


def test_a_folder_with_patches_is_left_alone(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    commit(repo, SELECTOR.base, "base")
    commit(repo, SELECTOR.head, "head")
    other = repo.parent / "patches"
    other.mkdir()
    (other / "0001-other.patch").write_text("")
    assert run(["steps", "base", "head", "--write", str(other)]) == USAGE
    assert [path.name for path in other.iterdir()] == ["0001-other.patch"]
    assert capfd.readouterr().err.endswith("has patches already: empty it, or name another folder\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["steps"], "Missing argument 'BASE'"),
        (["steps", "base", "nowhere"], "nowhere is not a revision of this repository"),
        (["steps", "base", "--rule", "x"], "There is no rule `x`"),
    ],
)
def test_wrong_usage(repo: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    commit(repo, BASE, "base")
    assert run(arguments) == USAGE
    assert message in capfd.readouterr().err
