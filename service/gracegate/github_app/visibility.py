"""Who may see a repository."""

from __future__ import annotations

from typing import Literal

from github.Repository import Repository

from gracegate.github_app.client import RepositoryClient

Visibility = Literal["public", "internal", "private"]
FROM_WIDEST: tuple[Visibility, ...] = ("public", "internal", "private")


def read_visibility(repo: RepositoryClient) -> Visibility:
    """Who may see the repository; private where GitHub says something else."""

    def read(repository: Repository) -> str:
        _, found = repository.requester.requestJsonAndCheck("GET", repository.url)
        return str(found.get("visibility") or ("private" if found.get("private", True) else "public"))

    found = repo.read(read)
    return found if found in FROM_WIDEST else "private"


def may_show(what: Visibility, where: Visibility) -> bool:
    """Whether everybody who sees `where` may see what a repository of visibility `what` holds: `where` is not wider."""
    return FROM_WIDEST.index(where) >= FROM_WIDEST.index(what)
