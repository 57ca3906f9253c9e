"""What people do to the fake GitHub: push, open, comment, click, merge. Tests call it, the control API too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fakegithub import anchors, merge_queue, pulls
from tests.fakegithub.events import Events
from tests.fakegithub.gitdir import Content, GitDir
from tests.fakegithub.state import CheckRun, Installation, IssueComment, PullRequest, Repository, Review, ReviewComment
from tests.fakegithub.world import World

Files = Mapping[str, Content]
"""Contents by path; None deletes the file."""


class People:
    """Repositories are named by their full name, `owner/name`."""

    world: World
    events: Events

    # Repositories and the App's installations

    def repository(self, full_name: str) -> Repository:
        found = self.world.repository(full_name)
        if found is None:
            raise LookupError(f"the fake has no repository {full_name}")
        return found

    def create_repository(
        self, full_name: str, *, from_git: str | Path | None = None, private: bool = True, default_branch: str = "main"
    ) -> Repository:
        """A repository, empty or over the objects of a local one, with the App installed on its owner's account."""
        with self.world.lock:
            number = self.world.new_id()
            path = self.world.folder / f"{number}.git"
            source = Path(from_git) if from_git else None
            git = GitDir.borrow(path, source, default_branch) if source else GitDir.create(path, default_branch)
            owner, _, name = full_name.partition("/")
            one = Repository(number, owner, name, git, default_branch, private, self.world.clock.iso())
            self.world.repositories[number] = one
            if not any(installation.account == owner for installation in self.world.installations.values()):
                self.install(owner)
            return one

    def move_repository(self, full_name: str, to: str) -> None:
        """Gives a repository another name, or transfers it with another owner. The old name redirects to it."""
        with self.world.lock:
            one = self.repository(full_name)
            self.world.moved[one.full_name.lower()] = one.id
            owner, name = one.owner, one.name
            one.owner, _, one.name = to.partition("/")
            if owner != one.owner:
                self.events.repository(one, "transferred", {"owner": {"from": {"user": {"login": owner}}}})
            else:
                self.events.repository(one, "renamed", {"repository": {"name": {"from": name}}})

    def fork(self, full_name: str, owner: str) -> Repository:
        """A fork on an account where the App is not installed."""
        with self.world.lock:
            parent, number = self.repository(full_name), self.world.new_id()
            git = parent.git.fork(self.world.folder / f"{number}.git", parent.default_branch)
            settings = (parent.default_branch, parent.private, self.world.clock.iso())
            one = Repository(number, owner, parent.name, git, *settings, parent=parent)
            self.world.repositories[number] = one
            return one

    def delete_fork(self, full_name: str) -> None:
        """Its pull requests stay as they are: their commits are in the base too. None can be opened again."""
        with self.world.lock:
            one = self.repository(full_name)
            one.is_deleted = True
            del self.world.repositories[one.id]

    def install(self, account: str, *, repositories: Sequence[str] | None = None) -> Installation:
        """Installs the App on an account, for all its repositories or for some."""
        with self.world.lock:
            ids = None if repositories is None else {self.repository(name).id for name in repositories}
            granted, now = dict(self.world.app.permissions), self.world.clock.iso()
            one = Installation(self.world.new_id(), account, granted, now, ids)
            self.world.installations[one.id] = one
            self.events.installation(one, "created")
            return one

    def uninstall(self, account: str) -> None:
        """Its tokens die with it."""
        with self.world.lock:
            for one in [one for one in self.world.installations.values() if one.account == account]:
                self.events.installation(one, "deleted")
                del self.world.installations[one.id]
                dead = [token for token in self.world.tokens.values() if token.installation_id == one.id]
                for token in dead:
                    del self.world.tokens[token.value]

    def permit(self, full_name: str, login: str, permission: str) -> None:
        """Lets a human do so much in a repository: none, read, write or admin."""
        with self.world.lock:
            self.world.collaborators.setdefault(self.repository(full_name).id, {})[login] = permission

    def require_checks(self, full_name: str, branch: str, names: Sequence[str]) -> None:
        """Protects a branch: these checks must pass before a merge."""
        with self.world.lock:
            self.repository(full_name).required_checks[branch] = set(names)

    # Branches

    def push(
        self, full_name: str, branch: str, files: Files, message: str = "Change", *, onto: str | None = None
    ) -> str:
        """Commits files and pushes them. The new commit's id.

        A branch that is not there starts at the default branch; `onto` names another revision to commit upon, which
        makes it a force-push where the branch is not an ancestor.
        """
        with self.world.lock:
            one = self.repository(full_name)
            before = one.branch(branch)
            parent = one.git.resolve(onto) if onto else before or one.branch(one.default_branch)
            when = int(self.world.clock.now())
            sha = one.git.write_commit(branch, [parent] if parent else [], files, message, when)
            pulls.branch_moved(self.world, self.events, one, branch, before)
            return sha

    def move_branch(self, full_name: str, branch: str, sha: str | None) -> None:
        """Pushes a commit that is already there, by force; None deletes the branch."""
        with self.world.lock:
            one = self.repository(full_name)
            before = one.branch(branch)
            if sha is None:
                one.git.delete_ref(f"refs/heads/{branch}")
            else:
                one.git.set_ref(f"refs/heads/{branch}", sha)
            pulls.branch_moved(self.world, self.events, one, branch, before)

    # Pull requests

    def pull(self, full_name: str, number: int) -> PullRequest:
        return self.repository(full_name).pulls[number]

    def open_pull_request(
        self,
        full_name: str,
        head: str,
        base: str = "main",
        title: str = "A change",
        *,
        body: str | None = None,
        draft: bool = False,
        fork: str | None = None,
        author: str = "ada",
    ) -> int:
        """Opens a pull request of a branch, of the repository or of a fork (its full name). Its number."""
        with self.world.lock:
            target = self.repository(full_name)
            source = self.repository(fork) if fork else target
            text = pulls.Text(title, body, author, draft)
            return pulls.open_pull(self.world, self.events, (target, base), (source, head), text).number

    def replay(self, full_name: str, source: str | Path, base: str, head: str, *, title: str = "A change") -> int:
        """Takes over a local repository and opens a pull request between two of its commits. Its number.

        `base` should be an ancestor of `head`. The repository may be bare, partial or shallow.
        """
        with self.world.lock:
            one = self.create_repository(full_name, from_git=source)
            for branch, revision in ((one.default_branch, base), ("change", head)):
                sha = one.git.resolve(revision)
                if sha is None:
                    raise LookupError(f"{source} has no commit {revision}")
                one.git.set_ref(f"refs/heads/{branch}", sha)
            return self.open_pull_request(full_name, "change", one.default_branch, title)

    def close_pull_request(self, full_name: str, number: int) -> None:
        with self.world.lock:
            pulls.close(self.world, self.events, self.pull(full_name, number))

    def reopen_pull_request(self, full_name: str, number: int) -> None:
        with self.world.lock:
            pulls.reopen(self.world, self.events, self.pull(full_name, number))

    def ready_for_review(self, full_name: str, number: int) -> None:
        with self.world.lock:
            pulls.ready(self.events, self.pull(full_name, number))

    def lock_pull_request(self, full_name: str, number: int) -> None:
        with self.world.lock:
            pulls.lock(self.events, self.pull(full_name, number))

    def unlock_pull_request(self, full_name: str, number: int) -> None:
        with self.world.lock:
            pulls.unlock(self.events, self.pull(full_name, number))

    def edit_pull_request(
        self, full_name: str, number: int, *, base: str | None = None, title: str | None = None
    ) -> None:
        with self.world.lock:
            pulls.edit(self.world, self.events, self.pull(full_name, number), base=base, title=title)

    def merge_pull_request(self, full_name: str, number: int, *, by: str = "ada") -> str:
        """The merge commit's id. Raises ApiError where branch protection forbids it."""
        with self.world.lock:
            return pulls.merge(self.world, self.events, self.pull(full_name, number), by)

    def enqueue_pull_request(self, full_name: str, number: int) -> str:
        """ "Merge when ready": adds it to the merge queue. The head of its group."""
        with self.world.lock:
            return merge_queue.enqueue(self.world, self.events, self.pull(full_name, number)).head_sha

    def dequeue_pull_request(self, full_name: str, number: int) -> None:
        with self.world.lock:
            merge_queue.dequeue(self.world, self.events, self.pull(full_name, number))

    # Comments and clicks

    def comment(self, full_name: str, number: int, body: str, *, author: str = "grace") -> int:
        """A comment in the conversation. Its id."""
        with self.world.lock:
            now = self.world.clock.iso()
            one = IssueComment(self.world.new_id(), author, body, now, now)
            pull = self.pull(full_name, number)
            pull.issue_comments.append(one)
            self.events.issue_comment(pull, one)
            return one.id

    def answer_comment(self, full_name: str, number: int, comment_id: int, body: str, *, author: str = "grace") -> int:
        """A person's answer in the thread of a comment on a line or a file. Its id."""
        with self.world.lock:
            pull, now = self.pull(full_name, number), self.world.clock.iso()
            first = next(one for one in pull.comments if one.id == comment_id)
            review = Review(self.world.new_id(), author, "", "COMMENTED", pull.head_sha, now)
            place = (first.anchor, first.commit_id, first.diff_hunk, first.position, review.id)
            one = ReviewComment(self.world.new_id(), author, body, *place, now, now, in_reply_to=first.id)
            pull.reviews.append(review)
            pull.comments.append(one)
            self.events.review_comment(pull, one)
            return one.id

    def grant(self, account: str, permission: str, level: str) -> None:
        """What an installation's account accepts, for the tokens that are minted from then on."""
        with self.world.lock:
            self.world.app.permissions[permission] = level
            for one in self.world.installations.values():
                if one.account == account:
                    one.permissions[permission] = level

    def resolve_thread(self, full_name: str, number: int, comment_id: int, *, by: str = "grace") -> None:
        """The button "Resolve conversation"."""
        with self.world.lock:
            next(one for one in self.pull(full_name, number).comments if one.id == comment_id).resolved_by = by

    def reopen_thread(self, full_name: str, number: int, comment_id: int) -> None:
        """The button "Unresolve conversation"."""
        with self.world.lock:
            next(one for one in self.pull(full_name, number).comments if one.id == comment_id).resolved_by = None

    def set_permission(self, login: str, level: str) -> None:
        """What a person may do in every repository: `none`, `read`, `write` or `admin`."""
        with self.world.lock:
            self.world.people[login] = level

    def review_comment(
        self, full_name: str, number: int, body: str, *, path: str, line: int | None = None, author: str = "grace"
    ) -> int:
        """A person's comment on a line of the head, or on a file. Its id."""
        with self.world.lock:
            pull, now = self.pull(full_name, number), self.world.clock.iso()
            kind = {"subject_type": "file"} if line is None else {"line": line}
            where = anchors.place(pull, {"path": path, **kind})
            review = Review(self.world.new_id(), author, "", "COMMENTED", pull.head_sha, now)
            place = (where.anchor, pull.head_sha, where.diff_hunk, where.position)
            one = ReviewComment(self.world.new_id(), author, body, *place, review.id, now, now)
            pull.reviews.append(review)
            pull.comments.append(one)
            self.events.review_comment(pull, one)
            return one.id

    def edit_review_comment(self, full_name: str, number: int, comment_id: int, body: str) -> None:
        """Whoever may write can edit everybody's comments, the App's too."""
        with self.world.lock:
            found = next(one for one in self.pull(full_name, number).comments if one.id == comment_id)
            found.body, found.updated_at = body, self.world.clock.iso()

    def newest_run(self, full_name: str, sha: str, name: str) -> CheckRun:
        with self.world.lock:
            runs = self.world.runs(self.repository(full_name), sha)
            return next(run for run in runs if run.name == name)

    def rerequest_check_run(self, run_id: int) -> None:
        """The button "Re-run"."""
        with self.world.lock:
            self.events.check_run(self.world.check_runs[run_id], "rerequested")

    def request_action(self, run_id: int, identifier: str, *, by: str = "ada") -> None:
        """The button of a check run's own action, which GitHub shows only if the run has it."""
        with self.world.lock:
            run = self.world.check_runs[run_id]
            if identifier not in [one["identifier"] for one in run.actions]:
                raise LookupError(f"check run {run_id} has no button {identifier}")
            self.events.check_run(run, "requested_action", identifier, by)

    def rerequest_check_suite(self, full_name: str, sha: str) -> None:
        """The button "Re-run all checks"."""
        with self.world.lock:
            self.events.check_suite(self.world.suite(self.repository(full_name), sha), "rerequested")

    def redeliver(self, delivery_id: int) -> None:
        with self.world.lock:
            self.events.redeliver(next(one for one in self.world.deliveries if one.id == delivery_id))

    def ping(self) -> None:
        with self.world.lock:
            self.events.ping()
