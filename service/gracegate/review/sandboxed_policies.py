"""The review of a policy set, as it is done in a child process: what it compiles and evaluates is code of a head."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gracegate.errors import ConfigError
from gracegate.model import PolicyFinding, PolicyReview
from gracegate.policy.sets import PolicyFolder, SetReview, read_policy_folder
from gracegate.policy.sources import write_files

POLICIES = "gracegate.review.sandboxed_policies:sandboxed_policies"


@dataclass(frozen=True, slots=True)
class PoliciesJob:
    """A policy set at the head and at the merge base: the files by path inside its `folder`, see PolicyReview.

    `name` is what the set is called unless it says it itself; what is built of it is kept in `cache_dir`.
    """

    name: str
    folder: str
    head: Mapping[str, bytes]
    base: Mapping[str, bytes]
    opa: Path
    regal: Path | None
    cache_dir: Path


def sandboxed_policies(job: PoliciesJob) -> PolicyReview:
    """What is wrong with the set at the head."""
    with tempfile.TemporaryDirectory(prefix="gracegate-policies-") as folder:  # mode 0700
        try:
            after = written_set(Path(folder, "head"), job.name, job.head)
        except ConfigError as error:
            file = Path(error.file or "").name if error.line else ""
            finding = PolicyFinding("mistake", _in_repository(job.folder, file), error.line or 0, error.message)
            return PolicyReview(job.name, job.folder, (finding,))
        try:
            before = written_set(Path(folder, "base"), job.name, job.base)
        except ConfigError:
            before = None
        changed = SetReview(after, before, job.opa, job.cache_dir, job.regal)
        findings = changed.review()
        return PolicyReview(
            after.name,
            job.folder,
            tuple(replace(one, file=_in_repository(job.folder, one.file)) for one in findings),
            tuple(changed.rules()),
            tests=0 if changed.result is None else changed.result.tests,
            cases=0 if changed.result is None else changed.result.cases,
            is_tested=changed.result is not None,
            digest=changed.digest,
        )


def written_set(folder: Path, name: str, files: Mapping[str, bytes]) -> PolicyFolder:
    """The set that these files are, written into a folder of its name. Raises ConfigError where they are none."""
    target = folder / name
    target.mkdir(parents=True)
    write_files(target, files)
    return read_policy_folder(target)


def _in_repository(folder: str, file: str) -> str:
    return f"{folder}/{file}" if folder and file else file
