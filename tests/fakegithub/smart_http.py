"""Fetching over git's smart HTTP: `git http-backend` behind GitHub's rules about who may read."""

from __future__ import annotations

import subprocess

from flask import Blueprint, Response, request

from tests.fakegithub import auth
from tests.fakegithub.errors import ApiError
from tests.fakegithub.gitdir import environment
from tests.fakegithub.state import Repository
from tests.fakegithub.web import base_url, world

git = Blueprint("git", __name__)
NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}


@git.get("/<owner>/<repo>.git/info/refs")
def info_refs(owner: str, repo: str) -> Response:
    if request.args.get("service") != "git-upload-pack":
        return _refused(403, "only fetching is offered here")
    return _serve(owner, repo, "info/refs")


@git.post("/<owner>/<repo>.git/git-upload-pack")
def upload_pack(owner: str, repo: str) -> Response:
    return _serve(owner, repo, "git-upload-pack")


def _serve(owner: str, repo: str, service: str) -> Response:
    try:
        with world().lock:
            repository = _readable(owner, repo)
    except ApiError as error:
        return _refused(error.status, error.message)
    if repository.full_name.lower() != f"{owner}/{repo}".lower():
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        location = f"{base_url()}/{repository.full_name}.git/{service}{query}"
        return Response(status=301, headers={"Location": location})
    return _backend(repository, service)


def _readable(owner: str, repo: str) -> Repository:
    """The repository, if the caller may read its contents: 401 without a live token, 404 where it is out of scope."""
    header = request.headers.get("Authorization", "")
    if header and not header.lower().startswith("basic "):
        raise auth.bad_credentials()
    caller = auth.identify(world(), header)
    name = f"{owner}/{repo}"
    repository = world().repository(name) or world().moved_repository(name)
    if repository is None or (repository.private and caller.token is None):
        raise auth.bad_credentials() if caller.token is None else ApiError(404, "Repository not found.")
    auth.allow(world(), caller, repository, "contents", "read")
    return repository


def _refused(status: int, text: str) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if status == 401 else {}
    return Response(f"remote: {text}\n", status, headers, mimetype="text/plain")


def _backend(repository: Repository, service: str) -> Response:
    """Runs the CGI program. Answers are held in memory: repositories of tests and demos are small, or partial."""
    variables = {
        "GIT_PROJECT_ROOT": str(repository.git.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{service}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string.decode(),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
    }
    sent = request.get_data()
    response = subprocess.run(
        ["git", "http-backend"],
        input=sent,
        capture_output=True,
        env={**environment(), **variables, "CONTENT_LENGTH": str(len(sent))},
        check=False,
    ).stdout
    head, _, data = response.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
    status = int(fields.pop("Status", "200 OK").split()[0])
    return Response(data, status, {**fields, **NO_CACHE})
