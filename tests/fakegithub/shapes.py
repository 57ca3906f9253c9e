"""State -> GitHub's JSON: people, the App, repositories and git objects. `base` is the address the client came to."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.fakegithub.gitdir import CommitInfo
from tests.fakegithub.state import App, Installation, Repository
from tests.fakegithub.world import World

Json = dict[str, Any]

_USER_PARTS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_PARTS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def node_id(kind: str, number: int | str) -> str:
    return f"{kind}_{number}"


def user(base: str, login: str) -> Json:
    """An account; the id is made from the login, so that it is the same everywhere."""
    # Square brackets are not allowed in a URL: GitHub writes gracegate%5Bbot%5D.
    name = quote(login)
    number = sum(ord(letter) * 31**place for place, letter in enumerate(login)) % 90_000_000 + 1_000
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {
        "login": login,
        "id": number,
        "node_id": node_id("U", number),
        "avatar_url": f"{base}/avatars/{name}",
        "gravatar_id": "",
        "url": f"{base}/users/{name}",
        "html_url": f"{base}/{'apps/' + quote(login.removesuffix('[bot]')) if kind == 'Bot' else name}",
        **{key: f"{base}/users/{name}{part}" for key, part in _USER_PARTS.items()},
        "type": kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def app(base: str, one: App) -> Json:
    return {
        "id": one.id,
        "slug": one.slug,
        "node_id": node_id("A", one.id),
        "client_id": one.client_id,
        "owner": user(base, one.owner),
        "name": one.name,
        "description": "Reviews Kubernetes manifests",
        "external_url": "https://gracegate.example",
        "html_url": f"{base}/apps/{one.slug}",
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "permissions": one.permissions,
        "events": one.events,
    }


def installation(base: str, world: World, one: Installation) -> Json:
    account = user(base, one.account)
    return {
        "id": one.id,
        "account": account,
        "repository_selection": "all" if one.repository_ids is None else "selected",
        "access_tokens_url": f"{base}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{base}/installation/repositories",
        "html_url": f"{base}/settings/installations/{one.id}",
        "app_id": world.app.id,
        "app_slug": world.app.slug,
        "client_id": world.app.client_id,
        "target_id": account["id"],
        "target_type": "User",
        "permissions": one.permissions,
        "events": world.app.events,
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": one.suspended_at,
    }


def minimal_repository(base: str, one: Repository) -> Json:
    url = f"{base}/repos/{one.full_name}"
    return {
        "id": one.id,
        "node_id": node_id("R", one.id),
        "name": one.name,
        "full_name": one.full_name,
        "private": one.private,
        "owner": user(base, one.owner),
        "html_url": f"{base}/{one.full_name}",
        "description": None,
        "fork": one.parent is not None,
        "url": url,
        **{key: f"{url}{part}" for key, part in _REPOSITORY_PARTS.items()},
    }


def repository(base: str, one: Repository) -> Json:
    """The full form, without `parent` and `source`."""
    page = f"{base}/{one.full_name}"
    counts = ("stargazers_count", "watchers_count", "forks_count", "open_issues_count", "forks", "open_issues")
    return {
        **minimal_repository(base, one),
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "pushed_at": one.created_at,
        "git_url": f"{page}.git".replace("http:", "git:"),
        "ssh_url": f"git@{base.removeprefix('http://')}:{one.full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "homepage": None,
        "size": 108,
        **dict.fromkeys(counts, 0),
        "watchers": 0,
        "network_count": 0,
        "subscribers_count": 0,
        "language": None,
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": True,
        "has_pages": False,
        "has_discussions": False,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if one.private else "public",
        "default_branch": one.default_branch,
        "permissions": {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True},
    }


def _person(triple: tuple[str, str, str]) -> Json:
    return {"name": triple[0], "email": triple[1], "date": triple[2]}


def _account(base: str, author: tuple[str, str, str]) -> Json | None:
    """The account that GitHub knows an author's address of: here those of Apps alone."""
    return user(base, author[0]) if author[0].endswith("[bot]") else None


def commit(base: str, repository_: Repository, info: CommitInfo) -> Json:
    url, page = f"{base}/repos/{repository_.full_name}", f"{base}/{repository_.full_name}"
    return {
        "sha": info.sha,
        "node_id": node_id("C", info.sha),
        "commit": {
            "author": _person(info.author),
            "committer": _person(info.committer),
            "message": info.message,
            "tree": {"sha": info.tree, "url": f"{url}/git/trees/{info.tree}"},
            "url": f"{url}/git/commits/{info.sha}",
            "comment_count": 0,
            "verification": {
                "verified": False,
                "reason": "unsigned",
                "signature": None,
                "payload": None,
                "verified_at": None,
            },
        },
        "url": f"{url}/commits/{info.sha}",
        "html_url": f"{page}/commit/{info.sha}",
        "comments_url": f"{url}/commits/{info.sha}/comments",
        "author": _account(base, info.author),
        "committer": None,
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{page}/commit/{sha}"} for sha in info.parents
        ],
    }


def git_commit(base: str, repository_: Repository, info: CommitInfo) -> Json:
    """The form of the git database API."""
    long = commit(base, repository_, info)
    part = long["commit"]
    keep = ("author", "committer", "message", "tree", "verification")
    return {
        **{key: part[key] for key in keep},
        "url": part["url"],
        **{k: long[k] for k in ("sha", "node_id", "html_url", "parents")},
    }


def simple_commit(info: CommitInfo) -> Json:
    """The form inside webhook payloads and check suites."""
    return {
        "id": info.sha,
        "tree_id": info.tree,
        "message": info.message,
        "timestamp": info.committer[2],
        "author": {"name": info.author[0], "email": info.author[1]},
        "committer": {"name": info.committer[0], "email": info.committer[1]},
    }


def pushed_commit(base: str, repository_: Repository, info: CommitInfo) -> Json:
    """The form inside the payload of a push, with the paths that the commit touched."""
    url = f"{base}/{repository_.full_name}/commit/{info.sha}"
    touched = repository_.git.touched(info)
    return {**simple_commit(info), "distinct": True, "url": url, **touched}
