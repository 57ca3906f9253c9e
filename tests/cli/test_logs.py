from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from gracegate.cli.logs import MIN_LEVELS, build_redactor, configure
from gracegate.settings import Settings
from tests.jobs.harness import environment

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nx/+y==\n-----END RSA PRIVATE KEY-----\n"
TOKEN = "ghs_12345_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMiJ9.c2lnbmF0dXJl-_x"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "nothing to hide: gha_x, basic manners, token of love",
            "nothing to hide: gha_x, basic manners, token of love",
        ),
        ("https://github.com/shop/web.git", "https://github.com/shop/web.git"),
        ("someone@example.com", "someone@example.com"),
        ("key MIIEpAIBAAKCAQEA!", "key ***!"),
        (f"all {PEM!r}", r"all '***\n'"),
        (json.dumps({"key": PEM}), r'{"key": "***\n"}'),
        ("-----BEGIN PRIVATE KEY-----\nother\n-----END PRIVATE KEY----- rest", "*** rest"),
        ("a wébhook-secret b", "a *** b"),
        (json.dumps("wébhook-secret"), '"***"'),
        (f"token {TOKEN}.", "token ghs_***"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_***"),
        ("github_pat_11ABCDEFG0123456789_abcdef", "github_pat_***"),
        ("jwt eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMiJ9.c2lnbmF0dXJl end", "jwt *** end"),
        ("Authorization: Bearer abcdefghijklmnopqrstuvwxyz", "Authorization: Bearer ***"),
        ("https://x-access-token:ghs_short@github.com/shop", "https://***@github.com/shop"),
    ],
)
def test_secrets_are_redacted(line: str, expected: str) -> None:
    assert build_redactor([PEM, "wébhook-secret"])(line) == expected


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged. Levels and handlers are those of the whole process, so all of them are put back."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("", *MIN_LEVELS)}
    yield io.StringIO()
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def test_every_line_is_json_without_secrets(lines: io.StringIO, tmp_path_factory: pytest.TempPathFactory) -> None:
    env = environment(
        tmp_path_factory.mktemp("data"), GRACEGATE_LOG_LEVEL="DEBUG", GRACEGATE_COMMENT_SIGNING_KEYS="marker-key"
    )
    configure(Settings.from_environment(env), lines)
    logging.getLogger("github.Requester").debug("POST /access_tokens => ghs_secret")
    logging.getLogger("anything").warning("to %s", "marker-key")
    try:
        int(TOKEN)
    except ValueError:
        structlog.get_logger("ours").exception("failed", key="marker-key")
    records = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(record["event"], record["level"], record["logger"], record.get("key")) for record in records] == [
        ("to ***", "warning", "anything", None),
        ("failed", "error", "ours", "***"),
    ]
    assert records[1]["exception"].endswith("base 10: 'ghs_***'")
