"""Which folders of a repository are policy sets, by what the base branch says, and which of its files are theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from gracegate.errors import ConfigError
from gracegate.model import CONFIG_FILE, FileDiff, Tree
from gracegate.policy.sources import SET_FOLDERS
from gracegate.repo_config import POLICIES_FILE, parse_policies_file, parse_policy_folders


@dataclass(frozen=True, slots=True)
class PolicySetFolder:
    """A folder that is a policy set, "" for the top, with the folders in it that only rules of the set read."""

    folder: str
    parts: tuple[str, ...]

    def has(self, path: str) -> bool:
        """Whether a file of the repository is a file of the set. Its manifests are cases of rules."""
        if self.folder and not path.startswith(f"{self.folder}/"):
            return False
        inside = path.removeprefix(f"{self.folder}/") if self.folder else path
        if inside == POLICIES_FILE or inside.endswith(".rego"):
            return True
        return any(inside.startswith(f"{part}/") for part in self.parts)

    def files(self, tree: Tree) -> Mapping[str, bytes]:
        """The files of the set in a tree, by path inside its folder."""
        skip = len(self.folder) + 1 if self.folder else 0
        return {path[skip:]: file.data for path, file in tree.files.items() if self.has(path)}


def may_name_policies(path: str) -> bool:
    """Whether a file of the base says which folders are policy sets."""
    return path == CONFIG_FILE or path.rpartition("/")[2] == POLICIES_FILE


def may_be_of_policies(path: str) -> bool:
    """Whether a file may be one of a policy set, by its name alone."""
    *folders, name = path.split("/")
    return name == POLICIES_FILE or name.endswith(".rego") or "cases" in folders or "data" in folders


def find_policy_folders(base_tip: Tree) -> tuple[PolicySetFolder, ...]:
    """The top of the repository where it has a POLICIES_FILE, and the folders that its configuration names."""
    folders = [""] if POLICIES_FILE in base_tip.files else []
    config = base_tip.files.get(CONFIG_FILE)
    with suppress(ConfigError):  # the review of the manifests names it
        named = parse_policy_folders("" if config is None else config.data.decode("utf-8", "replace"))
        # Other entries name other repositories.
        folders += [one for one in (name.strip("/").removeprefix("./") for name in named) if one not in {"", "."}]
        folders += [""] if "." in named else []
    return tuple(_policy_folder(base_tip, folder) for folder in dict.fromkeys(folders))


def without_policies(tree: Tree, folders: Iterable[PolicySetFolder]) -> Tree:
    """The tree without the files of policy sets."""
    folders = tuple(folders)
    kept = {path: file for path, file in tree.files.items() if not any(one.has(path) for one in folders)}
    problems = tuple(p for p in tree.problems if not any(one.has(p.file) for one in folders))
    return replace(tree, files=kept, problems=problems)


def is_of_policies(diff: FileDiff, folders: Iterable[PolicySetFolder]) -> bool:
    """Whether a change is one of a policy set."""
    paths = [path for path in (diff.path, diff.previous_path) if path is not None]
    return any(one.has(path) for one in folders for path in paths)


def _policy_folder(tree: Tree, folder: str) -> PolicySetFolder:
    file = tree.files.get(f"{folder}/{POLICIES_FILE}" if folder else POLICIES_FILE)
    foreign: tuple[str, ...] = ()
    if file is not None:
        with suppress(ConfigError):  # the check of the set names it
            described = parse_policies_file(file.data.decode("utf-8", "replace"))
            foreign = tuple(entry.path for entry in described.foreign if entry.path != ".")
    return PolicySetFolder(folder, (*SET_FOLDERS, *foreign))
