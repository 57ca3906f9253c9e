"""The service's log: a JSON object per line on standard error, with secrets redacted."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from typing import TextIO

import structlog

from gracegate.settings import Settings

_SECRET_PATTERNS = (
    # Since 2026 installation tokens contain a JWT, so they are longer and have dots and dashes.
    (re.compile(r"\b(gh[a-z]_|github_pat_)[A-Za-z0-9._-]{16,}"), r"\1***"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"), "***"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), "***"),
    (re.compile(r"\b(bearer|basic|token) +[A-Za-z0-9+/=._-]{16,}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"://[^/\s\"@]+@"), "://***@"),
)
_MIN_SECRET_LENGTH = 6
# At DEBUG, PyGithub logs the responses that contain installation tokens, and the others log too much to be useful.
MIN_LEVELS = {
    **dict.fromkeys(("github", "urllib3"), logging.INFO),
    **dict.fromkeys(("alembic", "sqlalchemy"), logging.WARNING),
}


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all log lines of this process, those of libraries too, to `stream`, by default standard error."""
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
    redact = build_redactor(settings.secrets())
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
                lambda _logger, _name, line: redact(str(line)),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = logging.getLevelNamesMapping()[settings.log_level]
    root.setLevel(level)
    for name, min_level in MIN_LEVELS.items():
        logging.getLogger(name).setLevel(max(level, min_level))


def build_redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that hides secrets in a text: these values, each of their lines, and whatever looks like a secret."""
    values = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
    # As they are, and as JSON writes them.
    forms = {form for value in values if len(value) >= _MIN_SECRET_LENGTH for form in (value, json.dumps(value)[1:-1])}
    # The longest first: a secret may begin with another one.
    any_secret = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)) or r"(?!)")

    def redact(text: str) -> str:
        text = any_secret.sub("***", text)
        for pattern, replacement in _SECRET_PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    return redact
