"""What GitHub tells while nobody listens is found out afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.layers import layer
from tests.demo.stage import Service
from tests.e2e.conftest import AT_ONCE
from tests.e2e.scene import Scene, on_both_databases, start_scene
from tests.postgresql import create_database
from tests.processes import wait_for


@pytest.fixture
def settings(request: pytest.FixtureRequest, database: str) -> dict[str, str]:
    settings = {**AT_ONCE, "GRACEGATE_RECONCILE_SECONDS": "2"}
    if database == "postgresql":
        settings["GRACEGATE_DATABASE"] = create_database(request.getfixturevalue("postgresql_server"))
    return settings


@pytest.fixture
def watchful(tmp_path: Path, settings: dict[str, str]) -> Iterator[Scene]:
    """A service that looks every two seconds for what it has missed."""
    with start_scene(tmp_path, **settings) as scene:
        yield scene.in_repository("shop/watched", layer("base"))


def wait_for_conclusion(scene: Scene, number: int) -> None:
    wait_for("the conclusion", lambda: scene.conclusions(number) == ["failure"])
    scene.wait_until_reviewed()
    assert (scene.conclusions(number), len(scene.pull(number).reviews), len(scene.comments(number))) == (
        ["failure"],
        1,
        5,
    )


@on_both_databases
def test_a_pull_request_that_no_webhook_told_of_is_reviewed(watchful: Scene) -> None:
    watchful.fake.webhook_url, url = None, watchful.fake.webhook_url
    number = watchful.open_pull_request(layer("change"))
    wait_for_conclusion(watchful, number)
    shown = watchful.service.session.get(f"{watchful.service.url}/metrics", timeout=60).text
    assert "gracegate_missed_pull_requests_total 1.0" in shown
    assert 'gracegate_sweeps_total{outcome="complete"}' in shown
    assert "gracegate_oldest_sweep_seconds" in shown
    watchful.fake.webhook_url = url


@on_both_databases
def test_a_pull_request_that_was_opened_while_the_service_was_down_is_reviewed(
    watchful: Scene, tmp_path: Path, settings: dict[str, str]
) -> None:
    fake = watchful.fake
    watchful.service.running.end()
    number = watchful.open_pull_request(layer("change"))
    fake.settle()
    assert {one.status for one in fake.deliveries if one.event == "pull_request"} == {"failed to connect to host"}
    app = {"id": fake.app.id, "private_key": fake.app.private_key, "webhook_secret": fake.app.webhook_secret}
    with Service(tmp_path / "service", app, fake.url, **settings) as service:
        fake.webhook_url = service.webhook_url
        wait_for_conclusion(Scene(fake, service, watchful.repository), number)
        # The first ones may have gone to where the service was before.
        assert [one.status for one in fake.deliveries if one.redelivery and one.event == "pull_request"][-1] == "OK"


def test_a_delivery_that_was_answered_with_an_error_is_asked_for_again(watchful: Scene) -> None:
    number = watchful.open_and_review(layer("change"))
    watchful.fake.webhook_url, url = f"{watchful.service.url}/nowhere", watchful.fake.webhook_url
    watchful.fake.close_pull_request(watchful.repository, number)
    watchful.fake.settle()
    watchful.fake.webhook_url = url
    wait_for("the redelivery", lambda: any(one.redelivery and one.status == "OK" for one in watchful.fake.deliveries))
    watchful.wait_until_reviewed()
    assert watchful.conclusions(number) == ["failure"]
