"""A small server of bundles, and a registry, on loopback."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class BundleServer:
    """What it serves by path; it records the requests that it got, each with the status of the answer."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    needs_token: bool = False
    requests: list[tuple[str, int]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def push(self, name: str, tag: str, data: bytes, media_type: str = LAYER, layers: int = 1) -> str:
        """Put a bundle into the registry as an image, which has it in so many layers; its digest."""
        layer = {"mediaType": media_type, "digest": sha256(data), "size": len(data)}
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(b"{}"), "size": 2}
        manifest = json.dumps({"schemaVersion": 2, "config": config, "layers": [layer] * layers}).encode()
        self.files[f"/v2/{name}/blobs/{sha256(data)}"] = data
        for reference in (tag, sha256(manifest)):
            self.files[f"/v2/{name}/manifests/{reference}"] = manifest
        return sha256(manifest)


@contextmanager
def serve_bundles() -> Iterator[BundleServer]:
    state = BundleServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            content = state.files.get(path)
            etag = f'"{sha256(content)}"' if content is not None else ""
            headers = {"ETag": etag} if etag else {}
            if path == "/token":
                status, content = 200, json.dumps({"token": "for-everybody"}).encode()
            elif path in state.redirects:
                status, content, headers = 302, b"", {"Location": state.redirects[path]}
            elif path.startswith("/v2/") and state.needs_token and not self.headers.get("Authorization"):
                realm = f'Bearer realm="{state.url}/token",service="registry",scope="pull"'
                status, content, headers = 401, b"", {"WWW-Authenticate": realm}
            elif content is None:
                status, content = 404, b""
            elif self.headers.get("If-None-Match") == etag:
                status, content = 304, b""
            else:
                status = 200
            state.requests.append((path, status))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        state.address = f"127.0.0.1:{httpd.server_port}"
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield state
        finally:
            httpd.shutdown()
            thread.join()
