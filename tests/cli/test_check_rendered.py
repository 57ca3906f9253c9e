"""`gracegate check` and `fix` on kustomizations and charts: what is rendered of a directory, a file and a revision."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gracegate.cli.main import CLEAN, FINDINGS, USAGE, run
from gracegate.rendering import WasmRenderer, find_renderer
from tests.cli.test_cli import commit, write
from tests.fakegithub.server import FakeGitHub
from tests.shop import DEPLOYMENT, PRESTOP, SERVICE, WITHOUT_DRAIN

FILES = {
    "base/kustomization.yaml": "resources: [web, ../more]\nconfigMapGenerator: [{name: a, files: [a.conf]}]\n",
    "base/web": f"{WITHOUT_DRAIN}---\n{SERVICE}",
    "base/a.conf": "a",
    "more/kustomization.yaml": "resources: [more.yaml]\n",
    "more/more.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n",
    "prod/kustomization.yaml": "resources: [../base]\nnamespace: prod\n",
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
    "chart/templates/web.yaml": f"{WITHOUT_DRAIN.replace('name: web', 'name: {{ .Files.Get `name.txt` }}')}---\n"
    f"{SERVICE}",
    "chart/name.txt": "shop",
    "chart/.helmignore": "ignored.yaml\n",
    "chart/templates/ignored.yaml": "{{ fail `this is not read` }}",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An overlay and a chart in the working directory."""
    if (wasm := find_renderer()) is None:
        pytest.skip("needs the renderer: run `make tools`")
    assert WasmRenderer(wasm, wasm.with_name("compiled")).load() is None
    for name in ("OPA_URL", "GRACEGATE_OPA"):
        monkeypatch.delenv(name, raising=False)
    write(tmp_path, {".gracegate.yaml": "", **FILES})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The rules and files of the findings, and the codes of the problems."""
    run(["check", "--format", "json", *arguments])
    report = json.loads(capfd.readouterr().out)
    return sorted((f["rule"], f["file"]) for f in report["findings"]), [p["code"] for p in report["problems"]]


IN_BASE, IN_CHART = (PRESTOP, "base/web"), (PRESTOP, "chart/templates/web.yaml")


@pytest.mark.parametrize(
    ("arguments", "findings", "problems"),
    [
        ([], [IN_BASE, IN_CHART], []),
        # What it is made of is elsewhere, and read for that.
        (["prod"], [IN_BASE], []),
        (["chart"], [IN_CHART], []),
        (["--root", "chart"], [IN_CHART], ["not_rendered"]),
        (["--no-render"], [], ["not_rendered", "not_rendered"]),
    ],
)
def test_what_is_rendered(
    tree: Path,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    findings: list[tuple[str, str]],
    problems: list[str],
) -> None:
    assert checked(capfd, *arguments) == (findings, problems)


def test_a_change_is_rendered_before_and_after(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(tree, {"base/web": f"{DEPLOYMENT}---\n{SERVICE}"})
    base = commit(tree, "base")
    assert checked(capfd, "--base", base) == ([], [])
    write(tree, {"more/more.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: b}\n"})
    assert checked(capfd, "--base", base) == ([], [])
    write(tree, {"base/kustomization.yaml": FILES["base/kustomization.yaml"].replace("web", "new.yaml")})
    write(tree, {"base/new.yaml": FILES["base/web"]})
    assert checked(capfd, "--base", base) == ([(PRESTOP, "base/new.yaml")], [])


@pytest.fixture
def overlay(tree: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Gives `prod` another repository's base, served on this machine; its address."""
    with FakeGitHub(tmp_path_factory.mktemp("github")) as fake:
        fake.create_repository("platform/web", private=False)
        sha = fake.push(
            "platform/web", "main", {p: text for p, text in FILES.items() if p.startswith(("base", "more"))}
        )
        url = f"{fake.git_url}/platform/web"
        write(tree, {"prod/kustomization.yaml": f"resources:\n- {url}.git//base?ref={sha}\nnamespace: prod\n"})
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield url


@pytest.mark.parametrize(
    ("arguments", "findings", "problems"),
    [
        ([], [], ["not_rendered"]),
        (["--fetch", "{url}"], [(PRESTOP, "prod/kustomization.yaml")], []),
        (["--fetch", "{url}/*", "--fetch", "github.com/o/r"], [], ["not_rendered"]),
        (["--fetch", "{url}", "--no-render"], [], ["not_rendered"]),
    ],
)
def test_a_base_in_another_repository(
    overlay: str,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    findings: list[tuple[str, str]],
    problems: list[str],
) -> None:
    assert checked(capfd, "prod", *(argument.format(url=overlay) for argument in arguments)) == (findings, problems)


def test_a_change_of_a_base_in_another_repository(tree: Path, overlay: str, capfd: pytest.CaptureFixture[str]) -> None:
    base = commit(tree, "base")
    kustomization = (tree / "prod" / "kustomization.yaml").read_text()
    write(tree, {"prod/kustomization.yaml": f"{kustomization}commonAnnotations: {{a: b}}\n"})
    assert checked(capfd, "--base", base) == ([], ["not_rendered"])
    assert checked(capfd, "--base", base, "--fetch", overlay) == ([(PRESTOP, "prod/kustomization.yaml")], [])


def test_what_names_no_repositories_is_a_usage_error(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--fetch", "*"]) == USAGE
    assert capfd.readouterr().err.splitlines()[-1].startswith("Error: --fetch '*' names no repositories: write a host")


def test_a_root_that_is_no_directory(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--root", "nowhere"]) == USAGE
    assert capfd.readouterr().err.splitlines()[-1] == "Error: --root nowhere is no directory"


def test_a_link_is_not_followed_to_a_base(
    tree: Path, capfd: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write(outside, {"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": FILES["base/web"]})
    (tree / "linked").symlink_to(outside)
    write(tree, {"prod/kustomization.yaml": "resources: [../linked]\nnamespace: prod\n"})
    assert checked(capfd, "prod")[0] == []


def test_fixes_are_written_where_the_objects_are_born(tree: Path) -> None:
    assert run(["fix", "prod", "--write"]) == CLEAN
    assert "preStop" in (tree / "base" / "web").read_text()


def test_a_tree_with_nothing_to_render_loads_no_renderer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": FILES["base/web"]})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "gracegate.rendering", None)
    assert run(["check"]) == FINDINGS
