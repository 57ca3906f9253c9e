"""What a comment asks for: a review, an explanation of a rule, or a waiver to copy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import structlog

from gracegate.errors import Gone, InputError, Refused
from gracegate.github_app import PullRequest, RepositoryClient, conversation, pull_requests
from gracegate.model import CONFIG_FILE, Rule, SourceFile, Tree
from gracegate.outputs import command_text
from gracegate.policy import load_builtin, rules_of
from gracegate.review.commands import (
    MAX_COMMANDS,
    Command,
    Explain,
    Recheck,
    UnknownRule,
    Waive,
    find_commands,
    parse_command,
)
from gracegate.review.reviewer import PullRequestReviewer
from gracegate.review.waiver_proposal import (
    check_effect,
    findings_to_waive,
    has_waivers,
    waiver_item,
    waiver_snippet,
    with_waiver,
)
from gracegate.store import Outcome, PullHead, Run

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CommandReviewer:
    """Does the commands of one comment, by the reviewer of its pull request. Implements jobs.Reviewer.

    What counts is the comment as GitHub has it now, and what its author may do by what GitHub says. Commands change
    nothing but for a review that is done again.
    """

    reviewer: PullRequestReviewer

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        done = Outcome("done", run.head_sha)
        with self.reviewer.open_repository(run) as repo:
            comment = conversation.read_comment(repo, cast("conversation.CommentKind", run.event), run.comment_id)
            lines = find_commands(comment.body) if comment is not None and comment.author else []
            if comment is None or not lines:
                return done
            if not conversation.may_write(repo, comment.author):
                reason = "Only people who may push to this repository can give commands; ask one of them to write it."
                self._reply(run, repo, comment, command_text.refusal(reason))
                return done
            check_current()
            self._react(repo, comment)
            pull = pull_requests.read(repo, run.number)
            answers = [self._answer(run, repo, pull, line) for line in lines[:MAX_COMMANDS]]
            if len(lines) > MAX_COMMANDS:
                answers.append(f"Only the first {MAX_COMMANDS} commands of a comment are done.")
            check_current()
            if texts := [text for text in answers if text is not None]:
                self._reply(run, repo, comment, "\n\n".join(texts))
        pulls = (PullHead(pull.number, pull.head_sha),) if None in answers else ()
        return replace(done, pulls=pulls)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        """Tells the author of the comment, who waits for an answer."""
        with self.reviewer.open_repository(run) as repo:
            comment = conversation.read_comment(repo, cast("conversation.CommentKind", run.event), run.comment_id)
            if comment is not None and comment.author:
                text = f"This could not be done, because of an error: {reason}. Write the command again later."
                self._reply(run, repo, comment, command_text.refusal(text))

    def cancel_check(self, _run: Run, _reason: str) -> None:
        """A command has no check."""

    def _answer(self, run: Run, repo: RepositoryClient, pull: PullRequest, line: str) -> str | None:
        """What is answered to a command; None if it is accepted without words, because it starts a review."""
        try:
            return self._do(run, repo, pull, self._command(run, repo, pull, line))
        except InputError as error:
            return command_text.refusal(error.message)

    def _command(self, run: Run, repo: RepositoryClient, pull: PullRequest, line: str) -> Command:
        """What a line asks for. The policy sets that the repository itself names are read where only they may have the
        rule."""
        rules = self._rules()
        try:
            return parse_command(line, rules, _today())
        except UnknownRule:
            named = self.reviewer.read_named_rules(run, repo, pull)
        try:
            return parse_command(line, {**{rule.id: rule for rule in named.rules}, **rules}, _today())
        except UnknownRule as error:
            raise UnknownRule(" ".join([error.message, *named.refused])) from None

    def _do(self, run: Run, repo: RepositoryClient, pull: PullRequest, command: Command) -> str | None:
        match command:
            case Explain(rule):
                return command_text.rule_explanation(rule, self._rule_url(rule))
            case Waive():
                return self._waive(run, repo, _open(pull), command)
            case Recheck():
                _open(pull)
                return None

    def _waive(self, run: Run, repo: RepositoryClient, pull: PullRequest, command: Waive) -> str:
        """The waiver, after it was tried: the pull request is checked without it and with it."""
        fetched = self.reviewer.fetch(run, repo, pull)
        report = self.reviewer.check(run, repo, fetched)
        findings = findings_to_waive(command, report)
        item = waiver_item(command, findings)
        source = fetched.base_tip.files.get(CONFIG_FILE)
        config = "" if source is None else source.data.decode(errors="replace")
        text = with_waiver(config, item)
        base, tip, head = (_with_config(tree, text) for tree in (fetched.base, fetched.base_tip, fetched.head))
        after = self.reviewer.check(run, repo, replace(fetched, base=base, base_tip=tip, head=head))
        check_effect(report, after, findings, command)
        has_list = has_waivers(config)
        snippet = waiver_snippet(item, is_first=not has_list)
        return command_text.waiver_proposal(command.rule, findings, snippet, pull.base_ref, has_waivers=has_list)

    def _rules(self) -> Mapping[str, Rule]:
        own = (part.catalog for one in self.reviewer.policies.current() for part in one.own)
        return rules_of((load_builtin(), *own))

    def _rule_url(self, rule: Rule) -> str | None:
        url = self.reviewer.settings.rules_url
        return f"{url}/{rule.id}.md" if url and rule.id in load_builtin().rules else None

    def _react(self, repo: RepositoryClient, comment: conversation.WrittenComment) -> None:
        """A locked conversation takes no reaction."""
        try:
            conversation.react(repo, comment, "eyes")
        except (Refused, Gone) as error:
            log.warning("reaction_refused", comment=comment.id, error=str(error))

    def _reply(self, run: Run, repo: RepositoryClient, comment: conversation.WrittenComment, text: str) -> None:
        try:
            conversation.reply(repo, run.number, comment, text, may_be_posted=run.starts > 0)
        except (Refused, Gone) as error:
            log.warning("answer_refused", comment=comment.id, error=str(error))


def _open(pull: PullRequest) -> PullRequest:
    if pull.state == "closed":
        raise InputError("The pull request is closed; open it again, which has it reviewed too.")
    return pull


def _with_config(tree: Tree, text: str) -> Tree:
    """The tree with another configuration, the same in all trees: nothing of it is a change then."""
    file = SourceFile(CONFIG_FILE, text.encode())
    problems = tuple(problem for problem in tree.problems if problem.file != CONFIG_FILE)
    return replace(tree, files={**tree.files, CONFIG_FILE: file}, problems=problems)


def _today() -> dt.date:
    """By UTC, as waivers count days."""
    return dt.datetime.now(dt.UTC).date()
