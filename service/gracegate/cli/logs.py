"""The service's log: a JSON object per line on standard error, without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from typing import TextIO

import structlog

from gracegate.settings import Settings

_PATTERNS = (
    # Since 2026 installation tokens hold a JWT: longer than before, with dots and dashes.
    (re.compile(r"\b(gh[a-z]_|github_pat_)[A-Za-z0-9._-]{16,}"), r"\1***"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"), "***"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), "***"),
    (re.compile(r"\b(bearer|basic|token) +[A-Za-z0-9+/=._-]{16,}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"://[^/\s\"@]+@"), "://***@"),
)
_SHORTEST = 6
# At DEBUG, PyGithub logs the answers that hold installation tokens, and the others say more than helps.
_NEVER_BELOW = {
    **dict.fromkeys(("github", "urllib3"), logging.INFO),
    **dict.fromkeys(("alembic", "dbos", "sqlalchemy"), logging.WARNING),
}


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all log lines of this process, those of libraries too, to `stream` (standard error)."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    strike = redactor(settings.secrets())
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
                lambda _logger, _name, line: strike(str(line)),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = logging.getLevelNamesMapping()[settings.log_level]
    root.setLevel(level)
    for name, least in _NEVER_BELOW.items():
        logging.getLogger(name).setLevel(max(level, least))


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Strikes out the secrets by value, also line by line and as JSON writes them, and whatever looks like one."""
    values = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
    written = {form for value in values if len(value) >= _SHORTEST for form in (value, json.dumps(value)[1:-1])}
    # The longest first: a secret may begin with another one.
    by_value = re.compile("|".join(re.escape(form) for form in sorted(written, key=len, reverse=True)) or r"(?!)")

    def strike(text: str) -> str:
        text = by_value.sub("***", text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text

    return strike
