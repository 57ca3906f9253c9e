"""What the README and the pages for contributors show must be so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gracegate.github_app.app_manifest import NEEDED_EVENTS, NEEDED_PERMISSIONS
from gracegate.policy import load_builtin
from gracegate.repo_config import parse_repo_config

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", ".github/CHANGELOG.md"]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_configuration_is_one() -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    config = parse_repo_config(shown, load_builtin().rules)
    assert (config.gate, len(config.waivers), config.min_minor) == ("enforce", 1, 30)


@pytest.mark.parametrize("page", PAGES)
def test_links_and_paths_lead_to_files(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\((.*?)\)", text) if "://" not in link]
    paths = re.findall(r"`((?:service|policies|tests|deploy|\.github|\.ci)/[^`<>* ]*)`", text)
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing + [path for path in paths if not (ROOT / path).exists()] == []


def test_its_variables_are_read() -> None:
    settings = (ROOT / "service" / "gracegate" / "settings.py").read_text(encoding="utf-8")
    named = set(re.findall(r"`GRACEGATE_([A-Z_]+)`", README))
    assert [
        name for name in sorted(named) if f'"{name}"' not in settings and f'"GRACEGATE_{name}"' not in settings
    ] == []


def test_it_lists_the_permissions_and_events_of_the_app() -> None:
    rows = re.findall(r"^ *\| ([A-Z][a-z ]+) \| (read|write) \|", README, re.MULTILINE)
    (events,) = re.findall(r"^ *Events: ((?:`[a-z_]+`[,\s]*)+)", README, re.MULTILINE)
    assert {name.lower().replace(" ", "_"): level for name, level in rows} == NEEDED_PERMISSIONS
    assert set(re.findall(r"`([a-z_]+)`", events)) == set(NEEDED_EVENTS)
