"""What each webhook event starts: a handler per event, beside the part of its payload that it reads.

A new event is one handler here, and a subscription of the App: NEEDED_EVENTS in github_app/app_manifest.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gracegate.model import CHECK_ACTIONS, CONFIG_FILE
from gracegate.settings import Settings
from gracegate.store import (
    BaseBranch,
    CommentCommand,
    Delivery,
    FixRequest,
    MergeGroup,
    PullHead,
    Store,
    Subject,
    deliveries,
    reports,
    repositories,
    runs,
    sessions,
)

# What the review writes into its check runs: GitHub names no pull request for a check on a fork's commit.
_EXTERNAL_ID = re.compile(r"(?:pr|policies):([1-9][0-9]{0,8}):")
# Whether it is one, and which, is found out by a worker: quotes and code hold none.
_MAY_BE_COMMAND = re.compile(r"^[ ]{0,3}/gracegate(?=\s|$)", re.MULTILINE)
# GitHub lists no more commits of a push.
_MAX_LISTED_COMMITS = 2048
# Deliveries come late and in any order, so each starts a run, which asks GitHub for the state and the head.
_QUEUED_ACTIONS = frozenset({"opened", "reopened", "synchronize", "ready_for_review", "closed"})


@dataclass(frozen=True, slots=True)
class HandlerResult:
    """What became of a delivery; `reason` where it was ignored or refused, `status` is the HTTP status."""

    outcome: str
    reason: str = ""
    status: int = 202


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """The delivery at hand (X-GitHub-Delivery and X-GitHub-Event), and what a handler needs to store it."""

    settings: Settings
    store: Store
    delivery_id: str
    event: str


Handler = Callable[[HandlerContext, Mapping[str, Any]], HandlerResult]
"""Raises pydantic's ValidationError where the payload is not as GitHub describes it."""

HANDLERS: dict[str, Handler] = {}
"""The handler of each event that gracegate listens to."""


_UNKNOWN_EVENT = HandlerResult("ignored", "gracegate does not listen to this event")
_NOT_OF_THE_APP = HandlerResult("ignored", "this is a repository's own webhook: only those of the App start reviews")


def handle(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    """What the handler of the event makes of the payload. The webhook of a repository names no installation."""
    handler = HANDLERS.get(context.event)
    if handler is None:
        return _UNKNOWN_EVENT
    if context.event != "ping" and "repository" in payload and "installation" not in payload:
        return _NOT_OF_THE_APP
    return handler(context, payload)


def handles(*events: str) -> Callable[[Handler], Handler]:
    """Register a function as the handler of these events."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(events, handler))
        return handler

    return register


class Payload(BaseModel):
    """Only the fields that gracegate reads are declared; the rest of a payload is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
# The columns of the database are not wider.
Number = Annotated[int, Field(strict=True, gt=0, lt=2**31)]
Id = Annotated[int, Field(strict=True, gt=0, lt=2**63)]
Action = Annotated[str, Field(pattern=r"^[a-z_]{1,100}$")]
# An owner of at most 39 characters, a name of at most 100 that is neither "." nor "..".
FullName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,39}/\.*[A-Za-z0-9_-][A-Za-z0-9._-]*$", max_length=140)]


# No control character, and nothing else that git forbids.
Ref = Annotated[str, Field(pattern=r"^refs/[^\x00-\x20\x7f~^:?*\[\\]+$", max_length=1000)]


class Identified(Payload):
    id: Id


class Repository(Payload):
    id: Id
    full_name: FullName


class Commit(Payload):
    sha: Sha


class RepositoryEvent(Payload):
    """What every event about a repository carries; a push has no action."""

    action: Action | Literal[""] = ""
    repository: Repository
    installation: Identified


class InstallationEvent(Payload):
    action: Action
    installation: Identified
    repositories_removed: tuple[Identified, ...] = ()


class AuthorizationEvent(Payload):
    action: Literal["revoked"]
    sender: Identified


class PullRequest(Payload):
    number: Number
    head: Commit


class PullRequestEvent(RepositoryEvent):
    pull_request: PullRequest
    changes: dict[str, Any] = {}


class PullRequestBase(Payload):
    repo: Identified


class CheckedPullRequest(Payload):
    """A pull request in a check's payload. GitHub also lists those of other repositories that have the same commit."""

    number: Number
    head: Commit
    base: PullRequestBase


class CheckRun(Payload):
    name: str
    head_sha: Sha
    external_id: str | None = None
    pull_requests: tuple[CheckedPullRequest, ...] = ()


class RequestedAction(Payload):
    identifier: str = ""


class Account(Payload):
    login: str = Field(pattern=r"^[\w.\[\]-]+$", max_length=100)
    type: str = ""


class CheckRunEvent(RepositoryEvent):
    check_run: CheckRun
    requested_action: RequestedAction = RequestedAction()
    sender: Account | None = None


class IssueOfComment(Payload):
    number: Number
    pull_request: dict[str, Any] | None = None


class PullRequestOfComment(Payload):
    number: Number


class WrittenComment(Payload):
    """`user` is None where the account was deleted."""

    id: Id
    body: str | None = ""
    user: Account | None = None


class IssueCommentEvent(RepositoryEvent):
    issue: IssueOfComment
    comment: WrittenComment


class ReviewCommentEvent(RepositoryEvent):
    pull_request: PullRequestOfComment
    comment: WrittenComment


class PushedCommit(Payload):
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class PushEvent(RepositoryEvent):
    ref: Ref
    before: Sha
    after: Sha
    created: bool
    deleted: bool
    forced: bool
    commits: tuple[PushedCommit, ...]

    def may_change(self, path: str) -> bool:
        """Whether the file may be another now: what the payload does not list is asked of GitHub by a worker."""
        is_listed = 0 < len(self.commits) < _MAX_LISTED_COMMITS and not self.forced
        return not is_listed or any(path in (*c.added, *c.modified, *c.removed) for c in self.commits)


class MergeGroupPayload(Payload):
    head_sha: Sha
    head_ref: Ref
    base_sha: Sha
    base_ref: Ref


class MergeGroupEvent(RepositoryEvent):
    merge_group: MergeGroupPayload


class CheckSuite(Payload):
    head_sha: Sha
    pull_requests: tuple[CheckedPullRequest, ...] = ()


class CheckSuiteEvent(RepositoryEvent):
    check_suite: CheckSuite


@handles("ping")
def answer_ping(_context: HandlerContext, _payload: Mapping[str, Any]) -> HandlerResult:
    return HandlerResult("pong", status=200)


@handles("installation", "installation_repositories")
def record_installation(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    """What gracegate may review from now on is found by the reconciler, what it may not any more need not wait."""
    event = InstallationEvent.model_validate(payload)
    installation_id = event.installation.id
    delivery = Delivery(context.delivery_id, context.event, event.action, installation_id)
    with context.store.transaction() as tx:
        if not deliveries.record(tx, delivery, "recorded"):
            return HandlerResult("duplicate")
        if (context.event, event.action) == ("installation", "deleted"):
            runs.cancel_waiting(tx, installation_id)
        elif event.repositories_removed:
            runs.cancel_waiting(tx, installation_id, [one.id for one in event.repositories_removed])
    return HandlerResult("recorded")


@handles("github_app_authorization")
def end_sessions(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    """A person does not let the App act for them any more. GitHub tells every App so, whatever it subscribed to."""
    event = AuthorizationEvent.model_validate(payload)
    with context.store.transaction() as tx:
        if not deliveries.record(tx, Delivery(context.delivery_id, context.event, event.action, 0), "recorded"):
            return HandlerResult("duplicate")
        sessions.end_all(tx, event.sender.id)
    return HandlerResult("recorded")


@handles("pull_request")
def handle_pull_request(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    event = PullRequestEvent.model_validate(payload)
    pull = PullHead(event.pull_request.number, event.pull_request.head.sha)
    if not _is_allowed_owner(context, event):
        return _OTHER_OWNER
    if event.action in _QUEUED_ACTIONS or (event.action == "edited" and "base" in event.changes):
        return _accept(context, event, [pull])
    return HandlerResult("ignored", f"pull_request.{event.action} changes nothing that is reviewed")


@handles("push")
def handle_push(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    event = PushEvent.model_validate(payload)
    branch = event.ref.removeprefix("refs/heads/")
    if branch == event.ref or event.created or event.deleted or not event.may_change(CONFIG_FILE):
        return HandlerResult("ignored", f"only a push that may change {CONFIG_FILE} of a branch has anything reviewed")
    if not _is_allowed_owner(context, event):
        return _OTHER_OWNER
    return _accept(context, event, [BaseBranch(event.after, event.before, branch)])


@handles("merge_group")
def handle_merge_group(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    event = MergeGroupEvent.model_validate(payload)
    if not _is_allowed_owner(context, event):
        return _OTHER_OWNER
    group = MergeGroup(**event.merge_group.model_dump())
    if event.action == "checks_requested":
        return _accept(context, event, [group])
    if event.action == "destroyed":
        with context.store.transaction() as tx:
            if not deliveries.record(tx, _delivery(context, event), "recorded"):
                return HandlerResult("duplicate")
            # Its unfinished runs ask GitHub again.
            runs.requeue_merge_group(tx, event.repository.id, group.head_sha)
        return HandlerResult("recorded")
    return HandlerResult("ignored", f"merge_group.{event.action} changes nothing that is reviewed")


@handles("repository")
def handle_repository(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    """GitHub is asked for repositories by their ids; git and the log need the name of today."""
    event = RepositoryEvent.model_validate(payload)
    if event.action in {"privatized", "deleted"}:
        with context.store.transaction() as tx:
            if not deliveries.record(tx, _delivery(context, event), "recorded"):
                return HandlerResult("duplicate")
            repositories.set_private(tx, event.repository.id)
            if event.action == "deleted" or not context.settings.has_sign_in:
                reports.delete_all(tx, event.repository.id)
        return HandlerResult("recorded")
    if event.action not in {"renamed", "transferred"}:
        return HandlerResult("ignored", f"repository.{event.action} changes nothing that is reviewed")
    with context.store.transaction() as tx:
        if not deliveries.record(tx, _delivery(context, event), "recorded"):
            return HandlerResult("duplicate")
        runs.move_repository(tx, event.repository.id, event.installation.id, event.repository.full_name)
    return HandlerResult("recorded")


@handles("check_run")
def handle_check_run(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    event = CheckRunEvent.model_validate(payload)
    run = event.check_run
    names = {context.settings.check_name, context.settings.policies_check_name}
    if event.action not in {"rerequested", "requested_action"} or run.name not in names:
        return HandlerResult("ignored", "only the buttons of our own checks start something")
    number = _EXTERNAL_ID.match(run.external_id or "")
    numbers = (int(number[1]),) if number else _numbers(event.repository, run.pull_requests)
    if event.action == "rerequested" or event.requested_action.identifier == CHECK_ACTIONS.recheck:
        return _review_again(context, event, numbers, run.head_sha)
    if event.requested_action.identifier != CHECK_ACTIONS.apply_fixes or not numbers or event.sender is None:
        return HandlerResult("ignored", "gracegate has no such button")
    if not _is_allowed_owner(context, event):
        return _OTHER_OWNER
    return _accept(context, event, [FixRequest(numbers[0], run.head_sha, event.sender.login)])


@handles("issue_comment")
def handle_issue_comment(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    """A comment in the conversation of a pull request, which GitHub calls an issue."""
    event = IssueCommentEvent.model_validate(payload)
    if event.issue.pull_request is None:
        return HandlerResult("ignored", "gracegate does nothing about issues")
    return _accept_command(context, event, event.issue.number, event.comment)


@handles("pull_request_review_comment")
def handle_review_comment(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    event = ReviewCommentEvent.model_validate(payload)
    return _accept_command(context, event, event.pull_request.number, event.comment)


def _accept_command(
    context: HandlerContext, event: RepositoryEvent, number: int, comment: WrittenComment
) -> HandlerResult:
    if event.action != "created" or not _MAY_BE_COMMAND.search(comment.body or ""):
        return HandlerResult("ignored", "only a new comment with a line that begins with /gracegate asks for something")
    if comment.user is None or comment.user.type != "User":
        return HandlerResult("ignored", "gracegate does nothing for bots")
    if not _is_allowed_owner(context, event):
        return _OTHER_OWNER
    return _accept(context, event, [CommentCommand(number, comment.id)])


@handles("check_suite")
def handle_check_suite(context: HandlerContext, payload: Mapping[str, Any]) -> HandlerResult:
    event = CheckSuiteEvent.model_validate(payload)
    if event.action != "rerequested":
        return HandlerResult("ignored", "reviews start from pull_request events")
    suite = event.check_suite
    return _review_again(context, event, _numbers(event.repository, suite.pull_requests), suite.head_sha)


def _review_again(context: HandlerContext, event: RepositoryEvent, numbers: tuple[int, ...], sha: str) -> HandlerResult:
    """Queue a review of each pull request; where GitHub names none, of the open ones and the merge group that have
    this head."""
    if not _is_allowed_owner(context, event):
        return _OTHER_OWNER
    subjects: list[Subject] = [PullHead(number, sha) for number in numbers]
    if not subjects:
        with context.store.reading() as tx:
            numbers = deliveries.pull_requests_with_head(tx, event.repository.id, sha)
            group = deliveries.merge_group_at(tx, event.repository.id, sha)
        subjects = [*(PullHead(number, sha) for number in numbers), *([group] if group else [])]
    if not subjects:
        return HandlerResult("ignored", "no open pull request or merge group is known to have this head")
    return _accept(context, event, subjects)


def _accept(context: HandlerContext, event: RepositoryEvent, subjects: Sequence[Subject]) -> HandlerResult:
    """Store the delivery with a run of each subject, in one transaction."""
    with context.store.transaction() as tx:
        return HandlerResult(deliveries.accept(tx, _delivery(context, event), subjects))


_OTHER_OWNER = HandlerResult("ignored", "this service does not review repositories of that owner")


def _is_allowed_owner(context: HandlerContext, event: RepositoryEvent) -> bool:
    owners = context.settings.allowed_owners
    return not owners or event.repository.full_name.partition("/")[0].lower() in owners


def _delivery(context: HandlerContext, event: RepositoryEvent) -> Delivery:
    repository = event.repository
    return Delivery(
        context.delivery_id, context.event, event.action, event.installation.id, repository.id, repository.full_name
    )


def _numbers(repository: Repository, pulls: Iterable[CheckedPullRequest]) -> tuple[int, ...]:
    return tuple(pull.number for pull in pulls if pull.base.repo.id == repository.id)
