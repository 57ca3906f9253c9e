"""Repositories and their git objects, read only."""

from __future__ import annotations

import base64
import posixpath
from urllib.parse import quote

from flask import Blueprint, jsonify, request

from tests.fakegithub import shapes
from tests.fakegithub.auth import allow, level_of
from tests.fakegithub.errors import ApiError, not_found
from tests.fakegithub.gitdir import TreeEntry
from tests.fakegithub.shapes import Json
from tests.fakegithub.shapes_pulls import diff_entry, pull_simple
from tests.fakegithub.state import Repository
from tests.fakegithub.web import Answer, base_url, caller, commit_of, needs, page, world

api = Blueprint("repositories", __name__)
TREE_ENTRIES = 100_000
CONTENT_BYTES = 1_000_000
COMPARE_FILES = 300


@api.get("/repos/<owner>/<repo>")
@needs("metadata")
def get_repository(repository: Repository) -> Answer:
    return jsonify(_repository(repository))


@api.get("/repositories/<int:repository_id>")
def by_id(repository_id: int) -> Answer:
    with world().lock:
        found = world().repositories.get(repository_id)
        if found is None:
            raise not_found()
        allow(world(), caller(), found, "metadata", "read")
        return jsonify(_repository(found))


def _repository(one: Repository) -> Json:
    """With what a person may do there, if one asks."""
    made = shapes.repository(base_url(), one)
    user = caller().user
    if user is None:
        return made
    level = max(level_of(world(), one, user.login), 0 if one.private else 1)
    rights = {"pull": 1, "triage": 2, "push": 2, "maintain": 3, "admin": 3}
    return made | {"permissions": {name: level >= least for name, least in rights.items()}}


@api.get("/repos/<owner>/<repo>/branches/<path:branch>")
@needs("contents")
def get_branch(repository: Repository, branch: str) -> Answer:
    sha = repository.branch(branch)
    if sha is None:
        raise ApiError(404, "Branch not found")
    url = f"{base_url()}/repos/{repository.full_name}/branches/{quote(branch)}"
    page_url = f"{base_url()}/{repository.full_name}/tree/{quote(branch)}"
    required = sorted(repository.required_checks.get(branch, ()))
    checks = [{"context": name, "app_id": None} for name in required]
    rule = {"enforcement_level": "non_admins" if required else "off", "contexts": required, "checks": checks}
    return jsonify(
        {
            "name": branch,
            "commit": shapes.commit(base_url(), repository, repository.git.commit_info(sha)),
            "_links": {"self": url, "html": page_url},
            "protected": bool(required),
            "protection": {"enabled": bool(required), "required_status_checks": rule},
            "protection_url": f"{url}/protection",
        }
    )


@api.get("/repos/<owner>/<repo>/git/ref/<path:ref>")
@needs("contents")
def get_ref(repository: Repository, ref: str) -> Answer:
    sha = repository.git.refs(f"refs/{ref}").get(f"refs/{ref}")
    if sha is None:
        raise not_found()
    return jsonify(_git_ref(repository, f"refs/{ref}", sha))


@api.get("/repos/<owner>/<repo>/git/matching-refs/<path:ref>")
@needs("contents")
def list_matching_refs(repository: Repository, ref: str) -> Answer:
    found = repository.git.refs("refs/heads")
    if not found:
        raise ApiError(409, "Git Repository is empty.")
    matching = sorted((name, sha) for name, sha in found.items() if name.startswith(f"refs/{ref}"))
    return page(matching, lambda one: _git_ref(repository, *one))


def _git_ref(repository: Repository, ref: str, sha: str) -> Json:
    url = f"{base_url()}/repos/{repository.full_name}/git"
    pointed = {"type": "commit", "sha": sha, "url": f"{url}/commits/{sha}"}
    return {"ref": ref, "node_id": ref, "url": f"{url}/{quote(ref)}", "object": pointed}


@api.get("/repos/<owner>/<repo>/commits/<path:ref>")
@needs("contents")
def get_commit(repository: Repository, ref: str) -> Answer:
    sha = commit_of(repository, ref)
    info = repository.git.commit_info(sha)
    changes = repository.git.changes(info.parents[0], sha) if info.parents else []
    added, gone = (sum(getattr(one, name) for one in changes) for name in ("additions", "deletions"))
    full = shapes.commit(base_url(), repository, info) | {
        "stats": {"total": added + gone, "additions": added, "deletions": gone},
        "files": [diff_entry(base_url(), repository, sha, change) for change in changes[:COMPARE_FILES]],
    }
    return jsonify(full)


@api.get("/repos/<owner>/<repo>/commits/<sha>/pulls")
@needs("pull_requests")
def pulls_of_commit(repository: Repository, sha: str) -> Answer:
    found = [one for one in repository.pulls.values() if one.head_sha == commit_of(repository, sha)]
    return page(found, lambda one: pull_simple(base_url(), one))


@api.get("/repos/<owner>/<repo>/git/commits/<sha>")
@needs("contents")
def get_git_commit(repository: Repository, sha: str) -> Answer:
    found = repository.git.resolve(sha)
    if found is None:
        raise not_found()
    return jsonify(shapes.git_commit(base_url(), repository, repository.git.commit_info(found)))


@api.get("/repos/<owner>/<repo>/git/trees/<path:sha>")
@needs("contents")
def get_tree(repository: Repository, sha: str) -> Answer:
    root = repository.git.read(sha, "tree") is not None
    commit = None if root else repository.git.resolve(sha)
    if not root and commit is None:
        raise not_found()
    tree = sha if commit is None else repository.git.commit_info(commit).tree
    entries = repository.git.tree(tree, recursive="recursive" in request.args)
    url = f"{base_url()}/repos/{repository.full_name}/git"
    return jsonify(
        {
            "sha": tree,
            "url": f"{url}/trees/{tree}",
            "tree": [_tree_entry(url, entry) for entry in entries[:TREE_ENTRIES]],
            "truncated": len(entries) > TREE_ENTRIES,
        }
    )


def _tree_entry(url: str, entry: TreeEntry) -> Json:
    shown: Json = {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha}
    if entry.size is not None:
        shown["size"] = entry.size
    return shown if entry.kind == "commit" else {**shown, "url": f"{url}/{entry.kind}s/{entry.sha}"}


@api.get("/repos/<owner>/<repo>/git/blobs/<sha>")
@needs("contents")
def get_blob(repository: Repository, sha: str) -> Answer:
    data = repository.git.read(sha)
    if data is None:
        raise not_found()
    url = f"{base_url()}/repos/{repository.full_name}/git/blobs/{sha}"
    content = {"content": _base64(data), "encoding": "base64", "size": len(data)}
    return jsonify({"sha": sha, "node_id": shapes.node_id("B", sha), "url": url, **content})


def _base64(data: bytes) -> str:
    return base64.encodebytes(data).decode()


@api.get("/repos/<owner>/<repo>/contents/", defaults={"path": ""})
@api.get("/repos/<owner>/<repo>/contents/<path:path>")
@needs("contents")
def get_contents(repository: Repository, path: str) -> Answer:
    ref = request.args.get("ref", repository.default_branch)
    commit = repository.git.resolve(ref)
    if commit is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    entry = _follow(repository, commit, path.strip("/"))
    if entry.kind == "tree":
        inside = repository.git.tree(entry.sha, recursive=False)
        prefix = f"{entry.path}/" if entry.path else ""
        return jsonify([_content(repository, ref, one, prefix + one.path) for one in inside])
    return jsonify(_content(repository, ref, entry, entry.path) | _file_body(repository, entry))


def _follow(repository: Repository, commit: str, path: str) -> TreeEntry:
    """The entry at a path; a symbolic link answers with what it points to, as GitHub does."""
    entry = repository.git.entry(commit, path)
    if entry is not None and entry.mode == "120000":
        target = (repository.git.read(entry.sha) or b"").decode(errors="replace")
        entry = repository.git.entry(commit, posixpath.normpath(posixpath.join(posixpath.dirname(path), target)))
    if entry is None:
        raise not_found()
    return entry


def _content(repository: Repository, ref: str, entry: TreeEntry, path: str) -> Json:
    quoted, page_url = quote(path), f"{base_url()}/{repository.full_name}"
    kind = {"tree": "dir", "commit": "submodule"}.get(entry.kind, "file")
    api_url = f"{base_url()}/repos/{repository.full_name}"
    url, html = f"{api_url}/contents/{quoted}?ref={quote(ref)}", f"{page_url}/blob/{quote(ref)}/{quoted}"
    git_url = f"{api_url}/git/{entry.kind}s/{entry.sha}"
    return {
        "name": posixpath.basename(path),
        "path": path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": url,
        "html_url": html,
        "git_url": git_url,
        "download_url": f"{page_url}/raw/{quote(ref)}/{quoted}" if kind == "file" else None,
        "type": kind,
        "_links": {"self": url, "git": git_url, "html": html},
    }


def _file_body(repository: Repository, entry: TreeEntry) -> Json:
    data = repository.git.read(entry.sha)
    if data is None:
        raise not_found()
    if len(data) > CONTENT_BYTES:
        return {"content": "", "encoding": "none"}
    return {"content": _base64(data), "encoding": "base64"}


@api.get("/repos/<owner>/<repo>/compare/<path:basehead>")
@needs("contents")
def compare(repository: Repository, basehead: str) -> Answer:
    """Three dots: what head changed since it parted from base. Files only on the first page, at most 300."""
    names = basehead.partition("...")
    base, head = (_compare_end(repository, name) for name in (names[0], names[2]))
    root = repository.git.merge_base(base, head)
    if root is None:
        raise ApiError(404, f"No common ancestor between {names[0]} and {names[2]}.")
    ahead, behind = repository.git.commits(base, head), repository.git.commits(head, base)
    size, number = request.args.get("per_page", 250, type=int), request.args.get("page", 1, type=int)
    shown = ahead[(number - 1) * size : number * size]
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    url, html = f"{base_url()}/repos/{repository.full_name}/compare", f"{base_url()}/{repository.full_name}/compare"
    base_commit, merge_base, *commits = (
        shapes.commit(base_url(), repository, info) for info in repository.git.commit_infos([base, root, *shown])
    )
    changes = repository.git.changes(root, head)[:COMPARE_FILES] if number == 1 else []
    return jsonify(
        {
            "url": f"{url}/{quote(basehead)}",
            "html_url": f"{html}/{quote(basehead)}",
            "permalink_url": f"{html}/{base}...{head}",
            "diff_url": f"{html}/{quote(basehead)}.diff",
            "patch_url": f"{html}/{quote(basehead)}.patch",
            "base_commit": base_commit,
            "merge_base_commit": merge_base,
            "status": status.get((bool(ahead), bool(behind)), "diverged"),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": commits,
            "files": [diff_entry(base_url(), repository, head, change) for change in changes],
        }
    )


def _compare_end(repository: Repository, name: str) -> str:
    """A SHA, a branch, or `owner:branch` of a fork."""
    owner, colon, branch = name.partition(":")
    holders = [
        one for one in world().repositories.values() if colon and one.owner == owner and one.name == repository.name
    ]
    sha = holders[0].branch(branch) if holders else repository.git.resolve(name)
    if sha is None:
        raise not_found()
    return sha
