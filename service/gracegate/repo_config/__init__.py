"""Text of a repository's .gracegate.yaml -> RepoConfig. Strict: a misspelt key or value is an error with its line."""

from __future__ import annotations

from gracegate.repo_config.config import ConfigWaiver, RepoConfig, RuleConfig
from gracegate.repo_config.parse import parse_repo_config

__all__ = [
    "ConfigWaiver",
    "RepoConfig",
    "RuleConfig",
    "parse_repo_config",
]
