"""The example alerts and the board ask for metrics that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import REGISTRY

from gracegate.jobs import metrics as _of_jobs  # noqa: F401 - registers its metrics
from gracegate.review import metrics as _of_reviews  # noqa: F401 - registers its metrics
from gracegate.store import Store
from gracegate.web.metrics import QueueDepth

FOLDER = Path(__file__).resolve().parents[2] / "deploy/monitoring"
ALERTS = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
BOARD = json.loads((FOLDER / "grafana.json").read_text())
NAME = re.compile(r"\bgracegate_[a-z_]+")


def asked() -> Iterator[str]:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield from NAME.findall(rule["expr"])
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            yield from NAME.findall(target["expr"])


def served(store: Store) -> set[str]:
    """The names of all samples that /metrics has, also of those that have none yet."""
    families = [*REGISTRY.collect(), *QueueDepth(store).collect()]
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {f"{one.name}{suffix}" for one in families for suffix in suffixes.get(one.type, ("",))}


def test_every_metric_that_is_asked_for_is_served(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'gracegate.db'}")
    store.migrate()
    known = served(store) | {"gracegate_oldest_sweep_seconds"}  # which only an installation has
    store.engine.dispose()
    assert {name for name in asked() if name not in known} == set()


def test_every_alert_says_what_to_do() -> None:
    rules: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    assert [
        rule["alert"] for rule in rules if not all(rule["annotations"].get(k) for k in ("summary", "description"))
    ] == []
    assert len({rule["alert"] for rule in rules}) == len(rules)


def test_panels_do_not_lie_on_each_other() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in BOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
