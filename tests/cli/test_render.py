"""`gracegate render` as a user sees it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gracegate import rendering, settings
from gracegate.cli.main import CLEAN, INCOMPLETE, USAGE, run
from gracegate.rendering import find_renderer
from tests.conftest import ROOT
from tests.fakegithub.server import FakeGitHub

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n"
FILES = {
    "base/kustomization.yaml": "resources: [x.yaml]\nconfigMapGenerator: [{name: b, files: [b.txt]}]\n"
    "generatorOptions: {disableNameSuffixHash: true}\n",
    "base/x.yaml": CONFIG_MAP,
    "base/b.txt": "hello",
    "base/link/kustomization.yaml": "resources: [x.yaml]\n",
    "prod/kustomization.yaml": "resources: [../base]\nnamespace: prod\n",
    "broken/kustomization.yaml": "resources: [../base, y.yaml]\n",
    "templated/kustomization.yaml": "{{ if .x }}\nresources: [x.yaml]\n{{ end }}\n",
    "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "web/values.yaml": "a: 1\n",
    "web/templates/_x.tpl": '{{ define "x" }}{{ .Values.a }}{{ end }}',
    "web/templates/a.yaml": 'a: {{ include "x" . }} {{ .Release.Name }}/{{ .Release.Namespace }}'
    " {{ .Capabilities.KubeVersion.Minor }}",
    "more.yaml": "a: 2\n",
    "shop/base/kustomization.yaml": "resources: [a.yaml]\n",
    "shop/base/a.yaml": f"{SERVICE}  ports:\n  - port: 80\n",
    "shop/prod/kustomization.yaml": "resources: [../base]\npatches: [{path: a.yaml}]\n",
    "shop/prod/a.yaml": f"{SERVICE}  type: ClusterIP\n",
    "shop/chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "shop/chart/templates/a.yaml": f"{SERVICE}  ports:\n  - port: 80\n",
    "empty/x.yaml": CONFIG_MAP,
}
WITH_SOURCES = (
    f"{SERVICE}  # shop/base/a.yaml:6, shop/prod/a.yaml:6\n  ports:\n  # shop/base/a.yaml:7\n  - port: 80\n"
    "  type: ClusterIP\n"
)
FETCHED_WITH_SOURCES = (
    f"{SERVICE}  # {{fetched}}/base/a.yaml:6, shop/prod/kustomization.yaml:9\n  ports:\n"
    "  # {fetched}/base/a.yaml:7\n  - port: 80\n  type: ClusterIP\n"
)
CHART_WITH_SOURCES = f"{SERVICE}  # templates/a.yaml:6\n  ports:\n  # templates/a.yaml:7\n  - port: 80\n"
GENERATED = "apiVersion: v1\ndata:\n  b.txt: hello\nkind: ConfigMap\nmetadata:\n  name: b\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if find_renderer() is None:
        pytest.skip("needs the renderer: run `make tools`")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "base" / "link" / "x.yaml").symlink_to("../x.yaml")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "cache_dir", lambda: ROOT / ".tools" / "cache" / "gracegate")
    return tmp_path


def chart(text: str) -> str:
    return f"---\n# Source: web/templates/a.yaml\n{text}\n"


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["base"], f"{CONFIG_MAP}---\n{GENERATED}"),
        (["prod"], "---\n".join(text + "  namespace: prod\n" for text in (CONFIG_MAP, GENERATED))),
        (["web"], chart("a: 1 release-name/default 30")),
        (["web", "--values", "more.yaml"], chart("a: 2 release-name/default 30")),
        (["shop/prod", "--sources"], WITH_SOURCES),
        (["shop/chart", "--sources"], f"---\n# Source: shop/templates/a.yaml\n{CHART_WITH_SOURCES}"),
        (["web", "--release", "shop", "--namespace", "prod", "--kubernetes", "1.33"], chart("a: 1 shop/prod 33")),
    ],
)
def test_it_prints(tree: Path, arguments: list[str], output: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["render", *arguments]) == CLEAN
    assert capfd.readouterr() == (output, "")


@pytest.fixture
def other_repository(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """Gives shop/prod another repository's base, served on this machine; its address, and where its files stand."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(settings, "cache_dir", lambda: cache)
    base = {path.removeprefix("shop/"): text for path, text in FILES.items() if path.startswith("shop/base/")}
    with FakeGitHub(tmp_path_factory.mktemp("github")) as fake:
        fake.create_repository("platform/shop", private=False)
        sha = fake.push("platform/shop", "main", base)
        url = f"{fake.git_url}/platform/shop"
        (tree / "shop" / "prod" / "kustomization.yaml").write_text(
            f"resources: ['{url}.git//base?ref={sha}']\npatches:\n- patch: |\n"
            f"    {SERVICE.replace(chr(10), chr(10) + '    ')}  type: ClusterIP\n"
        )
        yield url, f".git/{url.partition('://')[2].replace(':', '_')}@{sha}"


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [
        ([], INCOMPLETE, ""),
        (["--fetch", "github.com/o/r"], INCOMPLETE, ""),
        (["--fetch", "{url}"], CLEAN, f"{SERVICE}  ports:\n  - port: 80\n  type: ClusterIP\n"),
        (
            ["--fetch", "{url}", "--sources"],
            CLEAN,
            FETCHED_WITH_SOURCES,
        ),
    ],
)
def test_a_base_in_another_repository(
    other_repository: tuple[str, str],
    arguments: list[str],
    code: int,
    output: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    url, folder = other_repository
    assert run(["render", "shop/prod", *(argument.format(url=url) for argument in arguments)]) == code
    assert capfd.readouterr().out == output.format(fetched=folder)


def test_the_working_directory(tree: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tree / "base")
    assert run(["render"]) == CLEAN
    assert capfd.readouterr() == (f"{CONFIG_MAP}---\n{GENERATED}", "")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (
            ["broken"],
            INCOMPLETE,
            "gracegate: accumulating resources: accumulation err='accumulating resources from 'y.yaml': open broken/y",
        ),
        (["base/link"], INCOMPLETE, "gracegate: base/link/x.yaml: The file was not read"),
        (["templated"], INCOMPLETE, "gracegate: invalid Kustomization"),
        (["empty"], USAGE, "empty has neither a kustomization nor a chart"),
        (["nowhere"], USAGE, "Directory 'nowhere' does not exist"),
        (["web", "--values", "no.yaml"], USAGE, "File 'no.yaml' does not exist"),
        (["web", "--kubernetes", "30"], USAGE, "--kubernetes 30 is no version of Kubernetes, like 1.30"),
    ],
)
def test_it_refuses(tree: Path, arguments: list[str], code: int, error: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["render", *arguments]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert error in err


def test_no_renderer(tree: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(rendering, "find_renderer", lambda: None)
    assert run(["render", "web"]) == INCOMPLETE
    assert capfd.readouterr() == ("", "gracegate: the renderer is not built: run `make tools`\n")
