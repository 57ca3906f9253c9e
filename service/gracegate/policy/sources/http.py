"""Bundles of servers and registries: by HTTPS, within limits, and with the digest that was asked for."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests

from gracegate.errors import RepositoryError
from gracegate.policy.sources.files import MAX_BYTES, Download

_TIMEOUT = (5.0, 15.0)
"""Seconds for the connection and between two parts of an answer."""
_MAX_REDIRECTS = 5
_MAX_MANIFEST_BYTES = 1_000_000
_MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_TAR_LAYERS = ("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class BundleServers:
    """Asks servers of bundles. Redirects are followed to other servers, and only to those with TLS."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.max_redirects = _MAX_REDIRECTS
        self._etags: dict[tuple[str, str], str] = {}

    def download(self, url: str, known: str = "") -> Download | None:
        """The bundle at a URL, None where its digest is still the `known` one. Raises RepositoryError."""
        etag = self._etags.get((url, known))
        with self._get(url, {"If-None-Match": etag} if etag else {}) as answer:
            if answer.status_code == 304:
                return None
            data = _read(answer, MAX_BYTES, url)
            digest = _sha256(data)
            if etag := answer.headers.get("ETag"):
                self._etags = {key: kept for key, kept in self._etags.items() if key[0] != url} | {(url, digest): etag}
            return None if digest == known else Download(digest, data)

    def pull(self, reference: str, known: str = "") -> Download | None:
        """The bundle of an image in a registry, `oci://host/name:tag` or `@sha256:`, None where its digest is still the
        `known` one: its one layer with a tar. Raises RepositoryError."""
        host, _, rest = reference.removeprefix("oci://").partition("/")
        name, _, digest = rest.partition("@")
        tag = digest
        if not digest:
            name, _, tag = rest.rpartition(":")
        base = f"{'http' if _is_loopback(host) else 'https'}://{host}/v2/{name}"
        token = self._token(f"{base}/manifests/{tag}")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with self._get(f"{base}/manifests/{tag}", {**headers, "Accept": _MANIFESTS}) as answer:
            manifest = _read(answer, _MAX_MANIFEST_BYTES, reference)
        found = _sha256(manifest)
        if digest and found != digest:
            raise RepositoryError(f"the registry gives {found}", file=reference)
        if found == known:
            return None
        layer = _layer(manifest, reference)
        with self._get(f"{base}/blobs/{layer}", headers) as answer:
            data = _read(answer, MAX_BYTES, reference)
        if _sha256(data) != layer:
            raise RepositoryError(f"the registry gives another layer than {layer}", file=reference)
        return Download(found, data)

    def _token(self, url: str) -> str:
        """A token for everybody, where the registry wants one."""
        with self._get(url, {"Accept": _MANIFESTS}, allowed=(401,)) as answer:
            challenge = answer.headers.get("WWW-Authenticate", "")
            if answer.status_code != 401:
                return ""
        wanted = dict(_CHALLENGE.findall(challenge))
        realm = wanted.pop("realm", "")
        if not challenge.lower().startswith("bearer ") or not _is_secure(realm):
            raise RepositoryError("the registry wants a password, and gracegate has none for it", file=url)
        with self._get(realm, {}, params=wanted) as answer:
            found = _json(_read(answer, _MAX_MANIFEST_BYTES, url), url)
        token = found.get("token") or found.get("access_token")
        return token if isinstance(token, str) else ""

    @contextmanager
    def _get(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        params: Mapping[str, str] | None = None,
        allowed: tuple[int, ...] = (),
    ) -> Iterator[requests.Response]:
        """An answer that succeeded, or has one of the `allowed` codes."""
        try:
            # identity: a .tar.gz that is also a content encoding would be unpacked, without any limit of ours.
            sent = {"Accept-Encoding": "identity", **headers}
            answer = self._session.get(url, headers=sent, params=params, timeout=_TIMEOUT, stream=True)
        except requests.RequestException as error:
            raise RepositoryError(f"the server does not answer ({type(error).__name__})", file=url) from error
        with answer:
            if not all(_is_secure(one.url) for one in (*answer.history, answer)):
                raise RepositoryError("the server redirects to an address without TLS", file=url)
            if answer.status_code != 304 and not answer.ok and answer.status_code not in allowed:
                raise RepositoryError(f"the server answers {answer.status_code}", file=url)
            yield answer


def _read(answer: requests.Response, limit: int, source: str) -> bytes:
    data = b""
    try:
        for chunk in answer.iter_content(65536):
            data += chunk
            if len(data) > limit:
                raise RepositoryError(f"the server sends more than {limit // 1_000_000} MB", file=source)
    except requests.RequestException as error:
        raise RepositoryError(f"the connection broke ({type(error).__name__})", file=source) from error
    return data


def _layer(manifest: bytes, source: str) -> str:
    """The digest of the layer that holds the bundle."""
    layers = _json(manifest, source).get("layers")
    found = [
        str(one["digest"])
        for one in (layers if isinstance(layers, list) else ())
        if isinstance(one, dict) and one.get("mediaType") in _TAR_LAYERS and _DIGEST.fullmatch(str(one.get("digest")))
    ]
    if len(found) != 1:
        message = f"the image has {len(found)} layers of type {_TAR_LAYERS[0]}, and a bundle is one"
        raise RepositoryError(message, file=source)
    return found[0]


def _json(data: bytes, source: str) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RepositoryError("the server does not answer with JSON", file=source) from error
    return value if isinstance(value, dict) else {}


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _is_secure(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.netloc))


def _is_loopback(host: str) -> bool:
    return host.partition(":")[0] in {"localhost", "127.0.0.1"}
