"""The fake as a process: the control API, and the pages that a person looks at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fakegithub.markdown import render
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import REPOSITORY, Rest, changed
from tests.processes import WAIT_SECONDS

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "tests.fakegithub",
        "--folder",
        str(tmp_path),
        "--webhook-url",
        "http://127.0.0.1:1/",
    ]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=WAIT_SECONDS) == 0


def do(url: str, call: str, **arguments: Any) -> Any:
    answer = requests.post(f"{url}/_fake/{call}", json=arguments, timeout=WAIT_SECONDS)
    answer.raise_for_status()
    return answer.json()["result"]


def see(url: str, what: str) -> Any:
    return requests.get(f"{url}/_fake/{what}", timeout=WAIT_SECONDS).json()


def test_a_pull_request_is_opened_from_outside(url: str) -> None:
    do(url, "create_repository", full_name=REPOSITORY)
    for branch, text in (("main", changed()), ("topic", changed((15, "new")))):
        do(url, "push", full_name=REPOSITORY, branch=branch, files={"web.yaml": text})
    number = do(url, "open_pull_request", full_name=REPOSITORY, head="topic", title="Change a line")
    comment_id = do(url, "review_comment", full_name=REPOSITORY, number=number, body="Hm", path="web.yaml", line=15)
    do(url, "settle")
    state = see(url, "state")["repositories"][0]["pulls"][0]
    assert {key: state[key] for key in ("number", "title", "state", "checks", "url")} == {
        "number": 1,
        "title": "Change a line",
        "state": "open",
        "checks": [],
        "url": f"{url}/{REPOSITORY}/pull/1",
    }
    assert [(one["id"], one["line"], one["subject_type"], one["body"]) for one in state["comments"]] == [
        (comment_id, 15, "line", "Hm")
    ]
    names = ["client_id", "client_secret", "id", "private_key", "slug", "webhook_secret"]
    assert sorted(see(url, "app")) == names
    assert {one["status"] for one in see(url, "deliveries")} == {"failed to connect to host"}
    assert (see(url, "violations"), see(url, "log")) == ([], [])


WRONG: list[tuple[str, dict[str, Any], int]] = [
    ("stop", {}, 404),
    ("__init__", {}, 404),
    ("push", {"full_name": "none/none", "branch": "main", "files": {}}, 422),
    ("push", {"branch": "main"}, 422),
]


def test_wrong_calls_are_answered(url: str) -> None:
    answers = [
        requests.post(f"{url}/_fake/{call}", json=arguments, timeout=WAIT_SECONDS) for call, arguments, _ in WRONG
    ]
    assert [one.status_code for one in answers] == [status for *_, status in WRONG]


def test_the_clock_and_faults_are_set_from_outside(url: str) -> None:
    first = see(url, "app")["id"]
    now = [
        requests.post(f"{url}/_fake/clock", json={"seconds": s}, timeout=WAIT_SECONDS).json()["now"]
        for s in (0, 86_400)
    ]
    do(url, "fault", method="GET", path="/app$", status=503)
    assert (now[0] < now[1], first, requests.get(f"{url}/app", timeout=WAIT_SECONDS).status_code) == (True, 424242, 503)


# Pages


def test_a_page_shows_what_was_posted(fake: FakeGitHub, rest: Rest) -> None:
    head = fake.push(REPOSITORY, "topic", {"web.yaml": changed((15, "a < b"), (25, "later"))})
    number = fake.open_pull_request(REPOSITORY, "topic", title="Compare <b>", body="**Why**")
    suggestion = "Use this:\n\n```suggestion\na <= b\n```\n<!-- marker -->"
    lines = ((15, suggestion), (25, "~~old~~"))
    comments = [{"path": "web.yaml", "line": line, "body": body} for line, body in lines]
    rest.post(rest.repo(f"/pulls/{number}/reviews"), {"event": "COMMENT", "body": "Look", "comments": comments})
    comment = {"body": "On the file", "path": "web.yaml", "subject_type": "file", "commit_id": head}
    rest.post(rest.repo(f"/pulls/{number}/comments"), comment)
    note = {"path": "web.yaml", "start_line": 25, "end_line": 25, "annotation_level": "warning", "message": "noted"}
    elsewhere = {**note, "path": "other.yaml", "message": "far away"}
    output = {"title": "1 error", "summary": "| a |\n|---|\n| cell |", "annotations": [note, elsewhere]}
    rest.post(
        rest.repo("/check-runs"), {"name": "gracegate", "head_sha": head, "conclusion": "failure", "output": output}
    )
    page = rest.get(f"/{REPOSITORY}/pull/{number}").text
    expected = [
        "Compare &lt;b&gt;",
        "<strong>Why</strong>",
        "Comment on line 15",
        '<td class="sign">-</td><td>a &lt; b</td>',
        '<td class="sign">+</td><td>a &lt;= b</td>',
        "<s>old</s>",
        "Comment on this file",
        "noted",
        "far away",
        "<td>cell</td>",
        "1 error",
    ]
    assert [one for one in expected if one not in page] == []
    assert "marker" not in page
    files = rest.get(f"/{REPOSITORY}/pull/{number}?view=files").text
    assert ("Comment on line 15" in files, "<strong>Why</strong>" in files) == (True, False)


def test_a_page_shows_outdated_comments(fake: FakeGitHub, rest: Rest) -> None:
    fake.push(REPOSITORY, "topic", {"web.yaml": changed((15, "new"))})
    number = fake.open_pull_request(REPOSITORY, "topic")
    fake.review_comment(REPOSITORY, number, "Still here", path="web.yaml", line=15)
    fake.push(REPOSITORY, "topic", {"web.yaml": changed((15, "newer"))})
    page = rest.get(f"/{REPOSITORY}/pull/{number}").text
    assert ("Still here" in page, "Outdated" in page) == (True, True)


def test_the_list_links_to_the_pages(fake: FakeGitHub, rest: Rest) -> None:
    empty = rest.get("/").text
    fake.push(REPOSITORY, "topic", {"a": "1\n"})
    fake.open_pull_request(REPOSITORY, "topic", title="Something new")
    listed = rest.get("/").text
    assert ("Something new" in empty, "Something new" in listed, f'href="/{REPOSITORY}/pull/1"' in listed) == (
        False,
        True,
        True,
    )
    assert rest.get(f"/{REPOSITORY}/pull/9").status_code == 404


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        (None, ""),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("a <img src=x onerror=y> b", "<p>a &lt;img src=x onerror=y&gt; b</p>\n"),
        (
            "<details>\n<summary>s</summary>\n\ntext\n\n</details>",
            "<details>\n<summary>s</summary>\n<p>text</p>\n</details>",
        ),
        (
            "```diff\n--- a/x\n-old\n+new\n same\n```",
            (
                '<div class="suggestion"><table class="code">'
                '<tr class="head"><td class="sign"></td><td>--- a/x</td></tr>'
                '<tr class="del"><td class="sign">-</td><td>old</td></tr>'
                '<tr class="add"><td class="sign">+</td><td>new</td></tr>'
                '<tr class="ctx"><td class="sign"></td><td>same</td></tr></table></div>'
            ),
        ),
        ("<details onclick=x>", "&lt;details onclick=x&gt;"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
    ],
)
def test_markdown_lets_nothing_dangerous_by(text: str | None, shown: str) -> None:
    assert str(render(text)) == shown
