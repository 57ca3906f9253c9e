"""State -> GitHub's JSON: pull requests, their files, reviews, comments."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from tests.fakegithub.diff import FileChange
from tests.fakegithub.shapes import Json, app, node_id, repository, user
from tests.fakegithub.state import IssueComment, PullRequest, Reaction, Repository, Review, ReviewComment
from tests.fakegithub.world import World

ASSOCIATION = "CONTRIBUTOR"


def _end(base: str, repository_: Repository, ref: str, sha: str) -> Json:
    return {
        "label": f"{repository_.owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(base, repository_.owner),
        "repo": None if repository_.is_deleted else repository(base, repository_),
    }


def _urls(base: str, pull: PullRequest) -> Json:
    api, page = f"{base}/repos/{pull.base.full_name}", f"{base}/{pull.base.full_name}/pull/{pull.number}"
    own, issue = f"{api}/pulls/{pull.number}", f"{api}/issues/{pull.number}"
    urls = {
        "url": own,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "commits_url": f"{own}/commits",
        "review_comments_url": f"{own}/comments",
        "review_comment_url": f"{api}/pulls/comments{{/number}}",
        "comments_url": f"{issue}/comments",
        "statuses_url": f"{api}/statuses/{pull.head_sha}",
    }
    named = {
        "self": "url",
        "html": "html_url",
        "issue": "issue_url",
        "comments": "comments_url",
        "commits": "commits_url",
    }
    named |= {
        "review_comments": "review_comments_url",
        "review_comment": "review_comment_url",
        "statuses": "statuses_url",
    }
    return {**urls, "_links": {name: {"href": urls[key]} for name, key in named.items()}}


def pull_simple(base: str, pull: PullRequest) -> Json:
    """The form of lists."""
    return {
        **_urls(base, pull),
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "number": pull.number,
        "state": pull.state,
        "locked": pull.locked,
        "title": pull.title,
        "user": user(base, pull.author),
        "body": pull.body,
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": None,
        "draft": pull.draft,
        "head": _end(base, pull.head, pull.head_ref, pull.head_sha),
        "base": _end(base, pull.base, pull.base_ref, pull.base_sha),
        "author_association": ASSOCIATION,
        "auto_merge": None,
        "active_lock_reason": None,
    }


def pull_full(base: str, world: World, pull: PullRequest) -> Json:
    changes = pull.changes
    blocked = bool(world.blocking(pull))
    return {
        **pull_simple(base, pull),
        "merged": pull.merged_at is not None,
        "mergeable": True if pull.state == "open" else None,
        "rebaseable": True,
        "mergeable_state": "draft" if pull.draft else "blocked" if blocked else "clean",
        "merged_by": user(base, pull.merged_by) if pull.merged_by else None,
        "comments": len(pull.issue_comments),
        "review_comments": len(pull.comments),
        "maintainer_can_modify": pull.head is not pull.base,
        "commits": len(pull.base.git.commits(pull.merge_base, pull.head_sha)),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def diff_entry(base: str, repository_: Repository, sha: str, change: FileChange) -> Json:
    path = quote(change.path)
    page = f"{base}/{repository_.full_name}"
    entry: Json = {
        "sha": change.blob,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": f"{base}/repos/{repository_.full_name}/contents/{path}?ref={sha}",
    }
    if change.patch is not None:
        entry["patch"] = change.patch
    if change.previous_path is not None:
        entry["previous_filename"] = change.previous_path
    return entry


def review(base: str, pull: PullRequest, one: Review) -> Json:
    page, api = f"{base}/{pull.base.full_name}/pull/{pull.number}", f"{base}/repos/{pull.base.full_name}"
    html, url = f"{page}#pullrequestreview-{one.id}", f"{api}/pulls/{pull.number}"
    return {
        "id": one.id,
        "node_id": node_id("PRR", one.id),
        "user": user(base, one.author),
        "body": one.body,
        "state": one.state,
        "html_url": html,
        "pull_request_url": url,
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "submitted_at": one.submitted_at,
        "commit_id": one.commit_id,
        "author_association": ASSOCIATION,
    }


def review_comment(base: str, pull: PullRequest, one: ReviewComment) -> Json:
    page, api = f"{base}/{pull.base.full_name}/pull/{pull.number}", f"{base}/repos/{pull.base.full_name}"
    url, html, of = f"{api}/pulls/comments/{one.id}", f"{page}#discussion_r{one.id}", f"{api}/pulls/{pull.number}"
    anchor = one.anchor
    line, patch_line = one.place(pull)
    body: Json = {
        "url": url,
        "pull_request_review_id": one.review_id,
        "id": one.id,
        "node_id": node_id("PRRC", one.id),
        "diff_hunk": one.diff_hunk,
        "path": anchor.path,
        "commit_id": pull.head_sha if patch_line or anchor.line is None else one.commit_id,
        "original_commit_id": one.commit_id,
        "user": user(base, one.author),
        "body": one.body,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "html_url": html,
        "pull_request_url": of,
        "author_association": ASSOCIATION,
        "_links": {"self": {"href": url}, "html": {"href": html}, "pull_request": {"href": of}},
        "reactions": _reactions(url, one.reactions),
        "start_line": one.line_now(pull, anchor.start_line) if line else None,
        "original_start_line": anchor.start_line,
        "start_side": anchor.start_side,
        "line": line,
        "original_line": anchor.line,
        "side": anchor.side,
        "position": 1 if anchor.line is None else patch_line and patch_line.position,
        "original_position": one.position or 1,
        "subject_type": anchor.subject_type,
    }
    return body if one.in_reply_to is None else {**body, "in_reply_to_id": one.in_reply_to}


def legacy_comment(base: str, pull: PullRequest, one: ReviewComment) -> Json:
    """The form in which the comments of one review are listed: GitHub leaves the lines out."""
    full = review_comment(base, pull, one)
    left_out = {"line", "start_line", "side", "start_side", "original_line", "original_start_line", "subject_type"}
    return {key: value for key, value in full.items() if key not in left_out}


def issue_comment(base: str, world: World, pull: PullRequest, one: IssueComment) -> Json:
    api = f"{base}/repos/{pull.base.full_name}"
    url = f"{api}/issues/comments/{one.id}"
    return {
        "id": one.id,
        "node_id": node_id("IC", one.id),
        "url": url,
        "html_url": f"{base}/{pull.base.full_name}/pull/{pull.number}#issuecomment-{one.id}",
        "issue_url": f"{api}/issues/{pull.number}",
        "body": one.body,
        "user": user(base, one.author),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "author_association": ASSOCIATION,
        "reactions": _reactions(url, one.reactions),
        "performed_via_github_app": app(base, world.app) if one.author == world.app.login else None,
    }


def issue(base: str, pull: PullRequest) -> Json:
    """A pull request as the issue that it is too, in the payload of a comment's event."""
    api, html = f"{base}/repos/{pull.base.full_name}", f"{base}/{pull.base.full_name}/pull/{pull.number}"
    return {
        "url": f"{api}/issues/{pull.number}",
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "html_url": html,
        "number": pull.number,
        "title": pull.title,
        "user": user(base, pull.author),
        "state": pull.state,
        "locked": pull.locked,
        "draft": pull.draft,
        "body": pull.body,
        "pull_request": {"url": f"{api}/pulls/{pull.number}", "html_url": html, "merged_at": pull.merged_at},
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "author_association": ASSOCIATION,
    }


def reaction(base: str, one: Reaction) -> Json:
    return {
        "id": one.id,
        "node_id": node_id("REA", one.id),
        "user": user(base, one.author),
        "content": one.content,
        "created_at": one.created_at,
    }


def _reactions(url: str, reactions: Sequence[Reaction] = ()) -> Json:
    kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    counts = {kind: sum(one.content == kind for one in reactions) for kind in kinds}
    return {"url": f"{url}/reactions", "total_count": len(reactions), **counts}
