"""The exceptions of gracegate, typed by what they mean for the user.

GracegateError
├── InputError             the user can mend it: shown with file and line; exit code 2 on the command line
│   ├── ConfigError        a wrong setting of the operator, or a wrong .gracegate.yaml
│   ├── RulesError         a rule file or its METADATA is wrong
│   └── RepositoryError    a path, a revision or a repository that cannot be read
├── EngineError            rules were not evaluated, so the verdict is `incomplete`
│   ├── EngineUnavailable  no answer from OPA, or it could not be started: worth another try
│   ├── EngineTimeout      the evaluation took too long or too much memory
│   ├── RuleFailed         one rule errs; the others can be asked again without it
│   └── ForeignRules       the answer is of other rules than ours, or of none
├── GitHubError            GitHub did not do what was asked
│   ├── RateLimited        wait `seconds`, then try again; costs no attempt
│   ├── GitHubUnavailable  5xx, a timeout, a broken connection: worth another try
│   ├── Refused            422: this request will never be taken as it is
│   └── Gone               401, 403, 404: uninstalled, suspended, deleted or not permitted
├── GitFailed              git ended with an error or took too long: worth another try
└── Superseded             a newer head, a closed pull request or a newer worker took over: stop and write nothing
"""

from __future__ import annotations


class GracegateError(Exception):
    """Base of all errors that gracegate raises on purpose."""


class InputError(GracegateError):
    """Something the user can mend; `file` and `line` (from 1) say where, as far as they are known."""

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return f"{place}: {self.message}" if place else self.message


class ConfigError(InputError):
    """A setting of the operator or of a repository's .gracegate.yaml is wrong."""


class RulesError(InputError):
    """A rule file or its METADATA is wrong."""


class RepositoryError(InputError):
    """A path, a revision or a repository cannot be read."""


class EngineError(GracegateError):
    """Rules were not evaluated; never read as `no violation`."""


class EngineUnavailable(EngineError):
    """The engine did not answer or could not be started."""


class EngineTimeout(EngineError):
    """The evaluation went over its bound of time or memory."""


class RuleFailed(EngineError):
    """The rules named in `rules` err; empty where the engine does not say which."""

    def __init__(self, message: str, rules: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.rules = rules


class ForeignRules(EngineError):
    """The engine answered from other rules than the ones that were loaded, or from none."""


class GitHubError(GracegateError):
    """GitHub refused or failed; `status` is the HTTP status, 0 where there was no answer."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class RateLimited(GitHubError):
    """A primary or secondary rate limit; `seconds` is how long to wait."""

    def __init__(self, message: str, *, seconds: float, status: int = 403) -> None:
        super().__init__(message, status=status)
        self.seconds = seconds


class GitHubUnavailable(GitHubError):
    """GitHub is failing or cannot be reached."""


class Refused(GitHubError):
    """GitHub answered 422: the request itself is wrong."""


class Gone(GitHubError):
    """What was asked for is not there for us any more."""


class GitFailed(GracegateError):
    """git ended with an error or took too long."""


class Superseded(GracegateError):
    """Somebody newer does this work; nothing more may be written."""
