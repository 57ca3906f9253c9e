"""The pages of the rules in the operator's policy sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from gracegate.git import ReadLimits, TreeFetcher
from gracegate.policy.sets import PolicySets
from gracegate.policy.sources import MAX_BYTES, PolicyFetcher
from gracegate.review import StoredRecords, playground
from gracegate.settings import Settings
from gracegate.web import create_app
from tests.jobs.harness import Service, make_service
from tests.policy.sets.policy_sets import FOREIGN, GOOD, ID, write


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = make_service(tmp_path / "service")
    yield service
    service.stop()


def manifests_in(page: str) -> str:
    found = re.search(r'<textarea id="manifests".*?>\n(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def test_the_rules_in_use_have_pages(
    service: Service, tmp_path: Path, opa: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [write(tmp_path / "acme", GOOD), write(tmp_path / "others", FOREIGN)]
    env = {**service.env, "GRACEGATE_POLICIES": ",".join(map(str, folders)), "GRACEGATE_OWN_RULE_PAGES": "on"}
    settings = Settings.from_environment(env)
    client = create_app(settings, service.store, {}).test_client()
    assert "Rules of" not in client.get("/rules").text
    assert client.get(f"/rules/{ID}").status_code == 404

    # What a worker does at its first review.
    trees = TreeFetcher(settings.data_dir / "git", limits=ReadLimits(MAX_BYTES, MAX_BYTES))
    fetcher = PolicyFetcher(trees, "http://127.0.0.1:1", lambda _: None)
    PolicySets(settings.policies, fetcher, lambda: opa, settings.data_dir, StoredRecords(service.store)).current()
    index = client.get("/rules").text
    foreign = ["conftest.main.deny", "gatekeeper.enough-replicas"]
    assert [rule for rule in (ID, *foreign) if f'<a href="/rules/{rule}">{rule}</a>' in index] == [ID, *foreign]
    assert re.findall("<h2>Rules of (.*?)</h2>", index) == ["acme", "others/policy", "others/gk"]
    page = client.get(f"/rules/{ID}.md").text
    assert "A leak in one container ends others on the same node." in page
    assert '<span class="added">+          limits:\n</span>' in page
    assert "<code>limit</code>" in page
    for rule in foreign:
        page = client.get(f"/rules/{rule}").text
        assert f"<code>gracegate.dev/ignore: {rule}</code>" in page, rule

    # With its set's libraries and data, which the playground's own editor does not have.
    monkeypatch.setattr(playground, "_SECONDS", 600.0)
    trying = create_app(Settings.from_environment({**env, "GRACEGATE_PLAYGROUND": "on"}), service.store, {})
    client = trying.test_client()
    (link,) = re.findall('href="(/playground[?].*?)"', client.get(f"/rules/{ID}").text)
    form = client.get(link).text
    assert (f"<option selected>{ID}</option>" in form, '<optgroup label="of acme">' in form) == (True, True)
    example = manifests_in(form)
    found = client.post("/playground", data={"manifests": example, "only": ID}).text
    assert (f'<a href="/rules/{ID}.md">' in found, "has no memory limit" in found) == (True, True)
    assert "has no memory limit" not in client.post("/playground", data={"manifests": example}).text

    # Another machine, with the same database.
    elsewhere = {**env, "GRACEGATE_DATA_DIR": str(tmp_path / "elsewhere"), "GRACEGATE_DATABASE": settings.database}
    client = create_app(Settings.from_environment(elsewhere), service.store, {}).test_client()
    assert client.get("/rules").text.count("This set is in use, but its pages are not on this machine") == 2
    answer = client.get(f"/rules/{ID}")
    assert (answer.status_code, "It may be one of acme, others: their pages are not" in answer.text) == (404, True)

    # Nobody reads them where the operator has not said so.
    off = create_app(Settings.from_environment({**env, "GRACEGATE_OWN_RULE_PAGES": "off"}), service.store, {})
    assert off.test_client().get(f"/rules/{ID}").status_code == 404
