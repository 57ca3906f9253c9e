"""What the README shows must be so."""

from __future__ import annotations

import re
from pathlib import Path

from gracegate.policy import load_builtin
from gracegate.repo_config import parse_repo_config

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_configuration_is_one() -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    config = parse_repo_config(shown, load_builtin().rules)
    assert (config.gate, len(config.waivers), config.min_minor) == ("enforce", 1, 30)


def test_its_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\((.*?)\)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_its_variables_are_read() -> None:
    settings = (ROOT / "service" / "gracegate" / "settings.py").read_text(encoding="utf-8")
    named = set(re.findall(r"`GRACEGATE_([A-Z_]+)`", README))
    assert [
        name for name in sorted(named) if f'"{name}"' not in settings and f'"GRACEGATE_{name}"' not in settings
    ] == []
