"""The App itself, and what its registration lacks."""

from __future__ import annotations

from github_app.conftest import SHOP, Setting
from gracegate.github_app import app
from gracegate.github_app.app import Installation, InstalledRepository


def test_who_we_are_is_asked_once(setting: Setting) -> None:
    assert [setting.client.app_slug() for _ in range(3)] == [setting.fake.app.slug] * 3
    assert [one.path for one in setting.fake.log] == ["/app"]


def test_where_the_app_is_installed(setting: Setting) -> None:
    other = setting.fake.install("bank")
    assert app.installations(setting.client) == [
        Installation(setting.installation, "shop", suspended=False),
        Installation(other.id, "bank", suspended=False),
    ]
    # GitHub's own description wants this account to be a user and an enterprise at once.
    setting.fake.violations[:] = [one for one in setting.fake.violations if "/account: " not in one]
    expected = [InstalledRepository(setting.repository_id, SHOP, archived=False)]
    assert app.repositories(setting.client, setting.installation) == expected


def test_more_repositories_than_a_page(setting: Setting) -> None:
    for number in range(100):
        setting.fake.create_repository(f"shop/n{number}")
    assert len(app.repositories(setting.client, setting.installation)) == 101


def test_what_the_app_lacks(setting: Setting) -> None:
    assert app.missing(setting.client) == ()
    setting.fake.app.permissions.update(checks="read")
    del setting.fake.app.permissions["merge_queues"]
    assert app.missing(setting.client) == (
        "The App needs the permission checks: write; it has read.",
        "The App needs the permission merge_queues: read; it has none.",
    )


def test_a_token_for_git_reads_contents_alone(setting: Setting) -> None:
    token = setting.fake.world.tokens[setting.client.git_token(setting.installation, setting.repository_id)]
    assert dict(token.permissions) == {"contents": "read", "metadata": "read"}
