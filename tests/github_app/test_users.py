"""What GitHub answers to a sign-in is a token or an error of ours, whatever it is. The flow itself: tests/web."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from gracegate.errors import GitHubUnavailable, Gone
from gracegate.github_app import UserClient, UserToken


class Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


@dataclass
class Server:
    """A GitHub that answers everything in one way."""

    body: str = ""
    status: int = 200
    requests: int = 0
    url: str = ""

    def __call__(self, environ: dict[str, object], start_response: object) -> object:
        self.requests += 1
        headers = {"Location": f"{self.url}/elsewhere"} if self.status in {302, 307} else {}
        answer = Response(self.body, self.status, headers, content_type="application/json")
        return answer(environ, start_response)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    answering = Server()
    served = make_server("127.0.0.1", 0, answering, threaded=True, request_handler=Silent)  # type: ignore[arg-type]
    answering.url = f"http://127.0.0.1:{served.server_port}"
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield answering
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, '{"access_token": "ghu_x", "expires_in": 60}', UserToken("ghu_x", 60.0)),
        (200, '{"access_token": "ghu_x"}', UserToken("ghu_x", 28800.0)),
        (200, '{"access_token": "ghu_x", "expires_in": 1e9}', UserToken("ghu_x", 28800.0)),
        (200, '{"error": "bad_verification_code"}', Gone),
        (404, '{"error": "Not Found"}', Gone),
        (200, '{"access_token": "ghu_x", "expires_in": "soon"}', GitHubUnavailable),
        (200, '{"access_token": 5}', GitHubUnavailable),
        (200, "{}", GitHubUnavailable),
        (200, "[]", GitHubUnavailable),
        (200, "null", GitHubUnavailable),
        (200, "<html>", GitHubUnavailable),
        (500, '{"access_token": "ghu_x"}', GitHubUnavailable),
        (502, "<html>", GitHubUnavailable),
        (302, "", GitHubUnavailable),
        (307, "", GitHubUnavailable),
    ],
)
def test_an_answer_to_a_code(server: Server, status: int, body: str, result: UserToken | type[Exception]) -> None:
    server.status, server.body, server.requests = status, body, 0
    client = UserClient("id", "secret", server.url, server.url, "http://127.0.0.1/sign-in/callback")
    if isinstance(result, UserToken):
        assert client.exchange("code", "v" * 43) == result
    else:
        with pytest.raises(result):
            client.exchange("code", "v" * 43)
    # The secret was sent once, to this address.
    assert server.requests == 1


def test_secrets_are_in_no_text() -> None:
    client = UserClient("id", "a-secret", "https://github.com", "https://api.github.com", "https://gate.example.com/x")
    assert "a-secret" not in f"{client!r}{UserToken('a-secret', 1.0)!r}"
    assert "a-secret" not in client.authorization_url("state", "v" * 43)
