from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gracegate.errors import ConfigError
from gracegate.model import Limits, PolicySource, RenderSources
from gracegate.settings import (
    _LIMITS,
    JobSettings,
    Settings,
    WebSettings,
    cache_dir,
    child_environment,
    limits,
    opa_binary,
    opa_url,
    wants_colour,
)

PEM = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"
REQUIRED = {
    "HOME": "/home/ada",
    "GRACEGATE_APP_ID": "12",
    "GRACEGATE_PRIVATE_KEY": PEM,
    "GRACEGATE_WEBHOOK_SECRETS": "new, old",
    "GRACEGATE_COMMENT_SIGNING_KEYS": "key",
}
DEFAULTS = Settings(
    app_id="12",
    private_key=PEM,
    webhook_secrets=("new", "old"),
    comment_signing_keys=("key",),
    data_dir=Path("/home/ada/.local/share/gracegate"),
    database="sqlite:////home/ada/.local/share/gracegate/gracegate.db",
)


def test_the_required_settings_are_enough() -> None:
    assert Settings.from_environment(REQUIRED) == DEFAULTS


@pytest.mark.parametrize(
    ("env", "changes"),
    [
        ({"UNRELATED": "1"}, {}),
        ({"GRACEGATE_LOG_LEVEL": " "}, {}),
        ({"GRACEGATE_PRIVATE_KEY": PEM.replace("\n", "\\n")}, {}),
        ({"GRACEGATE_LOG_LEVEL": "debug"}, {"log_level": "DEBUG"}),
        ({"GRACEGATE_ON_INCOMPLETE": "neutral"}, {"on_incomplete": "neutral"}),
        ({"GRACEGATE_GITHUB_URL": "https://ghe.example.com/api/v3/"}, {"github_url": "https://ghe.example.com/api/v3"}),
        ({"GRACEGATE_GIT_URL": "http://127.0.0.1:5000/git/"}, {"git_url": "http://127.0.0.1:5000/git"}),
        (
            {"GRACEGATE_PUBLIC_URL": "https://gate.example.com/"},
            {"public_url": "https://gate.example.com", "rules_url": "https://gate.example.com/rules"},
        ),
        (
            {
                "GRACEGATE_APP_ID": "Iv23x",
                "GRACEGATE_CLIENT_SECRET": "secret",
                "GRACEGATE_PUBLIC_URL": "http://127.0.0.1:8000",
                "GRACEGATE_OPERATORS": "Ada, id:583231",
            },
            {
                "app_id": "Iv23x",
                "client_id": "Iv23x",
                "client_secret": "secret",
                "public_url": "http://127.0.0.1:8000",
                "rules_url": "http://127.0.0.1:8000/rules",
                "operators": frozenset({"ada", "id:583231"}),
            },
        ),
        (
            {"GRACEGATE_PUBLIC_URL": "https://gate.example.com", "GRACEGATE_RULES_URL": "https://docs.example.com"},
            {"public_url": "https://gate.example.com", "rules_url": "https://docs.example.com"},
        ),
        ({"GRACEGATE_RULES_URL": "https://docs.example.com/rules/"}, {"rules_url": "https://docs.example.com/rules"}),
        ({"OPA_URL": "http://127.0.0.1:8181/"}, {"opa_url": "http://127.0.0.1:8181"}),
        ({"GRACEGATE_OPA": "/usr/bin/opa"}, {"opa": Path("/usr/bin/opa")}),
        ({"GRACEGATE_ALLOWED_OWNERS": "Shop, ,ada"}, {"allowed_owners": frozenset({"shop", "ada"})}),
        (
            {"GRACEGATE_RENDER_SOURCES": "github.com/o/*, http://127.0.0.1:80/a/b, oci://ghcr.io/o/*"},
            {"render_sources": RenderSources(("github.com/o/*", "http://127.0.0.1:80/a/b", "oci://ghcr.io/o/*"))},
        ),
        (
            {"GRACEGATE_POLICIES": "acme/policies@main, oci://ghcr.io/acme/policies:v1"},
            {
                "policies": (
                    PolicySource("acme/policies@main", "repository", "acme/policies", "", "main"),
                    PolicySource("oci://ghcr.io/acme/policies:v1", "oci"),
                )
            },
        ),
        ({"GRACEGATE_POLICIES_ALLOWED": "acme/*, shop/policies"}, {"policies_allowed": ("acme/*", "shop/policies")}),
        (
            {"GRACEGATE_POLICIES": "/, /usr"},
            {"policies": (PolicySource("/", "folder"), PolicySource("/usr", "folder"))},
        ),
        ({"GRACEGATE_CHECK_SECONDS": "0", "GRACEGATE_CHECK_SECONDS ": "x"}, None),
        ({"GRACEGATE_CHECK_SECONDS": "2.5"}, {"check_seconds": 2.5}),
        ({"GRACEGATE_DATABASE": "postgresql://u:p@h/d"}, {"database": "postgresql://u:p@h/d"}),
        ({"GRACEGATE_BIND": "0.0.0.0:80", "GRACEGATE_WEB_THREADS": "2"}, {"web": WebSettings("0.0.0.0:80", 1, 2)}),
        ({"GRACEGATE_WORKERS": "2", "GRACEGATE_ATTEMPTS": "3"}, {"jobs": JobSettings(workers=2, attempts=3)}),
        (
            {"XDG_DATA_HOME": "/data"},
            {"data_dir": Path("/data/gracegate"), "database": "sqlite:////data/gracegate/gracegate.db"},
        ),
        (
            {"GRACEGATE_DATA_DIR": "/var/gate"},
            {"data_dir": Path("/var/gate"), "database": "sqlite:////var/gate/gracegate.db"},
        ),
    ],
)
def test_each_setting(env: dict[str, str], changes: dict[str, object] | None) -> None:
    if changes is None:
        with pytest.raises(ConfigError):
            Settings.from_environment({**REQUIRED, **env})
    else:
        assert Settings.from_environment({**REQUIRED, **env}) == dataclasses.replace(DEFAULTS, **changes)


def test_the_private_key_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    env = {**REQUIRED, "GRACEGATE_PRIVATE_KEY": "", "GRACEGATE_PRIVATE_KEY_FILE": str(tmp_path / "key.pem")}
    assert Settings.from_environment(env) == DEFAULTS


def test_one_error_names_everything_that_is_missing() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment({})
    assert str(caught.value) == (
        "GRACEGATE_DATA_DIR is not set, and neither is HOME: write a folder for caches and the database; "
        "GRACEGATE_APP_ID is not set: write the id or the client id on the GitHub App's settings page; "
        "GRACEGATE_PRIVATE_KEY_FILE is not set: write the path of the GitHub App's private key"
        " (or its text into GRACEGATE_PRIVATE_KEY); "
        "GRACEGATE_WEBHOOK_SECRETS is not set: write the webhook secret of the GitHub App"
        " (several are separated by commas, the newest first); "
        "GRACEGATE_COMMENT_SIGNING_KEYS is not set: write a random key, e.g. from `openssl rand -hex 32`"
        " (several are separated by commas, the newest first)"
    )


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"GRACEGATE_PRIVATE_KEY": "abc"}, "GRACEGATE_PRIVATE_KEY is not a private key: it starts with"),
        (
            {"GRACEGATE_PRIVATE_KEY": "", "GRACEGATE_PRIVATE_KEY_FILE": "/none"},
            "GRACEGATE_PRIVATE_KEY_FILE: /none cannot",
        ),
        ({"GRACEGATE_LOG_LEVEL": "LOUD"}, "GRACEGATE_LOG_LEVEL is 'LOUD': write one of INFO, DEBUG, WARNING, ERROR"),
        ({"GRACEGATE_APP_ID": "gracegate"}, "GRACEGATE_APP_ID is 'gracegate': write the App's id, a number, or its"),
        ({"GRACEGATE_GITHUB_URL": "api.github.com"}, "GRACEGATE_GITHUB_URL is 'api.github.com': write a URL"),
        ({"GRACEGATE_WEBHOOK_SECRETS": " ,"}, "GRACEGATE_WEBHOOK_SECRETS is not set: write the webhook secret"),
        ({"GRACEGATE_WORKERS": "many"}, "GRACEGATE_WORKERS is 'many': write a number from 1 up"),
        ({"GRACEGATE_MAX_DEPTH": "1000"}, "GRACEGATE_MAX_DEPTH is '1000': write an integer from 10 to 200"),
        ({"GRACEGATE_RENDER_SOURCES": "*"}, "GRACEGATE_RENDER_SOURCES: '*' names no repositories: write a host and"),
        ({"GRACEGATE_RENDER_SOURCES": "*.com/o/r"}, "GRACEGATE_RENDER_SOURCES: '*.com/o/r' names no repositories"),
        ({"GRACEGATE_RENDER_SOURCES": "github.com"}, "GRACEGATE_RENDER_SOURCES: 'github.com' names no repositories"),
        ({"GRACEGATE_RENDER_SOURCES": "a.example/*/b"}, "GRACEGATE_RENDER_SOURCES: 'a.example/*/b' names no"),
        ({"GRACEGATE_POLICIES": "/no.tar.gz"}, "GRACEGATE_POLICIES: '/no.tar.gz' is no absolute path of a file"),
        ({"GRACEGATE_POLICIES": "http://a.example/b.tgz"}, "GRACEGATE_POLICIES: 'http://a.example/b.tgz' is no"),
        ({"GRACEGATE_POLICIES_ALLOWED": "acme"}, "GRACEGATE_POLICIES_ALLOWED: 'acme' names no repositories"),
        ({"GRACEGATE_POLICIES_ALLOWED": "*/*"}, "GRACEGATE_POLICIES_ALLOWED: '*/*' names no repositories"),
        ({"GRACEGATE_POLICIES": "policies"}, "GRACEGATE_POLICIES: 'policies' is no absolute path of a folder"),
        ({"GRACEGATE_POLICIES": "/none"}, "GRACEGATE_POLICIES: '/none' is no absolute path of a folder"),
        ({"GRACEGATE_MAX_NODES": "1e6"}, "GRACEGATE_MAX_NODES is '1e6': write an integer from 100 to 5000000"),
        ({"GRACEGATE_CLIENT_SECRET": "s"}, "GRACEGATE_CLIENT_ID is not set: write the client id on the GitHub App's"),
        (
            {"GRACEGATE_CLIENT_SECRET": "s", "GRACEGATE_CLIENT_ID": "Iv1"},
            "GRACEGATE_PUBLIC_URL is not set: people who sign in are sent back there",
        ),
        (
            {
                "GRACEGATE_CLIENT_SECRET": "s",
                "GRACEGATE_CLIENT_ID": "Iv1",
                "GRACEGATE_PUBLIC_URL": "http://127.0.0.1.example.com",
            },
            "GRACEGATE_PUBLIC_URL does not begin with https://: with GRACEGATE_CLIENT_SECRET people sign in",
        ),
        ({"GRACEGATE_OPERATORS": "ada"}, "GRACEGATE_OPERATORS is set and GRACEGATE_CLIENT_SECRET is not: nobody can"),
        ({"GRACEGATE_OPERATORS": "id:ada"}, "GRACEGATE_OPERATORS: 'id:ada' is no login on GitHub, and no id such as"),
        ({"GRACEGATE_WORKERS": "inf"}, "GRACEGATE_WORKERS is 'inf': write a number from 1 up"),
        (
            {"GRACEGATE_DEAD_SECONDS": "6"},
            "GRACEGATE_DEAD_SECONDS is less than three times GRACEGATE_HEARTBEAT_SECONDS",
        ),
    ],
)
def test_an_error_names_the_variable(env: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment({**REQUIRED, **env})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("app_id", ["12", "Iv1.8a61f9b3a7aba766", "Iv23liABC"])
def test_the_app_may_be_named_by_its_client_id(app_id: str) -> None:
    assert Settings.from_environment({**REQUIRED, "GRACEGATE_APP_ID": app_id}).app_id == app_id


def test_limits_of_a_file() -> None:
    env = {"GRACEGATE_MAX_NODES": "1_000_000", "GRACEGATE_MAX_ALIASES": "0"}
    assert limits({}) == Limits()
    assert limits(env) == Settings.from_environment({**REQUIRED, **env}).limits == Limits(nodes=1_000_000, aliases=0)
    # Which other kinds are read is said by policy sets.
    assert {*_LIMITS, "own_kinds"} == {field.name for field in dataclasses.fields(Limits)}
    with pytest.raises(ConfigError, match="GRACEGATE_MAX_FILE_BYTES is 'all': write an integer from 1000 to"):
        limits({"GRACEGATE_MAX_FILE_BYTES": "all"})


def test_secrets_do_not_appear_in_the_repr() -> None:
    settings = Settings.from_environment({**REQUIRED, "GRACEGATE_DATABASE": "postgresql://u:hidden@h/d"})
    assert settings.secrets() == (PEM, "new", "old", "key", "hidden")
    assert not [secret for secret in (PEM, "'new'", "'key'", "hidden") if secret in repr(settings)]


def test_what_commands_read_from_the_environment() -> None:
    assert (opa_url({}), opa_binary({}), cache_dir({}), wants_colour({})) == (None, None, None, None)
    env = {"OPA_URL": "http://opa/", "GRACEGATE_OPA": "opa", "HOME": "/h", "NO_COLOR": "1"}
    assert (opa_url(env), opa_binary(env), cache_dir(env), wants_colour(env)) == (
        "http://opa",
        Path("opa"),
        Path("/h/.cache/gracegate"),
        False,
    )
    assert cache_dir({"XDG_CACHE_HOME": "/c"}) == Path("/c/gracegate")


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({}, None),
        ({"FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colours(env: dict[str, str], wanted: bool | None) -> None:
    assert wants_colour(env) is wanted
    assert child_environment({**REQUIRED, "PATH": "/bin"}) == {"HOME": "/home/ada", "PATH": "/bin"}


def test_an_old_name_is_still_read_with_a_warning() -> None:
    env = {name: value for name, value in REQUIRED.items() if name != "GRACEGATE_COMMENT_SIGNING_KEYS"}
    settings = Settings.from_environment({**env, "GRACEGATE_MARKER_KEYS": "key", "GRACEGATE_DRAIN_SECONDS": "7"})
    assert settings == dataclasses.replace(
        DEFAULTS,
        jobs=JobSettings(shutdown=7.0),
        deprecations=(
            "GRACEGATE_MARKER_KEYS is an old name: write GRACEGATE_COMMENT_SIGNING_KEYS instead",
            "GRACEGATE_DRAIN_SECONDS is an old name: write GRACEGATE_SHUTDOWN_SECONDS instead",
        ),
    )


def test_the_new_name_counts_where_both_are_set() -> None:
    settings = Settings.from_environment({**REQUIRED, "GRACEGATE_MARKER_KEYS": "old"})
    assert settings.comment_signing_keys == ("key",)
    assert len(settings.deprecations) == 1
