"""What becomes of the threads of comments whose findings are fixed; first those that are left alone."""

from __future__ import annotations

from tests.fakegithub.state import ReviewComment
from tests.review.conftest import SHOP, Inbox
from tests.shop import DEPLOYMENT, SERVICE, WITHOUT_DRAIN

FILES = ("one.yaml", "two.yaml", "web.yaml")


def named(text: str, path: str) -> str:
    """The manifest with names of its own."""
    return text.replace("name: web", f"name: {path[:3]}").replace("app: web", f"app: {path[:3]}")


def review(inbox: Inbox) -> None:
    """Reviews a pull request which gets a comment in each of the files."""
    files = {path: named(WITHOUT_DRAIN, path) for path in FILES}
    services = {f"service-{path}": named(SERVICE, path) for path in FILES}
    inbox.stage.open_pull_request({**files, **services})
    inbox.deliver("opened", inbox.stage.head())
    inbox.work()
    assert sorted(threads(inbox)) == [*FILES]


def threads(inbox: Inbox) -> dict[str, ReviewComment]:
    """The first comments by file."""
    return {one.anchor.path: one for one in inbox.stage.fake.pull(SHOP, 1).comments if one.in_reply_to is None}


def push(inbox: Inbox, text: str) -> None:
    """Pushes the manifest to all files, and reviews it."""
    head = inbox.stage.fake.push(SHOP, "change", {path: named(text, path) for path in FILES})
    inbox.deliver("synchronize", head)
    inbox.work()


# The commented line is another one too.
REWRITTEN = DEPLOYMENT.replace("path: /ready", "path: /up")


def test_without_the_permission_outdated_comments_are_minimized(inbox: Inbox) -> None:
    fake = inbox.stage.fake
    review(inbox)
    fake.resolve_thread(SHOP, 1, threads(inbox)["one.yaml"].id)
    answer = fake.answer_comment(SHOP, 1, threads(inbox)["two.yaml"].id, "It drains by itself, see #1.")
    fake.fault("POST", "/graphql$", status=502, skip=1)
    push(inbox, REWRITTEN)
    found = threads(inbox)
    assert {path: (one.body[0], one.resolved_by, one.minimized) for path, one in found.items()} == {
        "one.yaml": ("✅", "grace", None),
        "two.yaml": ("✅", None, None),
        "web.yaml": ("✅", None, "outdated"),
    }
    assert [one.body for one in fake.pull(SHOP, 1).comments if one.id == answer] == ["It drains by itself, see #1."]


def test_fixed_threads_are_resolved_once(inbox: Inbox) -> None:
    fake = inbox.stage.fake
    fake.grant("shop", "contents", "write")
    review(inbox)
    fake.resolve_thread(SHOP, 1, threads(inbox)["one.yaml"].id)
    push(inbox, REWRITTEN)
    found = threads(inbox)
    assert {path: (one.resolved_by, one.minimized) for path, one in found.items()} == {
        "one.yaml": ("grace", None),
        "two.yaml": (fake.app.login, None),
        "web.yaml": (fake.app.login, None),
    }
    fake.reopen_thread(SHOP, 1, found["two.yaml"].id)
    fake.reopen_thread(SHOP, 1, found["one.yaml"].id)
    push(inbox, DEPLOYMENT)
    assert [threads(inbox)[path].resolved_by for path in FILES] == [None, None, fake.app.login]
    assert inbox.conclusions(inbox.stage.head()) == ["success"]


def test_a_thread_that_cannot_be_closed_holds_up_nothing(inbox: Inbox) -> None:
    review(inbox)
    inbox.stage.fake.fault("POST", "/graphql$", status=502, times=-1)
    push(inbox, REWRITTEN)
    assert {one.body[0] for one in threads(inbox).values()} == {"✅"}
