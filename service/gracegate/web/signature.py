"""Whether a delivery comes from GitHub: HMAC-SHA256 of the raw bytes with one of our secrets."""

from __future__ import annotations

import hmac
from collections.abc import Iterable


def is_genuine(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """`signature` is the header X-Hub-Signature-256. Several secrets count, so that one can be replaced."""
    expected = [f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}" for secret in secrets]
    return any(hmac.compare_digest(mac.encode(), signature.encode()) for mac in expected)
