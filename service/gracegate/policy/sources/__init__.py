"""Reads the files of policy sets from where they come from: folders, repositories, bundles and registries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gracegate.policy.sources.archive import digest_of_files, pack, unpack, write_files
from gracegate.policy.sources.files import MAX_BYTES, SET_FOLDERS, PolicyFiles, is_policy_file, read_folder

if TYPE_CHECKING:
    from gracegate.policy.sources.fetch import PolicyFetcher

__all__ = [
    "MAX_BYTES",
    "SET_FOLDERS",
    "PolicyFetcher",
    "PolicyFiles",
    "digest_of_files",
    "is_policy_file",
    "pack",
    "read_folder",
    "unpack",
    "write_files",
]


def __getattr__(name: str) -> Any:
    # The clients of git and HTTP are slow to import, and a check has its policy sets already.
    if name == "PolicyFetcher":
        from gracegate.policy.sources.fetch import PolicyFetcher  # noqa: PLC0415

        return PolicyFetcher
    raise AttributeError(name)
