"""What the README and the pages for contributors show must be so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gracegate.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", ".github/CHANGELOG.md"]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_and_paths_lead_to_files(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\((.*?)\)", text) if "://" not in link]
    paths = re.findall(r"`((?:service|policies|tests|deploy|\.github|\.ci)/[^`<>* ]*)`", text)
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing + [path for path in paths if not (ROOT / path).exists()] == []


def test_it_is_one_screen() -> None:
    assert len(README.splitlines()) <= 60


def test_its_commands_exist() -> None:
    named = re.findall(r"gracegate ([a-z]+)", "".join(re.findall(r"^    .*$", README, re.MULTILINE)))
    assert [name for name in named if name not in COMMANDS] == []
    targets = re.findall(r"^    make ([a-z]+)", README, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [name for name in targets if f"\n{name}: " not in makefile] == []
