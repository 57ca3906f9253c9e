"""The exceptions of gracegate, typed by what they mean for the user.

GracegateError
├── InputError             the user can fix it: shown with file and line; exit code 2 on the command line
│   ├── ConfigError        a wrong setting of the operator, or a wrong .gracegate.yaml
│   ├── RulesError         a rule file or its METADATA is wrong
│   └── RepositoryError    a path, a revision or a repository that cannot be read
├── EngineError            rules were not evaluated, so the verdict is `incomplete`
│   ├── EngineUnavailable  OPA does not answer or does not start: try again
│   ├── EngineTimeout      the evaluation took too long or too much memory
│   ├── EngineKilled       something else ended the evaluation: try again
│   ├── RuleFailed         a rule fails; the others can be evaluated without it
│   └── RulesMismatch      the answer is from other rules than the loaded ones, or from none
├── RenderingFailed        a kustomization or a chart does not render
├── InputsMissing          a tree lacks files that its kustomizations and charts read: read them too and try again
├── GitHubError            a request to GitHub failed
│   ├── RateLimited        wait `seconds`, then try again; costs no attempt
│   ├── GitHubUnavailable  5xx, a timeout, a broken connection: try again
│   ├── Refused            422: GitHub will never accept this request
│   └── Gone               401, 403, 404: uninstalled, suspended, deleted or not permitted
├── WriteBudgetSpent       we have written enough to GitHub for now: try again in `seconds`; costs no attempt
├── GitFailed              git ended with an error or took too long: try again
└── Superseded             a newer head, a closed pull request or a newer worker took over: stop and write nothing
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_MAX_TOLD = 9
"""Mistakes that one message tells after the first."""


class GracegateError(Exception):
    """Base of all errors that gracegate raises on purpose."""


class InputError(GracegateError):
    """Something the user can fix, in `file` at `line` (counted from 1) as far as they are known."""

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return f"{place}: {self.message}" if place else self.message


class ConfigError(InputError):
    """A setting of the operator or of a repository's .gracegate.yaml is wrong.

    `mistakes` are all that were found, each with its place; the message tells the first few.
    """

    mistakes: tuple[ConfigError, ...]

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message, file=file, line=line)
        self.mistakes = (self,)

    @classmethod
    def of(cls, mistakes: Sequence[ConfigError]) -> ConfigError:
        """The one mistake, or an error at the first of them that tells the others."""
        first, *others = mistakes
        if not others:
            return first
        told = [f"line {error.line}: {error.message}" for error in others[:_MAX_TOLD]]
        more = len(others) - _MAX_TOLD
        rest = [f"{more} more mistake{'s' if more > 1 else ''}"] if more > 0 else []
        error = cls("; ".join([first.message, *told, *rest]), file=first.file, line=first.line)
        error.mistakes = tuple(mistakes)
        return error


class RulesError(InputError):
    """A rule file or its METADATA is wrong; `mistakes` are all that were found, each with its place."""

    mistakes: tuple[RulesError, ...]

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message, file=file, line=line)
        self.mistakes = (self,)

    @classmethod
    def of(cls, mistakes: Sequence[RulesError]) -> RulesError:
        """The one mistake, or an error that says all of them, one a line."""
        if len(mistakes) == 1:
            return mistakes[0]
        error = cls("\n".join(map(str, mistakes)))
        error.mistakes = tuple(mistakes)
        return error


class RepositoryError(InputError):
    """A path, a revision or a repository cannot be read."""


class EngineError(GracegateError):
    """Rules were not evaluated, which never means that there are no violations."""


class EngineUnavailable(EngineError):
    """The engine did not answer or could not be started."""


class EngineTimeout(EngineError):
    """The evaluation exceeded its limit of time or memory."""


class EngineOutOfMemory(EngineTimeout):
    """The evaluation exceeded its limit of memory: fewer rules at once need less."""


class EngineKilled(EngineError):
    """A signal ended the evaluation within its limits: from outside, or of a crash that its input caused."""


class RuleFailed(EngineError):
    """Rules failed: the ones in `rules`, which is empty where the engine does not name them."""

    def __init__(self, message: str, rules: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.rules = rules


class RulesMismatch(EngineError):
    """The engine evaluated other rules than the loaded ones, or none."""


class RenderingFailed(GracegateError):
    """A kustomization or a chart does not render; the message says why, as kustomize or Helm do."""


class InputsMissing(GracegateError):
    """The files at `paths` were not read of a repository, and what its trees render to depends on them.

    So it does on `sources` elsewhere, see PinnedSource, each with the paths of files that are to be read whatever their
    names say. `policies` are the policy sets that the configuration names and nobody has read.
    """

    def __init__(
        self,
        message: str,
        paths: tuple[str, ...] = (),
        sources: Mapping[tuple[str, str], tuple[str, ...]] | None = None,
        policies: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.paths = paths
        self.policies = policies
        self.sources = sources or {}


class GitHubError(GracegateError):
    """A request to GitHub failed; `status` is the HTTP status, 0 where there was no answer."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class RateLimited(GitHubError):
    """A primary or secondary rate limit; `seconds` is how long to wait."""

    def __init__(self, message: str, *, seconds: float, status: int = 403) -> None:
        super().__init__(message, status=status)
        self.seconds = seconds


class GitHubUnavailable(GitHubError):
    """GitHub answers with an error of its own or cannot be reached."""


class Refused(GitHubError):
    """GitHub answered 422: the request itself is not valid."""


class Gone(GitHubError):
    """The repository or object does not exist (any more), or this App may not access it."""


class WriteBudgetSpent(GracegateError):
    """A write would exceed the pace of the installation for `seconds` more; the request was not sent."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"this installation has written enough to GitHub for the next {seconds:.0f} s")
        self.seconds = seconds


class GitFailed(GracegateError):
    """git ended with an error or took too long."""


class Superseded(GracegateError):
    """A newer run does this work; this one must not write anything more."""
