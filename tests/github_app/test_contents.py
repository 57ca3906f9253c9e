"""Files of a repository, read from a GitHub."""

from __future__ import annotations

import pytest

from gracegate.errors import Gone
from gracegate.github_app import RepositoryClient, contents
from tests.github_app.conftest import SHOP, Scenario


def test_the_id_of_a_file(scenario: Scenario, repo: RepositoryClient) -> None:
    git = scenario.fake.repository(SHOP).git
    entry = git.entry(scenario.head, "new.yaml")
    assert entry is not None
    assert contents.blob_id(repo, scenario.head, "new.yaml") == entry.sha
    assert contents.blob_id(repo, scenario.head, "gone.yaml") is None
    assert contents.blob_id(repo, "0" * 40, "new.yaml") is None
    assert contents.blob_id(repo, scenario.head, "") is None


def test_a_refusal_is_no_missing_file(scenario: Scenario, repo: RepositoryClient) -> None:
    scenario.fake.fault("GET", "/contents/", status=403, body='{"message": "Resource not accessible by integration"}')
    with pytest.raises(Gone):
        contents.blob_id(repo, scenario.head, "new.yaml")
