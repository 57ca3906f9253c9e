"""Text of a repository's .gracegate.yaml -> RepoConfig. Strict: a misspelt key or value is an error with its line."""

from __future__ import annotations

from gracegate.repo_config.config import ConfigWaiver, RepoConfig, RuleConfig
from gracegate.repo_config.globs import path_matcher
from gracegate.repo_config.parse import (
    DEFAULT_CONFIG,
    parse_owner_defaults,
    parse_policy_folders,
    parse_repo_config,
)
from gracegate.repo_config.policies_file import (
    DEFAULT_OWNER,
    FOREIGN_TOOLS,
    POLICIES_FILE,
    ForeignEntry,
    PoliciesFile,
    parse_policies_file,
)
from gracegate.repo_config.schema import Schema, config_schema, policies_schema

__all__ = [
    "DEFAULT_CONFIG",
    "DEFAULT_OWNER",
    "FOREIGN_TOOLS",
    "POLICIES_FILE",
    "ConfigWaiver",
    "ForeignEntry",
    "PoliciesFile",
    "RepoConfig",
    "RuleConfig",
    "Schema",
    "config_schema",
    "parse_owner_defaults",
    "parse_policies_file",
    "parse_policy_folders",
    "parse_repo_config",
    "path_matcher",
    "policies_schema",
]
