"""Candidate files by name, and their components."""

from __future__ import annotations

import pytest

from gracegate.manifests import component_finder, is_candidate, may_be_read


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "a.json.gz",
        "a.yaml.tar",
        "a.yaml.j2",
        "yaml",
        "node_modules/x/a.yaml",
        "web/package-lock.json",
        "package.json",
        "kustomization",
        "web/_helpers.tpl",
    ],
)
def test_other_files_are_not_candidates(path: str) -> None:
    assert not is_candidate(path)


@pytest.mark.parametrize(
    "path",
    [
        "a.yaml",
        "x/y/b.yml",
        "c.json",
        "D.YAML",
        "x/Kustomization",
        "x/kustomization.yml",
        "Chart.yaml",
        "charts/web/templates/_helpers.tpl",
        ".gracegate.yaml",
    ],
)
def test_manifests_and_configuration_are_candidates(path: str) -> None:
    assert is_candidate(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README.md", False),
        ("web/templates/index.html", False),
        ("node_modules/x/templates/NOTES.txt", False),
        ("a.yaml", True),
        ("charts/web/.helmignore", True),
        ("charts/web/templates/NOTES.txt", True),
        ("charts/web/templates/sub/_helpers", True),
    ],
)
def test_what_may_be_read_for_a_rendering(path: str, expected: bool) -> None:
    assert may_be_read(path) is expected


def test_a_component_is_the_nearest_directory_with_a_kustomization_or_chart() -> None:
    files = ["apps/kustomization.yaml", "apps/web/a.yaml", "charts/x/Chart.yaml", "top.yaml", "lone/deep/b.yaml"]
    find_component = component_finder(files)
    assert {
        path: find_component(path)
        for path in [*files, "charts/x/templates/y/c.yaml", "apps/kustomization.yaml/odd.yaml"]
    } == {
        "apps/kustomization.yaml": "apps",
        "apps/web/a.yaml": "apps",
        "charts/x/Chart.yaml": "charts/x",
        "charts/x/templates/y/c.yaml": "charts/x",
        "top.yaml": "",
        "lone/deep/b.yaml": "lone/deep",
        "apps/kustomization.yaml/odd.yaml": "apps",
    }


def test_a_component_at_the_top_contains_all_files() -> None:
    assert component_finder(["Kustomization"])("x/y/a.yaml") == ""
